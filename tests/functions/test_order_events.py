"""Orders from the queue: what they earn, what refunds take back, and what comes again."""

from itertools import permutations

import pytest

from local import demo
from tests.fakes.customers import MemoryCustomers
from tests.fakes.dynamodb import throttle
from tests.support.harness import CUSTOMER, Functions, event, message
from tests.support.logs import logged
from tools.make_events_webhooks import messages

QUEUE = "order_events"


def figures(functions: Functions) -> dict[str, int]:
    view = functions.ledger.read(demo.SHOP_DOMAIN, CUSTOMER)
    return {name: points for name, points in view.figures._asdict().items() if points}


def failed(functions: Functions, case: str) -> list[str]:
    answer = functions.invoke(QUEUE, event(QUEUE, case), 60)
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def test_a_paid_order_earns_once_however_often_and_in_whatever_sequence_it_arrives(
    functions: Functions,
) -> None:
    for case in ("orders_paid", "orders_create", "orders_paid", "orders_create"):
        assert failed(functions, case) == []
    assert figures(functions) == {"approved": 60, "total": 60, "lifetime": 60}


@pytest.mark.parametrize(
    ("case", "left"),
    [
        ("refunds_create", 30),
        ("orders_updated", 30),
        ("orders_updated_refunded", 0),
        ("orders_cancelled", 0),
        ("refunds_create_shipping_only", 60),
        ("refunds_create_failed", 30),  # the goods came back, whatever became of the money
        ("orders_updated_line_removed", 30),
        ("refunds_create_line_removed", 30),
        ("refunds_create_pending", 30),
        ("refunds_create_foreign", 30),
        ("refunds_create_restocking_fee", 30),
        ("refunds_create_amount_only", 50),
        ("refunds_create_amount_pending", 50),
        ("refunds_create_shipping_and_more", 50),
        ("orders_cancelled_refunded", 0),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_what_came_back_earns_nothing_whether_it_arrives_first_or_last(
    functions: Functions, case: str, left: int, first: bool
) -> None:
    for one in (case, "orders_create") if first else ("orders_create", case):
        assert failed(functions, one) == []
    assert figures(functions).get("approved", 0) == left


REMOVED_AND_PAID_BACK = (
    "orders_create",
    "orders_updated_line_removed",
    "refunds_create_line_removed",
    "refunds_create_for_removed_line",
)
PENDING_AND_FAILED = (
    "orders_create",
    "refunds_create_amount_pending",
    "orders_updated_refund_failed",
)


@pytest.mark.parametrize(
    ("cases", "left"),
    [
        *((cases, 30) for cases in permutations(REMOVED_AND_PAID_BACK)),
        *((cases, 60) for cases in permutations(PENDING_AND_FAILED)),
    ],
)
def test_a_removed_line_takes_its_points_once_and_a_refund_that_fails_none_in_any_sequence(
    functions: Functions, cases: tuple[str, ...], left: int
) -> None:
    for case in cases:
        assert failed(functions, case) == []
    assert figures(functions)["approved"] == left


def test_a_test_order_and_a_guest_s_earn_nothing(functions: Functions) -> None:
    for case in ("orders_create_test", "orders_create_guest"):
        assert failed(functions, case) == []
    assert figures(functions) == {}


def test_while_shopify_does_not_say_a_customers_tags_an_order_waits_and_others_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    customers = MemoryCustomers()
    customers.tags[CUSTOMER], customers.unreachable = ("gold",), True
    functions = Functions(
        {"customers": lambda _: customers}, PROGRAMME_RANK_MULTIPLIERS="gold=150,silver=120"
    )
    order, guests, refund = map(message, ("orders_create", "orders_create_guest", "refunds_create"))
    assert functions.work(QUEUE, order, guests, refund) == [order]
    assert figures(functions) == {}
    assert [line["Topic"] for line in logged(capsys, "WebhookFailures")] == ["orders/create"]
    customers.unreachable = False
    assert functions.work(QUEUE, order) == []
    assert figures(functions)["approved"] == 45
    assert customers.requested == [CUSTOMER] * 2


def test_an_order_in_another_currency_comes_again_and_is_counted(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(failed(functions, "orders_create_usd")) == 1
    assert [line["Topic"] for line in logged(capsys, "WebhookFailures")] == ["orders/create"]
    assert figures(functions) == {}


def test_a_message_comes_again_while_the_table_cannot_be_reached(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    throttle(monkeypatch, functions.table, "transact_get_items")
    assert len(failed(functions, "orders_create")) == 1


def test_every_sample_is_carried_out_or_fails_by_itself(functions: Functions) -> None:
    """Only the order in another currency comes again."""
    again = [
        case
        for case, (queue, text) in messages().items()
        if queue == QUEUE and functions.work(QUEUE, text)
    ]
    assert again == ["orders_create_usd"]
