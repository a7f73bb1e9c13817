"""The ledger's one use case: read, decide, write; repeat until there is a verdict.

    read cheaply ──► remembered? ──► answer as before
         │
      decide ──► refused, or nothing to do? ──► read again as one fresh snapshot, decide again,
         │                                         only then say so
         │
      write everything in one transaction ──► lost the race? decide again on what is there now;
         │                                    lost again? wait a little, then read anew
         │
       answer

There is no state "in progress": a request has had its effect, or it has not.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import SystemRandom
from typing import assert_never

from pointbook.backoff import Backoff
from pointbook.domain.account import Account
from pointbook.domain.chain import BookedEntry, Cause
from pointbook.domain.commands import Settle
from pointbook.domain.decide import Decision, decide, settle_part, settled
from pointbook.domain.merge import merge, tombstones_to_move
from pointbook.domain.ports import (
    AccountWrite,
    AlreadyDone,
    Clock,
    Committed,
    IdempotencyRecord,
    Loaded,
    ReadRequest,
    Store,
    StoreUnavailable,
    TransientCause,
    Verdict,
    VersionConflict,
    Write,
)
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked, Instruction, View
from pointbook.ledger.writes import TIME, booked, sealed, write_of

ENTRIES_PER_WRITE_MAX = 20
"""The most entries of one account in one write: where more has fallen due, a part goes first.

A command's own entries are few (`COMMAND_ENTRIES_MAX`), so that a write, even of both sides of a
merge with their order, record and request, stays far below DynamoDB's 100 items.
"""

DEADLINE_SECONDS = 8.0
"""Shopify Flow waits 10 s; what has no verdict by then is answered 503."""

READ_DEADLINE_SECONDS = 0.9
"""My page waits no longer than this for the ledger."""

type Alarm = Callable[[Instruction, str], None]
"""Tells an operator of an instruction, and by its name what is wrong."""

_SYSTEM_RANDOM = SystemRandom().random


@dataclass(frozen=True, slots=True)
class _Known:
    """What an attempt decides on: what was read, and the account that the customer's book is."""

    loaded: Loaded
    account: Account
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class _Unsure:
    """Decided on a cheap read, and no condition would catch that it was old: read again."""


def _nobody(_: Instruction, __: str) -> None:
    """Nobody is told."""


