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
from tests.support.harness import CUSTOMER, Functions, message
from tests.support.logs import logged
from tools.shopify_payloads import OTHER_CUSTOMER

QUEUE = "customer_events"
OTHER = str(OTHER_CUSTOMER)
SIGN_UP = int(demo.PARAMETERS["SignUpPoints"])


@pytest.fixture
def both(functions: Functions) -> Functions:
    """Both customers have signed up."""
    other = message("customers_create", id=int(OTHER))
    assert functions.work(QUEUE, message("customers_create"), other) == []
    return functions


def test_signing_up_gives_points_once_however_many_events_there_are(functions: Functions) -> None:
    first = json.loads(message("customers_create"))
    for event_id in ("event-1", "event-1", "event-2"):
        assert functions.work(QUEUE, json.dumps(first | {"event_id": event_id})) == []
    assert functions.approved() == SIGN_UP > 0
    assert functions.topics() == ["points/add/sign_up"]


def test_points_for_signing_up_last_as_the_programme_says() -> None:
    functions = Functions(PROGRAMME_EXPIRY="date:2099-12-31")
    assert functions.work(QUEUE, message("customers_create")) == []
    lots = functions.lots()
    assert lots == (Lot(date(2099, 12, 31), SIGN_UP),)


def test_another_programme_later_makes_no_second_sign_up() -> None:
    first = Functions()
    first.work(QUEUE, message("customers_create"))
    later = Functions({"dynamodb": first.table}, PROGRAMME_SIGN_UP_POINTS="7")
    assert later.work(QUEUE, message("customers_create")) == []
    assert later.approved() == SIGN_UP


def test_a_programme_without_sign_up_points_writes_nothing() -> None:
    functions = Functions(PROGRAMME_SIGN_UP_POINTS="0")
    assert functions.work(QUEUE, message("customers_create")) == []
    assert functions.topics() == []


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
    customers.gone.add(CUSTOMER)
    lying = json.loads(message("customers_create")) | {"shop": SECOND_SHOP}
    assert two_shops.work(QUEUE, json.dumps(lying)) == []
    (counted,) = logged(capsys, "WebhooksRefused")
    assert (counted["Topic"], counted["Code"]) == ("customers/create", "customer_unknown")
    assert two_shops.ledger.history(SECOND_SHOP, CUSTOMER, limit=1) == []
    customers.gone.clear()
    assert two_shops.work(QUEUE, message("customers_create")) == []
    assert two_shops.approved() == SIGN_UP


def test_a_stack_of_one_shop_looks_up_no_customer(customers: MemoryCustomers) -> None:
    functions = Functions({"customers": lambda _: customers})
    assert functions.work(QUEUE, message("customers_create")) == []
    assert (functions.approved(), customers.requested) == (SIGN_UP, [])


@pytest.fixture
def for_accounts(customers: MemoryCustomers) -> Functions:
    """A stack of one shop that gives sign-up points to customers with an account."""
    return Functions({"customers": lambda _: customers}, PROGRAMME_SIGN_UP_NEEDS_ACCOUNT="yes")


def test_who_has_an_account_gets_the_points_for_signing_up(for_accounts: Functions) -> None:
    assert for_accounts.work(QUEUE, message("customers_create")) == []
    assert for_accounts.approved() == SIGN_UP


def test_who_has_no_account_gets_them_when_it_is_enabled_and_once(
    for_accounts: Functions, customers: MemoryCustomers
) -> None:
    customers.without_account.add(str(CUSTOMER))
    for case in ("customers_create", "customers_enable"):
        assert for_accounts.work(QUEUE, message(case)) == []
    assert for_accounts.topics() == [], "neither topic nor body say whether there is an account"
    customers.without_account.clear()
    for _ in range(2):
        assert for_accounts.work(QUEUE, message("customers_enable")) == []
    assert for_accounts.topics() == ["points/add/sign_up"]


