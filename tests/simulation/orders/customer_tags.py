"""Shopify's customers and their tags while the orders of a shop are told, and who asks for them.

Tags change as time passes, often between two questions that come close together. Now and then
Shopify cannot be reached, for a moment or for hours, and whoever was merged away is not there any
more, whether or not the ledger has heard of it.

Checked: nobody asks for an order that has its rule, about somebody else than its customer, or for
an order that earns nothing; and the rule that an order keeps follows from one of the answers, and
never from another one later.
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
from tests.simulation.orders.lifecycles import EXCLUDED, RANKS, Story
from tests.simulation.orders.order_life import SHOP

_UNREACHABLE_SHARE: Final = 0.08
_CHANGES_SHARE: Final = 0.4
_ANSWER_SECONDS: Final = (0.0, 0.05, 0.2, 3.0)
_OUTAGE: Final = timedelta(hours=5)


class CustomerTags:
    """Answers for one delivery of a story; `store` shows what was written, `clock` when it is."""

    def __init__(self, told: Story, store: Store, clock: SkewedClock, random: Random) -> None:
        self._told = told
        self._store = store
        self._clock = clock
        self._random = random
        self._bought = {order.order_id: order for order in told.shop.orders}
        self._tags = {told.shop.survivor(one): tags for one, tags in told.tags.items()}
        self._down_from = told.happenings[0].at + timedelta(days=random.uniform(1, 14))
        self._answers: dict[str, list[int]] = defaultdict(list)
        self._kept: dict[str, int] = {}

    def for_message(self, payload: Mapping[str, Any], *, is_safe: bool) -> "Asked":
        """What the worker of a message asks. `is_safe`: it is answered, and at once."""
        order_id = str(payload.get("order_id", payload["id"]))
        has_rule = order_id in self._kept or self._rule_percent(order_id) is not None
        return Asked(self, order_id, has_rule=has_rule, is_safe=is_safe)

    def look(self, order_id: str) -> None:
        """See by which percent the order earns, if it does by now."""
        percent = self._rule_percent(order_id)
        if percent is None:
            return
        if order_id not in self._kept:
            right = self._answers[order_id] if self._earns(self._bought[order_id]) else [0]
            must("tags", percent in right, f"{order_id} earns {percent} %, but was told {right}")
        kept = self._kept.setdefault(order_id, percent)
        must("tags", kept == percent, f"{order_id} earned {kept} % and now {percent} %")

    def settle(self) -> None:
        """Let the truth of each order say by which percent it was to earn."""
        for order in self._told.shop.orders:
            order.percent = self._kept.get(order.order_id, 100)

    def answer(self, order_id: str, customer_id: str, *, is_safe: bool) -> frozenset[str] | None:
        """What Shopify answers when it is asked for a customer's tags because of an order."""
        order, shop = self._bought[order_id], self._told.shop
        must("tags", self._earns(order), f"asked for {order}, which earns nothing")
        buyer = shop.survivor(order.customer) if order.customer else None
        person = shop.survivor(customer_id)
        must("tags", person == buyer, f"asked about {customer_id} for {order}")
        if not is_safe:
            self._clock.sleep(self._random.choice(_ANSWER_SECONDS))
            if self._is_down(self._clock.now()) or self._random.random() < _UNREACHABLE_SHARE:
                raise ShopifyUnavailable(1)
        if (
            customer_id in shop.merged_into
            and self._told.merged_at[customer_id] <= self._clock.now()
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
        return self._told.shop.rules.test_orders_earn or not order.is_test

    def _rule_percent(self, order_id: str) -> int | None:
        order: Order | None = self._store.load(
            ReadRequest(SHOP, None, order_id=order_id), fresh=True
        ).order
        return order.rule.multiplier_percent if order and order.rule else None


class Asked:
    """The port through which one worker asks because of one message."""

    def __init__(
        self, customers: CustomerTags, order_id: str, *, has_rule: bool, is_safe: bool
    ) -> None:
        self._customers = customers
        self.order_id = order_id
        self._has_rule = has_rule
        self._is_safe = is_safe

    def tag_digests(self, customer_id: str) -> frozenset[str] | None:
        """Shopify's answer, where there is something to ask."""
        must("tags", not self._has_rule, f"asked for {self.order_id}, which has its rule")
        return self._customers.answer(self.order_id, customer_id, is_safe=self._is_safe)
