"""The shop's staff see a customer's entries with who and why, but no names of AWS roles."""

from local import demo
from tests.support.harness import Answer, Functions, event, message

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


def test_an_entry_about_an_order_has_its_name_and_so_have_pending_points() -> None:
    functions = Functions(PROGRAMME_PENDING_DAYS="300")
    functions.sample("staff_adjust_points", "add")
    assert functions.work("order_events", message("orders_paid")) == []
    entries = shown(functions).body["entries"]
    assert [one["order_name"] for one in entries] == ["#1001", None]
    account = functions.sample("staff_show_account", "get").body
    assert [one["order_name"] for one in account["pending_orders"]] == ["#1001"]
