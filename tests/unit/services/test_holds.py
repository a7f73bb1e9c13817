"""HoldService when Shopify fails, hangs or answers late, and with concurrent attempts."""

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
from tests.support.logs import dimensions, logged

HOLD_SECONDS = 600
ENDED = Code.HOLD_ENDED


@pytest.fixture
def bench() -> Bench:
    """A customer who has 1,250 points."""
    made = Bench()
    made.grant(1_250)
    return made


def create_ok(
    bench: Bench, key: str = "key1", points: int = 500, *troubles: Trouble | None
) -> HoldResult:
    """Create a hold; expect success."""
    answer = bench.instance(*troubles).holds.create(CUSTOMER, points, key)
    assert isinstance(answer, HoldResult), answer
    return answer


def create_fails(bench: Bench, *troubles: Trouble | None, key: str = "key1") -> None:
    """Create a hold; expect HoldFailed because no discount was created."""
    with pytest.raises(HoldFailed) as failure:
        bench.instance(*troubles).holds.create(CUSTOMER, 500, key)
    assert failure.value.retry_after_seconds == (5 if failure.value.may_be_retried else 3600)


def create_crashes(bench: Bench, *troubles: Trouble | None, key: str = "key1") -> None:
    """Create a hold; expect the process to crash on the way."""
    with pytest.raises(Crash):
        bench.instance(*troubles).holds.create(CUSTOMER, 500, key)


def create_refused(bench: Bench, key: str = "key1", points: int = 500, who: str = CUSTOMER) -> Code:
    """Create a hold; expect a refusal, and return its code."""
    answer = bench.instance().holds.create(who, points, key)
    assert isinstance(answer, Refusal), answer
    return answer.code


def release(bench: Bench, *troubles: Trouble | None, key: str = "key1", who: str = CUSTOMER) -> int:
    """Release a hold; return the approved points of the answer."""
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
    result = create_ok(bench)
    assert (result.points, result.amount, result.currency, result.repeated) == (
        500,
        "500",
        "JPY",
        False,
    )
    assert (result.hold_id, result.code) == (hold_of("key1"), code_of("key1"))
    assert result.ends_at - bench.time.now() <= timedelta(seconds=HOLD_SECONDS)
    assert (result.figures.approved, result.figures.hold) == (750, 500)
    (discount,) = bench.shopify.created
    assert (discount.code, discount.amount, discount.customers) == (
        result.code,
        "500",
        [f"gid://shopify/Customer/{CUSTOMER}"],
    )
    assert 0 <= result.ends_at.timestamp() * 1000 - discount.ends_ms < 1000
    assert bench.state() == "ready"


def test_a_repeated_request_gets_the_same_answer_without_calling_shopify(bench: Bench) -> None:
    first = create_ok(bench)
    bench.time.pause(30_000)
    again = bench.instance()
    result = again.holds.create(CUSTOMER, 500, "key1")
    assert isinstance(result, HoldResult)
    assert result.repeated
    assert (result.figures, result.ends_at, result.code) == (
        first.figures,
        first.ends_at,
        first.code,
    )
    assert again.transport.sent == []
    assert bench.figures().hold == 500


def test_a_request_repeated_after_a_rotation_of_the_secret_finds_its_hold(bench: Bench) -> None:
    first = create_ok(bench)
    bench.code_key = b"another key"
    again = bench.instance()
    result = again.holds.create(CUSTOMER, 500, "key1")
    assert isinstance(result, HoldResult)
    assert (result.repeated, result.hold_id, result.code) == (True, first.hold_id, first.code)
    assert (again.transport.sent, bench.figures().hold) == ([], 500)
    assert release(bench) == 1_250
    assert create_refused(bench) is ENDED
    assert create_ok(bench, "key2").code != code_of("key2")


def test_a_request_cut_off_before_a_rotation_is_completed_with_its_own_code(bench: Bench) -> None:
    create_crashes(bench, Trouble.CRASH_BEFORE)
    bench.code_key = b"another key"
    assert create_ok(bench).code == code_of("key1")
    assert [discount.code for discount in bench.shopify.created] == [code_of("key1")]


def test_a_hold_that_was_captured_before_a_rotation_is_still_known_as_such(bench: Bench) -> None:
    bench.order(create_ok(bench).code, 500)
    bench.code_key = b"another key"
    assert create_refused(bench) is Code.HOLD_CAPTURED


def test_points_worth_more_than_one_yen_make_a_larger_discount() -> None:
    bench = Bench(programme=default_programme(point_worth_minor="5"))
    bench.grant(100)
    assert create_ok(bench, points=30).amount == "150"


