"""A customer of the running stack who uses points at the checkout."""

import json
import time
import uuid
from typing import Any

from requests import Response

from local.stack import Stack
from tests.e2e.calls import bearer, call, figures, history, must_flow, new_customer, points, post
from tests.e2e.fake_shopify import FakeShopify
from tests.support.hold_orders import order_payload

NO_POINTS = 50
"""Yen left to pay: the order earns nothing."""


class Customer:
    """A customer whom no other test knows, at the stack and at the fake Shopify."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.id = new_customer()
        self.url = f"{stack.api_url}/v1/customers/me/holds"
        self.shopify = FakeShopify(stack)

    # --- what the customer does ------------------------------------------------------------------

    def hold(self, held: int = 500, key: str = "") -> Response:
        """Request a hold."""
        headers = bearer(self.id) | {"Idempotency-Key": key or str(uuid.uuid4())}
        return call(self.url, json.dumps({"points": held}).encode(), headers)

    def held(self, held: int = 500, key: str = "") -> dict[str, Any]:
        """Request a hold and get it."""
        answer = self.hold(held, key)
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def release(self, hold: dict[str, Any]) -> Response:
        """Release a hold."""
        return call(f"{self.url}/{hold['hold_id']}", headers=bearer(self.id), method="DELETE")

    def pay(self, hold: dict[str, Any]) -> int:
        """Use the code at the checkout: the fake's status."""
        return self.shopify.post("_redeem", {"code": hold["discount_code"], "customer_id": self.id})

    # --- what the shop does ----------------------------------------------------------------------

    def grant(self, granted: int, days: int | None = None) -> None:
        """Points by Flow."""
        more = {} if days is None else {"days_to_expire": days}
        must_flow(self.stack, "grant", self.id, points=granted, **more)

    def order(self, hold: dict[str, Any], used: int, order_id: str) -> None:
        """The webhook of an order with the code, of which so much was used."""
        now_ms, code = int(time.time() * 1000), hold["discount_code"]
        payload = order_payload(order_id, code, used, self.id, now_ms, NO_POINTS)
        post(self.stack, "orders/paid", payload)

    # --- what there is ---------------------------------------------------------------------------

    def figures(self) -> dict[str, int]:
        """The six figures."""
        return figures(self.stack, self.id)

    def some(self, *names: str) -> tuple[int, ...]:
        """Some of them."""
        found = self.figures()
        return tuple(found[name] for name in names)

    def expiring(self) -> Any:
        """The lots, each with its day."""
        return points(self.stack, self.id)["expiring"]

    def topics(self) -> list[str]:
        """The history, newest first."""
        return history(self.stack, self.id)

    def statuses(self) -> list[str]:
        """The statuses of the customer's discounts."""
        found = self.shopify.discounts(self.id)
        return [one["codeDiscount"]["status"] for one in found]
