"""The single write path: read, decide, commit; repeated until there is a verdict.

    read cheaply ──► processed before? ──► same result as before
         │
      decide ──► refused, or nothing to do? ──► read again as one fresh snapshot, decide again,
         │                                         only then say so
         │
      commit everything in one transaction ──► conflict? decide again on the account as it is now;
         │                                     another conflict? back off, then read again
         │
       answer

There is no state "in progress": a request has had its effect, or it has not.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from pointbook.deadline import JITTER, Backoff, retry
from pointbook.domain.account import Account, HoldRecord, OrphanedCode
from pointbook.domain.chain import BookedEntry, Cause
from pointbook.domain.commands import Settle
from pointbook.domain.decide import Decision, decide, settle_part, settled
from pointbook.domain.merge import merge, tombstones_to_move
from pointbook.domain.orders import Order
from pointbook.domain.ports import (
    AccountWrite,
    AlreadyDone,
    Clock,
    Committed,
    IdempotencyRecord,
    ReadRequest,
    Store,
    StoreUnavailable,
    Verdict,
    VersionConflict,
    Write,
)
from pointbook.domain.refusal import Code, Refusal
from pointbook.ledger.instruction import DEFAULT_TIME_ZONE, Booked, Instruction, View
from pointbook.ledger.loading import DEADLINE_SECONDS, Loader, Snapshot, new_account
from pointbook.ledger.writes import TIME, account_write, booked, write_of

ENTRIES_PER_WRITE_MAX = 20
"""The most entries of one account in one write: if more has fallen due, part of it goes first.

