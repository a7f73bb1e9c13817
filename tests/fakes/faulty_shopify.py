"""A faulty transport to the model of Shopify: every way in which the network and Shopify can fail.

`FaultyTransport` is what the product sends its calls through: throttles and statuses, lost replies,
requests that arrive after the caller has given up, processes that end before or after a call.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final, Protocol

from pointbook.deadline import Deadline
from pointbook.http.calls import Answer, Call, CallFailed, CallTimedOut
from tests.fakes.faulty_dynamodb import Crash, Time
from tests.fakes.shopify import CREATE, END, Json, ShopifyModel, answered, refused


class Trouble(StrEnum):
    """What can go wrong with one call to Shopify."""

    THROTTLED = "Shopify throttles"
    BUSY = "Shopify answers 429"
    FAILED = "Shopify fails"
    FAILED_AFTER = "Shopify fails after the effect"
    FORBIDDEN = "Shopify forbids"
    INVALID = "Shopify refuses"
    CONNECTION_FAILED = "no line to Shopify"
    REPLY_LOST = "Shopify's reply lost"
    HANGS = "Shopify hangs"
    REPLY_AFTER_TIMEOUT = "Shopify answers too late"
    REQUEST_ARRIVES_LATE = "the request arrives late"
    CRASH_BEFORE = "crash before Shopify"
    CRASH_AFTER = "crash after Shopify"
    CRASH_LATE = "crash, and the request arrives late"


_THROTTLED: Final[Json] = {"errors": [{"message": "x", "extensions": {"code": "THROTTLED"}}]}
_INSTEAD: Final = {
    Trouble.THROTTLED: answered(_THROTTLED),
    Trouble.BUSY: answered({}, 429),
    Trouble.FAILED: answered({}, 500),
    Trouble.FORBIDDEN: answered({}, 403),
}


class Plan(Protocol):
    """Says what goes wrong with the next call."""

    def next_trouble(self) -> Trouble | None:
        """None: it goes well."""
        ...


@dataclass(slots=True)
class Listed:
    """One trouble after the other, then none. None in the list: that call goes well."""

    troubles: list[Trouble | None] = field(default_factory=list)

    def next_trouble(self) -> Trouble | None:
        """The next of the list."""
        return self.troubles.pop(0) if self.troubles else None


@dataclass(slots=True)
class Drawn:
    """Each by chance: `rate` for any, then one of them."""

    random: Random
    rate: float

    def next_trouble(self) -> Trouble | None:
        """A trouble by chance."""
        return self.random.choice(list(Trouble)) if self.random.random() < self.rate else None


class FaultyTransport:
    """Sends the product's calls to a model. `effect` is called after each that was carried out."""

    late_ms: tuple[int, ...] = (1, 700, 4_000, 20_000)
    """How long after the caller gave up a late request arrives."""

    def __init__(
        self,
        model: ShopifyModel,
        plan: Plan,
        time: Time,
        random: Random,
        effect: Callable[[], object] = lambda: None,
    ) -> None:
        self.sent: list[Trouble | None] = []
        self._model = model
        self._plan = plan
        self._time = time
        self._random = random
        self._effect = effect

    def send(self, call: Call, deadline: Deadline) -> Answer:
        """As the product's transport: an answer, or CallError by the deadline at the latest."""
        left_ms = _left_ms(deadline)
        trouble = self._plan.next_trouble()
        self.sent.append(trouble)
        if trouble is Trouble.CRASH_BEFORE:
            raise Crash
        self._time.pause(min(left_ms, self._random.choice((20, 60, 200))))
        instead = _instead(trouble, call)
        if instead is not None:
            return instead
        self._lose(trouble, call, deadline)
        answer = self._arrive(call)
        self._lose_answer(trouble, deadline)
        self._time.pause(self._random.choice((5, 20, 60)))
        return _INSTEAD[Trouble.FAILED] if trouble is Trouble.FAILED_AFTER else answer

    def _lose(self, trouble: Trouble | None, call: Call, deadline: Deadline) -> None:
        """The request does not arrive, or only later."""
        match trouble:
            case Trouble.CONNECTION_FAILED:
                raise CallFailed("no connection")
            case Trouble.REQUEST_ARRIVES_LATE:
                after_ms = _left_ms(deadline) + self._random.choice(self.late_ms)
                self._time.later(after_ms, lambda: self._arrive(call))
                self._wait_out(deadline)
            case Trouble.CRASH_LATE:
                after_ms = self._random.choice(self.late_ms)
                self._time.later(after_ms, lambda: self._arrive(call))
                raise Crash
            case Trouble.HANGS:
                self._wait_out(deadline)

    def _lose_answer(self, trouble: Trouble | None, deadline: Deadline) -> None:
        """The request is carried out, but its reply is lost."""
        match trouble:
            case Trouble.CRASH_AFTER:
                raise Crash
            case Trouble.REPLY_LOST:
                raise CallFailed("the connection broke off")
            case Trouble.REPLY_AFTER_TIMEOUT:
                self._wait_out(deadline)

    def _arrive(self, call: Call) -> Answer:
        answer = self._model.answer(call)
        self._effect()
        return answer

    def _wait_out(self, deadline: Deadline) -> None:
        self._time.pause(_left_ms(deadline) + 1)
        raise CallTimedOut("no answer in time")


def _instead(trouble: Trouble | None, call: Call) -> Answer | None:
    """What is answered in place of doing it."""
    if trouble is Trouble.INVALID:
        query = json.loads(call.content or b"null")["query"]
        found = [root for root in (CREATE, END) if f" {root}(" in query]
        return answered({"data": {found[0]: refused("INVALID", "code")}}) if found else None
    return _INSTEAD.get(trouble) if trouble else None


def _left_ms(deadline: Deadline) -> int:
    return max(0, round((deadline.at_seconds - deadline.monotonic()) * 1000))
