"""A model of Shopify with discount codes.

Written from what Shopify documents and was seen to do, apart from the product and from the laptop's
fake: codes are unique in any case, a code is one customer's, for so many uses, until its end.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pointbook.http.calls import Answer, Call
from tests.support.instants import instant, milliseconds

CURRENCY: Final = "JPY"
CREATE: Final = "discountCodeBasicCreate"
FIND: Final = "codeDiscountNodeByCode"
END: Final = "discountCodeDeactivate"
GID: Final = "gid://shopify/DiscountCodeNode/"

type Json = dict[str, Any]


@dataclass(slots=True)
class StoredDiscount:
    """A discount as the shop has it. Times in milliseconds; `used_by` are orders."""

    gid: str
    given: Json
    starts_ms: int
    ends_ms: int
    used_by: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        """The code as it was given."""
        return str(self.given["code"])

    @property
    def customers(self) -> list[str]:
        """The global ids of those who may use it."""
        found: list[str] = self.given["context"]["customers"]["add"]
        return found

    @property
    def amount(self) -> str:
        """What it takes off."""
        return str(self.given["customerGets"]["value"]["discountAmount"]["amount"])

    def is_usable(self, now_ms: int) -> bool:
        """Whether a checkout takes it."""
        unused = len(self.used_by) < self.given["usageLimit"]
        return unused and self.starts_ms <= now_ms < self.ends_ms

    def node(self) -> Json:
        """As GraphQL shows it to the product's documents."""
        return {
            "id": self.gid,
            "codeDiscount": {
                "status": "ACTIVE",
                "endsAt": instant(self.ends_ms).isoformat(),
                "usageLimit": self.given["usageLimit"],
                "appliesOncePerCustomer": self.given["appliesOncePerCustomer"],
                "tags": self.given["tags"],
                "context": {"customers": [{"id": gid} for gid in self.customers]},
                "customerGets": {
                    "value": {
                        "amount": {"amount": f"{self.amount}.0", "currencyCode": CURRENCY},
                        "appliesOnEachItem": False,
                    }
                },
            },
        }


class ShopifyModel:
    """The discounts of one shop. `now_ms` is Shopify's own clock."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.now_ms = now_ms
        self.discounts: dict[str, StoredDiscount] = {}
        self.created: list[StoredDiscount] = []

    def answer(self, call: Call) -> Answer:
        """Carry out a call."""
        request = json.loads(call.content or b"null")
        for root, act in ((CREATE, self._create), (FIND, self._find), (END, self._end)):
            if f" {root}(" in request["query"]:
                return answered({"data": {root: act(request["variables"])}})
        raise NotImplementedError(f"the model of Shopify does not know {request['query']}")

    def discount(self, code: str) -> StoredDiscount | None:
        """The discount of a code, in any case."""
        return self.discounts.get(code.casefold())

    def redeem(self, code: str, customer_id: str, order_id: str, *, racing: bool = False) -> bool:
        """A checkout uses a code. `racing`: beside another that uses it at the same time."""
        found = self.discount(code)
        if found is None or f"gid://shopify/Customer/{customer_id}" not in found.customers:
            return False
        raced = racing and len(found.used_by) == found.given["usageLimit"]
        if not found.is_usable(self.now_ms()) and not (raced and self.now_ms() < found.ends_ms):
            return False
        found.used_by.append(order_id)
        return True

    def delete(self, code: str) -> None:
        """Somebody in the shop deletes it."""
        self.discounts.pop(code.casefold(), None)

    def _create(self, variables: Json) -> Json:
        given = variables["discount"]
        starts_ms, ends_ms = _read(given["startsAt"]), _read(given["endsAt"])
        key = str(given["code"]).casefold()
        if key in self.discounts:
            return refused("TAKEN", "code")
        if ends_ms <= starts_ms:
            return refused("INVALID", "endsAt")
        made = StoredDiscount(f"{GID}{len(self.created) + 1}", given, starts_ms, ends_ms)
        self.discounts[key] = made
        self.created.append(made)
        return {"codeDiscountNode": made.node(), "userErrors": []}

    def _find(self, variables: Json) -> Json | None:
        found = self.discount(variables["code"])
        if found is None:
            return None
        node = found.node()
        if found.ends_ms <= self.now_ms():
            node["codeDiscount"]["status"] = "EXPIRED"
        return node

    def _end(self, variables: Json) -> Json:
        found = [one for one in self.discounts.values() if one.gid == variables["id"]]
        if not found:
            return refused("INVALID", "id")
        found[0].ends_ms = min(found[0].ends_ms, self.now_ms())
        return {"codeDiscountNode": {"id": found[0].gid}, "userErrors": []}


def answered(body: Json, status: int = 200) -> Answer:
    """An answer with this JSON."""
    return Answer(status, {}, json.dumps(body).encode())


def refused(code: str, argument: str) -> Json:
    """What a mutation returns that was refused by a user error."""
    error = {"field": ["basicCodeDiscount", argument], "message": code.lower(), "code": code}
    return {"codeDiscountNode": None, "userErrors": [error]}


def _read(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))
