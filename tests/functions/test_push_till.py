"""Every change of points reaches the till; what fails now is pushed by a later schedule."""

import json

import pytest

from pointbook.domain.chain import Cause
from tests.fakes.dynamodb import throttle
from tests.fakes.pushed_till import down, reply_lost, well
from tests.functions.push_shop import SHOP, PushShop
from tests.support.harness import CUSTOMER, EVENTS, TABLE, event, message
from tools.make_events_stream import records

NOTHING_FAILED: dict[str, object] = {"batchItemFailures": []}


@pytest.fixture
def shop() -> PushShop:
    return PushShop()


def granted(shop: PushShop, points: int = 1250) -> None:
    """Points that Flow gave, and that are pushed."""
    assert shop.flow("grant", f"grant-{points}", points).status == 200
    assert shop.stream() == NOTHING_FAILED


def test_a_change_reaches_the_till_by_the_stream(shop: PushShop) -> None:
    granted(shop)
    assert shop.balance == 1250
    assert shop.flow("consume", "consume", 300).status == 200
    assert shop.stream() == NOTHING_FAILED
    assert (shop.balance, shop.till.pushed) == (950, [1250, -300])


def test_a_change_goes_to_the_member_number_that_the_programme_gives() -> None:
    shop = PushShop(PROGRAMME_MEMBER_NUMBER="prefix:EC-")
    shop.till.balances = {f"EC-{CUSTOMER}": 0, CUSTOMER: 7}
    granted(shop)
    assert shop.till.balances == {f"EC-{CUSTOMER}": 1250, CUSTOMER: 7}


def test_a_record_that_comes_again_carries_nothing_again(shop: PushShop) -> None:
    granted(shop)
    stream = records(shop.account(), shop.account())
    assert shop.functions.invoke("push_till", stream) == NOTHING_FAILED
    assert shop.till.pushed == [1250]


def test_a_till_that_fails_gets_the_change_by_a_later_schedule(shop: PushShop) -> None:
    shop.till.faults.extend([well, reply_lost, down])
    granted(shop)
    assert shop.sweep()["due"] == 0
    assert shop.sweep(minutes=1)["due"] == 1, "it does not say yet whether it has it"
    assert shop.sweep(minutes=1) == {"due": 1, "failed": 0, "complete": True}
    assert shop.sweep(minutes=10)["due"] == 0
    assert (shop.till.pushed, shop.balance) == ([1250], 1250)


@pytest.mark.parametrize("case", sorted(path.stem for path in (EVENTS / "push_till").iterdir()))
def test_a_sample_event_about_missing_accounts_leaves_nothing(shop: PushShop, case: str) -> None:
    answer = shop.functions.invoke("push_till", event("push_till", case))
    expected = {"due": 0, "failed": 0, "complete": True} if case == "schedule" else NOTHING_FAILED
    assert answer == expected
    assert shop.till.calls == []


