"""A customer at the checkout: at the running stack's API, and at the fake Shopify."""

import json
import time
import uuid
from typing import Any

import requests
from requests import Response

from local import webhooks
from local.stack import Stack
from tests.e2e.asking import ask, bearer, flow, points
from tests.support.hold_orders import order_payload
from tools.make_events_webhooks import body_of

NO_POINTS = 50
"""Yen left to pay: the order earns nothing."""


class Checkout:
    """A customer nobody else knows, at the stack and at the fake Shopify."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.customer = str(9_000_000_000_000 + uuid.uuid4().int % 1_000_000_000)
        self.url = f"{stack.api_url}/v1/customers/me/holds"

    # --- what the customer does ------------------------------------------------------------------

    def hold(self, held: int = 500, key: str = "") -> Response:
        """Ask for a hold."""
        headers = bearer(self.customer) | {"Idempotency-Key": key or str(uuid.uuid4())}
        return ask(self.url, json.dumps({"points": held}).encode(), headers)

    def held(self, held: int = 500, key: str = "") -> dict[str, Any]:
        """Ask for a hold and get it."""
        answer = self.hold(held, key)
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def release(self, hold: dict[str, Any]) -> Response:
        """Give a hold back."""
        url = f"{self.url}/{hold['hold_id']}"
        return ask(url, headers=bearer(self.customer), method="DELETE")

    def pay(self, hold: dict[str, Any]) -> int:
        """Use the code at the checkout: the fake's status."""
        body = {"code": hold["discount_code"], "customer_id": self.customer}
        return requests.post(f"{self._shopify}/_redeem", json=body, timeout=30).status_code

    # --- what the shop does ----------------------------------------------------------------------

    def grant(self, granted: int, days: int | None = None) -> None:
        """Points by Flow."""
        more = {} if days is None else {"days_to_expire": days}
        given = {"customer_id": self.customer, "points": granted, "reason": "Test", **more}
        assert flow(self.stack, "grant", given, f"grant-{uuid.uuid4()}").status_code == 200

    def order(self, hold: dict[str, Any], used: int, order_id: str) -> None:
        """Tell of an order with the code, of which so much was used."""
        now_ms = int(time.time() * 1000)
        payload = order_payload(
            order_id, hold["discount_code"], used, self.customer, now_ms, NO_POINTS
        )
        assert webhooks.post(self.stack, "orders/paid", body_of(payload)).status == 200

    def behave(self, **order: object) -> None:
        """Tell the fake how to treat what it is asked."""
        answer = requests.post(f"{self._shopify}/_behave", json=order, timeout=30)
        assert answer.status_code == 200

    # --- what there is ---------------------------------------------------------------------------

    def figures(self) -> dict[str, int]:
        """The six figures."""
        found: Any = points(self.stack, self.customer)["figures"]
        return dict(found)

    def some(self, *names: str) -> tuple[int, ...]:
        """Some of them."""
        found = self.figures()
        return tuple(found[name] for name in names)

    def expiring(self) -> Any:
        """The lots, each with its day."""
        return points(self.stack, self.customer)["expiring"]

    def topics(self) -> list[str]:
        """The history, newest first."""
        url = f"{self.stack.api_url}/v1/customers/me/points/history"
        entries = ask(url, headers=bearer(self.customer)).json()["entries"]
        return [entry["topic"] for entry in entries]

    def discounts(self) -> list[Any]:
        """The discounts that this customer may use, as the fake has them."""
        gid = f"gid://shopify/Customer/{self.customer}"
        found = requests.get(f"{self._shopify}/_discounts", timeout=30).json()
        return [one for one in found if gid in json.dumps(one["codeDiscount"]["context"])]

    def statuses(self) -> list[str]:
        """Their statuses."""
        return [one["codeDiscount"]["status"] for one in self.discounts()]

    @property
    def _shopify(self) -> str:
        assert self.stack.shopify_stand_in_url is not None
        return self.stack.shopify_stand_in_url
