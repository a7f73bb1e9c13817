"""The discount codes with which customers use held points at the shop's checkout.

A code is for one customer, for one order, and expires with its hold
(https://shopify.dev/docs/api/admin-graphql/latest/mutations/discountCodeBasicCreate).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.money import decimal_text
from pointbook.domain.programme_rules import DiscountKind
from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.shopify.admin import AdminApi
from pointbook.shopify.documents import DISCOUNT_BY_CODE, DISCOUNT_CREATE, DISCOUNT_DEACTIVATE
from pointbook.shopify.ids import customer_gid

TAGS = ("loyalty", "pointbook")
USAGE_LIMIT = 1
BUDGET_SECONDS = 5.0

_RETRY_AFTER_SECONDS = 1
_TAKEN = "TAKEN"
_NO_SUCH_DISCOUNT = ("INVALID",)
_EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Discount:
    """The discount of a hold: for one order of one customer (digits), while the hold lasts.

    `amount_minor` is in the smallest unit of `currency`, which has to be the shop's own. Fractions
    of a second are dropped, so that no code outlives its hold. `combines_with` are the kinds of
    discounts that may be used together with it.
    """

    code: str
    points: int
    amount_minor: int
    currency: str
    customer_id: str
    starts_at: datetime
    ends_at: datetime
    hold_id: str
    combines_with: tuple[DiscountKind, ...]


class Discounts:
    """The discount codes of one shop. Every method is idempotent."""

    def __init__(self, admin: AdminApi) -> None:
        """Use the Admin API of the shop."""
        self._admin = admin

    def create(self, discount: Discount, within_seconds: float = BUDGET_SECONDS) -> str:
        """Return the global id of the discount; it is created if it does not exist.

        Raises ShopifyRefused if the discount does not exist and cannot be created:
        `code_taken_by_another` if the code has another discount, `currency_mismatch` if the shop
        has another currency (the new discount is deactivated). Raises Unavailable if it is unknown
        whether it exists: then the code must be deactivated later.
        """
        deadline = self._admin.deadline(within_seconds)
        try:
            created = self._admin.run(
                DISCOUNT_CREATE, {"discount": discount_input(discount)}, deadline
            )
        except ShopifyRefused as refused:
            if _TAKEN in refused.reasons:
                return self._id_if_same_discount(discount, deadline)
            if not refused.certain:
                raise ShopifyUnavailable(_RETRY_AFTER_SECONDS) from refused
            raise
        node = (created or {}).get("codeDiscountNode")
        if node is None:  # neither created nor refused: a repetition will find out
            raise ShopifyUnavailable(_RETRY_AFTER_SECONDS)
        return self._id_if_in_currency(node, discount, deadline)

    def deactivate(self, code: str, within_seconds: float = BUDGET_SECONDS) -> bool:
        """Deactivate the discount of a code; return False if there is no such code.

        Raises ShopifyRefused or Unavailable if checkouts may still accept the code.
        """
        deadline = self._admin.deadline(within_seconds)
        found = self._find(code, deadline)
        if found is None:
            return False
        if found["codeDiscount"].get("status") == _EXPIRED:
            return True
        try:
            self._deactivate(found["id"], deadline)
        except ShopifyRefused as refused:
            gone = refused.reasons == _NO_SUCH_DISCOUNT and self._find(code, deadline) is None
            if not gone:
                raise
        return True

    def _id_if_same_discount(self, discount: Discount, deadline: Deadline) -> str:
        """Return the id of the discount that has the code, if it is this one."""
        with _unknown_if_refused():
            found = self._find(discount.code, deadline)
        if found is None:  # deleted meanwhile, or not visible yet
            raise ShopifyUnavailable(_RETRY_AFTER_SECONDS)
        differing = differences(found["codeDiscount"], discount)
        if differing:
            log.warning("code_taken_by_another", hold_id=discount.hold_id, differing=differing)
            raise ShopifyRefused(
                f"The code of hold {discount.hold_id} belongs to another discount:"
                f" its {', '.join(differing)} differ.",
                (_TAKEN,),
                "code_taken_by_another",
            )
        return self._id_if_in_currency(found, discount, deadline)

    def _id_if_in_currency(
        self, node: Mapping[str, Any], discount: Discount, deadline: Deadline
    ) -> str:
        """Return the id of the node if its amount is in the discount's currency."""
        gid: str = node["id"]
        currency = _amount(node["codeDiscount"]).get("currencyCode")
        if currency == discount.currency:
            return gid
        with _unknown_if_refused():
            self._deactivate(gid, deadline)
        raise ShopifyRefused(
            f"The shop's currency is {currency}, but the programme's currency is"
            f" {discount.currency}; set the programme's currency to {currency}.",
            (),
            "currency_mismatch",
        )

    def _find(self, code: str, deadline: Deadline) -> Any:
        return self._admin.run(DISCOUNT_BY_CODE, {"code": code}, deadline)

    def _deactivate(self, gid: str, deadline: Deadline) -> None:
        self._admin.run(DISCOUNT_DEACTIVATE, {"id": gid}, deadline)


@contextmanager
def _unknown_if_refused() -> Iterator[None]:
    """Raise ShopifyUnavailable for a refusal: the discount may exist and be usable."""
    try:
        yield
    except ShopifyRefused as refused:
        raise ShopifyUnavailable(_RETRY_AFTER_SECONDS) from refused


def discount_input(discount: Discount) -> dict[str, Any]:
    """Return the discount as Shopify's DiscountCodeBasicInput."""
    amount = decimal_text(discount.amount_minor, discount.currency)
    return {
        # POS may show a discount by its title: shopify/shared/staff/sale.js looks for the hold.
        "title": f"{discount.points:,} points, hold {discount.hold_id}",
        "code": discount.code,
        "startsAt": _whole_seconds(discount.starts_at).isoformat(),
        "endsAt": _whole_seconds(discount.ends_at).isoformat(),
        "context": {"customers": {"add": [customer_gid(discount.customer_id)]}},
        "customerGets": {
            "value": {"discountAmount": {"amount": amount, "appliesOnEachItem": False}},
            "items": {"all": True},
        },
        "usageLimit": USAGE_LIMIT,
        "appliesOncePerCustomer": True,
        "combinesWith": {
            f"{kind}Discounts": kind in discount.combines_with for kind in DiscountKind
        },
        "tags": list(TAGS),
    }


def differences(found: Mapping[str, Any], discount: Discount) -> list[str]:
    """Return the names of the fields in which an existing discount differs from `discount`.

    The shop's staff may change title, start and combinations: those cannot be worth more points.
    """
    customers = [one.get("id") for one in (found.get("context") or {}).get("customers") or []]
    same = {
        "amount": _decimal(_amount(found).get("amount"))
        == Decimal(decimal_text(discount.amount_minor, discount.currency))
        and not _value(found).get("appliesOnEachItem"),
        "customer": customers == [customer_gid(discount.customer_id)],
        "end": _time(found.get("endsAt")) == _whole_seconds(discount.ends_at),
        "usage limit": found.get("usageLimit") == USAGE_LIMIT,
        "tags": set(TAGS) <= set(found.get("tags") or []),
    }
    return [name for name, is_same in same.items() if not is_same]


def _amount(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the amount of a discount; empty if it is not an amount of money."""
    return _value(found).get("amount") or {}


def _value(found: Mapping[str, Any]) -> Mapping[str, Any]:
    return (found.get("customerGets") or {}).get("value") or {}


def _decimal(text: object) -> Decimal | None:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None


def _whole_seconds(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(microsecond=0)