def test_a_hold_keeps_the_worth_that_its_points_had_when_it_was_taken(bench: Bench) -> None:
    create_crashes(bench, Trouble.CRASH_BEFORE)
    bench.programme = default_programme(point_worth_minor="5")
    for _ in range(2):
        assert create_ok(bench).amount == "500"
    (discount,) = bench.shopify.created
    assert discount.amount == "500"


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble.THROTTLED,
        Trouble.BUSY,
        Trouble.FAILED,
        Trouble.FAILED_AFTER,
        Trouble.CONNECTION_FAILED,
        Trouble.REPLY_LOST,
    ],
)
def test_transient_shopify_errors_are_retried(bench: Bench, trouble: Trouble) -> None:
    result = create_ok(bench, "key1", 500, trouble)
    assert bench.time.now() < result.ends_at
    assert len(bench.shopify.created) == 1


# --- a hold that fails ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "troubles",
    [
        [Trouble.HANGS],
        [Trouble.REPLY_AFTER_TIMEOUT],
        [Trouble.REQUEST_ARRIVES_LATE],
        [Trouble.FORBIDDEN],
        [Trouble.INVALID],
        [Trouble.FAILED] * 5,
    ],
)
def test_without_a_discount_nothing_is_held_and_the_code_is_an_orphan(
    bench: Bench, troubles: list[Trouble]
) -> None:
    create_fails(bench, *troubles)
    assert (approved_and_held(bench), bench.state()) == (NOTHING_HELD, "")
    assert bench.orphaned_code_count() == 1
    assert create_refused(bench) is ENDED, "the key is used up"
    assert create_ok(bench, "another").points == 500


