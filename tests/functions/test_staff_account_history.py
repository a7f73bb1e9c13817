"""The shop's staff see a customer's entries with who and why, but no names of AWS roles."""

from local import demo
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Never
from tests.support.harness import CUSTOMER, Answer, Functions, event, problem
from tools.make_events import OTHER_CUSTOMER

FUNCTION = "staff_account_history"
MANAGER, COUNTER, NEWCOMER = demo.STAFF


def shown(functions: Functions, query: str = "") -> Answer:
    return functions.request(FUNCTION, event(FUNCTION, "get") | {"rawQueryString": query})


def test_entries_say_who_and_why_and_of_operators_only_the_name(functions: Functions) -> None:
    functions.sample("staff_adjust_points", "add")
    functions.sample("staff_adjust_points", "pressed_by_another")
    functions.sample("adjust_points", "add")
    entries = shown(functions).body["entries"]
    assert [(one["actor"], one["reason"]) for one in entries] == [
        ("operator:hanako", "Sorry for the delay"),
        (f"staff:{MANAGER} for staff:{COUNTER}", "Sorry"),
        (f"staff:{MANAGER}", "Sorry"),
    ]
    operators = functions.sample("account_history", "get").body["entries"]
    assert operators[0]["actor"] == "assumed-role/PointbookOperator/hanako"
    rest = [one | {"actor": ""} for one in entries]
    assert rest == [one | {"actor": ""} for one in operators], "all else is the same"


def test_history_is_paged_by_the_query(functions: Functions) -> None:
    for _ in range(3):
        functions.execute(Grant(1, Never()))
    page = shown(functions, "limit=2").body
    assert ([one["version"] for one in page["entries"]], page["next_cursor"]) == ([3, 2], "2")
    rest = shown(functions, "limit=2&cursor=2").body
    assert ([one["version"] for one in rest["entries"]], rest["next_cursor"]) == ([1], None)


def test_entries_until_a_merge_are_asked_for_by_the_query(functions: Functions) -> None:
    functions.execute(Grant(100, Never()))
    functions.ledger.merge(demo.SHOP_DOMAIN, CUSTOMER, OTHER_CUSTOMER, Cause("order"))
    (arrived,) = shown(functions).body["entries"]
    assert arrived["topic"] == "points/add/merge"
    own = shown(functions, "own=1").body["entries"]
    assert [one["topic"] for one in own] == ["points/sub/merge", "points/add/flow"]


def test_nobody_looks_who_may_not() -> None:
    functions = Functions(PROGRAMME_STAFF_LOOK=NEWCOMER)
    functions.execute(Grant(1, Never()))
    assert problem(shown(functions)) == (403, "not_permitted")
    assert len(functions.sample(FUNCTION, "by_newcomer").body["entries"]) == 1
