"""HoldService when Shopify fails, hangs or answers late, and with concurrent attempts."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from pointbook.domain.chain import Cause
from pointbook.domain.expiry import FixedDate
from pointbook.domain.ports import DueKind
from pointbook.domain.programme import default_programme
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import HoldFailed, HoldReleasing
from pointbook.services.holds import HoldResult
from tests.fakes.faulty_dynamodb import Crash
from tests.fakes.faulty_shopify import Trouble
from tests.support.holds import CUSTOMER, OTHER, SHOP, Bench, code_of, hold_of

HOLD_SECONDS = 600
ENDED = Code.HOLD_ENDED


@pytest.fixture
def bench() -> Bench:
    """A customer who has 1,250 points."""
    made = Bench()
    made.grant(1_250)
    return made


def held(
    bench: Bench, key: str = "key1", points: int = 500, *troubles: Trouble | None
) -> HoldResult:
    """Create a hold; expect success."""
    answer = bench.instance(*troubles).holds.create(CUSTOMER, points, key)
    assert isinstance(answer, HoldResult), answer
    return answer


def failed(bench: Bench, *troubles: Trouble | None, key: str = "key1") -> None:
    """Create a hold; expect HoldFailed because no discount was created."""
    with pytest.raises(HoldFailed) as failure:
        bench.instance(*troubles).holds.create(CUSTOMER, 500, key)
    assert failure.value.retry_after_seconds == 5


def crashed(bench: Bench, *troubles: Trouble | None, key: str = "key1") -> None:
    """Create a hold; expect the process to crash on the way."""
    with pytest.raises(Crash):
        bench.instance(*troubles).holds.create(CUSTOMER, 500, key)


def refused(bench: Bench, key: str = "key1", points: int = 500, who: str = CUSTOMER) -> Code:
    """Create a hold; expect a refusal, and return its code."""
    answer = bench.instance().holds.create(who, points, key)
    assert isinstance(answer, Refusal), answer
    return answer.code


def release(bench: Bench, *troubles: Trouble | None, key: str = "key1", who: str = CUSTOMER) -> int:
    """Release a hold; the approved points that its customer is told."""
    answer = bench.instance(*troubles).holds.release(who, hold_of(key))
    assert not isinstance(answer, Refusal), answer
    return answer.approved


def refused_release(bench: Bench, key: str = "key1", who: str = CUSTOMER) -> Code:
    answer = bench.instance().holds.release(who, hold_of(key))
    assert isinstance(answer, Refusal), answer
    return answer.code


def approved_and_held(bench: Bench) -> tuple[int, int]:
    figures = bench.figures()
    return figures.approved, figures.hold


NOTHING_HELD = (1_250, 0)


# --- a hold that works ---------------------------------------------------------------------------


def test_a_hold_becomes_one_discount_for_its_customer_that_ends_with_it(bench: Bench) -> None:
    told = held(bench)
    assert (told.points, told.amount, told.currency, told.repeated) == (500, "500", "JPY", False)
    assert (told.hold_id, told.code) == (hold_of("key1"), code_of("key1"))
    assert told.ends_at - bench.time.now() <= timedelta(seconds=HOLD_SECONDS)
    assert (told.figures.approved, told.figures.hold) == (750, 500)
    (kept,) = bench.shopify.created
    assert (kept.code, kept.amount, kept.customers) == (
        told.code,
        "500",
        [f"gid://shopify/Customer/{CUSTOMER}"],
    )
    assert 0 <= told.ends_at.timestamp() * 1000 - kept.ends_ms < 1000
    assert bench.state() == "ready"


def test_a_repeated_request_gets_the_same_answer_without_calling_shopify(bench: Bench) -> None:
    first = held(bench)
    bench.time.pause(30_000)
    again = bench.instance()
    told = again.holds.create(CUSTOMER, 500, "key1")
    assert isinstance(told, HoldResult)
    assert told.repeated
    assert (told.figures, told.ends_at, told.code) == (first.figures, first.ends_at, first.code)
    assert again.line.sent == []
    assert bench.figures().hold == 500


def test_points_worth_more_than_one_yen_make_a_larger_discount() -> None:
    bench = Bench(programme=default_programme(point_worth_minor="5"))
    bench.grant(100)
    assert held(bench, points=30).amount == "150"


def test_a_hold_keeps_the_worth_that_its_points_had_when_it_was_taken(bench: Bench) -> None:
    crashed(bench, Trouble.CRASH_BEFORE)
    bench.programme = default_programme(point_worth_minor="5")
    for _ in range(2):
        assert held(bench).amount == "500"
    (kept,) = bench.shopify.created
    assert kept.amount == "500"


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble.THROTTLED,
        Trouble.BUSY,
        Trouble.FAILED,
        Trouble.FAILED_AFTER,
        Trouble.NO_LINE,
        Trouble.REPLY_LOST,
    ],
)
def test_what_shopify_does_not_answer_at_first_is_asked_again_at_once(
    bench: Bench, trouble: Trouble
) -> None:
    told = held(bench, "key1", 500, trouble)
    assert bench.time.now() < told.ends_at
    assert len(bench.shopify.created) == 1


# --- a hold that fails ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble", [Trouble.HANGS, Trouble.SLOW, Trouble.LATE, Trouble.FORBIDDEN, Trouble.INVALID]
)
def test_without_a_discount_nothing_is_held_and_the_code_is_listed(
    bench: Bench, trouble: Trouble
) -> None:
    failed(bench, trouble)
    assert (approved_and_held(bench), bench.state()) == (NOTHING_HELD, "")
    assert bench.listed() == 1
    assert refused(bench) is ENDED, "the key is used up"
    assert held(bench, "another").points == 500


def test_a_failed_discount_emits_the_metric_that_the_alarm_watches(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    failed(bench, Trouble.FORBIDDEN)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = [line for line in lines if "DiscountsNotMade" in line]
    dimensions = [line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for line in counted]
    assert dimensions == [[["Stage"]], [["Stage", "Certain"]]]


def test_a_shop_that_only_fails_is_given_up(bench: Bench) -> None:
    failed(bench, *[Trouble.FAILED] * 5)
    assert approved_and_held(bench) == NOTHING_HELD


def test_a_discount_created_after_our_timeout_is_deactivated_by_the_sweep(bench: Bench) -> None:
    failed(bench, Trouble.SLOW)
    assert len(bench.usable()) == 1
    bench.sweep(DueKind.CODE)
    assert (bench.usable(), bench.listed()) == ([], 0)


def test_a_discount_that_arrives_late_is_switched_off_by_a_later_sweep(bench: Bench) -> None:
    failed(bench, Trouble.LATE)
    bench.sweep(DueKind.CODE)
    assert (len(bench.shopify.created), bench.listed()) == (0, 1), "it may still be on its way"
    bench.time.pause(60_000)
    assert len(bench.usable()) == 1
    bench.sweep(DueKind.CODE)
    assert (bench.usable(), bench.listed()) == ([], 0)


def test_a_code_of_another_discount_is_never_switched_off(bench: Bench) -> None:
    held(bench, "key1")
    (others,) = bench.shopify.created
    release(bench)
    others.ends_ms = bench.time.now_ms + 10_000_000
    bench.shopify.kept[code_of("another").casefold()] = others
    failed(bench, key="another")
    assert (approved_and_held(bench), bench.listed()) == (NOTHING_HELD, 0)
    bench.sweep(DueKind.CODE)
    assert others.is_usable(bench.time.now_ms)


def test_where_the_table_cannot_be_written_the_hold_stays_until_its_time(bench: Bench) -> None:
    crashed(bench, Trouble.CRASH_AFTER)
    assert bench.state() == "preparing"
    assert (approved_and_held(bench), len(bench.usable())) == ((750, 500), 1)
    bench.time.pause(HOLD_SECONDS * 1000)
    assert (approved_and_held(bench), bench.usable()) == (NOTHING_HELD, [])


# --- tries after and beside each other -----------------------------------------------------------


@pytest.mark.parametrize("trouble", [Trouble.CRASH_BEFORE, Trouble.CRASH_AFTER])
def test_a_retry_completes_a_hold_left_behind_by_a_crash(bench: Bench, trouble: Trouble) -> None:
    crashed(bench, trouble)
    told = held(bench)
    assert (told.repeated, told.figures.hold) == (True, 500)
    assert len(bench.shopify.created) == 1


def test_a_failed_retry_lists_the_code_that_the_crashed_attempt_may_have_created(
    bench: Bench,
) -> None:
    crashed(bench, Trouble.CRASH_AFTER)
    failed(bench, Trouble.FORBIDDEN)
    assert len(bench.usable()) == 1
    assert bench.listed() == 1
    bench.sweep(DueKind.CODE)
    assert bench.usable() == []


class Rival:
    """Does something once, in the middle of somebody else's call to Shopify."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.acts = [act]

    def __call__(self) -> None:
        """Shopify has done what it was asked."""
        if self.acts:
            self.acts.pop()()