def test_records_for_which_nothing_could_be_written_come_again(
    shop: PushShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.flow("grant", "grant", 10).status == 200
    throttle(monkeypatch, shop.functions.table, "transact_write_items", lambda _: True)
    stream = records(shop.account())
    failed = shop.functions.invoke("push_till", stream)["batchItemFailures"]
    sequence = stream["Records"][0]["dynamodb"]["SequenceNumber"]
    assert failed == [{"itemIdentifier": sequence}]


def test_accounts_that_open_the_breaker_wait_and_are_carried_once_it_closes(shop: PushShop) -> None:
    customers = [str(number) for number in range(7001, 7009)]
    for customer_id in customers:
        shop.till.balances[customer_id] = 0
        properties = {"customer_id": customer_id, "points": 10, "reason": "Points"}
        assert shop.functions.flow("grant", customer_id, **properties).status == 200
    shop.till.faults.extend([down] * 100)
    assert shop.stream(*customers) == NOTHING_FAILED
    assert len(shop.till.calls) < len(customers), "three failures in a row are enough"
    shop.till.faults.clear()
    for _ in range(12):
        shop.sweep(minutes=1)
    assert [shop.till.balances[one] for one in customers] == [10] * len(customers)


@pytest.mark.parametrize(
    "variables",
    [
        {"PROGRAMME_TILL_PUSH": "no"},
        {"PROGRAMME_POINTS_MASTER": "till", "PROGRAMME_TILL_PUSH": "balance"},
        {"TILL_PROVIDER": "none"},
    ],
)
def test_nothing_is_carried_unless_the_shop_says_so(variables: dict[str, str]) -> None:
    shop = PushShop(**variables)
    granted(shop)
    assert (shop.till.calls, shop.cursor()) == ([], None)


def test_an_order_that_carries_points_used_at_the_till_takes_them_here_only(
    shop: PushShop,
) -> None:
    granted(shop)
    shop.till.use(CUSTOMER, 120)
    metafields = [{"namespace": "omni_hub", "key": "point_used", "value": "120"}]
    assert (
        shop.functions.work("order_events", message("orders_create", metafields=metafields)) == []
    )
    used = [entry for entry in shop.functions.entries() if entry.entry.topic == "points/sub/order"]
    assert [entry.entry.approved_delta for entry in used] == [-120]
    assert used[0].cause.is_at_till
    assert shop.stream() == NOTHING_FAILED
    assert shop.balance == shop.functions.approved()


def test_what_the_till_returned_itself_is_not_returned_again(shop: PushShop) -> None:
    granted(shop)
    shop.till.use(CUSTOMER, 120)
    metafields = [{"namespace": "omni_hub", "key": "point_used", "value": "120"}]
    order = message("orders_create", metafields=metafields)
    assert shop.functions.work("order_events", order) == []
    shop.stream()
    cancelled = message(
        "orders_cancelled", metafields=metafields, cancelled_at="2026-11-30T12:00:00+09:00"
    )
    shop.till.use(CUSTOMER, -120)
    assert shop.functions.work("order_events", cancelled) == []
    assert "points/add/refund" in shop.functions.topics()
    shop.stream()
    assert shop.balance == shop.functions.approved() == 1250


# --- merges, erasures ---------------------------------------------------------------------------


def test_a_merge_moves_the_points_at_the_till_as_it_does_here(shop: PushShop) -> None:
    """Each account's change is pushed to its own member, so neither has them twice."""
    other = "8840734670935"
    shop.till.balances[other] = 0
    granted(shop)
    properties = {"customer_id": other, "points": 40, "reason": "Points"}
    assert shop.functions.flow("grant", "other", **properties).status == 200
    shop.stream(other)
    shop.functions.ledger.merge(SHOP, other, CUSTOMER, Cause("customer"))
    shop.stream(other, CUSTOMER)
    assert (shop.till.balances[other], shop.balance) == (0, 1290)
    assert shop.functions.approved() == 1290


def test_nothing_of_an_erased_customer_is_left(shop: PushShop) -> None:
    granted(shop)
    assert shop.cursor() is not None
    shop.functions.erase()
    assert shop.cursor() is None
    shop.functions.invoke("push_till", event("push_till", "first_change"))
    assert shop.cursor() is None
    kept = [key for key in shop.functions.table.items(TABLE) if key[1].startswith("TILL_")]
    assert [key for key in kept if CUSTOMER in key[0]] == []


def test_a_customers_data_has_what_was_pushed_lately(shop: PushShop) -> None:
    granted(shop)
    assert shop.functions.work("privacy_events", message("customers_data_request")) == []
    (text,) = shop.functions.bucket.objects.values()
    (account,) = json.loads(text)["books"]
    (push,) = account["till_pushes"]
    assert (push["points"], push["balance_points"]) == (1250, 1250)


# --- loops --------------------------------------------------------------------------------------


def test_a_reported_movement_is_not_pushed_back_though_the_till_does_not_lack_the_points(
    shop: PushShop,
) -> None:
    """The counter gave as many points by itself in the same minute."""
    granted(shop)
    assert shop.flow("consume", "pos", 300, origin="till").status == 200
    assert shop.functions.entries()[0].cause.is_at_till
    shop.stream()
    assert (shop.till.pushed, shop.balance) == ([1250], 1250)


@pytest.mark.parametrize(
    "named",
    [
        {"origin": "till"},
        {"origin": "till", "till_balance": "950"},
        {"till_balance": 950},
    ],
)
def test_a_push_that_the_till_reports_back_moves_nothing_and_ends_there(
    shop: PushShop, named: dict[str, object]
) -> None:
    granted(shop)
    pushed = shop.flow("consume", "used online", 300).body["return_value"]
    shop.stream()
    for run in ("pos", "pos"):  # Flow repeats it
        answer = shop.flow("consume", run, 300, **named)
        assert answer.status == 200
        assert answer.body["return_value"] == pushed | {"duplicate": True}
    shop.stream()
    assert (shop.till.pushed, shop.balance, shop.functions.approved()) == ([1250, -300], 950, 950)


def test_the_source_of_a_reported_movement_is_flow(shop: PushShop) -> None:
    """Workflows leave out what an action caused by that word."""
    granted(shop)
    shop.flow("consume", "pos", 300, origin="till")
    assert shop.functions.entries()[0].cause.source == "flow"


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        (
            {"origin": "pos"},
            "origin is 'pos'; put in till if the till reports this change, or leave it empty.",
        ),
        (
            {"origin": 1},
            "origin is 1, but must be a text of 1 to 255 characters.",
        ),
        (
            {"origin": "till", "till_balance": "950.0"},
            "till_balance is '950.0', but must be a whole number from -1000000000 to 1000000000.",
        ),
    ],
)
@pytest.mark.parametrize("action", ["grant", "consume"])
def test_what_says_nothing_of_the_till_is_refused_and_moves_nothing(
    shop: PushShop, action: str, properties: dict[str, object], said: str
) -> None:
    granted(shop)
    answer = shop.flow(action, "run", 300, **properties)
    assert (answer.status, answer.body) == (422, {"code": "invalid_request", "message": said})
    assert shop.functions.approved() == 1250


@pytest.mark.parametrize("empty", [{"origin": ""}, {"origin": " "}, {"till_balance": ""}])
def test_properties_that_a_template_rendered_to_nothing_count_as_none(
    shop: PushShop, empty: dict[str, str]
) -> None:
    granted(shop)
    assert shop.flow("consume", "run", 300, **empty).status == 200
    shop.stream()
    assert shop.balance == 950
