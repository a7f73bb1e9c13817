"""What every till adapter promises, each against the fake of its till over real HTTP.

What a till cannot do by its own capabilities is skipped, with the reason.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from pointbook.deadline import Deadline
from pointbook.till.errors import (
    AmbiguousMember,
    BadTillAnswer,
    ChangeRefused,
    MemberNotRegistered,
    TillError,
    TillRefusedLogin,
    TillThrottled,
    TillTimeout,
    TillUnavailable,
)
from pointbook.till.member import PointsChange, Till
from tests.support.tills import (
    KINDS,
    NUMBER,
    PLENTY_SECONDS,
    TillKind,
    TillUnderTest,
    member_of,
    till_under_test,
)

BUDGET_SECONDS = 0.5
# What a loaded machine may add to a time that is measured.
SLACK_SECONDS = 0.4


@pytest.fixture(params=KINDS, ids=lambda kind: kind.provider)
def shop(request: pytest.FixtureRequest) -> Iterator[TillUnderTest]:
    kind: TillKind = request.param
    with till_under_test(kind) as found:
        yield found


@pytest.fixture
def till(shop: TillUnderTest) -> Till:
    return shop.start()


@pytest.fixture
def pushing(till: Till) -> Till:
    if not till.capabilities.pushes:
        pytest.skip("this till's points cannot be changed")
    return till


def change_of(shop: TillUnderTest, till: Till, points: int, name: str = "1") -> PointsChange:
    """Plan a change of the member as it is now."""
    member = member_of(till)
    shop.calm()
    return PointsChange(
        change_id=f"{NUMBER}-{name}",
        member_number=NUMBER,
        till_id=member.till_id,
        points=points,
        balance_before=member.balance_points,
        planned_at=datetime.now(UTC),
    )


def add(till: Till, change: PointsChange, seconds: float = PLENTY_SECONDS) -> int:
    return till.add_points(change, Deadline.after(seconds))


def is_applied(till: Till, change: PointsChange) -> bool:
    return till.is_applied(change, Deadline.after(PLENTY_SECONDS))


def balance(till: Till) -> int:
    return member_of(till).balance_points


# --- reading --------------------------------------------------------------------------------------


def test_a_member_has_number_balance_and_time(shop: TillUnderTest, till: Till) -> None:
    till_id = shop.put(balance=1250)
    member = member_of(till)
    assert (member.member_number, member.till_id) == (NUMBER, till_id)
    assert member.balance_points == 1250
    assert datetime.now(UTC) - member.as_of < timedelta(seconds=5)


def test_a_member_has_what_the_till_says_it_can_tell(shop: TillUnderTest, till: Till) -> None:
    shop.put(balance=300, expires_on="2031-03-31", rank="gold")
    member, can = member_of(till), till.capabilities
    assert member.expires_on == (date(2031, 3, 31) if can.expiry else None)
    assert member.rank == ("gold" if can.ranks else None)
    assert member.lots == (((300, date(2031, 3, 31)),) if can.lots else ())


def test_points_without_an_end_and_a_member_without_a_rank(shop: TillUnderTest, till: Till) -> None:
    shop.put(expires_on="", rank="")
    member = member_of(till)
    assert (member.expires_on, member.rank, member.lots) == (None, None, ())


def test_a_day_that_has_passed_is_told_as_it_is(shop: TillUnderTest, till: Till) -> None:
    shop.put(balance=1250, expires_on="2025-12-31")
    member = member_of(till)
    assert (member.balance_points, member.expires_on) == (1250, date(2025, 12, 31))


def test_a_known_id_finds_the_same_member_in_one_round_trip(
    shop: TillUnderTest, till: Till
) -> None:
    till_id = shop.put(balance=77)
    member_of(till)
    shop.behave(latency_ms=400)
    member = till.member(NUMBER, Deadline.after(0.75), till_id)  # two in turn would take 800 ms
    assert (member.till_id, member.balance_points) == (till_id, 77)


def test_a_member_with_another_id_by_now_is_found_anyway(shop: TillUnderTest, till: Till) -> None:
    old = shop.put(balance=1, status="4")
    new = shop.put(balance=77, customer_id="9")
    member = member_of(till, till_id=old)
    assert (member.till_id, member.balance_points) == (new, 77)


def test_an_unknown_number_is_not_registered(till: Till) -> None:
    with pytest.raises(MemberNotRegistered):
        member_of(till, "1234")


def test_the_beginning_of_a_number_is_another_number(shop: TillUnderTest, till: Till) -> None:
    shop.put()
    for other in (NUMBER[:-1], f"{NUMBER}0"):
        with pytest.raises(MemberNotRegistered):
            member_of(till, other)


@pytest.mark.parametrize("number", ["", " ", "会員", "1\n2", "1" * 300, f"{NUMBER},{NUMBER} "])
def test_a_number_that_no_member_can_have_is_not_registered(till: Till, number: str) -> None:
    with pytest.raises(MemberNotRegistered):
        member_of(till, number)


def test_two_members_with_one_number_are_shown_neither(shop: TillUnderTest, till: Till) -> None:
    shop.put(customer_id="8")
    shop.put(customer_id="9")
    with pytest.raises(AmbiguousMember):
        member_of(till)


@pytest.mark.parametrize("known", [True, False])
def test_who_has_left_is_not_registered(shop: TillUnderTest, till: Till, known: bool) -> None:
    till_id = shop.put()
    member_of(till)
    shop.put(status="3")
    with pytest.raises(MemberNotRegistered):
        member_of(till, till_id=till_id if known else None)


def test_a_balance_below_zero_is_told_as_it_is(shop: TillUnderTest, till: Till) -> None:
    shop.put(balance=-40)
    assert balance(till) == -40


# --- a till that fails ----------------------------------------------------------------------------


def test_a_single_failure_of_a_read_is_retried(shop: TillUnderTest, till: Till) -> None:
    till_id = shop.put(balance=5)
    for operation in shop.kind.reads:
        shop.behave(fail_with=503, times=1, match=operation)
    assert member_of(till, till_id=till_id).balance_points == 5


def test_a_read_whose_answer_was_lost_is_retried(shop: TillUnderTest, till: Till) -> None:
    shop.put(balance=5)
    for operation in shop.kind.reads:
        shop.behave(drop_reply=True, times=1, match=operation)
    assert balance(till) == 5


def test_a_failing_till_is_unavailable_after_one_retry(shop: TillUnderTest, till: Till) -> None:
    first = shop.kind.reads[0]
    shop.behave(fail_with=500, match=first)
    with pytest.raises(TillUnavailable):
        member_of(till)
    assert shop.operations().count(first) == 2


def test_a_throttling_till_says_when_to_come_back_and_is_left_alone(
    shop: TillUnderTest, till: Till
) -> None:
    first = shop.kind.reads[0]
    shop.behave(throttle=True, match=first)
    with pytest.raises(TillThrottled) as caught:
        member_of(till)
    assert caught.value.retry_after_seconds == 1
    assert shop.operations().count(first) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "behaviour", [{"hang": True}, {"latency_ms": 5000}, {"trickle_ms": 100}], ids=str
)
def test_a_till_that_does_not_answer_costs_no_more_than_the_budget(
    shop: TillUnderTest, till: Till, behaviour: dict[str, object]
) -> None:
    shop.put()
    member_of(till)
    shop.behave(**behaviour, match=shop.kind.reads[-1])
    begun = time.monotonic()
    with pytest.raises(TillTimeout):
        till.member(NUMBER, Deadline.after(BUDGET_SECONDS))
    assert BUDGET_SECONDS - 0.1 < time.monotonic() - begun < BUDGET_SECONDS + SLACK_SECONDS


@pytest.mark.slow
def test_a_till_that_hung_is_used_again_as_soon_as_it_answers(
    shop: TillUnderTest, till: Till
) -> None:
    shop.put(balance=5)
    shop.behave(hang=True)
    for _ in range(8):  # more than an adapter has workers
        with pytest.raises(TillTimeout):
            till.member(NUMBER, Deadline.after(0.05))
    shop.calm()
    assert balance(till) == 5


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_login_is_told_apart(shop: TillUnderTest, till: Till, status: int) -> None:
    shop.behave(fail_with=status, match=shop.kind.reads[0])
    with pytest.raises(TillRefusedLogin):
        member_of(till)
    assert shop.operations().count(shop.kind.reads[0]) <= 2


def test_wrong_credentials_are_refused(shop: TillUnderTest) -> None:
    wrong = {"client_secret": "wrong", "access_token": "wrong", "api_key": "wrong"}
    with pytest.raises(TillRefusedLogin):
        member_of(shop.start(credentials=wrong))


@pytest.mark.parametrize(
    "garbage",
    [
        *("", "<html>", "null", "7", '"text"', '{"a": 1, "a": 2}', "[" * 200_000, "[7]"),
        *('{"loyalty_accounts": 7}', '{"loyalty_accounts": [7]}', "[[]]", '[{"code": true}]'),
        *('[{"rank": "\\ud800"}]', f"[{'9' * 5000}]"),
    ],
    ids=lambda garbage: garbage[:24],
)
def test_an_answer_that_cannot_be_read_is_a_bad_answer_or_no_member(
    shop: TillUnderTest, till: Till, garbage: str
) -> None:
    """Never another member's points; an empty object may be an empty list of Square."""
    shop.behave(answer_with=garbage, match=shop.kind.reads[0])
    with pytest.raises((BadTillAnswer, MemberNotRegistered)) as caught:
        member_of(till)
    if garbage in ("", "<html>", "null", "7", '"text"', "[" * 200_000):
        assert caught.type is BadTillAnswer


