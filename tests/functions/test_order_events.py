"""Orders from the queue: what they earn, what refunds take back, and what comes again."""

import json
from itertools import permutations
from typing import Any

import pytest

from local import demo
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant, PlaceHold
from pointbook.domain.expiry import Days
from pointbook.domain.ports import ReadRequest, StoreUnavailable, TransientCause
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.shopify.discount_code import hold_id_of
from tests.fakes.customers import MemoryCustomers
from tests.support.harness import Functions, event
from tools.make_events_webhooks import messages
from tools.shopify_payloads import CUSTOMER, ORDER, OUR_CODE

QUEUE = "order_events"


def message(case: str, **payload: Any) -> str:
    """A sample message, with changed members of its payload."""
    members = json.loads(messages()[case][1])
    return json.dumps(members | {"payload": members["payload"] | payload})


def figures(functions: Functions) -> dict[str, int]:
    view = functions.ledger.read(demo.SHOP_DOMAIN, str(CUSTOMER))
    return {name: points for name, points in view.figures._asdict().items() if points}


def give(functions: Functions, command: Grant | PlaceHold) -> None:
    instruction = Instruction(demo.SHOP_DOMAIN, str(CUSTOMER), command, Cause("test"))
    assert isinstance(functions.ledger.execute(instruction), Booked)


def metrics(capsys: pytest.CaptureFixture[str], name: str) -> list[dict[str, Any]]:
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in written if name in line]


def failed(functions: Functions, case: str) -> list[str]:
    answer = functions.invoke(QUEUE, event(QUEUE, case), 60)
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def test_a_paid_order_earns_once_however_often_and_in_whatever_order_it_is_told(
    functions: Functions,
) -> None:
    for case in ("orders_paid", "orders_create", "orders_paid", "orders_create"):
        assert failed(functions, case) == []
    assert figures(functions) == {"approved": 60, "total": 60, "lifetime": 60}


