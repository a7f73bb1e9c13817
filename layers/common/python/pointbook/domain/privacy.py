"""A privacy request from Shopify: what to do, until when, and what has been done.

Shopify gives 30 days from the webhook (https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

DUE_AFTER = timedelta(days=30)


class Kind(StrEnum):
    """What is requested, by the topic of the webhook."""

    DATA = "customers/data_request"
    CUSTOMER = "customers/redact"
    SHOP = "shop/redact"


class State(StrEnum):
    """Open: to be processed. Held: an operator has to confirm it first."""

    OPEN = "open"
    HELD = "held"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """One request. `subject` identifies it among those of its kind and shop.

    `customer_id` is None if Shopify named an e-mail address only. `order_ids` are the orders it
    names, `pseudonyms` the new ids of those being erased, survivors before those merged into them
    ("": about to be drawn), `position` the key at which a scan of the table continues: all three
    are deleted when it is done. `counts` say what was done, `reason` why it is held. `revision`
    counts writes.
    """

    kind: Kind
    shop: str
    subject: str
    received_at: datetime
    customer_id: str | None = None
    order_ids: tuple[str, ...] = ()
    state: State = State.OPEN
    revision: int = 0
    pseudonyms: Mapping[str, str] = field(default_factory=dict)
    position: tuple[str, str] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""
    confirmed: bool = False
    finished_at: datetime | None = None

    @property
    def due_at(self) -> datetime:
        """The deadline."""
        return self.received_at + DUE_AFTER

    def counted(self, **done: int) -> "PrivacyRequest":
        """The request with more work added to its counts."""
        counts = dict(self.counts)
        for name, number in done.items():
            counts[name] = counts.get(name, 0) + number
        return replace(self, counts=counts)

    def held(self, reason: str) -> "PrivacyRequest":
        """The request, waiting for an operator."""
        return replace(self, state=State.HELD, reason=reason)

    def reopened(self, *, confirmed: bool) -> "PrivacyRequest":
        """The request after an operator has looked at it."""
        return replace(self, state=State.OPEN, reason="", position=None, confirmed=confirmed)

    def requested_again(self, received_at: datetime) -> "PrivacyRequest":
        """The same request once more: everything is to be done again."""
        fresh = PrivacyRequest(self.kind, self.shop, self.subject, received_at)
        return replace(fresh, revision=self.revision)

    def with_orders_of(self, later: "PrivacyRequest") -> "PrivacyRequest":
        """The request with the orders of another one for the same customer.

        It is opened again for them if it was done; a repeated webhook changes nothing.
        """
        order_ids = tuple(dict.fromkeys((*self.order_ids, *later.order_ids)))
        if self.customer_id is None or order_ids == self.order_ids:
            return self
        if self.state is not State.DONE:
            return replace(self, order_ids=order_ids)
        if later.received_at == self.received_at:
            return self
        reopened = replace(self, state=State.OPEN, received_at=later.received_at)
        return replace(reopened, order_ids=order_ids, finished_at=None)

    def finished(self, now: datetime) -> "PrivacyRequest":
        """The permanent proof: no pseudonym, no order, no position."""
        return replace(
            self,
            state=State.DONE,
            order_ids=(),
            pseudonyms={},
            position=None,
            reason="",
            finished_at=now,
        )
