"""Orders with one field that nobody can read: each has to be refused, by the name of the field.

A worker that takes such a field for absent books something: no cancellation, no test order, another
tax. So no order may be booked from such a body, neither wrongly nor by luck.
"""

import json
from dataclasses import replace
from random import Random
from typing import Any, Final

from tests.simulation.orders.lifecycles import Sent
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
    """What becomes of some webhooks on their way; drawn apart from everything else."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"garbled {seed}")

    def of(self, sent: Sent) -> tuple[str, Sent] | None:
        """A field and the webhook in which nobody can read it; None for most."""
        if not sent.topic.startswith("orders/") or self._random.random() > SHARE:
            return None
        body = json.loads(sent.body)
        if self._random.random() < 0.5:
            field, junk = self._random.choice(_OF_ORDERS)
            body[field] = junk
        else:
            field, junk = self._random.choice(_OF_LINES)
            place = self._random.randrange(len(body["line_items"]))
            body["line_items"][place][field] = junk
            field = f"line_items.{place}.{field}"
        return field, replace(sent, body=body_of(body))
