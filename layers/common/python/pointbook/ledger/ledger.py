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

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from pointbook.deadline import JITTER, Backoff
from pointbook.domain.account import DEFAULT_TIME_ZONE, Account, OrphanedCode
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Settle
from pointbook.domain.decide import decide
from pointbook.domain.decision import Decision, settle_part, settled
from pointbook.domain.orders import Order
from pointbook.domain.ports import (
    AccountWrite,
    AlreadyDone,
    Clock,
    Committed,
    IdempotencyRecord,
    LimitReached,
    Store,
    StoreUnavailable,
    Verdict,
    VersionConflict,
    Write,
)
from pointbook.domain.refusal import Code, Refusal, daily_limit_reached
from pointbook.ledger.account_writes import TIME, account_write
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.ledger.loading import DEADLINE_SECONDS, Snapshot
from pointbook.ledger.read_only import ReadOnlyLedger
from pointbook.ledger.writes import booked, write_of

ENTRIES_PER_WRITE_MAX = 20
"""The most entries of one account in one write: if more has fallen due, part of it goes first.

A command's own entries are few (`COMMAND_ENTRIES_MAX`), so that a write, even of both sides of a
merge with their order, record and request, stays far below DynamoDB's 100 items.
"""

type Alarm = Callable[[Instruction, str], None]
"""Raises an alarm about an instruction, by its name, for the operator."""


class _NeedsFreshRead:
    """Decided on a cheap read, and no condition of the write would detect that it was stale."""


class Ledger(ReadOnlyLedger):
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
        super().__init__(store, clock, random)
        self._alarm = alarm

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
        reached: LimitReached | None = None
        fresh = conflicted = False
        while True:
            try:
                if snapshot is None:
                    snapshot = self._loader.snapshot(instruction, fresh=fresh)
                if reached is not None:
                    return _beyond_limit(instruction, snapshot, reached)
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
            elif answer is None or isinstance(answer, _NeedsFreshRead | LimitReached):
                snapshot, fresh = None, fresh or answer is not None
                reached = answer if isinstance(answer, LimitReached) else None
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
    ) -> Booked | Refusal | VersionConflict | LimitReached | _NeedsFreshRead | None:
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
        from pointbook.domain.merge import merge, tombstones_to_move  # noqa: PLC0415 - merges only

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
) -> Booked | Refusal | VersionConflict | LimitReached:
    match verdict:
        case Committed():
            return booked(decision)
        case AlreadyDone(record):
            return _repeated(instruction, record)
        case VersionConflict() | LimitReached():
            return verdict
        case _:
            assert_never(verdict)


def _beyond_limit(
    instruction: Instruction, snapshot: Snapshot, reached: LimitReached
) -> Booked | Refusal:
    """The answer beyond a daily limit, by what was read after it.

    What reached the limit may be an earlier attempt of this request: then there is its record.
    """
    if snapshot.idempotency_record is not None:
        return _repeated(instruction, snapshot.idempotency_record)
    return daily_limit_reached(reached.points_left)


def _repeated(instruction: Instruction, record: IdempotencyRecord) -> Booked | Refusal:
    if record.content_hash != instruction.content_hash:
        return Refusal(
            Code.IDEMPOTENCY_MISMATCH,
            "This key was used before for another request: use a new key for a new request.",
        )
    return Booked(record.entry_ids, record.figures, duplicate=True)
