"""Customers: points for signing up, once; two who become one, once, and only if they did."""

import json
from datetime import date
from typing import Any

import pytest

from local import demo
from pointbook.domain.lots import Lot
from pointbook.domain.refusal import Code, Refusal
from pointbook.ledger.ledger import Ledger
from tests.fakes.customers import MemoryCustomers
from tests.support.harness import Functions, event
from tools.make_events_webhooks import messages, sqs_event
from tools.shopify_payloads import CUSTOMER, OTHER_CUSTOMER

QUEUE = "customer_events"
SIGN_UP = int(demo.PARAMETERS["SignUpPoints"])


def message(case: str, **payload: Any) -> str:
    """A sample message, with changed members of its payload."""
    members = json.loads(messages()[case][1])
    return json.dumps(members | {"payload": members["payload"] | payload})


def approved(functions: Functions, customer_id: int = CUSTOMER) -> int:
    view = functions.ledger.read(demo.SHOP_DOMAIN, str(customer_id))
    return view.figures.approved


def topics(functions: Functions, customer_id: int = CUSTOMER) -> list[str]:
    entries = functions.ledger.history(demo.SHOP_DOMAIN, str(customer_id), limit=20)
    return [booked.entry.topic for booked in entries]


def metrics(capsys: pytest.CaptureFixture[str], name: str) -> list[dict[str, Any]]:
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in written if name in line]


@pytest.fixture
def both(functions: Functions) -> Functions:
    """Both customers have signed up."""
    other = message("customers_create", id=OTHER_CUSTOMER)
    assert functions.work(QUEUE, message("customers_create"), other) == []
    return functions


def test_signing_up_gives_points_once_however_often_it_is_told(functions: Functions) -> None:
    for _ in range(3):
        assert functions.work(QUEUE, message("customers_create")) == []
    assert approved(functions) == SIGN_UP > 0
    assert topics(functions) == ["points/add/sign_up"]


def test_signing_up_told_by_two_events_gives_points_once(functions: Functions) -> None:
    first = json.loads(message("customers_create"))
    for event_id in ("event-1", "event-2"):
        assert functions.work(QUEUE, json.dumps(first | {"event_id": event_id})) == []
    assert approved(functions) == SIGN_UP


def test_points_for_signing_up_last_as_the_programme_says() -> None:
    functions = Functions(PROGRAMME_EXPIRY="date:2099-12-31")
    assert functions.work(QUEUE, message("customers_create")) == []
    lots = functions.ledger.read(demo.SHOP_DOMAIN, str(CUSTOMER)).lots
    assert lots == (Lot(date(2099, 12, 31), SIGN_UP),)


def test_another_programme_later_makes_no_second_sign_up() -> None:
    first = Functions()
    first.work(QUEUE, message("customers_create"))
    later = Functions({"dynamodb": first.table}, PROGRAMME_SIGN_UP_POINTS="7")
    assert later.work(QUEUE, message("customers_create")) == []
    assert approved(later) == SIGN_UP


def test_a_programme_without_sign_up_points_writes_nothing() -> None:
    functions = Functions(PROGRAMME_SIGN_UP_POINTS="0")
    assert functions.work(QUEUE, message("customers_create")) == []
    assert topics(functions) == []


SECOND_SHOP = "second.myshopify.com"


@pytest.fixture
def customers() -> MemoryCustomers:
    """The customers of the shop in the header."""
    return MemoryCustomers()


@pytest.fixture
def two_shops(customers: MemoryCustomers) -> Functions:
    """A stack that serves two shops."""
    shops = f"{demo.SHOP_DOMAIN},{SECOND_SHOP}"
    return Functions({"customers": lambda _: customers}, SHOP_DOMAIN=shops)


def test_where_there_are_two_shops_the_one_in_the_header_has_to_have_the_customer(
    two_shops: Functions, customers: MemoryCustomers, capsys: pytest.CaptureFixture[str]
) -> None:
    """The header is not signed: with another shop in it, points would be given there, too."""
    customers.gone.add(str(CUSTOMER))
    lying = json.loads(message("customers_create")) | {"shop": SECOND_SHOP}
    assert two_shops.work(QUEUE, json.dumps(lying)) == []
    (counted,) = metrics(capsys, "WebhooksRefused")
    assert (counted["Topic"], counted["Code"]) == ("customers/create", "customer_unknown")
    assert two_shops.ledger.history(SECOND_SHOP, str(CUSTOMER), limit=1) == []
    customers.gone.clear()
    assert two_shops.work(QUEUE, message("customers_create")) == []
    assert approved(two_shops) == SIGN_UP


