"""The outbox publisher: sends every entry of an account to Shopify Flow, in order, at least once.

    acquire lease ──► read unpublished entries ──► for each: send its triggers, advance the cursor
         ──► release lease

Whoever holds the lease of an account publishes it. An account that cannot be published now is added
to the shop's retry queue, with exponential backoff. The entries themselves are the outbox, so only
the cursor and the place in the queue are stored. Interrupted at any point, the account is either in
the queue or about to be requested again by the stream: an entry may be sent twice, but is never
lost.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from random import SystemRandom

from pointbook import log
from pointbook.domain.chain import BookedEntry
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.ports import Clock
from pointbook.errors import PointbookError
from pointbook.services.publishing.shop_run import Flow, ShopRun, Subscriptions
from pointbook.shopify import triggers
from pointbook.shopify.triggers import Trigger
from pointbook.store.outbox import Cursor, Leased, LeaseLost, Outbox

LEASE = timedelta(seconds=30)
LEASE_RENEWAL_MARGIN = timedelta(seconds=10)
"""With less than this left of a lease, it is renewed before a call; clocks differ."""

PAGE_ENTRIES = 100
BACKOFF_INITIAL_SECONDS = 5.0
BACKOFF_MAX_SECONDS = 600.0
_RANDOM = SystemRandom().random


class _ShopUnavailable(Exception):
    """The shop accepts no triggers right now."""


class _RunOver(Exception):
    """This run sends nothing more for this shop."""


class _EntriesMissing(Exception):
    """A version was requested, but the entries up to it are missing."""


@dataclass(frozen=True, slots=True)
class OutboxPublisher:
    """Publishes accounts. `clock` is the wall clock: leases bind publishers on other machines."""

    outbox: Outbox
    subscriptions: Subscriptions
    flow: Callable[[str], Flow]
    clock: Clock
    random: Callable[[], float] = _RANDOM

    def run(self, shop: str, seconds: float, *, enqueue_only: bool = False) -> "OutboxRun":
        """Start a run over accounts of a shop. `enqueue_only`: only add to the retry queue."""
        return OutboxRun(self, shop, self.clock.monotonic() + seconds, stopped=enqueue_only)


class OutboxRun(ShopRun):
    """One shop's part of a run; threads publish different accounts."""

    def __init__(
        self, publisher: OutboxPublisher, shop: str, until: float, *, stopped: bool
    ) -> None:
        """Send until `until` on the monotonic clock; nothing if it begins `stopped`."""
        flow, subscriptions = publisher.flow, publisher.subscriptions
        super().__init__(shop, flow, subscriptions, publisher.clock, until, stopped=stopped)
        self.publisher = publisher

    def deliver(
        self, customer_id: str, version: int | None = None, _first_version: int = 0
    ) -> None:
        """Publish the unpublished entries of an account, now or later.

        With a `version`, the account is added to the retry queue if it cannot be published now;
        without, it is in the queue already. Raises LedgerUnavailable if that was not recorded.
        """
        if is_pseudonym(customer_id):
            return  # unknown to Shopify
        publisher = self.publisher
        now = publisher.clock.now()
        if self.is_over:
            pause = timedelta(seconds=BACKOFF_INITIAL_SECONDS) if self.stopped else timedelta()
            self._enqueue(customer_id, version, pause)
            return
        claim = Cursor(self.shop, customer_id, secrets.token_hex(8), now + LEASE)
        found = publisher.outbox.acquire(claim, now, version)
        if isinstance(found, Leased):
            self._enqueue(customer_id, version, found.until - now)
        elif found is not None:
            _Delivery(self, found).run()

    def publish(self, trigger: Trigger, booked: BookedEntry) -> None:
        """Send one trigger of an entry, if workflows use it. Raises _ShopUnavailable, _RunOver."""
        if self.is_over:
            raise _RunOver
        try:
            if trigger.handle in self.disabled_handles():
                self.count("TriggersUnheard", trigger.handle)
            else:
                entry = booked.entry
                self.send(trigger, customer_id=entry.customer_id, entry_id=entry.entry_id)
        except PointbookError as error:
            self.stopped = True
            raise _ShopUnavailable from error

    def _enqueue(self, customer_id: str, version: int | None, pause: timedelta) -> None:
        if version is not None:
            at = self.publisher.clock.now() + pause
            self.record(lambda: self.publisher.outbox.request(self.shop, customer_id, version, at))


