"""Orders with one unreadable field: each has to be refused, by the name of the field.

A worker that took such a field for absent would book something wrong: no cancellation, no test
order, another tax. So no order may be booked from such a body at all.
"""

import json
from dataclasses import replace
from random import Random
from typing import Any, Final

from tests.simulation.orders.lifecycles import Webhook
from tests.simulation.orders.order_life import body_of

SHARE: Final = 0.1

_OF_ORDERS: Final[tuple[tuple[str, Any], ...]] = (
    ("customer", "somebody"),
    ("test", "true"),
    ("currency", "yen!"),
    ("updated_at", "just now"),
    ("cancelled_at", "yesterday"),
    ("financial_status", ["paid"]),
    ("taxes_included", None),
    ("line_items", None),
    ("refunds", {}),
    ("discount_codes", "none"),
)
_OF_LINES: Final[tuple[tuple[str, Any], ...]] = (
    ("quantity", "one"),
    ("current_quantity", 0.5),
    ("price", "1,000"),
    ("price_set", "as above"),
    ("gift_card", "no"),
    ("tax_lines", None),
    ("discount_allocations", {}),
)


class Garbling:
    """Makes some webhooks unreadable; drawn apart from everything else."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"garbled {seed}")

    def of(self, webhook: Webhook) -> tuple[str, Webhook] | None:
        """A field, and the webhook in which it is unreadable; None for most."""
        if not webhook.topic.startswith("orders/") or self._random.random() > SHARE:
            return None
        body = json.loads(webhook.body)
        if self._random.random() < 0.5:
            field, junk = self._random.choice(_OF_ORDERS)
            body[field] = junk
        else:
            field, junk = self._random.choice(_OF_LINES)
            place = self._random.randrange(len(body["line_items"]))
            body["line_items"][place][field] = junk
            field = f"line_items.{place}.{field}"
        return field, replace(webhook, body=body_of(body))