def beside(bench: Bench, after_ms: int, rival: Callable[[], object]) -> list[object]:
    """Run `rival` after `after_ms`, during the calls that follow."""
    done: list[object] = []
    bench.time.later(after_ms, lambda: done.append(rival()))
    return done


def test_a_timed_out_attempt_does_not_undo_a_concurrent_success(bench: Bench) -> None:
    told = beside(bench, 1_000, lambda: held(bench))
    first = held(bench, "key1", 500, Trouble.HANGS)
    assert isinstance(told[0], HoldResult)
    assert told[0].code == first.code
    assert (bench.state(), bench.listed(), len(bench.usable())) == ("ready", 0, 1)


def test_a_discount_created_for_an_undone_hold_is_never_handed_out(bench: Bench) -> None:
    rival = Rival(lambda: failed(bench, Trouble.FORBIDDEN))
    with pytest.raises(HoldFailed):
        bench.instance(effect=rival).holds.create(CUSTOMER, 500, "key1")
    assert len(bench.usable()) == 1
    assert bench.listed() == 1
    bench.sweep(DueKind.CODE)
    assert (bench.usable(), approved_and_held(bench)) == ([], NOTHING_HELD)


def test_a_slow_attempt_reports_that_an_order_used_the_code(bench: Bench) -> None:
    def rival() -> None:
        told = held(bench)
        assert bench.shopify.redeem(told.code, CUSTOMER, "901")
        bench.order(told.code, 500)

    beside(bench, 1_000, rival)
    slow = bench.instance(Trouble.HANGS).holds.create(CUSTOMER, 500, "key1")
    assert isinstance(slow, Refusal)
    assert slow.code is Code.HOLD_CAPTURED
    assert bench.figures().spent == 500


