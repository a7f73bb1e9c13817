"""Absent and unreadable are two things: what is there and cannot be read is refused by its name.

Every field of every topic, one at a time: what the entrance makes of any value, and what the worker
makes of the entrance's mark.
"""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointbook.domain.programme import default_programme
from pointbook.errors import InvalidRequest
from pointbook.ledger.ledger import Ledger
from pointbook.services import customers as customer_events
from pointbook.services.message import Message
from pointbook.shopify.orders import read_order, read_refund
from pointbook.shopify.projection import SHAPES, UNREADABLE, Each, One, Shape, Value, projected
from pointbook.shopify.webhook import CUSTOMERS, QUEUES
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.privacy import PrivacyDriver
from tests.support.engine import MEMORY, SHOP, opened
from tests.support.json_places import Path, at, places, put
from tests.support.ledgers import SetClock
from tools.shopify_payloads import OUR_CODE

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TILL = {"namespace": "omni_hub", "key": "point_used", "value": "5"}
GOOD: tuple[Any, ...] = (7, True, "completed", "JPY", "2026-11-20T10:00:00Z", OUR_CODE, [7], [TILL])
"""Values of which at least one can be read wherever a field has one value."""

NOT_READ: tuple[Any, ...] = (UNREADABLE, [UNREADABLE], None, [])

SAYS_NOTHING = {"tip_payment_gateway", "tip_payment_method", "code", "metafields"}
"""Fields with readable values of which nothing is projected: blank, another code, another app's."""


def made(shape: Shape) -> dict[str, Any]:
    """A body with every field of a shape."""
    return {name: _value(part) for name, part in shape.items()}


def _value(part: Value | One | Each) -> Any:
    match part:
        case One():
            return made(part.shape)
        case Each():
            return [made(part.shape)]
        case Value():
            return next(one for one in GOOD if part.read(one) not in NOT_READ)


BODIES = {topic: made(shape) for topic, shape in SHAPES.items()}
SENT = [(topic, path) for topic, body in BODIES.items() for path in places(body)]
QUEUED = [
    (topic, path)
    for topic, body in BODIES.items()
    for path in places(projected(body, SHAPES[topic]))
]


def work(topic: str, payload: Mapping[str, Any]) -> Any:
    """Let the topic's worker read a message. Raises InvalidRequest."""
    message = Message(topic, SHOP, NOW, "event-1", payload)
    if topic.startswith("orders/"):
        return read_order(payload, "JPY")
    if topic == "refunds/create":
        return read_refund(payload, "JPY")
    engine = opened(MEMORY, MemoryDynamoDB())
    privacy_driver = PrivacyDriver(engine)
    if QUEUES[topic] == CUSTOMERS:
        ledger = Ledger(engine.store(), SetClock())
        programme = default_programme(sign_up_points="1")
        customer_events.carry_out(message, ledger, programme, privacy_driver.requests)
    else:
        privacy_driver.driver().carry_out(message)
    return None


def test_every_field_is_walked_through() -> None:
    assert len(QUEUED) > 300
    assert {topic for topic, _ in QUEUED} == {topic for topic, shape in SHAPES.items() if shape}


@pytest.mark.parametrize("topic", BODIES)
def test_a_body_with_every_field_can_be_read(topic: str) -> None:
    work(topic, projected(BODIES[topic], SHAPES[topic]))


@pytest.mark.parametrize(("topic", "path"), QUEUED, ids=str)
def test_a_worker_refuses_the_mark_in_every_field_by_its_name(topic: str, path: Path) -> None:
    payload = put(projected(BODIES[topic], SHAPES[topic]), path, UNREADABLE)
    if path[0] == "metafields":
        assert work(topic, payload).till_points is None, "it stops the till's points alone"
        return
    with pytest.raises(InvalidRequest) as refusal:
        work(topic, payload)
    named = ".".join(str(step) for step in path)
    assert named == refusal.value.field or named.startswith(f"{refusal.value.field}.")
    assert refusal.value.field in refusal.value.message


ANY_VALUE = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False).map(str),
        st.text(max_size=12),
        st.sampled_from(["1", "1.5", "paid", "JPY", "true", "2026-11-20", UNREADABLE]),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@given(st.sampled_from([one for one in SENT if len(one[1]) > 0]), ANY_VALUE)
def test_the_entrance_keeps_a_value_or_marks_it_and_never_drops_it(
    place: tuple[str, Path], value: object
) -> None:
    """Dropped are null where Shopify sends null, and what is readable and says nothing."""
    topic, path = place
    body = put(BODIES[topic], path, value)
    projection = projected(body, SHAPES[topic])
    if projection != projected(_without(BODIES[topic], path), SHAPES[topic]):
        return
    steps = {str(step) for step in path}
    may_be_null = {"customer", "id", "cancelled_at", "total_duties_set"} & steps
    assert steps & SAYS_NOTHING or (value is None and may_be_null), (path, value)


def _without(body: Any, path: Path) -> Any:
    changed = copy.deepcopy(body)
    del at(changed, path[:-1])[path[-1]]
    return changed


@given(
    st.sampled_from([one for one in SENT if one[0] in ("orders/updated", "refunds/create")]),
    st.text(max_size=8) | st.lists(st.integers(), max_size=1) | st.booleans() | st.none(),
)
def test_what_cannot_be_read_never_counts_as_absent(place: tuple[str, Path], value: object) -> None:
    """Where the entrance has marked something, no message is booked as if it were not there."""
    topic, path = place
    projection = projected(put(BODIES[topic], path, value), SHAPES[topic])
    if not any(at(projection, one) == UNREADABLE for one in places(projection)):
        return
    if path[0] == "metafields":
        assert work(topic, projection).till_points is None
        return
    with pytest.raises(InvalidRequest):
        work(topic, projection)