def test_an_order_is_pending_until_it_is_paid(functions: Functions) -> None:
    failed(functions, "orders_create_pending")
    assert figures(functions) == {"pending": 60, "total": 60}
    failed(functions, "orders_paid")
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
def test_what_came_back_earns_nothing_whether_it_is_told_first_or_last(
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


@pytest.mark.parametrize("cases", list(permutations(REMOVED_AND_PAID_BACK)))
def test_a_removed_line_takes_its_points_once_though_its_money_is_paid_back_later(
    functions: Functions, cases: tuple[str, ...]
) -> None:
    for case in cases:
        assert failed(functions, case) == []
    assert figures(functions)["approved"] == 30


PENDING_AND_FAILED = (
    "orders_create",
    "refunds_create_amount_pending",
    "orders_updated_refund_failed",
)


@pytest.mark.parametrize("cases", list(permutations(PENDING_AND_FAILED)))
def test_a_refund_that_fails_in_the_end_takes_no_points(
    functions: Functions, cases: tuple[str, ...]
) -> None:
    for case in cases:
        assert failed(functions, case) == []
    assert figures(functions)["approved"] == 60


def test_a_test_order_and_a_guest_s_earn_nothing(functions: Functions) -> None:
    for case in ("orders_create_test", "orders_create_guest"):
        assert failed(functions, case) == []
    assert figures(functions) == {}


def test_an_order_spends_the_hold_whose_code_it_carries(functions: Functions) -> None:
    give(functions, Grant(1000, Days(30)))
    hold_id = hold_id_of(OUR_CODE)
    give(functions, PlaceHold(500, hold_id, 600, code=OUR_CODE))
    assert failed(functions, "orders_create_gift_card_line") == []
    assert figures(functions) == {"approved": 555, "total": 555, "lifetime": 1055, "spent": 500}


def test_points_used_at_a_counter_are_spent(functions: Functions) -> None:
    give(functions, Grant(1000, Days(30)))
    assert failed(functions, "orders_create_counter") == []
    assert figures(functions) == {"approved": 560, "total": 560, "lifetime": 1060, "spent": 500}


class RankedShop:
    """A shop whose programme names tags, and Shopify's customers."""

    def __init__(self) -> None:
        self.customers = MemoryCustomers()
        self.functions = Functions(
            {"customers": lambda _: self.customers},
            PROGRAMME_RANK_MULTIPLIERS="gold=150,silver=120",
            PROGRAMME_EXCLUDED_TAG="staff",
        )

    def tag(self, *tags: str) -> None:
        """Let the customer have these tags at Shopify."""
        self.customers.tags[str(CUSTOMER)] = tags

    def work(self, *cases: str) -> list[str]:
        """Hand sample messages to the worker; those that come again."""
        return self.functions.work(QUEUE, *(message(case) for case in cases))


@pytest.fixture
def ranked() -> RankedShop:
    return RankedShop()


@pytest.mark.parametrize(
    ("tags", "earned"),
    [((), 60), (("news",), 60), ((" GOLD",), 90), (("silver",), 72), (("gold", "staff"), 0)],
)
def test_an_order_earns_by_the_tags_that_its_customer_has_at_shopify(
    ranked: RankedShop, tags: tuple[str, ...], earned: int
) -> None:
    ranked.tag(*tags)
    assert ranked.work("orders_paid") == []
    assert figures(ranked.functions).get("approved", 0) == earned


def test_tags_are_asked_for_once_and_what_becomes_of_them_later_changes_nothing(
    ranked: RankedShop,
) -> None:
    ranked.tag("gold")
    assert ranked.work("orders_create") == []
    ranked.tag()
    assert ranked.work("orders_paid", "orders_create", "orders_updated", "refunds_create") == []
    assert figures(ranked.functions)["approved"] == 45
    assert ranked.customers.asked == [str(CUSTOMER)]


def test_a_shop_whose_programme_names_no_tag_asks_nothing() -> None:
    functions = Functions({"customers": lambda _: pytest.fail("it was asked")})
    assert failed(functions, "orders_create") == []
    assert figures(functions)["approved"] == 60


def test_while_shopify_cannot_be_asked_an_order_waits_and_others_go_on(
    ranked: RankedShop, capsys: pytest.CaptureFixture[str]
) -> None:
    ranked.tag("gold")
    ranked.customers.unreachable = True
    waiting = ranked.work("orders_create", "orders_create_guest", "refunds_create")
    assert waiting == [message("orders_create")]
    assert figures(ranked.functions) == {}
    assert [line["Topic"] for line in metrics(capsys, "WebhookFailures")] == ["orders/create"]
    ranked.customers.unreachable = False
    assert ranked.functions.work(QUEUE, *waiting) == []
    assert figures(ranked.functions)["approved"] == 45


def test_one_unreadable_message_stops_no_other(functions: Functions) -> None:
    assert len(failed(functions, "unreadable_beside_another")) == 1
    assert functions.container.store.load(
        ReadRequest(demo.SHOP_DOMAIN, None, order_id=str(ORDER)), fresh=True
    ).order


def test_an_order_in_another_currency_comes_again_and_is_counted(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(failed(functions, "orders_create_usd")) == 1
    assert [line["Topic"] for line in metrics(capsys, "WebhookFailures")] == ["orders/create"]
    assert figures(functions) == {}


def test_a_message_comes_again_while_the_table_cannot_be_reached(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise StoreUnavailable(TransientCause.UNREACHABLE, "...")

    monkeypatch.setattr(functions.table, "transact_get_items", fail)
    assert len(failed(functions, "orders_create")) == 1
    monkeypatch.undo()


def test_every_sample_is_carried_out_or_fails_by_itself(functions: Functions) -> None:
    """Only the order in another currency comes again."""
    again = [
        case
        for case, (queue, text) in messages().items()
        if queue == QUEUE and functions.work(QUEUE, text)
    ]
    assert again == ["orders_create_usd"]
