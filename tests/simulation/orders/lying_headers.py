"""Webhooks with false headers: a signed body that was sent once, sent again as something else.

Shopify signs bodies, not headers. So a body comes once more, at any time, under any topic, or as
another shop's that the same stack serves. It has to be refused, or to have no other effect.
"""

from collections.abc import Iterator
from random import Random
from typing import Final

from pointbook.errors import Refused
from pointbook.shopify.webhook import QUEUES
from tests.simulation.kernel.violation import must
from tests.simulation.orders.lifecycles import OTHER_SHOP, Webhook
from tests.simulation.orders.order_life import SHOP

DAYS_MAX: Final = 20
SHARE: Final = 0.3

_TOPICS = tuple(topic for topic in QUEUES if topic != "customers/enable")
"""All but one, whose bodies are those of customers/create and which gives nothing here."""

_OF_ORDERS = tuple(topic for topic in QUEUES if topic.startswith("orders/"))
_NAMES_NO_SHOP = frozenset({"refunds/create", "customers/merge"})


class Lies:
    """False copies of webhooks; drawn apart, so that the history stays the same."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"lying headers {seed}")

    def about(self, webhook: Webhook) -> Iterator[tuple[str, str, int]]:
        """Topic and shop of what is sent again, and how many milliseconds later.

        Not another shop's sign-up: nothing in its body says whose customer it is.
        """
        if self._random.random() > SHARE:
            return
        topic = self._random.choice([*_TOPICS, *_OF_ORDERS, webhook.topic])
        shop = self._random.choice([SHOP, SHOP, OTHER_SHOP])
        late_ms = self._random.randint(1, DAYS_MAX * 86_400_000)
        is_true = (topic, shop) == (webhook.topic, SHOP)
        is_sign_up = webhook.topic == topic == "customers/create"
        if not is_true and not is_sign_up:
            yield topic, shop, late_ms

    def text(self, webhook: Webhook, topic: str, shop: str) -> str | None:
        """Its text on a queue; None: refused, as everything that is something else has to be."""
        try:
            text = webhook.text_as(topic, shop)
        except Refused:
            return None
        same = _OF_ORDERS if webhook.topic in _OF_ORDERS else {webhook.topic}
        must("headers", topic in same, f"{webhook.topic} is taken for {topic}: {text}")
        ours = shop == SHOP or topic in _NAMES_NO_SHOP
        must("headers", ours, f"{topic} of {SHOP} is taken for one of {shop}: {text}")
        return text
