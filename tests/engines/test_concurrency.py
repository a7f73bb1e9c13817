"""Many at once on one account: every single answer agrees with what happened.

`pytest --log-cli-level=INFO` shows how long each crowd took and how often a race was lost.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier

import pytest

from pointbook.clock import SystemClock
from pointbook.domain.chain import Cause
from pointbook.domain.commands import BeginRelease, CaptureHold, Consume, Grant, ReleaseHold
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from tests.engines.counting import CountingClient
from tests.support import engine as engines
from tests.support.engine import SHOP, Engine, all_entries
from tests.support.examples import CUSTOMER, HOLD_ID, ORDER, OTHER
from tests.support.ledgers import FLOW, MONTH, LedgerDriver

THREADS = 32
POINTS = 1_000
SECONDS_MAX = 240.0
"""Two processors of its own need a quarter of it: engine, callers and tests share the machine."""

WRITES_PER_EFFECT_MAX = 12
"""How many writes it may take, lost races included, until one of 32 callers has an effect."""

_log = logging.getLogger(__name__)

type Answer = Booked | Refusal

on_both = pytest.mark.parametrize("engine", engines.ISOLATED, indirect=True)
on_awss_own = pytest.mark.parametrize("engine", [engines.DYNAMODB_LOCAL], indirect=True)


class Crowd:
    """Callers who all begin at the same moment, each with one call at a time."""

    def __init__(self, engine: Engine) -> None:
        self.client = CountingClient(engine.client)
        self.driver = LedgerDriver(engine, self.client)
        self.driver.clock.at = SystemClock().now()
        self.ledger = Ledger(engine.store(self.client), SystemClock())
        self.unavailable = 0

    def all_at_once[T](self, calls: list[Callable[[], T]]) -> list[T]:
        """The answers, in the order of the calls. Calls beyond the first go on as others end."""
        start = Barrier(min(THREADS, len(calls)))

        def call(number: int) -> T:
            if number < start.parties:
                start.wait()
            return calls[number]()

        with self._measured(len(calls)), ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(call, range(len(calls))))

    def execute(self, instruction: Instruction) -> Answer:
        """As a caller does it: after 503 retry with the same key."""
        while True:
            try:
                return self.ledger.execute(instruction)
            except LedgerUnavailable:
                self.unavailable += 1

    @contextmanager
    def _measured(self, calls: int) -> Iterator[None]:
        self.client.forget()
        begun = time.monotonic()
        yield
        seconds = time.monotonic() - begun
        sent = dict(Counter(self.client.operations))
        _log.info("%s calls in %.1f s, %s of them 503: %s", calls, seconds, self.unavailable, sent)
        assert seconds < SECONDS_MAX


@pytest.fixture
def crowd(engine: Engine) -> Crowd:
    return Crowd(engine)


def consume(points: int, key: str) -> Instruction:
    return Instruction(
        SHOP, CUSTOMER, Consume(points), FLOW, identity=Identity("test", key), content={"p": points}
    )


def effects(answers: list[Answer]) -> list[Booked]:
    """The answers that had an effect of their own."""
    return [
        answer
        for answer in answers
        if isinstance(answer, Booked) and answer.entry_ids and not answer.duplicate
    ]


@on_both
def test_one_request_sent_twenty_times_at_once_has_one_effect(crowd: Crowd) -> None:
    crowd.driver.grant(1_000)

    answers = crowd.all_at_once([lambda: crowd.execute(consume(1_000, "k1"))] * 20)

    (first,) = effects(answers)
    assert all(
        isinstance(answer, Booked) and replace(answer, duplicate=False) == first
        for answer in answers
    )
    assert first.figures.approved == 0
    assert crowd.driver.topics() == ["add/flow", "sub/flow"]
    assert crowd.driver.findings() == []


@on_awss_own
def test_a_thousand_points_are_consumed_a_thousand_times_and_no_more(crowd: Crowd) -> None:
    crowd.driver.grant(POINTS)
    instructions = [consume(1, f"k{number}") for number in range(2 * POINTS)]

    answers = crowd.all_at_once(
        [lambda each=each: crowd.execute(each) for each in instructions]  # type: ignore[misc]
    )

    consumed, refused = effects(answers), [each for each in answers if isinstance(each, Refusal)]
    assert (len(consumed), len(refused)) == (POINTS, POINTS)
    assert {refusal.code for refusal in refused} == {Code.INSUFFICIENT_POINTS}
    assert crowd.client.operations.count("transact_write_items") < WRITES_PER_EFFECT_MAX * POINTS
    # Everybody got the figures of their own entry, and no entry was answered to two.
    answered = {answer.entry_ids: answer.figures for answer in consumed}
    entries = all_entries(crowd.driver.store, CUSTOMER)
    assert answered == {(each.entry.entry_id,): each.entry.figures for each in entries[1:]}
    assert crowd.driver.figures() == {"lifetime": POINTS, "spent": POINTS}
    assert crowd.driver.findings() == []


@on_both
def test_a_hold_released_a_hundred_times_at_once_comes_back_once(crowd: Crowd) -> None:
    crowd.driver.grant(100)
    crowd.driver.hold(40)
    crowd.driver.say(BeginRelease("h1"))
    release = Instruction(SHOP, CUSTOMER, ReleaseHold("h1"), FLOW)

    answers = crowd.all_at_once([lambda: crowd.execute(release)] * 100)

    assert len(effects(answers)) == 1
    refused = [answer.code for answer in answers if isinstance(answer, Refusal)]
    assert refused == [Code.HOLD_NOT_FOUND] * 99
    assert crowd.driver.figures() == {"approved": 100, "total": 100, "lifetime": 100}
    assert crowd.driver.topics() == ["add/flow", "sub/hold", "add/hold"]
    assert crowd.driver.findings() == []


@on_both
def test_an_order_and_a_release_at_once_take_the_points_once(crowd: Crowd) -> None:
    crowd.driver.grant(100)
    crowd.driver.hold(40)
    crowd.driver.say(BeginRelease("h1"))
    release = Instruction(SHOP, CUSTOMER, ReleaseHold("h1"), FLOW)
    capture = Instruction(SHOP, CUSTOMER, CaptureHold(40, HOLD_ID, ORDER), Cause("order"))

    answers = crowd.all_at_once(
        [lambda: crowd.execute(release), lambda: crowd.execute(capture)] * 32
    )

    assert len(effects(answers[1::2])) == 1  # the order, in time or late
    assert len(effects(answers[::2])) <= 1
    assert crowd.driver.figures() == {"approved": 60, "total": 60, "lifetime": 100, "spent": 40}
    assert crowd.driver.findings() == []


@on_both
def test_merges_at_once_move_everything_once_while_points_come_in(crowd: Crowd) -> None:
    crowd.driver.grant(100)
    crowd.driver.grant(5, customer_id=OTHER)
    grants = [
        Instruction(
            SHOP, customer_id, Grant(1, MONTH), FLOW, identity=Identity("test", f"g{number}")
        )
        for number in range(16)
        for customer_id in (CUSTOMER, OTHER)
    ]

    def merge() -> Answer:
        while True:
            try:
                return crowd.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("shopify"))
            except LedgerUnavailable:
                crowd.unavailable += 1

    merges: list[Callable[[], Answer]] = [merge] * 32
    given: list[Callable[[], Answer]] = [
        lambda each=each: crowd.execute(each)  # type: ignore[misc]
        for each in grants
    ]
    mixed = [call for both in zip(merges, given, strict=True) for call in both]

    answers = crowd.all_at_once(mixed)

    assert len(effects(answers[::2])) == 1  # the other merges found it done
    assert len(effects(answers[1::2])) == len(grants)
    expected = 100 + 5 + len(grants)
    assert crowd.driver.figures(OTHER) == {
        "approved": expected,
        "total": expected,
        "lifetime": expected,
    }
    assert crowd.driver.ledger.read(SHOP, CUSTOMER).customer_id == OTHER
    assert crowd.driver.findings() == crowd.driver.findings(OTHER) == []
