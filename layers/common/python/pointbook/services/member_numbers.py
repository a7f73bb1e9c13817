"""The number under which the till knows a customer, by the programme's rule `member_number`."""

from collections.abc import Callable
from typing import Protocol

from pointbook import log
from pointbook.deadline import Deadline, DeadlinePassed
from pointbook.domain.member_numbers import MemberNumberRule, Metafield, checked_number
from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.till.errors import MemberNotRegistered, TillTimeout, TillUnavailable

type NumberOf = Callable[[str, str, Deadline], str]
"""Shop and customer: the number by which the till knows them; see `MemberNumbers.number`."""

BUDGET_SECONDS = 4.0
"""At most, for Shopify's answer; a view of my page has less."""


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


class MemberNumbers:
    """Finds customers' member numbers, for every caller of the till."""

    def __init__(
        self,
        rule: Callable[[str], MemberNumberRule],
        customers: Callable[[str], CustomerMetafields],
    ) -> None:
        """`rule` is that of a shop, `customers` are its customers in Shopify."""
        self._rule = rule
        self._customers = customers

    def find(
        self, shop: str, customer_id: str, within_seconds: float = BUDGET_SECONDS
    ) -> str | None:
        """Return a customer's member number; None without one. Raises as `member_number` does."""
        return member_number(shop, customer_id, self._rule(shop), self._customers, within_seconds)

    def number(self, shop: str, customer_id: str, deadline: Deadline) -> str:
        """Return a customer's member number, or raise what the till would raise.

        MemberNotRegistered: the customer has none. TillUnavailable, TillTimeout: Shopify does not
        say. Raises LedgerUnavailable if the shop's programme cannot be read.
        """
        try:
            seconds = min(BUDGET_SECONDS, deadline.left_seconds())
            number = self.find(shop, customer_id, seconds)
        except DeadlinePassed as error:
            raise TillTimeout("no time was left to find the member number") from error
        except (ShopifyUnavailable, ShopifyRefused) as error:
            log.warning("member_number_not_found", customer_id=customer_id, reason=str(error))
            raise TillUnavailable("Shopify did not answer with the member number") from error
        if number is None:
            log.warning("member_number_missing", customer_id=customer_id, advice="check sync")
            log.metric("TillFailures", Code=MemberNotRegistered.code)
            raise MemberNotRegistered("the customer has no member number")
        return number