def test_an_answer_that_is_too_long_is_a_bad_answer(shop: TillUnderTest, till: Till) -> None:
    shop.behave(answer_with='"' + "x" * 1_100_000 + '"', match=shop.kind.reads[0])
    with pytest.raises(BadTillAnswer):
        member_of(till)


def test_a_till_that_is_not_there_is_unavailable(shop: TillUnderTest) -> None:
    shop.fake.server_port = 1
    with pytest.raises(TillUnavailable):
        member_of(shop.start())


def test_the_pace_is_kept_before_every_request(shop: TillUnderTest) -> None:
    paced: list[Deadline] = []
    till = shop.start(paced.append)
    shop.behave(fail_with=503, times=1, match=shop.kind.reads[0])
    member_of(till)
    assert len(paced) == len(shop.operations())


def test_a_pace_that_refuses_keeps_the_till_from_being_called(shop: TillUnderTest) -> None:
    def refuse(_deadline: Deadline) -> None:
        raise TillThrottled("paused", 5)

    with pytest.raises(TillThrottled) as caught:
        member_of(shop.start(refuse))
    assert caught.value.retry_after_seconds == 5
    assert shop.operations() == []


# --- changing points ------------------------------------------------------------------------------


def test_a_till_that_is_only_read_refuses_changes(shop: TillUnderTest) -> None:
    till = shop.start(credentials={"read_only": "yes"})
    change = change_of(shop, till, 10)
    assert not till.capabilities.pushes
    for call in (till.add_points, till.is_applied):
        with pytest.raises(ChangeRefused):
            call(change, Deadline.after(PLENTY_SECONDS))
    assert shop.operations() == []


