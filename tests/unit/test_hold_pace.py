"""My page calls Shopify for holds no oftener than the shop allows, and nobody uses it all up."""

import pytest

from pointbook.domain.programme import default_programme
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import HoldReleasing, RateLimited
from pointbook.services.holds import HoldResult
from pointbook.store import keys
from tests.fakes.faulty_dynamodb import Crash
from tests.fakes.faulty_shopify import Trouble
from tests.support.holds import CUSTOMER, OTHER, SHOP, Bench, hold_of
from tests.support.table import TABLE

MINUTE_MS = 60_000


def a_bench(calls: int, holds: int = 1_000) -> Bench:
    """A shop that allows so many calls a minute, and a customer of 1,250 points."""
    bench = Bench(
        programme=default_programme(hold_calls_per_minute=str(calls), holds_per_hour=str(holds))
    )
    bench.grant(1_250)
    bench.grant(1_250, who=OTHER)
    bench.time.pause(MINUTE_MS - bench.time.now_ms % MINUTE_MS)
    return bench


def hold(bench: Bench, key: str, who: str = CUSTOMER, points: int = 500) -> HoldResult:
    answer = bench.instance().holds.create(who, points, key)
    assert isinstance(answer, HoldResult), answer
    return answer


def release(bench: Bench, key: str, who: str = CUSTOMER) -> None:
    assert not isinstance(bench.instance().holds.release(who, hold_of(key, who)), Refusal)


def counted(bench: Bench) -> int:
    """The calls that were counted in this minute."""
    item = bench.engine.items(TABLE).get((keys.shop(SHOP), keys.HOLD_CALLS), {})
    return int(item["calls"]["N"]) if item else 0


def test_beyond_the_pace_nothing_is_held_and_the_next_minute_is_open() -> None:
    bench = a_bench(1)
    hold(bench, "first", OTHER)
    before = bench.engine.items(TABLE)
    one = bench.instance()
    with pytest.raises(RateLimited) as limited:
        one.holds.create(CUSTOMER, 500, "second")
    assert (one.transport.sent, bench.engine.items(TABLE)) == ([], before)
    seconds_left = 60 - bench.time.now_ms % MINUTE_MS / 1000
    assert seconds_left <= limited.value.retry_after_seconds < seconds_left + 1
    bench.time.sleep(limited.value.retry_after_seconds)
    assert hold(bench, "second").figures.hold == 500, "under the key that was limited before"


def test_a_release_beyond_the_pace_leaves_the_hold_and_its_code_as_they_are() -> None:
    bench = a_bench(1)
    hold(bench, "first")
    before = bench.engine.items(TABLE)
    with pytest.raises(RateLimited):
        release(bench, "first")
    assert (bench.state(), len(bench.usable())) == ("ready", 1)
    assert bench.engine.items(TABLE) == before
    bench.time.pause(600_000)
    assert (bench.figures().approved, bench.usable()) == (1_250, [])


def test_one_customer_gets_a_quarter_of_the_minute_and_the_others_are_served() -> None:
    bench = a_bench(16)
    for key in ("first", "second"):
        hold(bench, key)
        release(bench, key)
    with pytest.raises(RateLimited):
        hold(bench, "third")
    assert hold(bench, "first", OTHER).points == 500
    assert counted(bench) == 5


def test_repetitions_that_call_shopify_count_and_those_that_do_not_do_not() -> None:
    bench = a_bench(12)
    with pytest.raises(Crash):
        bench.instance(Trouble.CRASH_BEFORE).holds.create(CUSTOMER, 500, "wish")
    assert counted(bench) == 1
    with pytest.raises(HoldReleasing):
        release(bench, "wish")
    for _ in range(3):
        answer = bench.instance().holds.create(CUSTOMER, 500, "wish")
        assert isinstance(answer, Refusal), "it is being released"
    assert counted(bench) == 2
    with pytest.raises(HoldReleasing):
        release(bench, "wish")
    with pytest.raises(RateLimited):
        release(bench, "wish")
    assert bench.state() == "releasing"


def test_a_hold_that_was_left_preparing_is_driven_on_within_the_pace_only() -> None:
    bench = a_bench(2)
    with pytest.raises(Crash):
        bench.instance(Trouble.CRASH_BEFORE).holds.create(CUSTOMER, 500, "wish")
    with pytest.raises(RateLimited):
        hold(bench, "wish")
    assert bench.state() == "preparing"
    bench.time.pause(MINUTE_MS)
    assert hold(bench, "wish").points == 500


def test_a_hold_that_is_ready_is_answered_again_however_often() -> None:
    bench = a_bench(1)
    first = hold(bench, "wish")
    for _ in range(20):
        assert hold(bench, "wish").code == first.code
    assert counted(bench) == 1


def test_what_the_ledger_refuses_uses_nothing_up() -> None:
    bench = a_bench(4)
    for points, key, why in (
        (1_251, "too many", Code.INSUFFICIENT_POINTS),
        (500, "wish", None),
        (400, "wish", Code.IDEMPOTENCY_MISMATCH),
        (500, "another", Code.HOLD_OPEN),
    ):
        if why is None:
            hold(bench, key)
            continue
        answer = bench.instance().holds.create(CUSTOMER, points, key)
        assert isinstance(answer, Refusal)
        assert answer.code is why
    assert counted(bench) == 1


def test_after_an_hours_holds_a_customer_is_refused_without_a_call_to_shopify() -> None:
    bench = a_bench(1_000, holds=2)
    for key in ("first", "second"):
        hold(bench, key)
        release(bench, key)
    before, one = counted(bench), bench.instance()
    answer = one.holds.create(CUSTOMER, 500, "third")
    assert isinstance(answer, Refusal)
    assert answer.code is Code.RATE_LIMITED
    assert (one.transport.sent, counted(bench)) == ([], before)
    assert hold(bench, "first", OTHER).points == 500, "others are served"
    assert answer.retry_after_seconds is not None
    bench.time.sleep(answer.retry_after_seconds)
    assert hold(bench, "third").points == 500


def test_the_count_names_no_customer() -> None:
    bench = a_bench(8)
    hold(bench, "wish")
    item = bench.engine.items(TABLE)[keys.shop(SHOP), keys.HOLD_CALLS]
    assert CUSTOMER not in str(item)
    (name,) = (name for name in item if name.startswith("by_"))
    assert len(name) == len("by_") + 8
