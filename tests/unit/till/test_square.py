"""What is Square's own: phone numbers, lots, idempotency keys, events.

What every till promises is in test_till_contract.py.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from pointbook.deadline import Deadline
from pointbook.till.errors import (
    BadTillAnswer,
    ChangeRefused,
    MemberNotRegistered,
    TillUnavailable,
)
from pointbook.till.member import PointsChange, Till
from pointbook.till.square_answers import read_found
from tests.support.tills import (
    KINDS,
    NUMBER,
    PLENTY_SECONDS,
    TillUnderTest,
    member_of,
    till_under_test,
)

PHONE = "+819012345678"
TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture
def shop() -> Iterator[TillUnderTest]:
    (kind,) = [kind for kind in KINDS if kind.provider == "square"]
    with till_under_test(kind) as found:
        yield found


@pytest.fixture
def till(shop: TillUnderTest) -> Till:
    return shop.start()


def change_of(shop: TillUnderTest, points: int, balance: int = 1000) -> PointsChange:
    till_id = shop.put(balance=balance)
    return PointsChange("c-1", NUMBER, till_id, points, balance, datetime.now(UTC))


def add(till: Till, change: PointsChange) -> int:
    return till.add_points(change, Deadline.after(PLENTY_SECONDS))


def test_a_member_is_found_by_phone(shop: TillUnderTest, till: Till) -> None:
    shop.put(member_number=PHONE, balance=12)
    assert member_of(till, PHONE).balance_points == 12
    (search,) = shop.fake.control.log()
    assert search["variables"] == {
        "query": {"mappings": [{"phone_number": PHONE}]},
        "limit": 30,
    }


@pytest.mark.parametrize(
    ("code", "error"),
    [
        *(("INVALID_PHONE_NUMBER", MemberNotRegistered), ("INVALID_VALUE", MemberNotRegistered)),
        *(("NOT_FOUND", MemberNotRegistered), ("BAD_REQUEST", TillUnavailable)),
    ],
)
def test_a_search_that_is_refused_because_of_its_number_is_no_failure(
    shop: TillUnderTest, till: Till, code: str, error: type[Exception]
) -> None:
    """Else one customer with an odd number would look like a till that fails."""
    refusal = json.dumps({"errors": [{"category": "INVALID_REQUEST_ERROR", "code": code}]})
    shop.behave(fail_with=400, answer_with=refusal)
    with pytest.raises(error):
        member_of(till)


@pytest.mark.parametrize("number", ["", "1 2", "1\n", "会員", "1" * 192])
def test_a_number_that_square_cannot_have_is_not_searched_for(
    shop: TillUnderTest, till: Till, number: str
) -> None:
    with pytest.raises(MemberNotRegistered):
        member_of(till, number)
    assert shop.operations() == []


def test_points_expire_as_lots_the_soonest_first(shop: TillUnderTest, till: Till) -> None:
    shop.put(balance=800, lots=[[500, "2031-05-31"], [300, "2031-03-31"]])
    member = member_of(till)
    assert member.lots == ((300, date(2031, 3, 31)), (500, date(2031, 5, 31)))
    assert member.expires_on == date(2031, 3, 31)


def test_the_same_key_is_carried_out_once(shop: TillUnderTest, till: Till) -> None:
    change = change_of(shop, 70)
    assert [add(till, change) for _ in range(3)] == [1070] * 3
    (adjust, *_) = [one for one in shop.fake.control.log() if one["operation"] == "adjust"]
    assert adjust["variables"] == {
        "account_id": change.till_id,
        "idempotency_key": "c-1",
        "adjust_points": {"points": 70, "reason": "Pointbook c-1"},
        "allow_negative_balance": False,
    }


def test_a_negative_balance_is_filled_up_but_not_deepened(shop: TillUnderTest, till: Till) -> None:
    change = change_of(shop, 30, balance=-40)
    assert add(till, change) == -10
    with pytest.raises(ChangeRefused):
        add(till, PointsChange("c-2", NUMBER, change.till_id, -1, -10, datetime.now(UTC)))


def test_a_change_is_found_behind_more_events_than_one_page(
    shop: TillUnderTest, till: Till
) -> None:
    change = change_of(shop, 70)
    add(till, change)
    for number in range(65):
        other = PointsChange(f"o-{number}", NUMBER, change.till_id, 70, 0, datetime.now(UTC))
        add(till, other)
    assert till.is_applied(change, Deadline.after(PLENTY_SECONDS))
    assert shop.operations().count("events") == 3


def test_more_events_than_can_be_looked_through_leave_the_change_unknown(
    shop: TillUnderTest, till: Till
) -> None:
    shop.behave(answer_with='{"events": [], "cursor": "x"}', match="events")
    with pytest.raises(BadTillAnswer, match="pages"):
        till.is_applied(change_of(shop, 70), Deadline.after(PLENTY_SECONDS))


def test_our_change_with_other_points_is_a_bad_answer(shop: TillUnderTest, till: Till) -> None:
    event = '{"adjust_points": {"points": 71, "reason": "Pointbook c-1"}}'
    shop.behave(answer_with=f'{{"events": [{event}]}}', match="events")
    with pytest.raises(BadTillAnswer, match="other points"):
        till.is_applied(change_of(shop, 70), Deadline.after(PLENTY_SECONDS))


def account(**changes: object) -> dict[str, object]:
    deadlines = [{"points": 5, "expires_at": "2031-03-31T15:00:00Z"}]
    found = {"id": "a", "balance": 5, "customer_id": NUMBER, "mapping": {"phone_number": PHONE}}
    return {"loyalty_accounts": [found | {"expiring_point_deadlines": deadlines} | changes]}


@pytest.mark.parametrize(
    ("expires_at", "day"),
    [
        ("2031-03-31T15:00:00Z", date(2031, 3, 31)),
        ("2031-03-31T23:59:59+09:00", date(2031, 3, 31)),
        ("2031-04-01T00:00:00.000+09:00", date(2031, 3, 31)),
        ("2031-04-01T00:00:01+09:00", date(2031, 4, 1)),
    ],
)
def test_the_last_day_of_points_is_the_sellers(expires_at: str, day: date) -> None:
    deadlines = [{"points": 5, "expires_at": expires_at}]
    answer = account(expiring_point_deadlines=deadlines)
    assert read_found(answer, NUMBER, TOKYO).lots == ((5, day),)


@pytest.mark.parametrize(
    "changes",
    [
        *({"id": ""}, {"id": "x" * 201}, {"balance": None}, {"balance": "many"}, {"balance": 5.0}),
        *({"mapping": []}, {"customer_id": True}, {"expiring_point_deadlines": {"points": 5}}),
        {"expiring_point_deadlines": [{"points": 5, "expires_at": "2031-03-31"}]},
        {"expiring_point_deadlines": [{"points": 5, "expires_at": "0001-01-01T00:00:00Z"}]},
        {"expiring_point_deadlines": [{"points": None, "expires_at": "2031-03-31T15:00:00Z"}]},
    ],
)
def test_a_malformed_account_is_a_bad_answer(changes: dict[str, object]) -> None:
    with pytest.raises(BadTillAnswer):
        read_found(account(**changes), NUMBER, TOKYO)
