"""One shop's part of a run that sends triggers: its deadline, its Flow, its metrics."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from pointbook import log
from pointbook.domain.ports import Clock
from pointbook.services.recording import record_by
from pointbook.shopify.triggers import Trigger

SEND_SECONDS = 4.0
"""The time for one trigger."""

SEND_SECONDS_LEAST = 1.0
"""With less time than this left, nothing more is sent."""


class Flow(Protocol):
    """Shopify Flow of one shop."""

    def send(self, trigger: Trigger, seconds: float) -> str | None:
        """Send a trigger. Returns None if accepted, else Flow's reason. Raises PointbookError."""
        ...


class Subscriptions(Protocol):
    """Which triggers workflows subscribe to."""

    def disabled_handles(self, shop: str) -> frozenset[str]:
        """Return the handles that no workflow of the shop uses."""
        ...


class ShopRun:
    """One shop's part of a run. Safe to use from several threads.

    The first failure of the shop stops its run: what is left waits for the next one.
    """

    def __init__(
        self,
        shop: str,
        flow: Callable[[str], Flow],
        subscriptions: Subscriptions,
        clock: Clock,
        until: float,
        *,
        stopped: bool = False,
    ) -> None:
        """Send until `until` on the monotonic clock; nothing if it begins `stopped`."""
        self.shop = shop
        self.stopped = stopped
        self.counts: Counter[tuple[str, str]] = Counter()
        self.lock = threading.Lock()
        self._new_flow = flow
        self._subscriptions = subscriptions
        self._clock = clock
        self._until = until
        self._flow: Flow | None = None
        self._disabled_handles: frozenset[str] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is sent."""
        return self.stopped or self.has_no_time

    @property
    def has_no_time(self) -> bool:
        """Whether too little time is left to send anything."""
        return self._until - self._clock.monotonic() < SEND_SECONDS_LEAST

    def disabled_handles(self) -> frozenset[str]:
        """Return the handles that no workflow uses, read once for each run."""
        with self.lock:
            if self._disabled_handles is None:
                self._disabled_handles = self._subscriptions.disabled_handles(self.shop)
            return self._disabled_handles

    def send(self, trigger: Trigger, **ids: str) -> bool:
        """Send a trigger; False: Flow rejects it for good. Raises PointbookError.

        `ids` go into the log.
        """
        seconds = min(SEND_SECONDS, self._until - self._clock.monotonic())
        reason = self._opened().send(trigger, seconds)
        if reason is None:
            self.count("TriggersSent", trigger.handle)
            return True
        self.count("TriggersRefused", trigger.handle)
        log.error("trigger_refused", shop=self.shop, handle=trigger.handle, reason=reason, **ids)
        return False

    def record[T](self, write: Callable[[], T]) -> T:
        """Write to the table with retries: what is not recorded is sent again."""
        return record_by(self._clock, write)

    def count(self, metric: str, handle: str) -> None:
        """Count something for `write_metrics`."""
        with self.lock:
            self.counts[metric, handle] += 1

    def write_metrics(self) -> None:
        """Write what was counted."""
        for (metric, handle), number in sorted(self.counts.items()):
            log.metric(metric, number)
            log.metric(metric, number, Handle=handle)

    def _opened(self) -> Flow:
        """Return the shop's Flow, built once for each run."""
        with self.lock:
            if self._flow is None:
                self._flow = self._new_flow(self.shop)
            return self._flow