class _Delivery:
    """The delivery of one account's entries, under its lease."""

    def __init__(self, run: OutboxRun, cursor: Cursor) -> None:
        self._run = run
        self._outbox = run.publisher.outbox
        self._clock = run.publisher.clock
        self._cursor = cursor

    def run(self) -> None:
        """Publish all entries. Raises LedgerUnavailable if the state cannot be recorded."""
        try:
            self._publish_all()
        except LeaseLost:
            log.warning("outbox_lease_lost", **self._log_fields())
        except _RunOver:
            self._reschedule(0.0)
        except _ShopUnavailable as error:
            log.warning("triggers_held_back", reason=str(error.__cause__), **self._log_fields())
            log.metric("TriggersHeldBack")
            self._back_off()
        except Exception:  # noqa: BLE001 - one failing account must not stop the others
            log.exception("outbox_failed", **self._log_fields())
            log.metric("TriggersHeldBack")
            self._back_off()

    def _publish_all(self) -> None:
        was_empty = False
        while True:
            cursor = self._cursor
            entries = self._outbox.entries(
                cursor.shop, cursor.customer_id, cursor.published, PAGE_ENTRIES
            )
            for booked in entries:
                self._publish(booked)
                is_last = booked is entries[-1] and len(entries) < PAGE_ENTRIES
                if is_last and self._release():
                    return
                self._advance()
            if not entries and self._release():
                return
            if not entries and was_empty:
                raise _EntriesMissing
            was_empty = not entries

    def _publish(self, booked: BookedEntry) -> None:
        """Send the triggers of an entry, except those that were sent before."""
        for number, trigger in enumerate(triggers.triggers_for(booked), start=1):
            if number > self._cursor.triggers_sent:
                self._keep_lease()
                self._run.publish(trigger, booked)
                self._cursor = replace(self._cursor, triggers_sent=number, attempts=0)
        self._cursor = replace(self._cursor, published=booked.entry.version, triggers_sent=0)

    def _keep_lease(self) -> None:
        """Renew the lease, if needed, so that nobody else sends during the next call."""
        if self._cursor.lease_until - self._clock.now() < LEASE_RENEWAL_MARGIN:
            self._advance()

    def _advance(self) -> None:
        self._cursor = replace(self._cursor, lease_until=self._clock.now() + LEASE)
        self._run.record(lambda: self._outbox.advance(self._cursor))

    def _release(self) -> bool:
        """Release the lease; False: more entries were requested in the meantime."""
        if self._cursor.published == 0 and self._run.record(
            lambda: self._outbox.discard(self._cursor)
        ):
            return True
        return self._run.record(lambda: self._outbox.release(self._cursor))

    def _back_off(self) -> None:
        """Reschedule with exponential backoff and jitter."""
        attempts = self._cursor.attempts
        longest = min(BACKOFF_MAX_SECONDS, BACKOFF_INITIAL_SECONDS * 2 ** min(attempts, 20))
        self._cursor = replace(self._cursor, attempts=attempts + 1)
        self._reschedule(longest * (0.5 + self._run.publisher.random() / 2))

    def _reschedule(self, seconds: float) -> None:
        at = self._clock.now() + timedelta(seconds=seconds)
        try:
            self._run.record(lambda: self._outbox.reschedule(self._cursor, at))
        except LeaseLost:
            log.warning("outbox_lease_lost", **self._log_fields())

    def _log_fields(self) -> dict[str, str | int]:
        cursor = self._cursor
        return {
            "shop": cursor.shop,
            "customer_id": cursor.customer_id,
            "published": cursor.published,
        }