def test_a_try_that_ends_after_the_holds_time_gives_out_nothing() -> None:
    bench = Bench(programme=default_programme(hold_seconds="5"))
    bench.grant(1_250)
    failed(bench, Trouble.SLOW)
    bench.time.pause(1_000)
    assert (bench.usable(), approved_and_held(bench)) == ([], NOTHING_HELD)
    bench.sweep(DueKind.CODE)
    assert bench.listed() == 0


# --- requests that are refused -------------------------------------------------------------------


def test_the_same_key_for_other_points_is_refused(bench: Bench) -> None:
    held(bench)
    assert refused(bench, points=400) is Code.IDEMPOTENCY_MISMATCH


def test_a_second_hold_while_one_is_open_is_refused(bench: Bench) -> None:
    held(bench)
    assert refused(bench, "second") is Code.HOLD_OPEN
    open_hold = bench.instance().holds.open_hold(CUSTOMER)
    assert open_hold is not None
    assert open_hold.hold_id == hold_of("key1")


def test_nobody_holds_more_than_there_is(bench: Bench) -> None:
    assert refused(bench, points=1_251) is Code.INSUFFICIENT_POINTS
    assert (bench.shopify.created, bench.listed()) == ([], 0)


def test_where_the_till_is_master_no_holds_are_offered() -> None:
    bench = Bench(programme=default_programme(points_master="till"))
    bench.grant(1_250)
    assert refused(bench) is Code.HOLDS_NOT_OFFERED
    assert bench.figures().hold == 0


