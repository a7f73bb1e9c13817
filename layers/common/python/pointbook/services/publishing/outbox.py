"""Tells Shopify Flow of each book's entries: every one, in order, at least once.

    lease ──► entries above `told` ──► for each: its triggers, then `told` moves on ──► lease back

A book is sent by whoever holds its lease. What cannot be sent now is put on the shop's list, with a
pause that grows; the entries stay where they are, so nothing but the place on the list is kept.
Cut off at any point, the book is still behind, and either on the list or about to be asked for
again by whoever asked: an entry can be sent twice then, never not at all.
"""

import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from random import SystemRandom
from typing import Protocol

from pointbook import log
from pointbook.domain.chain import BookedEntry
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.ports import Clock
from pointbook.errors import LedgerUnavailable, PointbookError
from pointbook.shopify import triggers
from pointbook.shopify.triggers import Trigger
from pointbook.store.outbox import Leased, LeaseLost, Outbox
from pointbook.store.outbox_requests import Cursor

LEASE = timedelta(seconds=30)
SEND_SECONDS = 4.0
"""What one trigger may take; a call is begun only while the lease outlasts it by far."""

LEASE_SPARE = timedelta(seconds=10)
"""Less than this of a lease is not enough for a call: longer than a call, and clocks differ."""

SEND_SECONDS_LEAST = 1.0
PAGE_ENTRIES = 100
PAUSE_FIRST_SECONDS = 5.0
PAUSE_MAX_SECONDS = 600.0
_NOTES_TRIED = 3
_NOTE_PAUSE_SECONDS = 0.05
_RANDOM = SystemRandom().random


class Flow(Protocol):
    """Shopify Flow of one shop."""

    def tell(self, trigger: Trigger, seconds: float) -> str | None:
        """Send a trigger; a text says why Flow does not take this one. Raises PointbookError."""
        ...


class Subscriptions(Protocol):
    """Knows who listens."""

    def disabled_handles(self, shop: str) -> frozenset[str]:
        """The handles that no workflow of the shop listens to."""
        ...


class _NotSent(Exception):
    """The shop takes no triggers just now."""


class _Stopped(Exception):
    """This run sends nothing more of this shop."""


class _EntriesMissing(Exception):
    """Somebody asks for a version, and the entries up to it are not there."""


@dataclass(frozen=True, slots=True)
class OutboxPublisher:
    """What sending needs. `clock` is real time: leases bind senders on other machines."""

    outbox: Outbox
    subscriptions: Subscriptions
    flow: Callable[[str], Flow]
    clock: Clock
    random: Callable[[], float] = _RANDOM

    def run(self, shop: str, seconds: float, *, resting: bool = False) -> "ShopRun":
        """One run over books of a shop. `resting`: send nothing, only put on the list."""
        return ShopRun(self, shop, self.clock.monotonic() + seconds, stopped=resting)


class ShopRun:
    """One shop's part of a run. Safe to use from several threads, for different books.

    The first failure of the shop stops its run: the rest of its books wait for the next one.
    """

    def __init__(self, desk: OutboxPublisher, shop: str, until: float, *, stopped: bool) -> None:
        """Send until `until` on the monotonic clock, unless it is `stopped` from the beginning."""
        self.desk = desk
        self.shop = shop
        self.stopped = stopped
        self.counts: Counter[tuple[str, str]] = Counter()
        self._until = until
        self._lock = threading.Lock()
        self._flow: Flow | None = None
        self._disabled_handles: frozenset[str] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is sent."""
        return self.stopped or self.seconds_left < SEND_SECONDS_LEAST

    @property
    def seconds_left(self) -> float:
        """What is left of this run's time."""
        return self._until - self.desk.clock.monotonic()

    def deliver(self, customer_id: str, version: int | None = None) -> None:
        """Tell Flow all of a book that it has not been told, or have that done later.

        With a `version` the book is put on the list where it cannot be sent now; without, it is on
        the list. Raises LedgerUnavailable where neither could be written down.
        """
        if is_pseudonym(customer_id):
            return  # nobody of Shopify's
        desk = self.desk
        now = desk.clock.now()
        if self.is_over:
            pause = timedelta(seconds=PAUSE_FIRST_SECONDS) if self.stopped else timedelta()
            self._ask(customer_id, version, pause)
            return
        wish = Cursor(self.shop, customer_id, secrets.token_hex(8), now + LEASE)
        found = desk.outbox.acquire(wish, now, version)
        if isinstance(found, Leased):
            self._ask(customer_id, version, found.until - now)
        elif found is not None:
            _Telling(self, found).run()

    def tell(self, trigger: Trigger, booked: BookedEntry) -> None:
        """Send one trigger of an entry, if anybody listens. Raises _NotSent, _Stopped."""
        if self.is_over:
            raise _Stopped
        try:
            flow, disabled_handles = self._opened()
            if trigger.handle in disabled_handles:
                self.count("TriggersUnheard", trigger.handle)
                return
            refusal = flow.tell(trigger, min(SEND_SECONDS, self.seconds_left))
        except PointbookError as error:
            self.stopped = True
            raise _NotSent from error
        if refusal is None:
            self.count("TriggersSent", trigger.handle)
            return
        self.count("TriggersRefused", trigger.handle)
        log.error("trigger_refused", shop=self.shop, handle=trigger.handle, **_ids(booked))

    def count(self, metric: str, handle: str) -> None:
        """Count something for `write_metrics`."""
        with self._lock:
            self.counts[metric, handle] += 1

    def write_metrics(self) -> None:
        """Write what was counted."""
        for (metric, handle), number in sorted(self.counts.items()):
            log.metric(metric, number)
            log.metric(metric, number, Handle=handle)

    def note[T](self, write: Callable[[], T]) -> T:
        """Write something down, a few times: what is not noted is sent again."""
        for number in range(_NOTES_TRIED - 1):
            try:
                return write()
            except LedgerUnavailable:
                self.desk.clock.sleep(_NOTE_PAUSE_SECONDS * 2**number)
        return write()

    def _ask(self, customer_id: str, version: int | None, pause: timedelta) -> None:
        if version is not None:
            at = self.desk.clock.now() + pause
            self.note(lambda: self.desk.outbox.ask(self.shop, customer_id, version, at))

    def _opened(self) -> tuple[Flow, frozenset[str]]:
        """The shop's Flow and what it does not listen to, asked for once a run."""
        with self._lock:
            if self._flow is None or self._disabled_handles is None:
                self._disabled_handles = self.desk.subscriptions.disabled_handles(self.shop)
                self._flow = self.desk.flow(self.shop)
            return self._flow, self._disabled_handles


