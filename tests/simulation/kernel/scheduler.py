"""One thread, one seed, one clock: who runs next is drawn, and time passes only by waiting.

Requests run as greenlets and yield where a real one would wait: for DynamoDB, or in a sleep.
Instants are whole milliseconds since 1970, so that requests do meet on the very millisecond at
which something falls due.
"""

import heapq
from collections.abc import Callable
from datetime import datetime
from random import Random

import greenlet

from tests.support.instants import instant


class Scheduler:
    """Runs what is due next; the seed decides what comes first at the same instant."""

    def __init__(self, random: Random, start_ms: int) -> None:
        self.now_ms = start_ms
        self._random = random
        self._due: list[tuple[int, float, int, Callable[[], object]]] = []
        self._count = 0
        self._hub = greenlet.getcurrent()

    def spawn(self, after_ms: int, run: Callable[[], object]) -> None:
        """Start a greenlet, which may wait."""
        self.later(after_ms, lambda: greenlet.greenlet(run, self._hub).switch())

    def later(self, after_ms: int, call: Callable[[], object]) -> None:
        """Call something that does not wait."""
        self._count += 1
        due = (self.now_ms + after_ms, self._random.random(), self._count, call)
        heapq.heappush(self._due, due)

    def pause(self, wait_ms: int) -> None:
        """Wait, and let others run meanwhile."""
        self.later(wait_ms, greenlet.getcurrent().switch)
        self._hub.switch()

    def run(self) -> None:
        """Go on until nothing is left to do."""
        while self._due:
            self.now_ms, _, _, call = heapq.heappop(self._due)
            call()


class SkewedClock:
    """The clock of one machine: `skew_ms` away from the true time."""

    def __init__(self, scheduler: Scheduler, skew_ms: int) -> None:
        self._scheduler = scheduler
        self._skew_ms = skew_ms

    @property
    def true_ms(self) -> int:
        """The true time."""
        return self._scheduler.now_ms

    @property
    def wall_ms(self) -> int:
        """The time by this machine's clock."""
        return self._scheduler.now_ms + self._skew_ms

    def now(self) -> datetime:
        """The time by this machine's clock, as the domain takes it."""
        return instant(self.wall_ms)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self._scheduler.now_ms / 1000

    def sleep(self, seconds: float) -> None:
        """Wait, and let others run meanwhile."""
        self._scheduler.pause(round(seconds * 1000))
