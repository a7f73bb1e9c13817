"""Points used at the checkout, from outside: my page's API, the fake Shopify, signed webhooks."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from requests import Response

from local.stack import Stack
from tests.e2e.calls import DAY, aws, invoke, merge, must_flow, new_order, pass_time, wait_until
from tests.e2e.customers import Customer
from tests.e2e.fake_shopify import CREATE, DEACTIVATE, FIND
from tests.e2e.log_lines import log_lines


@pytest.fixture
def buyer(stack: Stack) -> Iterator[Customer]:
    """A customer with 1,250 points that stay, before a well-behaved Shopify."""
    made = Customer(stack)
    made.shopify.behave()
    made.grant(1_250)
    yield made
    made.shopify.behave()


def alarms(stack: Stack, order_id: str) -> list[str]:
    """The alarms that the order worker has raised about an order; each is a metric too."""
    logs = aws(stack, "logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    (group,) = [name for name in groups if name.endswith("/order_events")]
    raised = [json.loads(line) for line in log_lines(logs, group, "order_alarm")]
    found = [line["alarm"] for line in raised if line["order_id"] == order_id]
    assert len(log_lines(logs, group, "OrderAlarms")) >= len(found)
    return found


def of_problem(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# --- a hold, its repetition and its end ----------------------------------------------------------


def test_a_hold_is_one_discount_for_exactly_this_customer(buyer: Customer) -> None:
    hold = buyer.held()
    assert (hold["points"], hold["discount_amount"], hold["currency"]) == (500, "500", "JPY")
    assert (hold["figures"]["approved"], hold["figures"]["hold"]) == (750, 500)
    assert buyer.some("approved", "hold", "total") == (750, 500, 750)
    (discount,) = buyer.shopify.discounts(buyer.id)
    details = discount["codeDiscount"]
    assert (discount["code"], details["status"]) == (hold["discount_code"], "ACTIVE")
    assert float(details["customerGets"]["value"]["amount"]["amount"]) == 500
    assert (details["usageLimit"], details["appliesOncePerCustomer"]) == (1, True)
    other = Customer(buyer.stack)
    assert other.pay(hold) == 422, "it is nobody else's"


def test_the_same_key_again_is_the_same_hold_also_ten_times_at_once(buyer: Customer) -> None:
    first = buyer.hold(key="again")
    assert "Idempotent-Replay" not in first.headers
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: buyer.hold(key="again"), range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == first.json() for answer in answers)
    assert {answer.headers["Idempotent-Replay"] for answer in answers} == {"true"}
    assert buyer.statuses() == ["ACTIVE"]
    assert of_problem(buyer.hold(400, key="again")) == (422, "idempotency_mismatch")
    assert of_problem(buyer.hold(key="another")) == (409, "hold_open")


def test_ten_concurrent_attempts_of_one_request_make_one_hold(buyer: Customer) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: buyer.hold(key="at once"), range(10)))
    assert {answer.status_code for answer in answers} == {201}, [a.text for a in answers]
    assert len({answer.text for answer in answers}) == 1
    assert sum("Idempotent-Replay" not in answer.headers for answer in answers) == 1
    assert (buyer.statuses(), buyer.some("approved", "hold")) == (["ACTIVE"], (750, 500))


def test_a_release_ends_the_discount_and_gives_the_points_back(buyer: Customer) -> None:
    hold = buyer.held()
    for _ in range(2):
        released = buyer.release(hold)
        assert released.status_code == 200, released.text
        assert released.json()["figures"]["approved"] == 1_250
    assert buyer.statuses() == ["EXPIRED"]
    assert buyer.pay(hold) == 422
    assert of_problem(Customer(buyer.stack).release(hold)) == (404, "hold_not_found")


def test_a_hold_ends_at_its_time_before_any_sweep_and_has_one_entry(
    buyer: Customer,
) -> None:
    hold = buyer.held()
    pass_time(buyer.stack, 600)
    assert buyer.some("approved", "hold") == (1_250, 0)
    assert buyer.pay(hold) == 422
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: invoke(buyer.stack, "hold_release"), range(2)))
    assert buyer.topics().count("points/add/hold") == 1
    assert buyer.release(hold).status_code == 200


# --- holds that become orders --------------------------------------------------------------------


def test_an_order_spends_what_it_used_once_however_often_its_webhook_comes(buyer: Customer) -> None:
    days = buyer.expiring()
    hold, order_id = buyer.held(), new_order()
    assert buyer.pay(hold) == 200
    assert buyer.pay(hold) == 422, "one use"
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: buyer.order(hold, 300, order_id), range(5)))
    after = (950, 300, 0)
    wait_until(lambda: buyer.some("approved", "spent", "hold") == after)
    assert [lot["expires_on"] for lot in buyer.expiring()] == [lot["expires_on"] for lot in days]
    assert of_problem(buyer.release(hold)) == (409, "hold_captured")
    pass_time(buyer.stack, DAY)
    buyer.order(hold, 300, order_id)
    settled(buyer)
    assert buyer.some("approved", "spent", "hold") == after
    assert buyer.topics().count("points/add/hold") == 1, "what was not used came back once"


def settled(buyer: Customer) -> None:
    """Wait until an order that was sent after all others was carried out."""
    mark = Customer(buyer.stack)
    mark.grant(10)
    hold = mark.held(10)
    assert mark.pay(hold) == 200
    mark.order(hold, 10, new_order())
    wait_until(lambda: mark.some("spent") == (10,))


def test_points_that_were_not_used_come_back_with_their_day(stack: Stack) -> None:
    buyer = Customer(stack)
    buyer.grant(500, days=40)
    days = buyer.expiring()
    hold = buyer.held(500)
    assert buyer.pay(hold) == 200
    buyer.order(hold, 300, new_order())
    wait_until(lambda: buyer.some("approved", "spent") == (200, 300))
    assert buyer.expiring() == [{"points": 200, "expires_on": days[0]["expires_on"]}]


def test_an_order_that_comes_late_takes_the_points_again(buyer: Customer) -> None:
    hold = buyer.held()
    assert buyer.pay(hold) == 200
    pass_time(buyer.stack, 660)
    invoke(buyer.stack, "hold_release")
    assert buyer.some("approved", "spent") == (1_250, 0)
    order_id = new_order()
    buyer.order(hold, 500, order_id)
    wait_until(lambda: buyer.some("approved", "spent") == (750, 500))
    wait_until(lambda: alarms(buyer.stack, order_id) == ["late_order"])


def test_a_second_order_with_the_same_code_is_paid_from_what_is_left_and_raises_an_alarm(
    buyer: Customer,
) -> None:
    hold, first, second = buyer.held(), new_order(), new_order()
    assert buyer.pay(hold) == 200
    buyer.order(hold, 500, first)
    wait_until(lambda: buyer.some("approved", "spent") == (750, 500))
    buyer.order(hold, 500, second)
    wait_until(lambda: buyer.some("approved", "spent") == (250, 1_000))
    wait_until(lambda: alarms(buyer.stack, second) == ["code_used_again"])
    assert alarms(buyer.stack, first) == []


def test_a_late_order_takes_back_first_what_has_lapsed_meanwhile(stack: Stack) -> None:
    buyer = Customer(stack)
    buyer.grant(400, days=1)
    buyer.grant(300, days=300)
    hold = buyer.held(500)
    assert buyer.pay(hold) == 200
    pass_time(stack, 3 * DAY)
    assert buyer.some("approved") == (300,)
    buyer.order(hold, 500, new_order())
    wait_until(lambda: buyer.some("spent") == (500,))
    assert buyer.some("approved", "spent") == (200, 500), "400 that lapsed, and 100 of the others"


def test_a_late_order_for_points_that_are_gone_is_a_debt_that_the_next_credit_repays(
    buyer: Customer,
) -> None:
    hold = buyer.held()
    assert buyer.pay(hold) == 200
    pass_time(buyer.stack, 660)
    must_flow(buyer.stack, "consume", buyer.id, points=1_000)
    order_id = new_order()
    buyer.order(hold, 500, order_id)
    wait_until(lambda: buyer.some("approved", "spent") == (-250, 1_500))
    wait_until(lambda: alarms(buyer.stack, order_id) == ["late_order"])
    buyer.grant(300)
    assert buyer.some("approved") == (50,)


# --- a Shopify that does not answer --------------------------------------------------------------

NOTHING_TAKEN = "The points could not be used just now; nothing was taken. Please try again."


type Behaviour = dict[str, object]

HANGS: Behaviour = {"hang": True}
THROTTLES: Behaviour = {"throttle": True}
DROPS_REPLY: Behaviour = {"drop_reply": True}


def troubles(*behaviours: Behaviour) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("trouble", behaviours, ids=lambda one: next(iter(one)))


@troubles(HANGS, {"fail_with": 503}, THROTTLES, {"latency_ms": 9_000})
def test_without_shopify_nothing_is_held_and_the_customer_gets_the_reason(
    buyer: Customer, trouble: Behaviour
) -> None:
    buyer.shopify.behave(match=CREATE, **trouble)
    begun = time.monotonic()
    answer = buyer.hold(key="lost")
    assert time.monotonic() - begun < 9
    assert of_problem(answer) == (503, "hold_failed")
    assert answer.json()["detail"] == NOTHING_TAKEN
    assert (answer.headers["Retry-After"], answer.json()["may_be_retried"]) == ("5", True)
    assert buyer.some("approved", "hold") == (1_250, 0)
    buyer.shopify.behave()
    assert of_problem(buyer.hold(key="lost")) == (409, "hold_ended")
    assert buyer.held(key="anew")["points"] == 500


def test_an_app_that_may_not_make_codes_is_not_told_to_try_again(buyer: Customer) -> None:
    buyer.shopify.behave(match=CREATE, fail_with=403)
    answer = buyer.hold()
    assert of_problem(answer) == (503, "hold_failed")
    assert "Trying again does not help" in answer.json()["detail"]
    assert (answer.headers["Retry-After"], answer.json()["may_be_retried"]) == ("3600", False)
    assert buyer.some("approved", "hold") == (1_250, 0)


@troubles(DROPS_REPLY, THROTTLES, {"fail_with": 502})
def test_a_short_trouble_is_not_noticed(buyer: Customer, trouble: Behaviour) -> None:
    buyer.shopify.behave(match=CREATE, times=1, **trouble)
    buyer.held()
    assert (buyer.statuses(), buyer.some("approved", "hold")) == (["ACTIVE"], (750, 500))


def test_a_code_whose_creation_was_not_confirmed_is_deactivated_by_the_schedule(
    buyer: Customer,
) -> None:
    buyer.shopify.behave(match=CREATE, drop_reply=True, times=1)
    buyer.shopify.behave(match=FIND, hang=True)
    assert of_problem(buyer.hold()) == (503, "hold_failed")
    assert (buyer.statuses(), buyer.some("approved", "hold")) == (["ACTIVE"], (1_250, 0))
    buyer.shopify.behave()
    pass_time(buyer.stack, 61)
    invoke(buyer.stack, "switch_off_codes")
    wait_until(lambda: buyer.statuses() == ["EXPIRED"])


@troubles(HANGS, {"fail_with": 500}, THROTTLES, DROPS_REPLY)
def test_points_are_not_returned_while_their_code_cannot_be_deactivated(
    buyer: Customer, trouble: Behaviour
) -> None:
    hold = buyer.held()
    buyer.shopify.behave(match=DEACTIVATE, **trouble)
    answer = buyer.release(hold)
    assert of_problem(answer) == (503, "hold_releasing")
    assert 1 <= int(answer.headers["Retry-After"]) <= 30
    assert "back when the hold ends" in answer.json()["detail"]
    assert buyer.some("approved", "hold") == (750, 500)
    buyer.shopify.behave()
    assert buyer.release(hold).status_code == 200
    assert (buyer.statuses(), buyer.some("approved", "hold")) == (["EXPIRED"], (1_250, 0))


# --- a merge during a hold -----------------------------------------------------------------------


def test_a_merge_releases_the_hold_and_its_code_is_deactivated(buyer: Customer) -> None:
    survivor = Customer(buyer.stack)
    survivor.grant(1)
    buyer.held()
    merge(buyer.stack, buyer.id, survivor.id)
    wait_until(lambda: survivor.some("approved", "hold") == (1_251, 0))
    invoke(buyer.stack, "switch_off_codes")
    wait_until(lambda: buyer.statuses() == ["EXPIRED"])