class _Telling:
    """One book being told, under its lease."""

    def __init__(self, run: ShopRun, cursor: Cursor) -> None:
        self._run = run
        self._outbox = run.desk.outbox
        self._clock = run.desk.clock
        self._cursor = cursor

    def run(self) -> None:
        """Tell all there is. Raises LedgerUnavailable where the state cannot be written down."""
        try:
            self._tell_all()
        except LeaseLost:
            log.warning("outbox_lease_lost", **self._about())
        except _Stopped:
            self._reschedule(0.0)
        except _NotSent as error:
            log.warning("triggers_held_back", why=str(error.__cause__), **self._about())
            log.metric("TriggersHeldBack")
            self._step_back()
        except Exception:  # noqa: BLE001 - whatever is wrong with one book, it stops no other
            log.exception("outbox_failed", **self._about())
            log.metric("TriggersHeldBack")
            self._step_back()

    def _tell_all(self) -> None:
        nothing_there = False
        while True:
            cursor = self._cursor
            entries = self._outbox.entries(
                cursor.shop, cursor.customer_id, cursor.told, PAGE_ENTRIES
            )
            for booked in entries:
                self._tell(booked)
                is_last = booked is entries[-1] and len(entries) < PAGE_ENTRIES
                if is_last and self._release():
                    return
                self._advance()
            if not entries and self._release():
                return
            if not entries and nothing_there:
                raise _EntriesMissing
            nothing_there = not entries

    def _tell(self, booked: BookedEntry) -> None:
        """Send what an entry calls for, but for the part that was sent before."""
        for number, trigger in enumerate(triggers.triggers_for(booked), start=1):
            if number > self._cursor.part:
                self._keep_lease()
                self._run.tell(trigger, booked)
                self._cursor = replace(self._cursor, part=number, tries=0)
        self._cursor = replace(self._cursor, told=booked.entry.version, part=0)

    def _keep_lease(self) -> None:
        """Nobody else may send before this call is over."""
        if self._cursor.lease_until - self._clock.now() < LEASE_SPARE:
            self._advance()

    def _advance(self) -> None:
        self._cursor = replace(self._cursor, lease_until=self._clock.now() + LEASE)
        self._run.note(lambda: self._outbox.advance(self._cursor))

    def _release(self) -> bool:
        """Give the lease back; False: more is wanted."""
        if self._cursor.told == 0:
            self._run.note(lambda: self._outbox.discard(self._cursor))
            return True
        return self._run.note(lambda: self._outbox.release(self._cursor))

    def _step_back(self) -> None:
        """Put off for longer each time, half of it by chance."""
        tries = self._cursor.tries
        longest = min(PAUSE_MAX_SECONDS, PAUSE_FIRST_SECONDS * 2 ** min(tries, 20))
        self._cursor = replace(self._cursor, tries=tries + 1)
        self._reschedule(longest * (0.5 + self._run.desk.random() / 2))

    def _reschedule(self, seconds: float) -> None:
        at = self._clock.now() + timedelta(seconds=seconds)
        try:
            self._run.note(lambda: self._outbox.reschedule(self._cursor, at))
        except LeaseLost:
            log.warning("outbox_lease_lost", **self._about())

    def _about(self) -> dict[str, str | int]:
        cursor = self._cursor
        return {"shop": cursor.shop, "customer_id": cursor.customer_id, "told": cursor.told}


def _ids(booked: BookedEntry) -> dict[str, str]:
    return {"customer_id": booked.entry.customer_id, "entry_id": booked.entry.entry_id}
