"""The number under which the till knows a customer, by the programme's rule `member_number`."""

from collections.abc import Callable
from typing import Protocol

from pointbook import log
from pointbook.domain.member_numbers import MemberNumberRule, Metafield, checked_number

BUDGET_SECONDS = 0.5
"""For Shopify's answer: my page waits for number and till together."""


class CustomerMetafields(Protocol):
    """The metafields of a shop's customers."""

    def metafield(self, customer_id: str, name: Metafield, within_seconds: float) -> str | None:
        """Return a value, None if there is none. Raises ShopifyUnavailable, ShopifyRefused."""
        ...


def member_number(
    shop: str,
    customer_id: str,
    rule: MemberNumberRule,
    customers: Callable[[str], CustomerMetafields],
    within_seconds: float = BUDGET_SECONDS,
) -> str | None:
    """Return a customer's member number; None if the till cannot know the customer.

    Only a metafield asks Shopify, by `customers(shop)`; a caller keeps what it gets. A value that
    is no member number counts as none. Raises ShopifyUnavailable within the given time, and
    ShopifyRefused: then nobody knows whether there is a number.
    """
    if rule.metafield is None:
        return rule.number(customer_id)
    value = customers(shop).metafield(customer_id, rule.metafield, within_seconds)
    number = None if value is None else checked_number(value.strip())
    if value is not None and number is None:
        # The value may be anything, so only its length is logged.
        log.warning(
            "member_number_unusable",
            customer_id=customer_id,
            metafield=str(rule.metafield),
            characters=len(value),
        )
    return number