A command's own entries are few (`COMMAND_ENTRIES_MAX`), so that a write, even of both sides of a
merge with their order, record and request, stays far below DynamoDB's 100 items.
"""

READ_DEADLINE_SECONDS = 0.9
"""My page waits no longer than this for the ledger."""

type Alarm = Callable[[Instruction, str], None]
"""Raises an alarm about an instruction, by its name, for the operator."""


class _NeedsFreshRead:
    """Decided on a cheap read, and no condition of the write would detect that it was stale."""


class Ledger:
    """Executes instructions for all shops; services access accounts only through this class.

    Every method raises LedgerUnavailable when the store gives no verdict within its deadline.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        random: Callable[[], float] = JITTER,
        alarm: Alarm = lambda _instruction, _alarm: None,
    ) -> None:
        """Use `store`; `random` returns the jitter of its retries, 0 to 1.

        `alarm` is called before the write: it may be called twice if a race is lost, but it is
        never missed because the reply to a write got lost.
        """
        self._store = store
        self._clock = clock
        self._random = random
        self._alarm = alarm
        self._loader = Loader(store, clock)

    def execute(
        self, instruction: Instruction, deadline_seconds: float = DEADLINE_SECONDS
    ) -> Booked | Refusal:
        """Execute an instruction exactly once.

        Raises LedgerUnavailable if there is no verdict within `deadline_seconds`; retrying with the
        same identity is safe.
        """
        return self._execute(instruction, self._backoff(deadline_seconds))

    def _execute(self, instruction: Instruction, backoff: Backoff) -> Booked | Refusal:
        snapshot: Snapshot | None = None
        fresh = conflicted = False
        while True:
            try:
                if snapshot is None:
                    snapshot = self._loader.snapshot(instruction, fresh=fresh)
                answer = self._attempt(instruction, snapshot)
            except StoreUnavailable:
                snapshot = None
                backoff.pause()
                continue
            if isinstance(answer, VersionConflict):
                snapshot = None if conflicted else snapshot.after(answer)
                conflicted = True
                if snapshot is None:
                    backoff.pause()
            elif answer is None or isinstance(answer, _NeedsFreshRead):
                snapshot, fresh = None, fresh or answer is not None
                backoff.check()
            else:
                return answer

    def preview(
        self, instruction: Instruction, deadline_seconds: float = DEADLINE_SECONDS
    ) -> Booked | Refusal:
        """The result that `execute` would have now; nothing is written.

        Entry ids are those that the command's entries would have.
        """
        return self.preview_after(None, instruction, deadline_seconds)[0]

    def preview_after(
        self,
        account: Account | None,
        instruction: Instruction,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> tuple[Booked | Refusal, Account]:
        """The same, and the account after it; `account` is the one after an earlier preview.

        So several instructions for one customer can be previewed as they would be executed.
        """
        snapshot = self._snapshot(instruction, deadline_seconds)
        state = snapshot.state
        if account is not None and account.customer_id == state.account.customer_id:
            state = replace(state, account=account)
        if snapshot.idempotency_record is not None:
            return _repeated(instruction, snapshot.idempotency_record), state.account
        decision = decide(state, instruction.command, self._clock.now())
        if isinstance(decision, Refusal):
            return decision, state.account
        return booked(decision), decision.account

    def recorded(
        self, instruction: Instruction, deadline_seconds: float = DEADLINE_SECONDS
    ) -> Booked | Refusal | None:
        """The result that an instruction had, None if it has not been executed yet."""
        snapshot = self._snapshot(instruction, deadline_seconds)
        record = snapshot.idempotency_record
        return _repeated(instruction, record) if record is not None else None

    def merge(
        self,
        shop: str,
        source_id: str,
        target_id: str,
        cause: Cause,
        time_zone: str = DEFAULT_TIME_ZONE,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> Booked | Refusal:
        """Merge two customers, once; `duplicate` if they are merged already.

        If the target was itself merged, its survivor is used. Refused: a customer into itself,
        and one whose account was merged elsewhere or erased. `time_zone` is as in `Instruction`.
        """
        backoff = self._backoff(deadline_seconds)
        for customer_id in (source_id, target_id):
            self._execute(Instruction(shop, customer_id, Settle(), cause), backoff)
        while True:
            try:
                answer = self._attempt_merge(shop, (source_id, target_id), cause, time_zone)
            except StoreUnavailable:
                answer = VersionConflict()
            if isinstance(answer, VersionConflict):
                backoff.pause()
            elif answer is None:
                backoff.check()
            else:
                return answer

    def read(self, shop: str, customer_id: str) -> View:
        """The account of a customer as of now; an empty one for a customer without points."""
        stored = self._retried(lambda: self._loader.survivor(shop, customer_id))
        account = settled(stored or new_account(customer_id), self._clock.now())
        return View(
            customer_id=account.customer_id,
            figures=account.figures,
            lots=account.lots,
            hold=account.hold,
            version=stored.version if stored else 0,
            as_of=account.as_of,
            erased=account.erased,
            is_due=stored is not None and stored.figures != account.figures,
        )

    def history(
        self, shop: str, customer_id: str, *, limit: int, before_version: int | None = None
    ) -> list[BookedEntry]:
        """The latest entries below a version, newest first."""
        account = self._retried(lambda: self._loader.survivor(shop, customer_id))
        if account is None:
            return []
        owner = account.customer_id
        above = account.version + 1  # ignore entries of an erased account that are not deleted yet
        before = above if before_version is None else min(before_version, above)
        return self._retried(
            lambda: self._store.entries(shop, owner, before_version=before, limit=limit)
        )

    def history_page(
        self, shop: str, customer_id: str, *, limit: int, before_version: int
    ) -> tuple[Account | None, list[BookedEntry]]:
        """The account as of now, and its latest entries below a version, newest first.

        Those that have fallen due are among them, under the ids and times that they will have once
        they are written; nothing is written. None: there is no account.
        """
        stored = self._retried(lambda: self._loader.survivor(shop, customer_id))
        if stored is None:
            return None, []
        owner = stored.customer_id
        due = account_write(stored, settle_part(stored, self._clock.now(), None), TIME, None)
        found = [one for one in reversed(due.entries) if one.entry.version < before_version][:limit]
        before = min(stored.version + 1, before_version)
        missing = limit - len(found)
        if missing:
            found += self._retried(
                lambda: self._store.entries(shop, owner, before_version=before, limit=missing)
            )
        return due.account, found

    def orders(self, shop: str, order_ids: Collection[str]) -> dict[str, Order]:
        """Those of these orders that are there, by their ids; they may be a moment old."""
        if not order_ids:
            return {}
        return self._retried(lambda: self._store.orders(shop, order_ids))

    def entry(self, shop: str, customer_id: str, version: int) -> BookedEntry | None:
        """One entry by the customer and version that its id names, if it is there."""
        found = self._retried(
            lambda: self._store.entries(shop, customer_id, before_version=version + 1, limit=1)
        )
        return next((booked for booked in found if booked.entry.version == version), None)

    def order(self, shop: str, order_id: str) -> Order | None:
        """An order as it is now."""
        request = ReadRequest(shop, None, order_id=order_id)
        return self._retried(lambda: self._store.load(request, fresh=True)).order

    def hold_record(self, shop: str, hold_id: str) -> HoldRecord | None:
        """The record of a hold as it is now."""
        request = ReadRequest(shop, None, hold_id=hold_id)
        return self._retried(lambda: self._store.load(request, fresh=True)).hold_record

    def save_order(self, shop: str, before: Order, order: Order) -> bool:
        """Write an order that moves no points; False if it was written meanwhile: read again.

        After a lost reply that may have been this very write.
        """
        if order == before:
            return True
        write = Write(shop, (), order=replace(order, revision=before.revision + 1))
        return isinstance(self._retried(lambda: self._store.commit(write)), Committed)

    def add_orphaned_codes(self, shop: str, codes: tuple[OrphanedCode, ...]) -> None:
        """List codes for deactivation."""
        self._retried(lambda: self._store.commit(Write(shop, (), orphaned_codes=codes)))

    def _attempt(
        self, instruction: Instruction, snapshot: Snapshot
    ) -> Booked | Refusal | VersionConflict | _NeedsFreshRead | None:
        """One attempt. None: something else had to be written first, so start over."""
        if snapshot.idempotency_record is not None:
            return _repeated(instruction, snapshot.idempotency_record)
        now, account = self._clock.now(), snapshot.state.account
        decision = decide(snapshot.state, instruction.command, now)
        if not snapshot.fresh and _needs_fresh_read(instruction, account, decision):
            return _NeedsFreshRead()
        if isinstance(decision, Refusal):
            return self._refused(instruction, account, decision, now)
        if _exceeds_one_write(decision):
            return self._settle_part(instruction.shop, account, now)
        if not decision.changes(account):
            return Booked((), decision.account.figures)
        for alarm in decision.alarms:
            self._alarm(instruction, alarm)
        verdict = self._store.commit(write_of(instruction, account, decision))
        return _answered(instruction, decision, verdict)

    def _refused(
        self, instruction: Instruction, account: Account, refusal: Refusal, now: datetime
    ) -> Refusal | VersionConflict | None:
        """Refuse, but if anything is due, record that first and decide again.

        An earlier attempt of this request, based on the same revision of the account, may still
        be in flight. Recording what is due makes its write fail, so it cannot succeed later.
        """
        if settled(account, now).version == account.version:
            return refusal
        return self._settle_part(instruction.shop, account, now)

    def _settle_part(self, shop: str, account: Account, now: datetime) -> VersionConflict | None:
        """Record part of what has fallen due, if it is more than fits in one write."""
        part = settle_part(account, now, ENTRIES_PER_WRITE_MAX)
        write = Write(shop, (account_write(account, part, TIME, None),))
        verdict = self._store.commit(write)
        return verdict if isinstance(verdict, VersionConflict) else None

    def _attempt_merge(
        self, shop: str, names: tuple[str, str], cause: Cause, time_zone: str
    ) -> Booked | Refusal | VersionConflict | None:
        """One attempt. None: something else had to be written first, so start over."""
        source_id, target_id = names
        source, target = (self._loader.account(shop, name, time_zone) for name in names)
        if source_id != target_id:  # two in a row may arrive in the wrong order
            target = self._loader.followed(shop, target)
            if self._loader.followed(shop, source).customer_id == target.customer_id:
                return Booked((), target.figures, duplicate=True)
        stones = [self._loader.account(shop, name) for name in tombstones_to_move(source)]
        if not all(stone.merged_into == source_id for stone in stones):
            return VersionConflict()  # written while it was read
        now = self._clock.now()
        merged = merge(source, target, now, stones)
        if isinstance(merged, Refusal):
            moved_on = self._loader.account(shop, target.customer_id).revision != target.revision
            return VersionConflict() if moved_on else merged
        sides = ((source, merged.source), (target, merged.target))
        for before, side in sides:
            if _exceeds_one_write(side):
                return self._settle_part(shop, before, now)
        accounts = tuple(account_write(before, side, cause, None) for before, side in sides)
        accounts += tuple(AccountWrite(stone, ()) for stone in merged.tombstones)
        verdict = self._store.commit(Write(shop, accounts, orphaned_codes=merged.orphaned_codes))
        return booked(merged.target) if isinstance(verdict, Committed) else VersionConflict()

    def _snapshot(self, instruction: Instruction, deadline_seconds: float) -> Snapshot:
        return self._retried(
            lambda: self._loader.snapshot(instruction, fresh=True), deadline_seconds
        )

    def _backoff(self, seconds: float) -> Backoff:
        return Backoff(self._clock, seconds, self._random)

    def _retried[T](self, call: Callable[[], T], seconds: float = READ_DEADLINE_SECONDS) -> T:
        return retry(call, self._backoff(seconds), StoreUnavailable)


def _needs_fresh_read(
    instruction: Instruction, before: Account, decision: Decision | Refusal
) -> bool:
    """Whether the decision depends on items it does not write, so a stale read would go unnoticed.

    That is also true of a command that changes neither its order nor its hold record, even if due
    work is written: the request would be recorded as done without having had any effect.
    """
    if isinstance(decision, Refusal) or not decision.changes(before):
        return True
    rests_on_more = instruction.order_id is not None or instruction.hold_id is not None
    return rests_on_more and decision.order is None and decision.record is None


def _exceeds_one_write(decision: Decision) -> bool:
    """Whether part of what had fallen due before the command has to be written first."""
    return decision.settled > 0 and len(decision.entries) > ENTRIES_PER_WRITE_MAX


def _answered(
    instruction: Instruction, decision: Decision, verdict: Verdict
) -> Booked | Refusal | VersionConflict:
    match verdict:
        case Committed():
            return booked(decision)
        case AlreadyDone(record):
            return _repeated(instruction, record)
        case VersionConflict():
            return verdict
        case _:
            assert_never(verdict)


def _repeated(instruction: Instruction, record: IdempotencyRecord) -> Booked | Refusal:
    if record.content_hash != instruction.content_hash:
        return Refusal(
            Code.IDEMPOTENCY_MISMATCH,
            "This key was used before for another request: use a new key for a new request.",
        )
    return Booked(record.entry_ids, record.figures, duplicate=True)
