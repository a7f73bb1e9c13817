"""Runs that push changes of approved points to the till: which accounts, and when.

Each account is pushed under its lease by `delivery.Delivery`. Where a shop's changes are not to be
pushed (any more), the cursor of an account is dropped with its next change: switched on again, the
account begins anew with the change after that.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from pointbook import log
from pointbook.deadline import JITTER
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.ports import Clock
from pointbook.domain.programme_rules import TillPush
from pointbook.services.member_numbers import NumberOf
from pointbook.services.publishing.runs import Publisher
from pointbook.services.recording import record_by
from pointbook.services.till_push.delivery import (
    CALL_SECONDS_LEAST,
    PAUSE_SECONDS,
    Delivery,
    Parts,
)
from pointbook.services.till_push.progress import LEASE, Progress
from pointbook.store.outbox import Cursor, Leased
from pointbook.store.table import Table
from pointbook.store.till_members import TillMembers
from pointbook.store.till_pushes import TillPushes
from pointbook.till.member import Till

ENTRIES_PER_WRITE_MAX = 25
"""More than one write ever adds to an account."""

STREAM_SECONDS = 25.0
"""The time limit of a run for the stream."""


class _CursorGone(Exception):
    """An account of the retry queue has no cursor any more: it was dropped meanwhile."""


type Mode = Callable[[str], TillPush]
"""The rule `till_push` of a shop."""


def publisher(
    table: Table,
    members: TillMembers,
    till: Callable[[], Till | None],
    mode: Mode,
    clock: Clock,
    number: NumberOf,
    till_name: Callable[[], str] = lambda: "",
) -> Publisher:
    """The outbox that pushes changes to the till; `clock` is the wall clock."""
    pushes = TillPushes(table)
    parts = Parts(pushes, members, number, clock, JITTER, till_name)
    pusher = TillPusher(parts, till, mode)
    return Publisher(pushes, pusher, clock, STREAM_SECONDS)


@dataclass(frozen=True, slots=True)
class TillPusher:
    """Pushes the changes of accounts to the till.

    `till` returns None where the stack has none.
    """

    parts: Parts
    till: Callable[[], Till | None]
    mode: Mode

    def run(self, shop: str, seconds: float, *, enqueue_only: bool = False) -> "TillPushRun":
        """Start a run over accounts of a shop. `enqueue_only`: only add to the retry queue."""
        until = self.parts.clock.monotonic() + seconds
        return TillPushRun(self, shop, until, stopped=enqueue_only)


class TillPushRun:
    """One shop's part of a run; threads push the changes of different accounts."""

    def __init__(self, pusher: TillPusher, shop: str, until: float, *, stopped: bool) -> None:
        """Push until `until` on the monotonic clock; nothing if it begins `stopped`."""
        self.shop = shop
        self.stopped = stopped
        self.parts = pusher.parts
        self.waited_seconds = 0.0
        self._until = until
        self._pusher = pusher

    @cached_property
    def mode(self) -> TillPush:
        """What is pushed. A shop whose programme cannot be read fails alone."""
        return self._pusher.mode(self.shop)

    @cached_property
    def _till(self) -> Till | None:
        return self._pusher.till()

    @property
    def is_over(self) -> bool:
        """Whether nothing more is pushed."""
        return self.stopped or self.left_seconds < CALL_SECONDS_LEAST

    @property
    def left_seconds(self) -> float:
        """How much of the run's time is left."""
        return self._until - self.parts.clock.monotonic()

    def deliver(self, customer_id: str, version: int | None = None, first_version: int = 0) -> None:
        """Push what was not pushed of an account, now or later.

        With a `version`, the account is added to the retry queue if that is not possible now;
        without, it is in the queue already. Raises LedgerUnavailable if that was not recorded.
        """
        if is_pseudonym(customer_id):
            return  # unknown to the till
        pushes, clock = self.parts.pushes, self.parts.clock
        till = self._till
        if till is None or self.mode is TillPush.NO or not till.capabilities.pushes:
            if pushes.drop(self.shop, customer_id):
                log.info("till_push_dropped", shop=self.shop, customer_id=customer_id)
            return
        begin = _gone if version is None else self._begin(customer_id, first_version)
        if self.is_over:
            pause = timedelta(seconds=PAUSE_SECONDS) if self.stopped else timedelta()
            self._enqueue(customer_id, version, pause, begin)
            return
        now = clock.now()
        claim = Cursor(self.shop, customer_id, secrets.token_hex(8), now + LEASE)
        try:
            found = pushes.acquire(claim, now, version, begin)
        except _CursorGone:
            return
        if isinstance(found, Leased):
            self._enqueue(customer_id, version, found.until - now, begin)
        elif found is not None:
            progress = Progress(pushes, found, clock, self.parts.till_name())
            Delivery(self, till, progress).run()

    def write_metrics(self) -> None:
        """Write how long the account has been waiting that waits longest, if any does."""
        if self.waited_seconds:
            log.metric("TillPushWaitedSeconds", self.waited_seconds, "Seconds")

    def note_waiting(self, seconds: float) -> None:
        """Record how long an account has been waiting."""
        self.waited_seconds = max(self.waited_seconds, seconds)

    def _enqueue(
        self, customer_id: str, version: int | None, pause: timedelta, begin: Callable[[], int]
    ) -> None:
        if version is None:
            return
        at = self.parts.clock.now() + pause
        record_by(
            self.parts.clock,
            lambda: self.parts.pushes.request(self.shop, customer_id, version, at, begin),
        )

    def _begin(self, customer_id: str, first_version: int) -> Callable[[], int]:
        """Where an account without a cursor begins: below the first write that the stream showed.

        One write may add several entries, all recorded at the same instant.
        """

        def begin() -> int:
            above = max(0, first_version - ENTRIES_PER_WRITE_MAX)
            found = self.parts.pushes.entries(self.shop, customer_id, above, first_version - above)
            if not found or found[-1].entry.version != first_version:
                return max(0, first_version - 1)
            written_at = found[-1].entry.recorded_at
            same_write = [one for one in found if one.entry.recorded_at == written_at]
            return same_write[0].entry.version - 1

        return begin


def _gone() -> int:
    """An account of the retry queue has begun already, and never begins anew."""
    raise _CursorGone
