"""Customers' metafields as Shopify keeps them: set 25 at a time, all or none, each by its type."""

import re
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from local.fakes.customers import number_of
from local.fakes.discounts import Refused, UserError

APP_NAMESPACE = "$app"
CALL_MAX = 25

_NAMESPACE = re.compile(r"[A-Za-z0-9_-]{3,255}")
_KEY = re.compile(r"[A-Za-z0-9_-]{2,64}")
_TEXT_LENGTH_MAX = 5_000

type Place = tuple[str, str, str]
"""The customer's number, the namespace and the key."""


@dataclass(frozen=True, slots=True)
class Metafield:
    """One metafield."""

    type: str
    value: str


class Metafields:
    """The metafields of one shop's customers. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Place, Metafield] = {}

    def put(
        self, given: Sequence[Mapping[str, Any]], exists: Callable[[str], bool]
    ) -> list[dict[str, object]]:
        """Set metafields, all or none; `exists` knows the customers. Raises Refused."""
        errors: list[UserError] = []
        found: dict[Place, Metafield] = {}
        with self._lock:
            for number, one in enumerate(given):
                place = _place(one)
                kind = one.get("type") or (self._kept[place].type if place in self._kept else "")
                if error := _error(place, kind, one["value"], exists):
                    argument, message, code = error
                    field = ("metafields", str(number), argument)
                    errors.append(UserError(field, message, code))
                found[place] = Metafield(kind, one["value"])
            if len(given) > CALL_MAX:
                message = f"Exceeded the maximum metafields input limit of {CALL_MAX}."
                errors.append(UserError(("metafields",), message, "LESS_THAN_OR_EQUAL_TO"))
            if errors:
                raise Refused(*errors)
            self._kept |= found
        return [_node(place, metafield) for place, metafield in found.items()]

    def delete(self, given: Sequence[Mapping[str, Any]]) -> list[dict[str, str] | None]:
        """Delete metafields; None for each that is not there."""
        with self._lock:
            return [
                dict(one) if self._kept.pop(_place(one), None) is not None else None
                for one in given
            ]

    def get(self, customer: str, namespace: str | None, key: str) -> dict[str, object] | None:
        """Return a customer's metafield as GraphQL's Metafield; None if there is none."""
        place = (customer, namespace or APP_NAMESPACE, key)
        found = self._kept.get(place)
        return _node(place, found) if found else None

    def of_customer(self, customer: str) -> dict[str, str]:
        """A customer's values by key; those outside of the app's namespace by `namespace.key`."""
        with self._lock:
            return {
                key if namespace == APP_NAMESPACE else f"{namespace}.{key}": metafield.value
                for (owner, namespace, key), metafield in sorted(self._kept.items())
                if owner == customer
            }


def _place(given: Mapping[str, Any]) -> Place:
    owner = number_of(str(given["ownerId"])) or ""
    return owner, given.get("namespace") or APP_NAMESPACE, str(given["key"])


def _node(place: Place, metafield: Metafield) -> dict[str, object]:
    _, namespace, key = place
    return {
        "__typename": "Metafield",
        "id": f"gid://shopify/Metafield/{zlib.crc32(repr(place).encode())}",
        "namespace": namespace,
        "key": key,
        "type": metafield.type,
        "value": metafield.value,
        "ownerType": "CUSTOMER",
    }


def _error(
    place: Place, kind: str, value: str, exists: Callable[[str], bool]
) -> tuple[str, str, str] | None:
    """What is wrong with a metafield: the argument, the message and the code."""
    customer, namespace, key = place
    if not customer or not exists(customer):
        return "ownerId", "Owner does not exist.", "INVALID"
    if namespace != APP_NAMESPACE and not _NAMESPACE.fullmatch(namespace):
        return "namespace", "Namespace is invalid.", "INVALID"
    if not _KEY.fullmatch(key):
        return "key", "Key is invalid.", "INVALID"
    if kind not in _TYPES:
        return "type", "Type can't be blank.", "INVALID_TYPE"
    if not value:
        return "value", "Value can't be blank.", "BLANK"
    if not _TYPES[kind](value):
        return "value", f"Value is not a {kind}.", "INVALID_VALUE"
    return None


def _is_integer(value: str) -> bool:
    return re.fullmatch("-?[0-9]{1,16}", value, re.ASCII) is not None


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return len(value) == len("2026-12-31")


def _is_date_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return "T" in value


def _is_line(value: str) -> bool:
    return len(value) <= _TEXT_LENGTH_MAX and "\n" not in value


_TYPES: Mapping[str, Callable[[str], bool]] = {
    "number_integer": _is_integer,
    "date": _is_date,
    "date_time": _is_date_time,
    "single_line_text_field": _is_line,
}
"""The types that the fake knows, and whether a text is a value of each."""