def test_repeating_a_request_after_its_hold_expired_is_refused(bench: Bench) -> None:
    held(bench)
    bench.time.pause(HOLD_SECONDS * 1000)
    assert refused(bench) is ENDED
    assert len(bench.shopify.created) == 1


def test_repeating_a_request_whose_hold_was_captured_says_so(bench: Bench) -> None:
    told = held(bench)
    assert bench.shopify.redeem(told.code, CUSTOMER, "901")
    bench.order(told.code, 300)
    assert refused(bench) is Code.HOLD_CAPTURED
    assert refused_release(bench) is Code.HOLD_CAPTURED
    assert (bench.figures().spent, bench.figures().hold) == (300, 0)


# --- releasing -----------------------------------------------------------------------------------


def test_a_release_ends_the_discount_then_gives_the_points_back(bench: Bench) -> None:
    told = held(bench)
    assert release(bench) == 1_250
    assert bench.usable() == []
    assert not bench.shopify.redeem(told.code, CUSTOMER, "901")
    assert release(bench) == 1_250, "again"
    assert refused(bench) is ENDED
    assert held(bench, "another").points == 500


@pytest.mark.parametrize(
    "troubles",
    [
        [Trouble.HANGS],
        [Trouble.FORBIDDEN],
        [None, Trouble.HANGS],
        [None, Trouble.SLOW],
        [None, Trouble.INVALID],
        [None, Trouble.FORBIDDEN],
        [Trouble.FAILED] * 5,
    ],
)
def test_points_stay_held_until_the_discount_is_deactivated_or_the_hold_expires(
    bench: Bench, troubles: list[Trouble | None]
) -> None:
    held(bench)
    with pytest.raises(HoldReleasing) as pending:
        release(bench, *troubles)
    assert 1 <= pending.value.retry_after_seconds <= 30
    assert (bench.state(), approved_and_held(bench)) == ("releasing", (750, 500))
    assert refused(bench) is ENDED, "it is not given out again"
    assert release(bench) == 1_250
    assert bench.usable() == []


def test_a_hold_that_could_not_be_released_ends_at_its_own_time(bench: Bench) -> None:
    held(bench)
    with pytest.raises(HoldReleasing):
        release(bench, Trouble.HANGS)
    bench.time.pause(HOLD_SECONDS * 1000)
    assert (approved_and_held(bench), bench.usable()) == (NOTHING_HELD, [])
    assert release(bench) == 1_250


def test_a_crash_in_the_middle_of_a_release_is_made_good_by_the_next(bench: Bench) -> None:
    held(bench)
    for troubles in ([Trouble.CRASH_BEFORE], [None, Trouble.CRASH_AFTER]):
        with pytest.raises(Crash):
            release(bench, *troubles)
        assert bench.state() == "releasing"
    assert release(bench) == 1_250


def test_a_discount_deleted_by_the_shop_does_not_block_the_release(bench: Bench) -> None:
    told = held(bench)
    bench.shopify.delete(told.code)
    assert release(bench) == 1_250


def test_while_a_discount_may_be_on_its_way_no_release_gives_points_back(bench: Bench) -> None:
    """Nor do repeated releases: a code that does not exist yet may still be created."""
    crashed(bench, Trouble.CRASH_BEFORE)
    for _ in range(3):
        with pytest.raises(HoldReleasing):
            release(bench)
        assert (bench.state(), bench.figures().hold) == ("releasing", 500)
    assert refused(bench) is ENDED
    bench.time.pause(HOLD_SECONDS * 1000)
    assert approved_and_held(bench) == NOTHING_HELD


