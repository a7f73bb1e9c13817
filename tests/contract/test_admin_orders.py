"""What is read of an order by the Admin API is what is read of it by its webhook.

Shopify's real Admin schema has to be there: `make shopify-schema`.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from local.fakes.query_cost import COST_MAX
from pointbook.errors import InvalidRequest, ShopifyRefused, ShopifyUnavailable
from pointbook.shopify.admin_orders import AdminOrders, ListedOrder
from pointbook.shopify.orders import read_order
from tests.fakes.admin_api import answer, errors
from tests.fakes.admin_graphql import GraphqlShop
from tests.support.admin_orders import by_admin_api, by_webhook
from tests.support.instants import instant
from tools import shopify_payloads as payloads
from tools.make_events_webhooks import body_of

pytestmark = pytest.mark.shopify_schema

ORDERS = {
    name: body for name, (topic, body) in payloads.bodies().items() if topic.startswith("orders/")
}
ORDER_ID = str(payloads.ORDER)
TEA = payloads.line(1, "3000", 2, taxes=["545"])


def assert_read_alike(body: Mapping[str, Any]) -> GraphqlShop:
    """The shop that was asked."""
    shop = GraphqlShop()
    shop.put(body)
    currency = str(body["currency"])
    found = by_admin_api(shop, str(body["id"]), currency)
    assert found == by_webhook(body_of(dict(body)), currency)
    assert max(shop.costs) <= COST_MAX
    return shop


@pytest.mark.parametrize("name", ORDERS)
def test_a_sample_order_is_read_alike(name: str) -> None:
    assert_read_alike(ORDERS[name])


@pytest.mark.parametrize("name", [n for n, (t, _) in payloads.bodies().items() if t[:3] == "ref"])
def test_a_sample_refund_is_read_alike_within_its_order(name: str) -> None:
    _, refund = payloads.bodies()[name]
    lines = [one["line_item"] for one in refund["refund_line_items"]]
    currency = lines[0]["price_set"]["shop_money"]["currency_code"] if lines else "JPY"
    assert_read_alike(payloads.order(lines or [TEA], "6000", currency=currency, refunds=[refund]))


# --- what the two say in different ways -----------------------------------------------------------


def tip(number: int, amount: str) -> dict[str, Any]:
    return payloads.line(number, amount) | {
        "tip_payment_gateway": "shopify_payments",
        "taxable": False,
        "requires_shipping": False,
    }


def fee(number: int, amount: str) -> dict[str, Any]:
    """Something of no product that is neither sent nor taxed, and is no tip."""
    changes = {"product_id": None, "taxable": False, "requires_shipping": False}
    return payloads.line(number, amount) | changes


@pytest.mark.parametrize(
    "lines",
    [
        [tip(2, "300")],
        [tip(2, "300"), tip(3, "200")],
        [fee(2, "500"), tip(3, "300")],
        [fee(2, "1")],
    ],
    ids=["one", "two", "beside a fee", "none"],
)
def test_a_tip_is_told_by_its_amount(lines: list[dict[str, Any]]) -> None:
    assert_read_alike(payloads.order([TEA, *lines], "6000"))


def test_an_order_whose_tip_cannot_be_told_is_refused() -> None:
    shop = GraphqlShop()
    shop.put(payloads.order([TEA, fee(2, "300"), tip(3, "300")], "6300"))
    with pytest.raises(InvalidRequest, match="which of 2 lines are the tip") as refused:
        by_admin_api(shop, ORDER_ID, "JPY")
    assert refused.value.field == "totalTipReceivedSet"


def test_a_code_that_took_nothing_off_is_read_all_the_same() -> None:
    plain = payloads.order([TEA], "6000", codes=[payloads.code(payloads.OUR_CODE, "0")])
    shop = assert_read_alike(plain)
    (used,) = by_admin_api(shop, ORDER_ID, "JPY").code_uses
    assert (used.code, used.amount_minor) == (payloads.OUR_CODE, 0)


@pytest.mark.parametrize("changed", [0, 1], ids=["listed", "applied"])
def test_a_code_is_the_same_in_whatever_case_it_stands(changed: int) -> None:
    line = payloads.line(1, "3000", discounts={0: "500"})
    listed, application = payloads.code(payloads.OUR_CODE, "500")
    (listed, application)[changed]["code"] = payloads.OUR_CODE.lower()
    shop = assert_read_alike(payloads.order([line], "2500", codes=[(listed, application)]))
    found = AdminOrders(shop.admin()).find(ORDER_ID)
    assert found is not None
    assert [one["amount"] for one in found.payload["discount_codes"]] == ["500"]


def test_a_refund_of_a_tip_is_read_alike() -> None:
    given = tip(2, "300")
    refund = payloads.refund(
        [payloads.refund_line(given, 1, 300, 0)], [payloads.transaction("300")]
    )
    assert_read_alike(payloads.order([TEA, given], "6000", refunds=[refund]))


def test_a_refund_that_is_gone_between_two_calls_is_read_another_time() -> None:
    shop = GraphqlShop()
    shop.put(payloads.order([TEA], "6000", refunds=[payloads.refund()]))
    listed = shop.send

    def gone(call: Any, deadline: Any) -> Any:
        refunds = b"FindRefund" in call.content
        return answer({"data": {"refund": None}}) if refunds else listed(call, deadline)

    shop.send = gone  # type: ignore[method-assign]
    with pytest.raises(ShopifyUnavailable):
        AdminOrders(shop.admin()).find(ORDER_ID)


@pytest.mark.parametrize("value", ["500", " ５００ ", "500pt"])
def test_points_at_a_till_are_read_or_marked_alike(value: str) -> None:
    written = [payloads.metafield("omni_hub", "point_used", value)]
    assert_read_alike(payloads.order([TEA], "6000", metafields=written))


def test_points_at_a_till_that_webhooks_do_not_bring_are_left_to_flow() -> None:
    """As webhooks without the metafield leave them: read here as well, they would count twice."""
    written = [payloads.metafield("omni_hub", "point_used", "500")]
    shop = GraphqlShop()
    shop.shop.webhook_metafields.clear()
    order = payloads.order([TEA], "6000", metafields=written)
    shop.put(order, order | {"id": 2, "metafields": []}, order | {"id": 3})
    orders = AdminOrders(shop.admin())
    found = [orders.find(number) for number in (ORDER_ID, "2", "3")]
    assert [one and one.till_points_unread for one in found] == [True, False, True]
    assert found[0] is not None
    assert read_order(found[0].payload, "JPY") == by_webhook(
        body_of(order | {"metafields": []}), "JPY"
    )
    assert shop.operations.count("webhookSubscriptions") == 1


# --- pages ----------------------------------------------------------------------------------------


def test_an_order_of_many_lines_and_refunds_is_read_whole_in_pages_below_shopify_s_limit() -> None:
    lines = [
        payloads.line(n, f"{100 + n}", 3, discounts={0: "1", 1: "2"}, taxes=["3", "4"])
        for n in range(1, 205)
    ]
    codes = [payloads.code(payloads.OUR_CODE, "204"), payloads.code("OTHER", "408")]
    refunds = [
        payloads.refund(
            [payloads.refund_line(line, 1, 90, 2) for line in lines],
            [payloads.transaction("5")] * 45,
            [payloads.adjustment(f"-{n}") for n in range(1, 50)],
            refund_id=payloads.REFUND + number,
        )
        for number in range(3)
    ]
    shop = assert_read_alike(payloads.order(lines, "9", codes=codes, refunds=refunds))
    assert shop.operations == ["order"] * 6 + ["refund"] * 15


def test_an_order_with_more_refunds_than_are_listed_is_refused() -> None:
    refunds = [payloads.refund(refund_id=payloads.REFUND + number) for number in range(100)]
    shop = GraphqlShop()
    shop.put(payloads.order([TEA], "6000", refunds=refunds))
    with pytest.raises(InvalidRequest, match="100 refunds or more"):
        by_admin_api(shop, ORDER_ID, "JPY")


def test_orders_are_listed_by_their_last_update_in_pages() -> None:
    shop = GraphqlShop()
    orders = AdminOrders(shop.admin())
    for number in (3, 1, 2, 9):
        at = instant(1_800_000_000_000 + number * 1000)
        who = None if number == 2 else payloads.customer(7000 + number)
        shop.put(payloads.order([TEA], "1", id=number, updated_at=at.isoformat(), customer=who))
    since = instant(1_800_000_000_000 + 2_000)
    first = orders.updated_since(since, limit=2)
    second = orders.updated_since(since, first.cursor, limit=2)
    assert [one.order_id for one in (*first.orders, *second.orders)] == ["2", "3", "9"]
    assert (first.orders[0].customer_id, first.orders[1].customer_id) == (None, "7003")
    assert first.orders[1] == ListedOrder("3", instant(1_800_000_003_000), "7003")
    assert second.cursor is None
    assert max(shop.costs) <= COST_MAX


# --- a shop that does not answer as it should -----------------------------------------------------


def test_an_order_that_is_gone_is_none() -> None:
    assert AdminOrders(GraphqlShop().admin()).find("1") is None


def test_an_order_that_changes_between_two_pages_is_read_another_time() -> None:
    shop = GraphqlShop()
    lines = [payloads.line(n, "100") for n in range(1, 50)]
    shop.put(payloads.order(lines, "1"))
    send = shop.send

    def change_first(call: Any, deadline: Any) -> Any:
        found = send(call, deadline)
        shop.put(payloads.order(lines, "1", updated_at=payloads.LATER))
        return found

    shop.send = change_first  # type: ignore[method-assign]
    with pytest.raises(ShopifyUnavailable):
        AdminOrders(shop.admin()).find(ORDER_ID)


@pytest.mark.parametrize(
    "said",
    [
        {"order": {"id": f"gid://shopify/Order/{ORDER_ID}"}},
        {"order": []},
        {"order": {"refunds": 7, "lineItems": {"nodes": [], "pageInfo": {"hasNextPage": False}}}},
    ],
)
def test_an_answer_of_another_form_is_no_answer(said: object) -> None:
    shop = GraphqlShop()
    shop.failures = [answer({"data": said})]
    with pytest.raises(ShopifyUnavailable):
        AdminOrders(shop.admin()).find(ORDER_ID)


def test_a_throttled_shop_is_waited_for_and_one_that_refuses_is_not() -> None:
    shop = GraphqlShop()
    orders = AdminOrders(shop.admin())
    shop.failures = [errors("THROTTLED")] * 2
    assert orders.updated_since(instant(0)).orders == ()
    assert len(shop.clock.slept) == 2
    shop.failures = [errors("ACCESS_DENIED")]
    with pytest.raises(ShopifyRefused):
        orders.updated_since(instant(0))
