"""Shopify Flow and a clock for tests of the outbox."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.shopify.triggers import Trigger
from tests.support.ledgers import SetClock

type Delivered = tuple[str, str]
"""The entry id and the handle of a trigger."""


@dataclass(slots=True)
class RealClock(SetClock):
    """Waiting takes time here, on both clocks."""

    def pass_time(self, **duration: float) -> None:
        self.at += timedelta(**duration)
        self.monotonic_seconds += timedelta(**duration).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.pass_time(seconds=seconds)


@dataclass(slots=True)
class FakeFlow:
    """Flow of one shop: takes triggers, but first has the next of its `faults`, if any is left.

    A fault that returns None lets it take the trigger, which is `trying`.
    """

    clock: SetClock = field(default_factory=RealClock)
    faults: deque[Callable[["FakeFlow"], str | None]] = field(default_factory=deque)
    received: list[Trigger] = field(default_factory=list)
    trying: Trigger | None = None
    calls: int = 0
    seconds_a_call: float = 0.0

    def send(self, trigger: Trigger, seconds: float) -> str | None:
        self.calls += 1
        self.clock.pass_time(seconds=min(seconds, self.seconds_a_call))
        self.trying = trigger
        refusal = self.faults.popleft()(self) if self.faults else None
        if refusal is None:
            self.received.append(trigger)
        return refusal

    @property
    def delivered(self) -> list[Delivered]:
        """What arrived, repeats and all."""
        return [(str(one.payload["Entry Id"]), one.handle) for one in self.received]


def well(_: FakeFlow) -> str | None:
    """Take it."""
    return None


def reply_lost(flow: FakeFlow) -> str | None:
    """Take it, but the answer never comes."""
    assert flow.trying is not None
    flow.received.append(flow.trying)
    raise ShopifyUnavailable(1)


def down(_: FakeFlow) -> str | None:
    """Do not take it."""
    raise ShopifyUnavailable(1)


def dead(_: FakeFlow) -> str | None:
    """Never take this one."""
    return "Shopify refuses flowTriggerReceive: no such customer"


def locked(_: FakeFlow) -> str | None:
    """The shop takes no calls at all."""
    raise ShopifyRefused("Shopify answers 402", ("http_402",))


def repeats(delivered: list[Delivered]) -> int:
    """How many of what arrived had arrived before."""
    return len(delivered) - len(set(delivered))


def firsts(delivered: list[Delivered]) -> list[Delivered]:
    """What arrived, each in the place where it arrived first."""
    return list(dict.fromkeys(delivered))


def never_goes_back(delivered: list[Delivered]) -> bool:
    """Whether a repeat only ever repeats the latest entry: what came before it is done with."""
    order = {
        one: number for number, one in enumerate(dict.fromkeys(entry for entry, _ in delivered))
    }
    numbers = [order[entry] for entry, _ in delivered]
    return numbers == sorted(numbers)
