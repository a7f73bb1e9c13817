"""Messages on queues: read as they were written, packed where they would be too large."""

import base64
import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointbook.errors import MalformedBody, MessageTooLarge
from pointbook.services.message import MESSAGE_BYTES_MAX, PAYLOAD_BYTES_MAX, Message, message_text
from pointbook.services.message import read_message as read

NOON = datetime(2026, 11, 22, 3, tzinfo=UTC)


def a_message(payload: dict[str, Any], received_at: datetime = NOON) -> Message:
    return Message("orders/paid", "demo.myshopify.com", received_at, "event-1", payload)


def members(**changes: object) -> str:
    good = json.loads(message_text(a_message({"id": 1})))
    return json.dumps({name: value for name, value in (good | changes).items() if value != "gone"})


def test_a_message_says_in_plain_json_what_came_when_and_from_where() -> None:
    assert json.loads(message_text(a_message({"id": 1, "total": "10.50"}))) == {
        "format": 1,
        "topic": "orders/paid",
        "shop": "demo.myshopify.com",
        "received_at": "2026-11-22T03:00:00.000Z",
        "event_id": "event-1",
        "payload": {"id": 1, "total": "10.50"},
    }


json_objects = st.dictionaries(
    st.text(st.characters(codec="utf-8")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
        st.lists,
        max_leaves=5,
    ),
)


def test_a_message_has_the_time_at_which_it_was_sent_if_there_is_one() -> None:
    message = replace(a_message({}), triggered_at=NOON - timedelta(milliseconds=188))
    assert json.loads(message_text(message))["triggered_at"] == "2026-11-22T02:59:59.812Z"
    assert read(message_text(message)) == message
    assert read(members()).triggered_at is None
    with pytest.raises(MalformedBody, match="triggered"):
        read(members(triggered_at="2026-11-22T03:00:00"))


@given(json_objects, st.integers(0, 10**9))
def test_a_message_is_read_as_it_was_written(payload: dict[str, Any], later_ms: int) -> None:
    received_at = NOON + timedelta(milliseconds=later_ms)
    message = a_message(payload, received_at)
    assert read(message_text(message)) == message


def test_the_time_is_written_in_utc_whatever_the_zone() -> None:
    tokyo = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=9)))
    assert read(message_text(a_message({}, tokyo))).received_at == NOON


def test_what_would_be_too_large_is_packed_and_nothing_of_it_is_lost() -> None:
    lines = [{"id": number, "price": "19.99"} for number in range(20_000)]
    message = a_message({"line_items": lines})
    text = message_text(message)
    assert "packed" in json.loads(text)
    assert len(text) <= MESSAGE_BYTES_MAX
    assert read(text) == message


def test_what_cannot_be_packed_is_refused_by_the_number_that_an_operator_needs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    noise = Random(7).randbytes(600_000).hex()
    with pytest.raises(MessageTooLarge):
        message_text(a_message({"id": 820982911946154508, "noise": noise}))
    line = json.loads(capsys.readouterr().out)
    assert (line["message"], line["about"]) == ("message_too_large", 820982911946154508)
    assert noise[:100] not in json.dumps(line)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        members(format=2),
        members(format="gone"),
        members(topic="gone"),
        members(topic="Orders/Paid"),
        members(topic=7),
        members(shop=None),
        members(event_id=None),
        members(payload="gone"),
        members(payload=[]),
        members(received_at="gone"),
        members(received_at="yesterday"),
        members(received_at="2026-11-22T03:00:00"),
        members(packed=7),
        members(packed="not base64"),
        members(packed=base64.b64encode(b"not deflated").decode()),
        members(packed=base64.b64encode(zlib.compress(b"[1]")).decode()),
        members(packed=base64.b64encode(zlib.compress(b'{"a": 1}')[:-6]).decode()),
        members(packed=base64.b64encode(zlib.compress(bytes(PAYLOAD_BYTES_MAX + 1))).decode()),
    ],
)
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(MalformedBody):
        read(text)
