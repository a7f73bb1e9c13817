"""Operators and staff are shown all that is recorded of a customer's points, page by page."""

import pytest

from local import demo
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Never
from tests.support.harness import CUSTOMER, Answer, Functions, event
from tools.make_events import OTHER_CUSTOMER

pytestmark = pytest.mark.parametrize("function", ["account_history", "staff_account_history"])


def shown(functions: Functions, function: str, query: str = "") -> Answer:
    return functions.request(function, event(function, "get") | {"rawQueryString": query})


def test_history_is_paged_by_the_query(functions: Functions, function: str) -> None:
    for _ in range(3):
        functions.execute(Grant(1, Never()))
    page = shown(functions, function, "limit=2").body
    assert ([one["version"] for one in page["entries"]], page["next_cursor"]) == ([3, 2], "2")
    rest = shown(functions, function, "limit=2&cursor=2").body
    assert ([one["version"] for one in rest["entries"]], rest["next_cursor"]) == ([1], None)


def test_entries_until_a_merge_are_asked_for_by_the_query(
    functions: Functions, function: str
) -> None:
    functions.execute(Grant(100, Never()))
    functions.ledger.merge(demo.SHOP_DOMAIN, CUSTOMER, OTHER_CUSTOMER, Cause("order"))
    (arrived,) = shown(functions, function).body["entries"]
    assert arrived["topic"] == "points/add/merge"
    own = shown(functions, function, "own=1").body["entries"]
    assert [one["topic"] for one in own] == ["points/sub/merge", "points/add/flow"]
