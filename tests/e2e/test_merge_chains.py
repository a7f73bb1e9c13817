"""On the running stack: customers merged one into the next, and the first of them goes on."""

import time
import uuid
from itertools import pairwise

from local import demo, webhooks
from local.stack import Stack
from tests.e2e.asking import flow, operate
from tests.e2e.checkout import Checkout
from tests.e2e.queues import wait_until
from tests.support.hold_orders import order_payload
from tools import shopify_payloads
from tools.make_events_webhooks import body_of

MERGES = 10


def merge(stack: Stack, gone: str, kept: str) -> None:
    """Shopify says that one customer was merged into another."""
    body = shopify_payloads.merge("completed") | {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{gone}",
    }
    assert webhooks.post(stack, "customers/merge", body_of(body)).status == 200


def test_the_first_of_ten_customers_merged_in_a_row_goes_on_as_before(stack: Stack) -> None:
    chain = [Checkout(stack) for _ in range(MERGES + 1)]
    first, last = chain[0], chain[-1]
    for customer in chain:
        customer.grant(100)
    for number, (gone, kept) in enumerate(pairwise(chain), start=2):
        merge(stack, gone.customer, kept.customer)
        wait_until(lambda kept=kept, number=number: kept.some("approved") == (100 * number,))  # type: ignore[misc]
    total = 100 * len(chain)
    assert first.some("approved", "lifetime") == (total, total)

    used = {"customer_id": first.customer, "points": 30, "reason": "Test"}
    assert flow(stack, "consume", used, str(uuid.uuid4())).status_code == 200
    assert last.some("approved", "spent") == (total - 30, 30)

    paid = order_payload(
        str(uuid.uuid4().int % 10**15),
        f"X-{uuid.uuid4()}",
        0,
        first.customer,
        int(time.time() * 1000),
        5_000,
    )
    assert webhooks.post(stack, "orders/paid", body_of(paid)).status == 200
    wait_until(lambda: last.some("lifetime") > (total,) or last.some("pending") > (0,))

    row = {"row": 1, "customer_id": first.customer, "title": "Balance", "point": 7}
    rows = [row, row | {"row": 2}]
    answer = operate(
        stack, f"imports/chain-{first.customer}", {"shop": demo.SHOP_DOMAIN, "rows": rows}
    )
    assert [one["status"] for one in answer.json()["rows"]] == ["booked", "booked"]
    assert first.figures() == last.figures()
