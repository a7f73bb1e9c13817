"""Adjustments: points that a person of the shop adds or removes by hand, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from pointbook.domain.commands import POINTS_MAX, Grant, Remove
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import ExpiryRule, FixedDate, without_renewal
from pointbook.errors import InvalidRequest
from pointbook.ledger.instruction import Content
from pointbook.validation import optional_day, text, whole_number

REASON_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A signed number of points for one customer; `expires_on` is only for points that are added.

    Without a day they last as the programme says. They renew no lots: a person of the shop is not
    the customer.
    """

    customer_id: str
    points: int
    expires_on: date | None
    reason: str

    @classmethod
    def read(cls, customer_id: str, body: Mapping[str, Any]) -> Self:
        """Return the adjustment that a request's body describes. Raises InvalidRequest."""
        points = whole_number(body.get("points"), "points", -POINTS_MAX, POINTS_MAX)
        expires_on = optional_day(body.get("expires_on"), "expires_on")
        if points == 0:
            raise InvalidRequest(
                "points", "points is 0; give a positive number to add or a negative one to remove."
            )
        if points < 0 and expires_on is not None:
            raise InvalidRequest(
                "expires_on", "expires_on is only for points that are added; leave it out."
            )
        reason = text(body.get("reason"), "reason", REASON_LENGTH_MAX)
        return cls(customer_id, points, expires_on, reason)

    @property
    def content(self) -> Content:
        """What has to be the same in every repetition; the reason may be put in other words."""
        return {
            "customer": self.customer_id,
            "points": self.points,
            "expires_on": self.expires_on.isoformat() if self.expires_on else None,
        }

    def command(self, rule: ExpiryRule, about: str = "") -> Grant | Remove:
        """Return the command, under a programme's `rule` of expiry; `about` names an import."""
        if self.points < 0:
            return Remove(-self.points, about)
        expiry = FixedDate(self.expires_on) if self.expires_on else without_renewal(rule)
        topic = Topic.ADD_IMPORT if about else Topic.ADD_MANUAL
        return Grant(self.points, expiry, topic, about, in_time=True)