def test_while_shopify_does_not_say_whose_customer_it_is_the_sign_up_waits(
    two_shops: Functions, customers: MemoryCustomers
) -> None:
    customers.unreachable = True
    waiting = two_shops.work(QUEUE, message("customers_create"))
    assert (waiting, approved(two_shops)) == ([message("customers_create")], 0)
    customers.unreachable = False
    assert two_shops.work(QUEUE, *waiting) == []
    assert approved(two_shops) == SIGN_UP


def test_a_stack_of_one_shop_asks_nobody(customers: MemoryCustomers) -> None:
    functions = Functions({"customers": lambda _: customers})
    assert functions.work(QUEUE, message("customers_create")) == []
    assert (approved(functions), customers.asked) == (SIGN_UP, [])


def test_a_merge_that_shopify_completed_moves_everything_once(both: Functions) -> None:
    for status in ("completed", "COMPLETED", "completed"):
        assert both.work(QUEUE, message("customers_merge", status=status)) == []
    assert approved(both, OTHER_CUSTOMER) == 2 * SIGN_UP
    assert topics(both, OTHER_CUSTOMER) == ["points/add/merge", "points/add/sign_up"]


@pytest.mark.parametrize("case", ["customers_merge_failed", "customers_merge_in_progress"])
def test_a_merge_that_did_not_happen_moves_nothing_and_is_counted(
    both: Functions, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    capsys.readouterr()
    assert both.work(QUEUE, message(case)) == []
    assert (approved(both), approved(both, OTHER_CUSTOMER)) == (SIGN_UP, SIGN_UP)
    (counted,) = metrics(capsys, "MergesNotCompleted")
    assert counted["Status"] in ("failed", "in_progress")


@pytest.mark.parametrize("status", ["done", "", None])
def test_a_status_that_nobody_knows_moves_nothing_and_is_warned_of(
    both: Functions, capsys: pytest.CaptureFixture[str], status: str | None
) -> None:
    capsys.readouterr()
    assert both.work(QUEUE, message("customers_merge", status=status)) == []
    assert approved(both) == SIGN_UP
    written = capsys.readouterr().out
    assert "merge_status_unknown" in written
    assert '"Status": "unknown"' in written


def test_merges_that_arrive_in_the_wrong_order_end_at_the_same_survivor(both: Functions) -> None:
    third = 8840734670936
    later = message(
        "customers_merge",
        admin_graphql_api_customer_deleted_id=f"gid://shopify/Customer/{OTHER_CUSTOMER}",
        admin_graphql_api_customer_kept_id=f"gid://shopify/Customer/{third}",
    )
    assert both.work(QUEUE, later, message("customers_merge"), later) == []
    assert approved(both, third) == 2 * SIGN_UP
    assert approved(both) == approved(both, OTHER_CUSTOMER) == approved(both, third)


def test_a_refusal_is_final_and_counted(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    same = f"gid://shopify/Customer/{OTHER_CUSTOMER}"
    text = message("customers_merge", admin_graphql_api_customer_deleted_id=same)
    assert functions.work(QUEUE, text) == []
    (counted,) = metrics(capsys, "WebhooksRefused")
    assert (counted["Topic"], counted["Code"]) == ("customers/merge", Code.SAME_ACCOUNT)


def test_whoever_was_erased_gets_nothing_and_the_message_is_done(
    functions: Functions, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    erased = Refusal(Code.CUSTOMER_ERASED, "This customer was erased.")
    monkeypatch.setattr(Ledger, "execute", lambda *_: erased)
    assert functions.work(QUEUE, message("customers_create")) == []
    (counted,) = metrics(capsys, "WebhooksRefused")
    assert counted["Code"] == "customer_erased"


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("customers_create", {"id": None}),
        ("customers_merge", {"admin_graphql_api_customer_kept_id": None}),
        ("customers_merge", {"admin_graphql_api_customer_deleted_id": "Taro"}),
        ("orders_create", {}),
    ],
)
def test_a_message_that_cannot_be_carried_out_comes_again_and_stops_no_other(
    functions: Functions, case: str, change: dict[str, Any]
) -> None:
    bad = message(case, **change)
    assert functions.work(QUEUE, bad, message("customers_create")) == [bad]
    assert approved(functions) == SIGN_UP


def test_a_message_that_cannot_be_read_comes_again_and_stops_no_other(functions: Functions) -> None:
    answer = functions.invoke(QUEUE, event(QUEUE, "unreadable_beside_another"))
    (failed,) = answer["batchItemFailures"]
    assert failed["itemIdentifier"] == sqs_event(QUEUE, "", "")["Records"][1]["messageId"]
    assert approved(functions) == SIGN_UP
