"""The running stack's fake Shopify: what it is told to do, and what it was asked."""

from collections import Counter
from typing import Any

import requests

from local import demo
from local.stack import Stack

CREATE = "discountCodeBasicCreate"
FIND = "codeDiscountNodeByCode"
DEACTIVATE = "discountCodeDeactivate"
TRIGGER = "flowTriggerReceive"


class FakeShopify:
    """The fake Shopify of a stack."""

    def __init__(self, stack: Stack) -> None:
        assert stack.shopify_stand_in_url is not None
        self._url = stack.shopify_stand_in_url

    def get(self, path: str) -> Any:
        """One of its lists."""
        return requests.get(f"{self._url}/{path}", timeout=30).json()

    def post(self, path: str, body: dict[str, Any]) -> int:
        """Tell it something: the status."""
        return requests.post(f"{self._url}/{path}", json=body, timeout=30).status_code

    def behave(self, **behaviour: Any) -> None:
        """Have it misbehave; nothing given: behave again."""
        assert self.post("_behave", behaviour or {"times": 0}) == 200

    def behave_in(self, shop: str, **behaviour: Any) -> None:
        """Have the Admin API of one shop misbehave."""
        self.behave(match=f"/{shop}/admin/api", **behaviour)

    def set_tags(self, customer: str, *tags: str) -> None:
        """Let a customer have these tags."""
        assert self.post("_customer", {"id": customer, "tags": list(tags)}) == 200

    def operations(self) -> Counter[str]:
        """How often each operation was called."""
        return Counter(entry["operation"] for entry in self.get("_log"))

    def tag_queries(self, customer: str) -> int:
        """How often a customer was asked about."""
        variables = {"id": f"gid://shopify/Customer/{customer}"}
        log = [entry for entry in self.get("_log") if entry["operation"] == "customer"]
        return sum(entry["variables"] == variables for entry in log)

    def trigger_calls(self, shop: str = demo.SHOP_DOMAIN) -> int:
        """How often a shop was called with a trigger."""
        return sum(
            entry["operation"] == TRIGGER and shop in entry["path"] for entry in self.get("_log")
        )

    def triggers(
        self, customer: str, shop: str = demo.SHOP_DOMAIN, handle: str = ""
    ) -> list[dict[str, Any]]:
        """The triggers about a customer, in the order of arrival; of one handle if it is given."""
        return [
            one
            for one in self.get("_triggers")
            if one["shop"] == shop
            and one["payload"]["customer_id"] == int(customer)
            and handle in ("", one["handle"])
        ]

    def discounts(self, customer: str) -> list[dict[str, Any]]:
        """The discounts that this customer may use."""
        gid = f"gid://shopify/Customer/{customer}"
        return [
            one
            for one in self.get("_discounts")
            if [who["id"] for who in one["codeDiscount"]["context"]["customers"]] == [gid]
        ]