@pytest.mark.parametrize("points", [200, -200, -1000])
def test_points_are_added_and_taken_away(shop: TillUnderTest, pushing: Till, points: int) -> None:
    shop.put(balance=1000)
    change = change_of(shop, pushing, points)
    assert not is_applied(pushing, change)
    assert add(pushing, change) == 1000 + points
    assert balance(pushing) == 1000 + points
    assert is_applied(pushing, change)


def test_more_than_there_is_is_refused(shop: TillUnderTest, pushing: Till) -> None:
    shop.put(balance=1000)
    change = change_of(shop, pushing, -1001)
    with pytest.raises(ChangeRefused):
        add(pushing, change)
    assert balance(pushing) == 1000
    assert not is_applied(pushing, change)


def test_more_than_the_till_can_hold_is_refused(shop: TillUnderTest, pushing: Till) -> None:
    with pytest.raises(ChangeRefused):
        add(pushing, change_of(shop, pushing, 10**12))
    assert shop.operations() == []


def test_a_member_who_is_gone_is_not_registered(shop: TillUnderTest, pushing: Till) -> None:
    change = change_of(shop, pushing, 5)
    with pytest.raises(MemberNotRegistered):
        add(pushing, replace(change, till_id="12345"))


@pytest.mark.parametrize("points", [70, -70])
def test_a_write_whose_answer_was_lost_is_found_to_have_happened(
    shop: TillUnderTest, pushing: Till, points: int
) -> None:
    shop.put(balance=1000)
    change = change_of(shop, pushing, points)
    shop.behave(drop_reply=True, match=shop.kind.write)
    with pytest.raises(TillUnavailable):
        add(pushing, change)
    assert shop.operations().count(shop.kind.write) == 1, "a write is never repeated by itself"
    shop.calm()
    assert is_applied(pushing, change)
    assert is_applied(shop.start(), change), "another instance finds the same"
    assert balance(pushing) == 1000 + points


