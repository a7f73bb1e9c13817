"""What is Smaregi's own: token, scopes, ids, lapsing points, transactions.

What every till promises is in test_till_contract.py.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.fakes.server import Reply
from local.fakes.till import TillService
from pointbook.deadline import Deadline
from pointbook.errors import StoreRefused, Unavailable
from pointbook.http.tokens import StoredToken
from pointbook.till.errors import (
    BadTillAnswer,
    ChangeRefused,
    MemberNotRegistered,
    TillRefusedLogin,
    TillThrottled,
    TillTimeout,
    TillUnavailable,
)
from pointbook.till.member import PointsChange, Till
from pointbook.till.smaregi import TOKEN_OWNER
from tests.fakes.admin_api import START
from tests.support.tills import (
    KINDS,
    NUMBER,
    PLENTY_SECONDS,
    TillUnderTest,
    member_of,
    till_under_test,
)

BUDGET_SECONDS = 0.7
# What a loaded machine may add to a time that is measured.
SLACK_SECONDS = 0.3


@pytest.fixture
def shop() -> Iterator[TillUnderTest]:
    (kind,) = [kind for kind in KINDS if kind.provider == "smaregi"]
    with till_under_test(kind) as found:
        yield found


@pytest.fixture
def till(shop: TillUnderTest) -> Till:
    return shop.start()


def a_change(points: int = 5, planned_at: datetime | None = None) -> PointsChange:
    return PointsChange("1", NUMBER, "1", points, 1250, planned_at or datetime.now(UTC))


def add(till: Till, change: PointsChange) -> int:
    return till.add_points(change, Deadline.after(PLENTY_SECONDS))


def is_applied(till: Till, change: PointsChange) -> bool:
    return till.is_applied(change, Deadline.after(PLENTY_SECONDS))


def seconds_until_timeout(till: Till) -> float:
    begun = time.monotonic()
    with pytest.raises(TillTimeout):
        till.member(NUMBER, Deadline.after(BUDGET_SECONDS))
    return time.monotonic() - begun


def test_the_shops_words_for_ranks_are_used(shop: TillUnderTest) -> None:
    shop.put(rank="7")
    assert member_of(shop.start(credentials={"rank_7": "gold"})).rank == "gold"
    assert member_of(shop.start()).rank == "7"


# --- tokens ---------------------------------------------------------------------------------------


def test_one_token_is_for_all_instances(shop: TillUnderTest) -> None:
    for _ in range(3):
        member_of(shop.start())
    assert shop.operations().count("token") == 1


@pytest.mark.slow
def test_while_another_instance_fetches_the_token_the_deadline_holds(shop: TillUnderTest) -> None:
    leased_until = datetime.now(UTC) + timedelta(seconds=10)
    shop.tokens.by_shop[TOKEN_OWNER] = StoredToken("", START, 1, leased_until)
    assert seconds_until_timeout(shop.start()) < BUDGET_SECONDS + SLACK_SECONDS
    assert shop.operations() == []


@pytest.mark.parametrize(
    "failure", [Unavailable(5, code="secrets_unavailable"), StoreRefused("AccessDenied", "no")]
)
def test_a_token_that_cannot_be_read_makes_the_till_unavailable(
    shop: TillUnderTest, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fails(_owner: str) -> StoredToken | None:
        raise failure

    monkeypatch.setattr(shop.tokens, "read", fails)
    with pytest.raises(TillUnavailable, match="token"):
        member_of(shop.start())


@pytest.mark.parametrize(
    ("read_only", "scope"),
    [
        ("no", "pos.customers:read pos.customers:write pos.transactions:read"),
        ("yes", "pos.customers:read"),
    ],
)
def test_only_the_scopes_that_are_needed_are_requested(
    shop: TillUnderTest, read_only: str, scope: str
) -> None:
    member_of(shop.start(credentials={"read_only": read_only}))
    (token,) = [one for one in shop.fake.control.log() if one["operation"] == "token"]
    assert token["variables"] == {"grant_type": "client_credentials", "scope": scope}


def test_a_refused_token_is_replaced_once(shop: TillUnderTest, till: Till) -> None:
    member_of(till)
    assert isinstance(shop.fake.service, TillService)
    shop.fake.service.revoke_tokens()
    assert member_of(till).balance_points == 1250
    assert shop.operations().count("token") == 2


def test_wrong_credentials_are_refused_at_once(shop: TillUnderTest) -> None:
    with pytest.raises(TillRefusedLogin):
        member_of(shop.start(credentials={"client_secret": "wrong"}))
    assert shop.operations() == ["token"]


def test_a_dying_token_is_not_used(
    shop: TillUnderTest, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.fakes.till.TOKEN_SECONDS", 60)
    member_of(till)
    member_of(till)
    assert shop.operations().count("token") == 2


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["token", "customers"])
def test_a_call_that_is_not_answered_costs_no_more_than_the_budget(
    shop: TillUnderTest, till: Till, operation: str
) -> None:
    shop.behave(hang=True, match=operation)
    seconds = seconds_until_timeout(till)
    assert BUDGET_SECONDS - 0.1 < seconds < BUDGET_SECONDS + SLACK_SECONDS


@pytest.mark.parametrize(
    "token",
    [
        '{"access_token": "トークン", "expires_in": 3600}',
        '{"access_token": "", "expires_in": 3600}',
        '{"access_token": "t\\r\\nX: y", "expires_in": 3600}',
        '{"access_token": "t", "expires_in": true}',
        '{"access_token": "t", "expires_in": 0}',
        f'{{"access_token": "t", "expires_in": {"9" * 400}}}',
    ],
)
def test_a_token_that_cannot_be_used_is_a_bad_answer(
    shop: TillUnderTest, till: Till, token: str
) -> None:
    shop.behave(answer_with=token, match="token")
    with pytest.raises(BadTillAnswer):
        member_of(till)


# --- members and points ---------------------------------------------------------------------------


def test_a_member_costs_two_calls_whether_or_not_its_id_is_known(
    shop: TillUnderTest, till: Till
) -> None:
    member = member_of(till)
    shop.calm()
    member_of(till, till_id=member.till_id)
    assert sorted(map(str, shop.operations())) == ["customers", "points"]


@pytest.mark.parametrize("number", ["", "1" * 21, "会員", "1\n"])
def test_a_code_that_smaregi_cannot_have_is_not_searched_for(
    shop: TillUnderTest, till: Till, number: str
) -> None:
    with pytest.raises(MemberNotRegistered):
        member_of(till, number)
    assert shop.operations() == []


@pytest.mark.parametrize("retry_after", ["9" * 5000, "1234567", "soon", "-1", "²"])
def test_an_unreadable_retry_after_is_none(
    shop: TillUnderTest, till: Till, monkeypatch: pytest.MonkeyPatch, retry_after: str
) -> None:
    reply = Reply(429, {}, {"Retry-After": retry_after})
    monkeypatch.setattr(shop.fake.service, "throttled", lambda: reply)
    shop.behave(throttle=True, match="customers")
    with pytest.raises(TillThrottled) as caught:
        member_of(till)
    assert caught.value.retry_after_seconds is None


def test_points_whose_day_has_passed_lapse_before_a_change(shop: TillUnderTest, till: Till) -> None:
    shop.put(expires_on="2025-12-31", lapses=True)
    with pytest.raises(ChangeRefused, match="not enough"):
        add(till, a_change(-1))
    assert add(till, replace(a_change(30), change_id="2")) == 30


def test_the_points_of_another_customer_are_no_answer_to_a_change(
    shop: TillUnderTest, till: Till
) -> None:
    shop.behave(answer_with='{"customerId": "2", "point": "5"}', match="add_points")
    with pytest.raises(BadTillAnswer, match="another customer"):
        add(till, a_change())


def test_transactions_are_looked_through_from_before_the_plan(
    shop: TillUnderTest, till: Till
) -> None:
    """Smaregi's clock may be behind ours."""
    planned_at = datetime.now(UTC) - timedelta(minutes=5)
    assert not is_applied(till, a_change(planned_at=planned_at))
    (query,) = [
        one["variables"] for one in shop.fake.control.log() if one["operation"] == "transactions"
    ]
    assert isinstance(query, Mapping)
    since, until = (
        datetime.fromisoformat(query[f"transaction_date_time-{end}"]) for end in ("from", "to")
    )
    assert timedelta(seconds=29) < planned_at - since < timedelta(seconds=32)
    assert until > datetime.now(UTC)


def test_more_transactions_than_are_listed_leave_a_change_unknown(
    shop: TillUnderTest, till: Till
) -> None:
    shop.behave(answer_with=json.dumps([{}] * 1000), match="transactions")
    with pytest.raises(BadTillAnswer, match="1000"):
        is_applied(till, a_change())


def test_a_change_from_before_what_smaregi_lists_is_left_to_a_person(
    shop: TillUnderTest, till: Till
) -> None:
    planned_at = datetime.now(UTC) - timedelta(days=30, seconds=1)
    with pytest.raises(ChangeRefused, match="compare the balances"):
        is_applied(till, a_change(planned_at=planned_at))
    assert shop.operations() == []