def test_who_is_no_customer_of_the_shop_has_no_account_there(
    for_accounts: Functions, customers: MemoryCustomers
) -> None:
    customers.gone.add(str(CUSTOMER))
    assert for_accounts.work(QUEUE, message("customers_enable")) == []
    assert for_accounts.topics() == []


@pytest.mark.parametrize("asked", ["two_shops", "for_accounts"])
def test_while_shopify_does_not_say_who_its_customer_is_the_sign_up_waits(
    request: pytest.FixtureRequest, customers: MemoryCustomers, asked: str
) -> None:
    functions: Functions = request.getfixturevalue(asked)
    customers.unreachable = True
    waiting = functions.work(QUEUE, message("customers_create"))
    assert (waiting, functions.approved()) == ([message("customers_create")], 0)
    customers.unreachable = False
    assert functions.work(QUEUE, *waiting) == []
    assert functions.approved() == SIGN_UP


def test_an_enabled_account_is_no_sign_up_where_none_is_needed(functions: Functions) -> None:
    """It may be years after the customer came."""
    assert functions.work(QUEUE, message("customers_enable")) == []
    assert functions.topics() == []


def test_a_merge_that_shopify_completed_moves_everything_once(both: Functions) -> None:
    for status in ("completed", "COMPLETED", "completed"):
        assert both.work(QUEUE, message("customers_merge", status=status)) == []
    assert both.approved(OTHER) == 2 * SIGN_UP
    assert both.topics(OTHER) == ["points/add/merge", "points/add/sign_up"]


@pytest.mark.parametrize("case", ["customers_merge_failed", "customers_merge_in_progress"])
def test_a_merge_that_did_not_happen_moves_nothing_and_is_counted(
    both: Functions, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    capsys.readouterr()
    assert both.work(QUEUE, message(case)) == []
    assert (both.approved(), both.approved(OTHER)) == (SIGN_UP, SIGN_UP)
    (counted,) = logged(capsys, "MergesNotCompleted")
    assert counted["Status"] in ("failed", "in_progress")


@pytest.mark.parametrize("status", ["done", "", None])
def test_a_status_that_nobody_knows_moves_nothing_and_is_warned_of(
    both: Functions, capsys: pytest.CaptureFixture[str], status: str | None
) -> None:
    capsys.readouterr()
    assert both.work(QUEUE, message("customers_merge", status=status)) == []
    assert both.approved() == SIGN_UP
    written = capsys.readouterr().out
    assert "merge_status_unknown" in written
    assert '"Status": "unknown"' in written


def test_merges_that_arrive_in_the_wrong_order_end_at_the_same_survivor(both: Functions) -> None:
    third = "8840734670936"
    later = message(
        "customers_merge",
        admin_graphql_api_customer_deleted_id=f"gid://shopify/Customer/{OTHER}",
        admin_graphql_api_customer_kept_id=f"gid://shopify/Customer/{third}",
    )
    assert both.work(QUEUE, later, message("customers_merge"), later) == []
    assert both.approved(third) == 2 * SIGN_UP
    assert both.approved() == both.approved(OTHER) == both.approved(third)


def test_a_refusal_is_final_and_counted(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    same = f"gid://shopify/Customer/{OTHER}"
    text = message("customers_merge", admin_graphql_api_customer_deleted_id=same)
    assert functions.work(QUEUE, text) == []
    (counted,) = logged(capsys, "WebhooksRefused")
    assert (counted["Topic"], counted["Code"]) == ("customers/merge", Code.SAME_ACCOUNT)


def test_whoever_was_erased_gets_nothing_and_the_message_is_done(
    functions: Functions, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    erased = Refusal(Code.CUSTOMER_ERASED, "This customer was erased.")
    monkeypatch.setattr(Ledger, "execute", lambda *_: erased)
    assert functions.work(QUEUE, message("customers_create")) == []
    (counted,) = logged(capsys, "WebhooksRefused")
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
    assert functions.approved() == SIGN_UP