@pytest.mark.slow
@pytest.mark.parametrize(
    ("behaviour", "error"), [({"fail_with": 503}, TillUnavailable), ({"hang": True}, TillTimeout)]
)
def test_a_write_that_was_not_carried_out_is_found_not_to_have_happened(
    shop: TillUnderTest, pushing: Till, behaviour: dict[str, object], error: type[TillError]
) -> None:
    shop.put(balance=1000)
    change = change_of(shop, pushing, 70)
    shop.behave(**behaviour, match=shop.kind.write)
    with pytest.raises(error):
        add(pushing, change, BUDGET_SECONDS)
    assert shop.operations().count(shop.kind.write) == 1
    shop.calm()
    assert not is_applied(pushing, change)
    assert add(pushing, change) == 1070


@pytest.mark.slow
@pytest.mark.parametrize("happened", [True, False])
@pytest.mark.parametrize("counter", [70, -70, -1000])
def test_a_change_at_the_counter_meanwhile_does_not_deceive(
    shop: TillUnderTest, pushing: Till, happened: bool, counter: int
) -> None:
    shop.put(balance=1000)
    change = change_of(shop, pushing, 70)
    # More than a second after the plan: the times of some tills have whole seconds.
    change = replace(change, planned_at=change.planned_at - timedelta(seconds=5))
    shop.behave(drop_reply=True, **({} if happened else {"hang": True}), match=shop.kind.write)
    with pytest.raises(TillUnavailable if happened else TillTimeout):
        add(pushing, change, BUDGET_SECONDS)
    shop.calm()
    before = balance(pushing)
    shop.put(balance=before + counter)
    assert is_applied(pushing, change) is happened


def test_an_equal_change_of_the_same_second_is_not_taken_for_this_one(
    shop: TillUnderTest, pushing: Till
) -> None:
    """The first one was carried out just before, by whichever instance; the second one was not."""
    shop.put(balance=1000)
    add(pushing, change_of(shop, pushing, 70, "1"))
    second = change_of(shop, pushing, 70, "2")
    assert not is_applied(pushing, second)
    assert not is_applied(shop.start(), second)
    shop.put(balance=2000)  # at the counter meanwhile; this instance knows whose the first one was
    assert not is_applied(pushing, second)


def test_the_same_change_twice_is_applied_once(shop: TillUnderTest, pushing: Till) -> None:
    """By the till's idempotency, or because the till says that it happened."""
    shop.put(balance=1000)
    change = change_of(shop, pushing, 70)
    for _ in range(2):
        if not is_applied(pushing, change):
            add(pushing, change)
    assert balance(pushing) == 1070


@pytest.mark.slow
def test_each_change_of_a_till_that_drops_answers_and_fails_is_applied_once(
    shop: TillUnderTest, pushing: Till
) -> None:
    shop.put(balance=0)
    for number in range(40):
        change = change_of(shop, pushing, 10, str(number))
        shop.behave(drop_reply=True, times=1, match=shop.kind.write)
        if number % 3 == 0:
            shop.behave(fail_with=500, times=1, match=shop.kind.write)
        while True:
            try:
                add(pushing, change)
                break
            except TillUnavailable:
                if is_applied(pushing, change):
                    break
    assert balance(pushing) == 400


@pytest.mark.parametrize(
    "garbage", ["", "<html>", "[]", "7", '{"point": "many"}', '{"loyalty_account": {"id": "x"}}']
)
def test_an_answer_to_a_write_that_cannot_be_read_is_a_bad_answer(
    shop: TillUnderTest, pushing: Till, garbage: str
) -> None:
    change = change_of(shop, pushing, 70)
    for operation in (shop.kind.write, "account"):
        shop.behave(answer_with=garbage, match=operation)
    with pytest.raises(BadTillAnswer):
        add(pushing, change)


@pytest.mark.parametrize("garbage", ["<html>", "7", '["x"]', '{"events": 7}'])
def test_history_that_cannot_be_read_is_a_bad_answer(
    shop: TillUnderTest, pushing: Till, garbage: str
) -> None:
    change = change_of(shop, pushing, 70)
    shop.behave(answer_with=garbage, match=shop.kind.read_back)
    with pytest.raises(BadTillAnswer):
        is_applied(pushing, change)


def test_a_change_whose_fate_cannot_be_read_stays_unknown(
    shop: TillUnderTest, pushing: Till
) -> None:
    change = change_of(shop, pushing, 70)
    shop.behave(fail_with=500, match=shop.kind.read_back)
    with pytest.raises(TillUnavailable):
        is_applied(pushing, change)
