"""Customers as Shopify's Admin API shows them.

A customer who was not set exists in every shop, without tags, so that the demo customers and
any number made up for a test can buy. A customer who was set belongs to that shop only, as at
Shopify.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from local import demo

STATES = ("DECLINED", "DISABLED", "ENABLED", "INVITED")
_MEMBERS = frozenset({"id", "tags", "state", "email", "display_name", "metafields", "shop"})
_ID = re.compile(r"(?:gid://shopify/Customer/)?([1-9][0-9]{0,19})")


class BadCustomer(ValueError):
    """The body of `_customer` does not describe a customer."""


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer of one shop; `id` is the number."""

    id: str
    tags: tuple[str, ...] = ()
    state: str = "ENABLED"
    email: str | None = None
    display_name: str = ""
    metafields: tuple[tuple[str, str, str], ...] = ()

    @property
    def gid(self) -> str:
        """The global id."""
        return f"gid://shopify/Customer/{self.id}"

    def node(self) -> dict[str, object]:
        """Return the customer as GraphQL's Customer, with the fields that the fake knows."""
        name = self.display_name or demo.CUSTOMERS.get(self.id) or self.email
        return {
            "__typename": "Customer",
            "id": self.gid,
            "legacyResourceId": self.id,
            "tags": list(self.tags),
            "state": self.state,
            "email": self.email,
            "defaultEmailAddress": self.email and _address(self.email),
            "displayName": name or f"Customer {self.id}",
        }

    def matches(self, word: str) -> bool:
        """Whether a word is in the name or the e-mail, or is the number."""
        name = self.display_name or demo.CUSTOMERS.get(self.id, "")
        return word in f"{name} {self.email or ''}".casefold() or word == self.id

    def metafield(
        self, _info: object, key: str, namespace: str | None = None
    ) -> dict[str, str] | None:
        """Resolve GraphQL's field `metafield`."""
        for one_namespace, one_key, value in self.metafields:
            if (one_namespace, one_key) == (namespace, key):
                return {"namespace": one_namespace, "key": key, "value": value}
        return None


class Customers:
    """The customers of one shop who were set. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_gid: dict[str, Customer] = {}

    def put(self, given: Mapping[str, object]) -> Customer:
        """Add or change a customer. Raises BadCustomer and changes nothing."""
        number = _number(given.get("id"))
        unknown = given.keys() - _MEMBERS
        if unknown:
            raise BadCustomer(f"unknown: {', '.join(sorted(unknown))}")
        with self._lock:
            before = self._by_gid.get(f"gid://shopify/Customer/{number}", Customer(number))
            customer = replace(
                before,
                tags=_tags(given["tags"]) if "tags" in given else before.tags,
                state=_state(given["state"]) if "state" in given else before.state,
                email=_text(given, "email") if "email" in given else before.email,
                metafields=_metafields(given["metafields"])
                if "metafields" in given
                else before.metafields,
                display_name=_text(given, "display_name") or before.display_name,
            )
            self._by_gid[customer.gid] = customer
            return customer

    def search(self, query: str) -> list[Customer]:
        """Return who has every word in name or e-mail, or the number.

        Shopify's search knows more; this is as far as staff need it to find somebody.
        """
        with self._lock:
            known = {Customer(number).gid: Customer(number) for number in demo.CUSTOMERS}
            known |= self._by_gid
        words = query.casefold().split()
        return [one for one in known.values() if words and all(map(one.matches, words))]

    def get(self, gid: str) -> Customer | None:
        """Return the customer with this global id; None if they were not set."""
        return self._by_gid.get(gid)


def number_of(gid: str) -> str | None:
    """Return the number in a customer's global id; None if it is not one."""
    found = _ID.fullmatch(gid)
    return found[1] if found and gid != found[1] else None


def _address(email: str) -> dict[str, object]:
    return {
        "__typename": "CustomerEmailAddress",
        "emailAddress": email,
        "marketingState": "NOT_SUBSCRIBED",
        "openTrackingLevel": "UNKNOWN",
        "validFormat": True,
    }


def _number(value: object) -> str:
    found = _ID.fullmatch(str(value)) if isinstance(value, str | int) else None
    if found is None:
        raise BadCustomer(f"id is {value!r}, not a customer's number or global id")
    return found[1]


def _tags(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(tag, str) and tag for tag in value):
        raise BadCustomer(f"tags is {value!r}, not a list of strings")
    return tuple(value)


def _metafields(value: object) -> tuple[tuple[str, str, str], ...]:
    """Read `[{"namespace", "key", "value"}]`."""
    names = ("namespace", "key", "value")
    if not isinstance(value, list) or not all(
        isinstance(one, dict)
        and one.keys() == set(names)
        and all(isinstance(text, str) and text for text in one.values())
        for one in value
    ):
        raise BadCustomer(f"metafields is {value!r}, not a list of namespace, key and value")
    return tuple((one["namespace"], one["key"], one["value"]) for one in value)


def _state(value: object) -> str:
    state = str(value).upper()
    if state not in STATES:
        raise BadCustomer(f"state is {value!r}, not one of {', '.join(STATES)}")
    return state


def _text(given: Mapping[str, object], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise BadCustomer(f"{name} is {value!r}, not a string")
    return value
