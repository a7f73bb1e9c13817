"""Operators are shown an account, now or as of a past instant, and what the till last said."""

import pytest

from local import demo
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Never
from pointbook.store.till_members import CachedMember, Membership, TillMembers
from tests.support.examples import NOON
from tests.support.harness import CUSTOMER, Answer, Functions, event, problem

FUNCTION = "show_account"


def shown(functions: Functions, query: str = "", function: str = FUNCTION) -> Answer:
    return functions.request(function, event(function, "get") | {"rawQueryString": query})


@pytest.mark.parametrize("function", [FUNCTION, "staff_show_account"])
def test_an_account_is_shown_as_of_an_instant_of_any_offset(
    functions: Functions, function: str
) -> None:
    functions.execute(Grant(100, Never()))
    assert shown(functions, function=function).body["figures"]["approved"] == 100
    for at in ("2026-01-31T09:00:00%2B09:00", "2026-01-31T09:00:00+09:00", "2026-01-31T00:00:00Z"):
        past = shown(functions, f"at={at}", function).body
        assert (past["figures"]["approved"], past["as_of"]) == (0, "2026-01-31T00:00:00.000+00:00")


def test_a_shop_is_needed_where_the_stack_has_several() -> None:
    functions = Functions(SHOP_DOMAIN=f"{demo.SHOP_DOMAIN},other.myshopify.com")
    assert problem(shown(functions)) == (422, "invalid_request")
    assert shown(functions, query="shop=other.myshopify.com").body["shop"] == "other.myshopify.com"


def test_the_till_is_not_called_and_its_last_word_is_shown(functions: Functions) -> None:
    assert shown(functions).body["till"] is None, "there is no till"
    with_till = Functions(TILL_PROVIDER="smaregi")
    assert shown(with_till).body["till"]["status"] == "pending"
    members = TillMembers(with_till.container._table)
    cached = CachedMember(Membership.MEMBER, CUSTOMER, NOON, balance_points=70, rank="gold")
    members.save(demo.SHOP_DOMAIN, CUSTOMER, cached)
    assert shown(with_till).body["till"] == {
        "status": "ok",
        "member_number": CUSTOMER,
        "balance": 70,
        "expires_on": None,
        "rank": "gold",
        "rank_labels": {"en": "Gold Member", "ja": "ゴールド会員"},
        "as_of": "2026-11-21T03:00:00.000+00:00",
        "stale": True,
    }
