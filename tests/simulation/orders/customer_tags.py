"""Shopify's customers and their tags while the orders of a shop are delivered.

Tags change as time passes, often between two queries that come close together. Now and then Shopify
cannot be reached, for a moment or for hours, and a customer who was merged into another is gone,
whether or not the ledger has been told.

Checked: no query for an order that has its rule, about somebody else than its customer, or for an
order that earns nothing; and the rule of an order follows from one of the answers, and does not
change later.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from pointbook.domain.orders import Order
from pointbook.domain.ports import ReadRequest, Store
from pointbook.domain.tags import tag_digest
from pointbook.errors import ShopifyUnavailable
from tests.reference.orders_calculation import Bought
from tests.simulation.kernel.scheduler import SkewedClock
from tests.simulation.kernel.violation import must
from tests.simulation.orders.lifecycles import EXCLUDED, RANKS, ShopHistory
from tests.simulation.orders.order_life import SHOP

_UNREACHABLE_SHARE: Final = 0.08
_CHANGES_SHARE: Final = 0.4
_ANSWER_SECONDS: Final = (0.0, 0.05, 0.2, 3.0)
_OUTAGE: Final = timedelta(hours=5)


class CustomerTags:
    """Answers during one delivery of a shop's history; `store` shows what was written."""

    def __init__(
        self, history: ShopHistory, store: Store, clock: SkewedClock, random: Random
    ) -> None:
        self._history = history
        self._store = store
        self._clock = clock
        self._random = random
        self._bought = {order.order_id: order for order in history.shop.orders}
        self._tags = {history.shop.survivor(one): tags for one, tags in history.tags.items()}
        self._down_from = history.events[0].at + timedelta(days=random.uniform(1, 14))
        self._answers: dict[str, list[int]] = defaultdict(list)
        self._percents: dict[str, int] = {}

    def for_message(self, payload: Mapping[str, Any], *, is_safe: bool) -> "TagQuery":
        """The queries of the worker of a message. `is_safe`: they are answered, and at once."""
        order_id = str(payload.get("order_id", payload["id"]))
        has_rule = order_id in self._percents or self._rule_percent(order_id) is not None
        return TagQuery(self, order_id, has_rule=has_rule, is_safe=is_safe)

    def look(self, order_id: str) -> None:
        """Check by which percent the order earns, if it has its rule by now."""
        percent = self._rule_percent(order_id)
        if percent is None:
            return
        if order_id not in self._percents:
            right = self._answers[order_id] if self._earns(self._bought[order_id]) else [0]
            must(
                "tags",
                percent in right,
                f"{order_id} earns {percent} %, but the answers were {right}",
            )
        first = self._percents.setdefault(order_id, percent)
        must("tags", first == percent, f"{order_id} earned {first} % and now {percent} %")

    def settle(self) -> None:
        """Set the percent in the expected order to the one that was used."""
        for order in self._history.shop.orders:
            order.percent = self._percents.get(order.order_id, 100)

    def answer(self, order_id: str, customer_id: str, *, is_safe: bool) -> frozenset[str] | None:
        """What Shopify answers when it is queried for a customer's tags because of an order."""
        order, shop = self._bought[order_id], self._history.shop
        must("tags", self._earns(order), f"queried for {order}, which earns nothing")
        buyer = shop.survivor(order.customer) if order.customer else None
        person = shop.survivor(customer_id)
        must("tags", person == buyer, f"queried about {customer_id} for {order}")
        if not is_safe:
            self._clock.sleep(self._random.choice(_ANSWER_SECONDS))
            if self._is_down(self._clock.now()) or self._random.random() < _UNREACHABLE_SHARE:
                raise ShopifyUnavailable(1)
        if (
            customer_id in shop.merged_into
            and self._history.merged_at[customer_id] <= self._clock.now()
        ):
            return None
        tags = self._tags[person]
        self._answers[order_id].append(RANKS.get(tags, 0))
        if self._random.random() < _CHANGES_SHARE:
            self._tags[person] = self._random.choice([*RANKS, EXCLUDED])
        return frozenset(tag_digest(tag) for tag in tags.split(","))

    def _is_down(self, now: datetime) -> bool:
        return self._down_from <= now < self._down_from + _OUTAGE

    def _earns(self, order: Bought) -> bool:
        return self._history.shop.rules.test_orders_earn or not order.is_test

    def _rule_percent(self, order_id: str) -> int | None:
        read = ReadRequest(SHOP, None, order_id=order_id)
        order: Order | None = self._store.load(read, fresh=True).order
        return order.rule.multiplier_percent if order and order.rule else None


class TagQuery:
    """The port through which one worker queries tags because of one message."""

    def __init__(
        self, customers: CustomerTags, order_id: str, *, has_rule: bool, is_safe: bool
    ) -> None:
        self._customers = customers
        self.order_id = order_id
        self._has_rule = has_rule
        self._is_safe = is_safe

    def tag_digests(self, customer_id: str) -> frozenset[str] | None:
        """Shopify's answer, if a query is needed."""
        must("tags", not self._has_rule, f"queried for {self.order_id}, which has its rule")
        return self._customers.answer(self.order_id, customer_id, is_safe=self._is_safe)
