"""Queue messages: the fields of a webhook that are processed, and their JSON format.

    {"format": 1, "topic": "orders/paid", "shop": "demo.myshopify.com",
     "received_at": "2026-11-22T03:00:00.000Z", "triggered_at": "2026-11-22T02:59:59.812Z",
     "event_id": "...", "payload": {...}}

`triggered_at` is optional.

A message that would be too large has `packed` in place of `payload`: the payload's JSON,
compressed with zlib, in base64.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pointbook import log
from pointbook.errors import MalformedBody, MessageTooLarge
from pointbook.validation import json_object

FORMAT = 1

MESSAGE_BYTES_MAX = 256 * 1024
"""SQS takes up to 1 MiB, but ten messages go to a worker at once, and Lambda takes 6 MB a call."""

PAYLOAD_BYTES_MAX = 8 * 1024 * 1024
"""The limit for unpacking. Webhooks have 5 MB at most, so no message of ours is larger."""

TOPIC = re.compile(r"[a-z_]{1,32}/[a-z_]{1,32}")


@dataclass(frozen=True, slots=True)
class Message:
    """A webhook on its way to its worker.

    `payload` has the projected fields only (`shopify.projection`): ids as they came, money as
    strings. `event_id` is Shopify's, unsigned; "" if there was none. `received_at` is the ledger's
    time, aware, in whole milliseconds. `triggered_at` (X-Shopify-Triggered-At) is when Shopify sent
    it, aware; None if it was not given. Messages keep its milliseconds.
    """

    topic: str
    shop: str
    received_at: datetime
    event_id: str
    payload: Mapping[str, Any]
    triggered_at: datetime | None = None


def message_text(message: Message) -> str:
    """Return the body of a queue message, in ASCII. Raises MessageTooLarge, even if packed."""
    head = {
        "format": FORMAT,
        "topic": message.topic,
        "shop": message.shop,
        "received_at": _instant_text(message.received_at),
        "event_id": message.event_id,
    }
    if message.triggered_at is not None:
        head["triggered_at"] = _instant_text(message.triggered_at)
    plain = _json({**head, "payload": message.payload})
    if len(plain) <= MESSAGE_BYTES_MAX:
        return plain
    packed = base64.b64encode(zlib.compress(_json(message.payload).encode("ascii"))).decode("ascii")
    text = _json({**head, "packed": packed})
    if len(text) > MESSAGE_BYTES_MAX:
        named = {"topic": message.topic, "shop": message.shop, "event_id": message.event_id}
        log.error("message_too_large", **named, about=message.payload.get("id"))
        raise MessageTooLarge(len(text), MESSAGE_BYTES_MAX)
    return text


def read_message(text: str) -> Message:
    """Parse the body of a queue message. Raises MalformedBody."""
    members = json_object(text.encode("utf-8", "surrogatepass"))
    if members.get("format") != FORMAT:
        raise MalformedBody(f"The message is not of format {FORMAT}.")
    topic, shop, event_id = (members.get(name) for name in ("topic", "shop", "event_id"))
    payload = _unpacked(members["packed"]) if "packed" in members else members.get("payload")
    if (
        not isinstance(topic, str)
        or not TOPIC.fullmatch(topic)
        or not isinstance(shop, str)
        or not isinstance(event_id, str)
        or not isinstance(payload, dict)
    ):
        raise MalformedBody("The message lacks its topic, shop, event id or payload.")
    triggered_at = members.get("triggered_at")
    return Message(
        topic,
        shop,
        _instant(members.get("received_at"), "received"),
        event_id,
        payload,
        None if triggered_at is None else _instant(triggered_at, "triggered"),
    )


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _unpacked(packed: object) -> dict[str, Any]:
    if not isinstance(packed, str):
        raise MalformedBody("packed is not a string.")
    try:
        unpacking = zlib.decompressobj()
        raw = unpacking.decompress(base64.b64decode(packed, validate=True), PAYLOAD_BYTES_MAX)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise MalformedBody("packed cannot be decompressed.") from error
    if not unpacking.eof:
        raise MalformedBody(f"packed is truncated, or over {PAYLOAD_BYTES_MAX} bytes.")
    return json_object(raw)


def _instant_text(instant: datetime) -> str:
    text = instant.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def _instant(value: object, what: str) -> datetime:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise MalformedBody(f"The message does not say when it was {what}.")
    return found
