"""A customer sees every movement of their own points, newest first, page by page."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local import demo
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Settle
from pointbook.errors import ShopifyUnavailable
from pointbook.ledger.instruction import Instruction
from tests.functions.hold_shop import HoldShop
from tests.support.harness import CUSTOMER, Answer, Functions, event, message
from tests.support.hold_orders import order_payload

HISTORY = "points_history"


def page(functions: Functions, **query: str) -> Answer:
    """One page of the history."""
    payload = event(HISTORY, "by_header")
    query_string = "&".join(f"{name}={value}" for name, value in query.items())
    return functions.request(HISTORY, payload | {"rawQueryString": query_string})


@pytest.fixture
def moved(functions: Functions) -> Functions:
    """A stack on which the customer got 1,250 points and used 300."""
    functions.sample("flow_action_grant", "run")
    functions.sample("flow_action_consume", "run")
    return functions


def test_each_movement_says_what_when_and_why(moved: Functions) -> None:
    newest, oldest = moved.sample(HISTORY, "by_header").body["entries"]
    assert (newest["topic"], newest["approved_delta"]) == ("points/sub/flow", -300)
    assert (newest["entry_id"], newest["version"]) == ("8840734670934-000000000002", 2)
    assert newest["reason"] == "Welcome"
    assert newest["figures"]["approved"] == 950
    assert (oldest["topic"], oldest["approved_delta"]) == ("points/add/flow", 1250)
    assert oldest["at"] <= newest["at"]
    assert set(newest) == {
        "entry_id",
        "version",
        "at",
        "topic",
        "reason",
        "approved_delta",
        "figures",
        "row",
    }


def test_pages_follow_each_other_without_gap_or_repetition(moved: Functions) -> None:
    first = page(moved, limit="1").body
    assert [entry["version"] for entry in first["entries"]] == [2]
    second = page(moved, limit="1", cursor=first["next_cursor"]).body
    assert [entry["version"] for entry in second["entries"]] == [1]
    assert second["next_cursor"] is None


def test_a_customer_without_history_gets_an_empty_page(functions: Functions) -> None:
    assert page(functions).body == {"entries": [], "next_cursor": None}


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "201"}, {"cursor": "0"}, {"cursor": "1000000000000"}]
)
def test_a_page_that_cannot_be_is_refused(moved: Functions, query: dict[str, str]) -> None:
    answer = page(moved, **query)
    assert (answer.status, answer.body["code"]) == (422, "invalid_request")


# --- the rows that a customer reads ---------------------------------------------------------------

DAY = 86_400
ORDER = "5550000000001"


@pytest.fixture
def shop(tmp_path: Path) -> HoldShop:
    """A shop whose customer has 1,250 points and may hold them."""
    return HoldShop(tmp_path)


def rows(functions: Functions) -> list[tuple[str, int, int]]:
    """Kind, points and change of each row, the newest first."""
    found = [entry["row"] for entry in page(functions, limit="200").body["entries"]]
    return [(row["kind"], row["points"], row["change"]) for row in found if row]


def order(
    shop: HoldShop, code: str = "", used: int = 0, order_id: str = ORDER, **members: object
) -> None:
    """An order of the customer arrives."""
    now_ms = int(shop.functions.container.clock.now().timestamp() * 1000)
    payload = order_payload(order_id, code, used, CUSTOMER, now_ms, left=6000)
    text = message("orders_create")
    sent = json.loads(text) | {"payload": payload | members}
    assert shop.functions.work("order_events", json.dumps(sent)) == []


WELCOME = ("added", 1250, 1250)


def test_points_that_are_held_are_a_state_and_change_nothing(shop: HoldShop) -> None:
    shop.hold("a")
    assert rows(shop.functions) == [("reserved", 500, 0), WELCOME]


def test_a_hold_and_its_end_are_one_row(shop: HoldShop) -> None:
    shop.release(shop.hold("a").body["hold_id"])
    assert rows(shop.functions) == [("not_used", 500, 0), WELCOME]
    shop.hold("b", 200)
    assert rows(shop.functions) == [("reserved", 200, 0), ("not_used", 500, 0), WELCOME]


def test_a_try_that_failed_is_no_row(shop: HoldShop) -> None:
    shop.codes.fault = ShopifyUnavailable(1)
    assert shop.hold("a").status == 503
    assert len(page(shop.functions).body["entries"]) == 3
    assert rows(shop.functions) == [WELCOME]


def test_an_order_that_uses_a_part_of_a_hold_is_one_use_of_that_part(shop: HoldShop) -> None:
    order(shop, shop.hold("a").body["discount_code"], 300, financial_status="pending")
    assert sorted(rows(shop.functions)) == sorted(
        [("pending", 60, 0), ("used", 300, -300), WELCOME]
    )
    used = next(
        e["row"] for e in page(shop.functions).body["entries"] if e["topic"] == "points/hold/spent"
    )
    assert used["order_id"] == ORDER


def test_an_order_that_comes_after_its_hold_has_ended_is_a_use(shop: HoldShop) -> None:
    code = shop.hold("a").body["discount_code"]
    shop.move(601)
    order(shop, code, 500)
    assert ("used", 500, -500) in rows(shop.functions)
    assert not [row for row in rows(shop.functions) if row[0] == "reserved"]


def test_pending_points_say_when_they_come_and_are_no_row_once_they_have_come(
    tmp_path: Path,
) -> None:
    shop = HoldShop(tmp_path, PROGRAMME_PENDING_DAYS="7")
    order(shop)
    (newest, _) = page(shop.functions).body["entries"]
    now = shop.functions.container.clock.now()
    tokyo = (now + timedelta(days=7, hours=9)).date().isoformat()
    assert newest["row"] == {
        "kind": "pending",
        "points": 60,
        "change": 0,
        "order_id": ORDER,
        "comes_on": tokyo,
    }
    shop.move(7 * DAY + 1)
    shop.functions.invoke("approve_pending", {})
    assert rows(shop.functions) == [("earned", 60, 60), WELCOME]


def test_every_row_of_an_order_names_it_whichever_message_it_came_by(tmp_path: Path) -> None:
    shop = HoldShop(tmp_path, PROGRAMME_PENDING_DAYS="7")
    code = shop.hold("a").body["discount_code"]
    order(shop, code, 500, name="#1001")
    shop.move(7 * DAY + 1)
    shop.functions.invoke("approve_pending", {})
    order(shop, code, 500, cancelled_at="2097-01-01T00:00:00Z", updated_at="2097-01-01T00:00:00Z")
    found = page(shop.functions).body["entries"]
    named = {entry["row"]["kind"]: entry["reason"] for entry in found if entry["row"]}
    assert named == {
        "returned": "#1001",
        "taken_back": "#1001",
        "earned": "#1001",
        "used": "#1001",
        "added": "Welcome",
    }


def test_points_of_an_order_that_is_not_paid_yet_have_no_day(shop: HoldShop) -> None:
    order(shop, financial_status="pending")
    row = page(shop.functions).body["entries"][0]["row"]
    assert (row["kind"], row["points"], row["comes_on"]) == ("pending", 60, None)


def test_points_that_have_come_are_told_once_while_others_are_pending(shop: HoldShop) -> None:
    order(shop, financial_status="pending")
    order(shop, order_id="5550000000002", financial_status="pending")
    shop.move(1)
    order(shop)
    assert rows(shop.functions) == [("earned", 60, 60), ("pending", 60, 0), WELCOME]


def test_points_that_were_pending_and_were_canceled_are_one_row(shop: HoldShop) -> None:
    order(shop, financial_status="pending")
    order(shop, financial_status="pending", cancelled_at="2097-01-01T00:00:00Z")
    assert rows(shop.functions) == [("pending_canceled", 60, 0), WELCOME]


def test_what_has_fallen_due_shows_at_once_and_is_not_written(shop: HoldShop) -> None:
    shop.hold("a")
    before = shop.functions.entries()
    shop.move(601)
    assert rows(shop.functions) == [("not_used", 500, 0), WELCOME]
    assert shop.functions.entries() == before, "a read writes nothing"


def test_what_has_fallen_due_keeps_its_name_and_time_when_it_is_written(shop: HoldShop) -> None:
    shop.hold("a")
    shop.move(400 * DAY)
    shown = page(shop.functions).body
    assert [entry["topic"] for entry in shown["entries"]] == [
        "points/sub/expire",
        "points/add/hold",
        "points/sub/hold",
        "points/add/flow",
    ]
    shop.functions.ledger.execute(
        Instruction(demo.SHOP_DOMAIN, CUSTOMER, Settle(), Cause("schedule"))
    )
    assert len(shop.functions.entries()) == 4
    assert page(shop.functions).body == shown


def test_pages_go_on_from_what_is_not_written_yet(shop: HoldShop) -> None:
    shop.hold("a")
    shop.move(400 * DAY)
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = page(shop.functions, limit="1", **cursor).body
        found += answer["entries"]
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}
    assert [entry["version"] for entry in found] == [4, 3, 2, 1]
    assert found == page(shop.functions).body["entries"]


def test_a_row_of_merged_accounts_names_no_order(functions: Functions) -> None:
    functions.sample("flow_action_grant", "run")
    other = "8840734670935"
    functions.ledger.merge(demo.SHOP_DOMAIN, CUSTOMER, other, Cause("order"))
    found = functions.ledger.history(demo.SHOP_DOMAIN, other, limit=9)
    assert found[0].entry.about, "it is about the other account"
    newest = page(functions).body["entries"][0]
    assert (newest["row"]["kind"], newest["row"]["order_id"]) == ("moved_in", None)
