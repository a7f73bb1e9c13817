"""The laptop's fake Shopify within the process: the product's Admin API on the real schema.

The schema has to be there: `make shopify-schema`.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from local.fakes.discounts import Discounts
from local.fakes.flow_triggers import Triggers
from local.fakes.shopify_graphql import AdminApi as FakeAdminApi
from local.fakes.shopify_graphql import Context, Shop
from local.fakes.shopify_schema import SCHEMA_FILE
from pointbook.deadline import Deadline
from pointbook.http.calls import Answer, Call
from pointbook.shopify.admin import AdminApi
from tests.fakes.admin_api import BASE_URL, SHOP, StandingClock, Tokens


class GraphqlShop:
    """One shop of the fake. `operations` are the root fields that were requested, in order.

    `failures` are answers that come first, one for each call.
    """

    def __init__(self) -> None:
        self.shop = Shop(SHOP, Discounts("JPY"), Triggers())
        self.operations: list[str] = []
        self.variables: list[Mapping[str, Any]] = []
        self.failures: list[Answer] = []
        self.costs: list[int] = []
        self.forgotten: str | None = None
        self.clock = StandingClock()

    def admin(self) -> AdminApi:
        """The product's client of it."""
        return AdminApi(BASE_URL, Tokens(), self, self.clock)

    def put(self, *orders: Mapping[str, Any]) -> None:
        """Let it have these orders."""
        for order in orders:
            self.shop.orders.put(order)

    def send(self, call: Call, deadline: Deadline) -> Answer:
        """Answer a call, as the transport would."""
        deadline.left_seconds()
        request = json.loads(call.content or b"null")
        field = fake().root_field(request["query"], request["variables"])
        self.operations.append(field.name if field else "")
        self.variables.append(request["variables"])
        if self.failures:
            return self.failures.pop(0)
        context = Context(self.shop, datetime.now(UTC), self.forgotten)
        answer: Any = fake().run(request["query"], request["variables"], context)
        self.costs.append(answer.get("extensions", {}).get("cost", {}).get("requestedQueryCost", 0))
        return Answer(200, {}, json.dumps(answer).encode())


@cache
def fake() -> FakeAdminApi:
    """The fake's schema and resolvers; building them takes half a second."""
    return FakeAdminApi(SCHEMA_FILE)