class Ledger:
    """Carries instructions out on a store."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        time_zone: str = "Asia/Tokyo",
        random: Callable[[], float] = _SYSTEM_RANDOM,
        alarm: Alarm = _nobody,
    ) -> None:
        """Books that are opened here keep the calendar of `time_zone`.

        `alarm` is told what an operator should know, before it is written: rather twice, after a
        lost race, than never, after a lost answer.
        """
        self._store = store
        self._clock = clock
        self._time_zone = time_zone
        self._random = random
        self._alarm = alarm

    def execute(
        self, instruction: Instruction, deadline_seconds: float = DEADLINE_SECONDS
    ) -> Booked | Refusal:
        """Carry an instruction out, once for ever.

        Raises LedgerUnavailable when there is no verdict within `deadline_seconds`: asking again
        with the same identity is safe.
        """
        return self._execute(instruction, self._backoff(deadline_seconds))

    def _execute(self, instruction: Instruction, backoff: Backoff) -> Booked | Refusal:
        known: _Known | None = None
        fresh = overtaken = False
        while True:
            try:
                if known is None:
                    known = self._know(instruction, fresh=fresh)
                answer = self._attempt(instruction, known)
            except StoreUnavailable:
                known = None
                backoff.pause()
                continue
            if isinstance(answer, VersionConflict):
                known = None if overtaken else _overtaken(known, answer)
                overtaken = True
                if known is None:
                    backoff.pause()
            elif answer is None or isinstance(answer, _Unsure):
                known, fresh = None, fresh or answer is not None
                backoff.check()
            else:
                return answer

    def rehearse(
        self, instruction: Instruction, deadline_seconds: float = DEADLINE_SECONDS
    ) -> Booked | Refusal:
        """What `execute` would answer now; nothing is written.

        Entry ids are those that the command's entries would have. Raises LedgerUnavailable.
        """
        known = self._patiently(lambda: self._know(instruction, fresh=True), deadline_seconds)
        if known.loaded.remembered is not None:
            return _repeated(instruction, known.loaded.remembered)
        command = instruction.command_for(known.loaded)
        decision = decide(known.account, command, self._clock.now())
        return decision if isinstance(decision, Refusal) else booked(decision)

    def merge(
        self,
        shop: str,
        source_id: str,
        target_id: str,
        cause: Cause,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> Booked | Refusal:
        """Make two customers one, once; `duplicate` when they are one already.

        A target that was merged meanwhile stands for its survivor. Refused: a customer into itself,
        and one whose book went elsewhere or was erased.
        """
        backoff = self._backoff(deadline_seconds)
        for customer_id in (source_id, target_id):
            self._execute(Instruction(shop, customer_id, Settle(), cause), backoff)
        while True:
            try:
                answer = self._attempt_merge(shop, source_id, target_id, cause)
            except StoreUnavailable:
                answer = VersionConflict()
            if isinstance(answer, VersionConflict):
                backoff.pause()
            elif answer is None:
                backoff.check()
            else:
                return answer

    def read(self, shop: str, customer_id: str) -> View:
        """The book of a customer as of now; an empty one for a customer without points."""
        stored = self._patiently(lambda: self._survivor(shop, customer_id))
        account = settled(stored or self._opened(customer_id), self._clock.now())
        return View(
            customer_id=account.customer_id,
            figures=account.figures,
            lots=account.lots,
            hold=account.hold,
            version=stored.version if stored else 0,
            as_of=account.as_of,
            erased=account.erased,
        )

    def history(
        self, shop: str, customer_id: str, *, limit: int, before_version: int | None = None
    ) -> list[BookedEntry]:
        """The latest entries below a version, newest first."""
        account = self._patiently(lambda: self._survivor(shop, customer_id))
        if account is None:
            return []
        owner = account.customer_id
        behind = account.version + 1  # what may still lie there of an erased book is nobody's
        before = behind if before_version is None else min(before_version, behind)
        return self._patiently(
            lambda: self._store.entries(shop, owner, before_version=before, limit=limit)
        )

    def _know(self, instruction: Instruction, *, fresh: bool) -> _Known:
        identity = instruction.identity
        wanted = ReadRequest(
            shop=instruction.shop,
            customer_id=instruction.customer_id,
            key_hash=identity.key_hash if identity else None,
            order_id=instruction.order_id,
            hold_id=instruction.hold_id,
        )
        loaded = self._store.load(wanted, fresh=fresh)
        account = tombstone = loaded.account or self._opened(instruction.customer_id)
        if account.merged_into is not None:
            account = self._followed(instruction.shop, account)
            if fresh:  # record, order and account must be of one moment: a refusal rests on them
                loaded = self._store.load(wanted, fresh=True)
                if self._followed(instruction.shop, tombstone) != account:
                    raise StoreUnavailable(TransientCause.CONFLICT, "written while it was read")
        return _Known(loaded, account, fresh)

    def _attempt(
        self, instruction: Instruction, known: _Known
    ) -> Booked | Refusal | VersionConflict | _Unsure | None:
        """One try. None: something else had to be written first, so begin again."""
        if known.loaded.remembered is not None:
            return _repeated(instruction, known.loaded.remembered)
        now = self._clock.now()
        decision = decide(known.account, instruction.command_for(known.loaded), now)
        if not known.fresh and _unguarded(instruction, known.account, decision):
            return _Unsure()
        if isinstance(decision, Refusal):
            return self._refused(instruction, known.account, decision, now)
        if _is_too_much(decision):
            return self._settle_part(instruction.shop, known.account, now)
        if not decision.changes(known.account):
            return Booked((), decision.account.figures)
        for alarm in decision.alarms:
            self._alarm(instruction, alarm)
        verdict = self._store.commit(write_of(instruction, known.account, decision))
        return _answered(instruction, decision, verdict)

    def _refused(
        self, instruction: Instruction, account: Account, refusal: Refusal, now: datetime
    ) -> Refusal | VersionConflict | None:
        """Refuse; where something had fallen due, only once that is written down.

        An earlier try of this request may still be on its way, decided on this very account before
        something fell due. The write keeps it from having an effect after it has been refused.
        """
        if settled(account, now).version == account.version:
            return refusal
        return self._settle_part(instruction.shop, account, now)

    def _settle_part(self, shop: str, account: Account, now: datetime) -> VersionConflict | None:
        """Write down part of what has fallen due, where it is more than one write holds."""
        part = settle_part(account, now, ENTRIES_PER_WRITE_MAX)
        write = Write(shop, (sealed(account, part, TIME, None),))
        verdict = self._store.commit(write)
        return verdict if isinstance(verdict, VersionConflict) else None

    def _attempt_merge(
        self, shop: str, source_id: str, target_id: str, cause: Cause
    ) -> Booked | Refusal | VersionConflict | None:
        """One try. None: something else had to be written first, so begin again."""
        source, target = self._account(shop, source_id), self._account(shop, target_id)
        if source_id != target_id:  # two in a row may arrive in the wrong order
            target = self._followed(shop, target)
            if self._followed(shop, source).customer_id == target.customer_id:
                return Booked((), target.figures, duplicate=True)
        stones = [self._account(shop, name) for name in tombstones_to_move(source)]
        if not all(stone.merged_into == source_id for stone in stones):
            return VersionConflict()  # written while it was read
        now = self._clock.now()
        merged = merge(source, target, now, stones)
        if isinstance(merged, Refusal):
            moved_on = self._account(shop, target.customer_id).revision != target.revision
            return VersionConflict() if moved_on else merged
        sides = ((source, merged.source), (target, merged.target))
        for before, side in sides:
            if _is_too_much(side):
                return self._settle_part(shop, before, now)
        accounts = tuple(sealed(before, side, cause, None) for before, side in sides)
        accounts += tuple(AccountWrite(stone, ()) for stone in merged.tombstones)
        verdict = self._store.commit(Write(shop, accounts, orphaned_codes=merged.orphaned_codes))
        return booked(merged.target) if isinstance(verdict, Committed) else VersionConflict()

    def _account(self, shop: str, customer_id: str) -> Account:
        return self._store.account(shop, customer_id) or self._opened(customer_id)

    def _survivor(self, shop: str, customer_id: str) -> Account | None:
        account = self._store.account(shop, customer_id)
        return self._followed(shop, account) if account else None

    def _followed(self, shop: str, account: Account) -> Account:
        """The account at the end of the tombstones; no chain goes round in a circle.

        Raises LedgerUnavailable when the longest of all deadlines is over.
        """
        until = self._clock.monotonic() + DEADLINE_SECONDS
        seen: set[str] = set()
        while account.merged_into is not None:
            assert account.customer_id not in seen, f"merges of {account.customer_id} in a circle"
            seen.add(account.customer_id)
            if self._clock.monotonic() >= until:
                raise LedgerUnavailable(retry_after_seconds=1)
            account = self._account(shop, account.merged_into)
        return account

    def _opened(self, customer_id: str) -> Account:
        """A book without entries, for a customer who has none."""
        return Account(customer_id, book_id=secrets.token_hex(8), time_zone=self._time_zone)

    def _backoff(self, seconds: float) -> Backoff:
        return Backoff(self._clock, self._random, seconds)

    def _patiently[T](self, read: Callable[[], T], seconds: float = READ_DEADLINE_SECONDS) -> T:
        backoff = self._backoff(seconds)
        while True:
            try:
                return read()
            except StoreUnavailable:
                backoff.pause()


def _overtaken(known: _Known, lost: VersionConflict) -> _Known | None:
    """What is known after a lost race; None where it has to be read again."""
    account = lost.accounts.get(known.account.customer_id)
    if account is None or account.merged_into is not None:
        return None
    return _Known(known.loaded, account)


def _unguarded(instruction: Instruction, before: Account, decision: Decision | Refusal) -> bool:
    """Whether it rests on what is not written, so that no condition would catch an old read.

    So does a command that leaves its order and its hold record alone, even where something that had
    fallen due is written: the request would be remembered as done, and have had no effect.
    """
    if isinstance(decision, Refusal) or not decision.changes(before):
        return True
    rests_on_more = instruction.order_id is not None or instruction.hold_id is not None
    return rests_on_more and decision.order is None and decision.record is None


def _is_too_much(decision: Decision) -> bool:
    """Whether part of what had fallen due before the command has to be written first."""
    return decision.settled > 0 and len(decision.entries) > ENTRIES_PER_WRITE_MAX


def _answered(
    instruction: Instruction, decision: Decision, verdict: Verdict
) -> Booked | Refusal | VersionConflict:
    match verdict:
        case Committed():
            return booked(decision)
        case AlreadyDone(remembered):
            return _repeated(instruction, remembered)
        case VersionConflict():
            return verdict
        case _:
            assert_never(verdict)


def _repeated(instruction: Instruction, remembered: IdempotencyRecord) -> Booked | Refusal:
    if remembered.content_hash != instruction.content_hash:
        return Refusal(
            Code.IDEMPOTENCY_MISMATCH,
            "This key was used before for another request: use a new key for a new request.",
        )
    return Booked(remembered.entry_ids, remembered.figures, duplicate=True)
