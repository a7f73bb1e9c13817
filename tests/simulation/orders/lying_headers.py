"""Deliveries whose headers lie: a signed body that was seen once, sent again as something else.

Shopify signs bodies, not headers. So a body comes once more, at any time, under any topic, or as
another shop's that the same stack serves. It has to be refused, or to say no more than it did.
"""

from collections.abc import Iterator
from random import Random
from typing import Final

from pointbook.errors import Refused
from pointbook.shopify.webhook import QUEUES
from tests.simulation.kernel.violation import must
from tests.simulation.orders.lifecycles import OTHER_SHOP, Sent
from tests.simulation.orders.order_life import SHOP

DAYS_MAX: Final = 20
SHARE: Final = 0.3

_OF_ORDERS = frozenset(topic for topic in QUEUES if topic.startswith("orders/"))
_NAMES_NO_SHOP = frozenset({"refunds/create", "customers/merge"})


class Lies:
    """What is made of one story's deliveries; drawn apart, so that the truth stays the same."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"lying headers {seed}")

    def about(self, sent: Sent) -> Iterator[tuple[str, str, int]]:
        """Topic and shop of what is sent again, and how many milliseconds later.

        Not another shop's sign-up: nothing in its body says whose customer it is.
        """
        if self._random.random() > SHARE:
            return
        topic = self._random.choice([*QUEUES, *_OF_ORDERS, sent.topic])
        shop = self._random.choice([SHOP, SHOP, OTHER_SHOP])
        late_ms = self._random.randint(1, DAYS_MAX * 86_400_000)
        is_true = (topic, shop) == (sent.topic, SHOP)
        is_sign_up = sent.topic == topic == "customers/create"
        if not is_true and not is_sign_up:
            yield topic, shop, late_ms

    def text(self, sent: Sent, topic: str, shop: str) -> str | None:
        """What of it goes on a queue; None: refused, as all that is something else has to be."""
        try:
            text = sent.text_as(topic, shop)
        except Refused:
            return None
        same = _OF_ORDERS if sent.topic in _OF_ORDERS else {sent.topic}
        must("headers", topic in same, f"{sent.topic} is taken for {topic}: {text}")
        ours = shop == SHOP or topic in _NAMES_NO_SHOP
        must("headers", ours, f"{topic} of {SHOP} is taken for one of {shop}: {text}")
        return text
