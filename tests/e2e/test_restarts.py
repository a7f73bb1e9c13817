"""Over restarts: what Flow repeats for 36 hours has one effect, and changes are published."""

import uuid

from local.stack import Stack
from tests.e2e.calls import approved, flow, must_flow, new_customer, pass_time, wait_until
from tests.e2e.conftest import OwnStack
from tests.e2e.fake_shopify import FakeShopify
from tests.e2e.test_triggers import CHANGED

HOURS, TIMES = 36, 12
HOUR = 3600
ANOTHER_PROGRAMME = {"HOLD_SECONDS": "120", "EXPIRY": "days:30"}


def test_an_action_has_one_effect_and_one_answer_across_restarts_and_a_deployment(
    own: OwnStack,
) -> None:
    stack = own.start()
    customer, run = new_customer(), f"run-{uuid.uuid4()}"
    must_flow(stack, "grant", customer, points=1000)
    first = flow(stack, "consume", customer, run, points=300).json()["return_value"]
    assert first["duplicate"] is False
    for time in range(TIMES):
        stack = {4: restarted, 8: deployed_anew}.get(time, untouched)(own, stack)
        pass_time(stack, HOURS * HOUR // TIMES)
        answer = flow(stack, "consume", customer, run, points=300)
        assert answer.status_code == 200
        assert answer.json()["return_value"] == first | {"duplicate": True}
        must_publish_a_change(stack)
    assert approved(stack, customer) == 700


def untouched(_: OwnStack, stack: Stack) -> Stack:
    return stack


def restarted(own: OwnStack, _: Stack) -> Stack:
    own.stop()
    return own.start()


def deployed_anew(own: OwnStack, _: Stack) -> Stack:
    """Under another programme, which all functions get."""
    own.stop()
    return own.start(**ANOTHER_PROGRAMME)


def must_publish_a_change(stack: Stack) -> None:
    """What is written now reaches Flow by the table's stream, without waiting for a schedule."""
    customer = new_customer()
    must_flow(stack, "grant", customer)
    wait_until(lambda: len(FakeShopify(stack).triggers(customer, handle=CHANGED)) == 1)