def test_a_failed_discount_emits_the_metric_that_the_alarm_watches(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    create_fails(bench, Trouble.FORBIDDEN)
    assert dimensions(logged(capsys, "DiscountsNotMade")) == [[["Stage"]], [["Stage", "Certain"]]]


def test_a_discount_created_after_our_timeout_is_deactivated_by_the_sweep(bench: Bench) -> None:
    create_fails(bench, Trouble.REPLY_AFTER_TIMEOUT)
    assert len(bench.usable()) == 1
    bench.sweep(DueKind.CODE)
    assert (bench.usable(), bench.orphaned_code_count()) == ([], 0)


def test_a_discount_that_arrives_late_is_deactivated_by_a_later_sweep(bench: Bench) -> None:
    create_fails(bench, Trouble.REQUEST_ARRIVES_LATE)
    bench.sweep(DueKind.CODE)
    assert (len(bench.shopify.created), bench.orphaned_code_count()) == (0, 1), (
        "it may still be on its way"
    )
    bench.time.pause(60_000)
    assert len(bench.usable()) == 1
    bench.sweep(DueKind.CODE)
    assert (bench.usable(), bench.orphaned_code_count()) == ([], 0)


def test_the_code_of_another_discount_is_never_deactivated(bench: Bench) -> None:
    create_ok(bench, "key1")
    (others,) = bench.shopify.created
    release(bench)
    others.ends_ms = bench.time.now_ms + 10_000_000
    bench.shopify.discounts[code_of("another").casefold()] = others
    create_fails(bench, key="another")
    assert (approved_and_held(bench), bench.orphaned_code_count()) == (NOTHING_HELD, 0)
    bench.sweep(DueKind.CODE)
    assert others.is_usable(bench.time.now_ms)


def test_after_a_crash_the_hold_stays_until_it_expires(bench: Bench) -> None:
    create_crashes(bench, Trouble.CRASH_AFTER)
    assert bench.state() == "preparing"
    assert (approved_and_held(bench), len(bench.usable())) == ((750, 500), 1)
    bench.time.pause(HOLD_SECONDS * 1000)
    assert (approved_and_held(bench), bench.usable()) == (NOTHING_HELD, [])


# --- attempts after each other and concurrent ones -----------------------------------------------


@pytest.mark.parametrize("trouble", [Trouble.CRASH_BEFORE, Trouble.CRASH_AFTER])
def test_a_retry_completes_a_hold_left_behind_by_a_crash(bench: Bench, trouble: Trouble) -> None:
    create_crashes(bench, trouble)
    result = create_ok(bench)
    assert (result.repeated, result.figures.hold) == (True, 500)
    assert len(bench.shopify.created) == 1


def test_a_failed_retry_orphans_the_code_that_the_crashed_attempt_may_have_created(
    bench: Bench,
) -> None:
    create_crashes(bench, Trouble.CRASH_AFTER)
    create_fails(bench, Trouble.FORBIDDEN)
    assert len(bench.usable()) == 1
    assert bench.orphaned_code_count() == 1
    bench.sweep(DueKind.CODE)
    assert bench.usable() == []


class Rival:
    """Does something once, in the middle of somebody else's call to Shopify."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.acts = [act]

    def __call__(self) -> None:
        """Called after Shopify applied the request."""
        if self.acts:
            self.acts.pop()()


def schedule_concurrently(bench: Bench, after_ms: int, rival: Callable[[], object]) -> list[object]:
    """Run `rival` after `after_ms`, during the calls that follow."""
    done: list[object] = []
    bench.time.later(after_ms, lambda: done.append(rival()))
    return done


def test_a_timed_out_attempt_does_not_undo_a_concurrent_success(bench: Bench) -> None:
    result = schedule_concurrently(bench, 1_000, lambda: create_ok(bench))
    first = create_ok(bench, "key1", 500, Trouble.HANGS)
    assert isinstance(result[0], HoldResult)
    assert result[0].code == first.code
    assert (bench.state(), bench.orphaned_code_count(), len(bench.usable())) == ("ready", 0, 1)


def test_a_discount_created_for_an_undone_hold_is_never_issued(bench: Bench) -> None:
    rival = Rival(lambda: create_fails(bench, Trouble.FORBIDDEN))
    with pytest.raises(HoldFailed):
        bench.instance(effect=rival).holds.create(CUSTOMER, 500, "key1")
    assert len(bench.usable()) == 1
    assert bench.orphaned_code_count() == 1
    bench.sweep(DueKind.CODE)
    assert (bench.usable(), approved_and_held(bench)) == ([], NOTHING_HELD)


def test_a_slow_attempt_reports_that_an_order_used_the_code(bench: Bench) -> None:
    def rival() -> None:
        result = create_ok(bench)
        assert bench.shopify.redeem(result.code, CUSTOMER, "901")
        bench.order(result.code, 500)

    schedule_concurrently(bench, 1_000, rival)
    slow = bench.instance(Trouble.HANGS).holds.create(CUSTOMER, 500, "key1")
    assert isinstance(slow, Refusal)
    assert slow.code is Code.HOLD_CAPTURED
    assert bench.figures().spent == 500


def test_an_attempt_that_ends_after_the_hold_expired_issues_nothing() -> None:
    bench = Bench(programme=default_programme(hold_seconds="5"))
    bench.grant(1_250)
    create_fails(bench, Trouble.REPLY_AFTER_TIMEOUT)
    bench.time.pause(1_000)
    assert (bench.usable(), approved_and_held(bench)) == ([], NOTHING_HELD)
    bench.sweep(DueKind.CODE)
    assert bench.orphaned_code_count() == 0


# --- requests that are refused -------------------------------------------------------------------


def test_repeating_a_request_whose_hold_was_captured_says_so(bench: Bench) -> None:
    result = create_ok(bench)
    assert bench.shopify.redeem(result.code, CUSTOMER, "901")
    bench.order(result.code, 300)
    assert create_refused(bench) is Code.HOLD_CAPTURED
    assert refused_release(bench) is Code.HOLD_CAPTURED
    assert (bench.figures().spent, bench.figures().hold) == (300, 0)


# --- releasing -----------------------------------------------------------------------------------


def test_a_release_ends_the_discount_then_gives_the_points_back(bench: Bench) -> None:
    result = create_ok(bench)
    assert release(bench) == 1_250
    assert bench.usable() == []
    assert not bench.shopify.redeem(result.code, CUSTOMER, "901")
    assert release(bench) == 1_250, "again"
    assert create_refused(bench) is ENDED
    assert create_ok(bench, "another").points == 500


@pytest.mark.parametrize(
    "troubles",
    [
        [Trouble.HANGS],
        [Trouble.FORBIDDEN],
        [None, Trouble.HANGS],
        [None, Trouble.REPLY_AFTER_TIMEOUT],
        [None, Trouble.INVALID],
        [None, Trouble.FORBIDDEN],
        [Trouble.FAILED] * 5,
    ],
)
def test_points_stay_held_until_the_discount_is_deactivated_or_the_hold_expires(
    bench: Bench, troubles: list[Trouble | None]
) -> None:
    create_ok(bench)
    with pytest.raises(HoldReleasing) as pending:
        release(bench, *troubles)
    assert 1 <= pending.value.retry_after_seconds <= 30
    assert (bench.state(), approved_and_held(bench)) == ("releasing", (750, 500))
    assert create_refused(bench) is ENDED, "it is not given out again"
    assert release(bench) == 1_250
    assert bench.usable() == []


def test_a_hold_that_could_not_be_released_ends_at_its_own_time(bench: Bench) -> None:
    create_ok(bench)
    with pytest.raises(HoldReleasing):
        release(bench, Trouble.HANGS)
    bench.time.pause(HOLD_SECONDS * 1000)
    assert (approved_and_held(bench), bench.usable()) == (NOTHING_HELD, [])
    assert release(bench) == 1_250


def test_a_crash_during_a_release_is_completed_by_the_next(bench: Bench) -> None:
    create_ok(bench)
    for troubles in ([Trouble.CRASH_BEFORE], [None, Trouble.CRASH_AFTER]):
        with pytest.raises(Crash):
            release(bench, *troubles)
        assert bench.state() == "releasing"
    assert release(bench) == 1_250


def test_a_discount_deleted_by_the_shop_does_not_block_the_release(bench: Bench) -> None:
    result = create_ok(bench)
    bench.shopify.delete(result.code)
    assert release(bench) == 1_250


def test_while_a_discount_may_still_arrive_no_release_returns_points(bench: Bench) -> None:
    """Nor do repeated releases: a code that does not exist yet may still be created."""
    create_crashes(bench, Trouble.CRASH_BEFORE)
    for _ in range(3):
        with pytest.raises(HoldReleasing):
            release(bench)
        assert (bench.state(), bench.figures().hold) == ("releasing", 500)
    assert create_refused(bench) is ENDED
    bench.time.pause(HOLD_SECONDS * 1000)
    assert approved_and_held(bench) == NOTHING_HELD


def test_a_preparing_hold_is_released_with_its_discount(bench: Bench) -> None:
    create_crashes(bench, Trouble.CRASH_AFTER)
    assert release(bench) == 1_250
    assert bench.usable() == []


def test_a_release_during_discount_creation_leaves_no_usable_code(bench: Bench) -> None:
    def rival() -> None:
        with pytest.raises(HoldReleasing):
            release(bench)

    schedule_concurrently(bench, 2_000, rival)
    create_fails(bench, Trouble.REQUEST_ARRIVES_LATE)
    assert (bench.state(), bench.orphaned_code_count()) == ("releasing", 1)
    bench.time.pause(60_000)
    assert len(bench.usable()) == 1
    bench.sweep(DueKind.CODE)
    assert bench.usable() == []
    assert release(bench) == 1_250


def test_a_release_before_the_reply_of_the_creation_deactivates_the_discount(bench: Bench) -> None:
    rival = Rival(lambda: release(bench))
    with pytest.raises(HoldFailed):
        bench.instance(effect=rival).holds.create(CUSTOMER, 500, "key1")
    assert (bench.usable(), approved_and_held(bench)) == ([], NOTHING_HELD)


def test_an_order_placed_during_a_release_captures_the_hold(bench: Bench) -> None:
    result = create_ok(bench)

    def rival() -> None:
        assert bench.shopify.redeem(result.code, CUSTOMER, "901")
        bench.order(result.code, 500)

    paying = bench.instance(effect=Rival(rival))
    answer = paying.holds.release(CUSTOMER, hold_of("key1"))
    assert isinstance(answer, Refusal)
    assert answer.code is Code.HOLD_CAPTURED
    assert bench.figures().spent == 500


def test_held_points_that_come_back_after_their_day_last_as_the_programme_says() -> None:
    bench = Bench(programme=default_programme(hold_seconds="86400", lapsed_expiry="never"))
    bench.grant(500, FixedDate(bench.time.now().date()))
    create_ok(bench)
    bench.time.pause(86_400_000)
    assert approved_and_held(bench) == (500, 0)


def test_another_customers_hold_or_none_is_not_released(bench: Bench) -> None:
    create_ok(bench)
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
        create_ok(bench)
    else:
        create_crashes(bench, Trouble.CRASH_AFTER)
    merge(bench)
    assert (bench.state(), bench.state(OTHER), bench.orphaned_code_count()) == ("", "", 1)
    assert bench.figures(OTHER).approved == 1_250
    bench.sweep(DueKind.CODE)
    assert bench.usable() == []
    assert create_refused(bench) is ENDED
    assert release(bench, who=OTHER) == 1_250, "the surviving customer can release it"


def test_a_merge_while_the_discount_is_made_leaves_no_usable_code(bench: Bench) -> None:
    with pytest.raises(HoldFailed):
        bench.instance(effect=Rival(lambda: merge(bench))).holds.create(CUSTOMER, 500, "key1")
    assert (len(bench.usable()), bench.orphaned_code_count()) == (1, 1)
    bench.sweep(DueKind.CODE)
    assert bench.usable() == []


def test_a_hold_of_a_merged_customer_is_the_survivors(bench: Bench) -> None:
    merge(bench)
    result = create_ok(bench)
    (discount,) = bench.shopify.created
    assert discount.customers == [f"gid://shopify/Customer/{OTHER}"]
    assert bench.state(OTHER) == "ready"
    assert result.figures.hold == 500