def test_a_hold_that_was_left_preparing_is_released_with_its_discount(bench: Bench) -> None:
    crashed(bench, Trouble.CRASH_AFTER)
    assert release(bench) == 1_250
    assert bench.usable() == []


def test_a_release_before_the_discount_is_made_leaves_no_usable_code(bench: Bench) -> None:
    def rival() -> None:
        with pytest.raises(HoldReleasing):
            release(bench)

    beside(bench, 2_000, rival)
    failed(bench, Trouble.LATE)
    assert (bench.state(), bench.listed()) == ("releasing", 1)
    bench.time.pause(60_000)
    assert len(bench.usable()) == 1
    bench.sweep(DueKind.CODE)
    assert bench.usable() == []
    assert release(bench) == 1_250


def test_a_release_before_it_is_known_that_the_discount_is_made_ends_it(bench: Bench) -> None:
    rival = Rival(lambda: release(bench))
    with pytest.raises(HoldFailed):
        bench.instance(effect=rival).holds.create(CUSTOMER, 500, "key1")
    assert (bench.usable(), approved_and_held(bench)) == ([], NOTHING_HELD)


def test_an_order_placed_during_a_release_captures_the_hold(bench: Bench) -> None:
    told = held(bench)

    def rival() -> None:
        assert bench.shopify.redeem(told.code, CUSTOMER, "901")
        bench.order(told.code, 500)

    paying = bench.instance(effect=Rival(rival))
    answer = paying.holds.release(CUSTOMER, hold_of("key1"))
    assert isinstance(answer, Refusal)
    assert answer.code is Code.HOLD_CAPTURED
    assert bench.figures().spent == 500


def test_held_points_that_come_back_after_their_day_last_as_the_programme_says() -> None:
    bench = Bench(programme=default_programme(hold_seconds="86400", lapsed_expiry="never"))
    bench.grant(500, FixedDate(bench.time.now().date()))
    held(bench)
    bench.time.pause(86_400_000)
    assert approved_and_held(bench) == (500, 0)


def test_nobody_releases_a_hold_that_is_not_theirs_or_not_there(bench: Bench) -> None:
    held(bench)
    assert refused_release(bench, who=OTHER) is Code.HOLD_NOT_FOUND
    assert refused_release(bench, "never used") is Code.HOLD_NOT_FOUND
    assert bench.state() == "ready"


# --- merges --------------------------------------------------------------------------------------


def merge(bench: Bench) -> None:
    bench.instance().ledger.merge(SHOP, CUSTOMER, OTHER, Cause("test"))


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_merge_ends_the_merged_customers_hold_and_its_code(
    bench: Bench, *, is_ready: bool
) -> None:
    if is_ready:
        held(bench)
    else:
        crashed(bench, Trouble.CRASH_AFTER)
    merge(bench)
    assert (bench.state(), bench.state(OTHER), bench.listed()) == ("", "", 1)
    assert bench.figures(OTHER).approved == 1_250
    bench.sweep(DueKind.CODE)
    assert bench.usable() == []
    assert refused(bench) is ENDED
    assert release(bench, who=OTHER) == 1_250, "the surviving customer can release it"


def test_a_merge_while_the_discount_is_made_leaves_no_usable_code(bench: Bench) -> None:
    with pytest.raises(HoldFailed):
        bench.instance(effect=Rival(lambda: merge(bench))).holds.create(CUSTOMER, 500, "key1")
    assert (len(bench.usable()), bench.listed()) == (1, 1)
    bench.sweep(DueKind.CODE)
    assert bench.usable() == []


def test_a_hold_that_a_merged_customer_takes_is_the_survivors(bench: Bench) -> None:
    merge(bench)
    told = held(bench)
    (kept,) = bench.shopify.created
    assert kept.customers == [f"gid://shopify/Customer/{OTHER}"]
    assert bench.state(OTHER) == "ready"
    assert told.figures.hold == 500
