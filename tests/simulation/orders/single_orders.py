"""Single orders that chance rarely tries.

A code under a later programme; a refund as the last message; an order of which nothing was reported
before money had gone back.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pointbook.domain.chain import milliseconds
from pointbook.domain.commands import PlaceHold
from pointbook.domain.programme import default_programme
from pointbook.services.message import Message
from pointbook.services.orders import REFUND_CREATED, OrderService
from pointbook.shopify.discount_code import hold_id_of
from tests.fakes.customers import unused_customers
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support.engine import MEMORY, SHOP, opened
from tests.support.examples import CODE, CUSTOMER, NOON, ORDER
from tests.support.hold_orders import order_payload
from tests.support.ledgers import LedgerDriver

USED_YEN = 300


class _Shop:
    """A customer whose hold of 50 points, worth 10 yen each, paid 300 yen of an order."""

    def __init__(self) -> None:
        self.driver = LedgerDriver(opened(MEMORY, MemoryDynamoDB()))
        self.driver.grant(50)
        self.driver.say(PlaceHold(50, hold_id_of(CODE), 600, code=CODE, worth_minor=10))
        paid = order_payload(ORDER, CODE, USED_YEN, CUSTOMER, milliseconds(NOON))
        self.send("orders/paid", paid, point_worth_minor="3")

    def send(self, topic: str, payload: dict[str, Any], **rules: str) -> None:
        programme, clock = default_programme(points_per_unit="0", **rules), self.driver.clock
        orders = OrderService(SHOP, self.driver.ledger, clock, programme, unused_customers)
        orders.carry_out(Message(topic, SHOP, clock.now(), "event", payload))

    def spent(self) -> int:
        return self.driver.ledger.read(SHOP, CUSTOMER).figures.spent


def wrong_single_orders() -> Iterator[str]:
    """What is wrong, one line each."""
    shop = _Shop()
    if shop.spent() != USED_YEN // 10:
        yield f"spent at the hold's worth: {shop.spent()}"
    later = (NOON + timedelta(minutes=1)).isoformat()
    line = {"line_item_id": int(ORDER) * 10, "quantity": 1, "subtotal": "600"}
    refund = {"id": 31, "order_id": int(ORDER), "created_at": later}
    refund |= {"refund_line_items": [line], "transactions": []}
    shop.send(REFUND_CREATED, refund, return_spent="refunded")
    if shop.spent() != 0:
        yield f"all goods refunded, and no more webhooks: still spent {shop.spent()}"
    for order_id, status in (("9002", "partially_refunded"), ("9003", "refunded")):
        other = order_payload(order_id, "", 0, CUSTOMER, milliseconds(NOON))
        other |= {"financial_status": status, "discount_applications": [], "discount_codes": []}
        shop.send("orders/updated", other)
        found = shop.driver.ledger.order(SHOP, order_id)
        if found is None or found.confirmed_at is None:
            yield f"an order that is {status} was paid once, yet nothing confirms it"
