"""On the running stack: customers merged one into the next, and the first of them goes on."""

import time
from itertools import pairwise

from local import demo
from local.stack import Stack
from tests.e2e.calls import merge, must_flow, new_order, operate, post, wait_until
from tests.e2e.customers import Customer
from tests.support.hold_orders import order_payload

MERGES = 10


def test_the_first_of_ten_customers_merged_in_a_row_goes_on_as_before(stack: Stack) -> None:
    chain = [Customer(stack) for _ in range(MERGES + 1)]
    first, last = chain[0], chain[-1]
    for customer in chain:
        customer.grant(100)
    for number, (source, target) in enumerate(pairwise(chain), start=2):
        merge(stack, source.id, target.id)
        wait_until(lambda target=target, number=number: target.some("approved") == (100 * number,))  # type: ignore[misc]
    total = 100 * len(chain)
    assert first.some("approved", "lifetime") == (total, total)

    must_flow(stack, "consume", first.id, points=30)
    assert last.some("approved", "spent") == (total - 30, 30)

    now_ms = int(time.time() * 1000)
    post(stack, "orders/paid", order_payload(new_order(), "", 0, first.id, now_ms, 5_000))
    wait_until(lambda: last.some("lifetime") > (total,) or last.some("pending") > (0,))

    row = {"row": 1, "customer_id": first.id, "title": "Balance", "point": 7}
    rows = [row, row | {"row": 2}]
    content = {"shop": demo.SHOP_DOMAIN, "rows": rows}
    answer = operate(stack, f"imports/chain-{first.id}", content)
    assert [one["status"] for one in answer.json()["rows"]] == ["booked", "booked"]
    assert first.figures() == last.figures()
