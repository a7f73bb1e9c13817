"""Shopify Flow's side of `flowTriggerReceive`: the app's declared triggers and those it received.

A payload must have exactly the fields that shopify/extensions/ declares, each of its type. The
messages for wrong fields, and that an unknown customer is refused, are guesses; the messages for a
wrong handle and for size are as recorded.
"""

import json
import threading
import tomllib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from local.fakes.discounts import Refused, UserError
from local.options import ROOT

_EXTENSIONS = ROOT / "shopify" / "extensions"
_CUSTOMER = "customer_reference"
_NUMBERS = frozenset({_CUSTOMER, "number_decimal"})
_SIZE_LIMIT_BYTES = 50_000
_LOG_LIMIT = 50_000

type Fields = Mapping[str, str]
"""The type of each field of a trigger, by its key."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger that Flow accepted."""

    at: datetime
    handle: str
    payload: object


def declared_triggers() -> dict[str, Fields]:
    """Return the fields of every trigger that the app declares, by handle."""
    found: dict[str, Fields] = {}
    for file in sorted(_EXTENSIONS.glob("*/shopify.extension.toml")):
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        extension = content.get("extensions", [content])[0]  # a theme's file has no list
        if extension["type"] == "flow_trigger":
            fields = content["settings"]["fields"]
            found[extension["handle"]] = {_key(field): field["type"] for field in fields}
    return found


class Triggers:
    """The triggers that one shop's Flow accepted, oldest first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._declared = declared_triggers()
        self._accepted: deque[Trigger] = deque(maxlen=_LOG_LIMIT)

    def receive(
        self, handle: str | None, payload: object, now: datetime, forgotten: str | None = None
    ) -> None:
        """Accept a trigger. Raises Refused. Accepts repetitions, as Flow does.

        `forgotten` is the number of a customer who does not exist.
        """
        if handle is None or payload is None:
            text = "`handle` and `payload` arguments are required"
            raise Refused(UserError(("handle",), text, None))
        if handle not in self._declared:
            raise Refused(_schema_error(f"Invalid handle '{handle}'."))
        size = len(json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode())
        if size > _SIZE_LIMIT_BYTES:
            text = f"Properties size exceeds the limit of {_SIZE_LIMIT_BYTES} bytes."
            raise Refused(_schema_error(text))
        if wrong := list(_wrong(payload, self._declared[handle], forgotten)):
            raise Refused(_schema_error("\n  ".join(wrong)))
        with self._lock:
            self._accepted.append(Trigger(now, handle, payload))

    def all(self) -> list[Trigger]:
        """Return every accepted trigger, oldest first."""
        with self._lock:
            return list(self._accepted)


def _wrong(payload: object, declared: Fields, forgotten: str | None) -> Iterator[str]:
    if not isinstance(payload, dict):
        yield "Type error: the payload is not an object"
        return
    for key in sorted(payload.keys() - declared.keys()):
        yield f"Invalid field: {key}"
    for key, kind in declared.items():
        if key not in payload:
            yield f"Required field missing: {key}"
        elif not _fits(payload[key], kind):
            yield f"Type error: {key}"
        elif kind == _CUSTOMER and str(payload[key]) == forgotten:
            yield f"Invalid field: {key}: there is no customer {forgotten}"


def _fits(value: object, kind: str) -> bool:
    if kind in _NUMBERS:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and (kind != _CUSTOMER or isinstance(value, int))
    return isinstance(value, str) and "\n" not in value


def _key(field: Mapping[str, str]) -> str:
    return "customer_id" if field["type"] == _CUSTOMER else field["key"]


def _schema_error(text: str) -> UserError:
    return UserError(("body",), f"Errors validating schema:\n  {text}\n", None)
