"""Orders and refunds as Shopify's webhooks carry them, as far as points need them.

Fields: https://shopify.dev/docs/api/admin-rest/latest/resources/order and .../refund. Whatever else
a payload has is ignored. Money is Decimal: texts and JSON numbers are read digit by digit.

A field that is missing has its default. One that is there and cannot be read is refused by its
name, and so is the projection's marker, whatever the field's kind.
"""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from pointbook.errors import InvalidRequest
from pointbook.shopify.ids import customer_digits
from pointbook.shopify.projection import UNREADABLE

_GID = re.compile(r"gid://shopify/[A-Za-z]+/([0-9]+)")


def _as_digits(value: object) -> object:
    if type(value) is int:
        return str(value)
    found = _GID.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else value


def _as_customer(value: object) -> object:
    try:
        return customer_digits(value)
    except InvalidRequest:
        raise ValueError("a customer's id") from None


def _readable(value: str) -> str:
    if value == UNREADABLE:
        raise ValueError("what was sent cannot be read")
    return value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _no_float(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError("an amount is a decimal text")
    return value


Id = Annotated[str, BeforeValidator(_as_digits), Field(pattern=r"^[1-9][0-9]{0,19}$")]
"""A number of Shopify's, as its digits; its gid is read too."""

CustomerId = Annotated[str, BeforeValidator(_as_customer)]
"""The same of a customer: no other kind of gid is read."""

Word = Annotated[str, AfterValidator(_readable)]
Flag = Annotated[bool, Field(strict=True)]
Currency = Annotated[str, BeforeValidator(_upper), Field(pattern=r"^[A-Z]{3}$")]
"""A currency's code, in capitals however it was sent."""

AMOUNT_LIMIT = 10**15
"""Far beyond any order; products and sums of such amounts are still exact."""

Amount = Annotated[Decimal, BeforeValidator(_no_float), Field(gt=-AMOUNT_LIMIT, lt=AMOUNT_LIMIT)]
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]


class Part(BaseModel):
    """Anything in a payload."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Money(Part):
    """An amount with its currency."""

    amount: Amount
    currency_code: Currency = ""


class MoneySet(Part):
    """One amount in two currencies; the shop's is the one that counts."""

    shop_money: Money


class Allocation(Part):
    """What one discount took off a line."""

    amount: Amount
    amount_set: MoneySet | None = None
    discount_application_index: Count

    @property
    def taken_off(self) -> Decimal:
        """In the shop's currency."""
        return in_shop_money(self.amount, self.amount_set)


class TaxLine(Part):
    """One tax on a line."""

    price: Amount
    price_set: MoneySet | None = None


class Sold(Part):
    """What a line says of what it sells. Only a tip has a gateway and a method of its own."""

    has_tip_gateway: Flag = False
    has_tip_method: Flag = False

    @property
    def is_tip(self) -> bool:
        """Whether it is a tip, which Shopify lists among the lines, but in no subtotal."""
        return self.has_tip_gateway or self.has_tip_method


class LineItem(Sold):
    """So many pieces of one thing."""

    id: Id
    quantity: Count
    current_quantity: Count | None = None
    price: Amount
    price_set: MoneySet | None = None
    gift_card: Flag = False
    discount_allocations: tuple[Allocation, ...] = ()
    tax_lines: tuple[TaxLine, ...] = ()

    @property
    def net(self) -> Decimal:
        """What all pieces cost after discounts, in the shop's currency."""
        gross = in_shop_money(self.price, self.price_set) * self.quantity
        return gross - sum(allocation.taken_off for allocation in self.discount_allocations)

    @property
    def tax(self) -> Decimal:
        """The tax on all pieces, in the shop's currency."""
        return sum((in_shop_money(line.price, line.price_set) for line in self.tax_lines), _NOTHING)


class RefundedItem(Sold):
    """What a refund says about the line it gives back."""

    gift_card: Flag | None = None


class RefundLine(Part):
    """So many pieces of one line given back."""

    line_item_id: Id
    quantity: Count
    subtotal: Amount = Decimal(0)
    subtotal_set: MoneySet | None = None
    total_tax: Amount = Decimal(0)
    total_tax_set: MoneySet | None = None
    line_item: RefundedItem = RefundedItem()


class Transaction(Part):
    """Money that moved, or was to move."""

    kind: Word
    status: Word
    amount: Amount
    currency: Currency = ""


class Adjustment(Part):
    """Money of a refund beyond what was calculated for it; below zero is paid to the customer.

    `kind` says whether it is for shipping; versions of Shopify's API that do not name it have
    nothing of shipping here.
    """

    kind: Word = ""
    amount: Amount
    amount_set: MoneySet | None = None
    tax_amount: Amount = Decimal(0)
    tax_amount_set: MoneySet | None = None

    @property
    def paid(self) -> Decimal:
        """What was paid to the customer, tax included, in the shop's currency."""
        amount = in_shop_money(self.amount, self.amount_set)
        return -amount - in_shop_money(self.tax_amount, self.tax_amount_set)


class ShippingLine(Part):
    """Shipping that a refund pays back."""

    id: Id | None = None


class RefundPayload(Part):
    """One refund, by itself or within its order."""

    id: Id
    order_id: Id
    created_at: AwareDatetime | None = None
    refund_line_items: tuple[RefundLine, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    order_adjustments: tuple[Adjustment, ...] = ()
    refund_shipping_lines: tuple[ShippingLine, ...] = ()
    total_duties_set: MoneySet | None = None

    @property
    def names_what_it_is_for(self) -> bool:
        """Whether it says what its money is for."""
        duties = self.total_duties_set
        return bool(
            self.refund_line_items
            or self.order_adjustments
            or self.refund_shipping_lines
            or (duties and duties.shop_money.amount)
        )


class Buyer(Part):
    """Whose order it is; nobody's that we know where there is no id."""

    id: CustomerId | None = None


class Application(Part):
    """One discount of an order; `code` is given for codes of holds only.

    Every discount has a type, so that each is listed and keeps its place.
    """

    type: Word = ""
    code: Word | None = None


class DiscountCode(Part):
    """A code and what it took off altogether."""

    code: Word | None = None
    amount: Amount


class OrderPayload(Part):
    """One order at one time.

    `metafields` may be anything: another app's mistake there stops no order (`shopify.orders`).
    """

    id: Id
    customer: Buyer | None = None
    test: Flag = False
    currency: Currency
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime
    cancelled_at: AwareDatetime | None = None
    financial_status: Word | None = None
    taxes_included: Flag = True
    line_items: tuple[LineItem, ...] = ()
    subtotal_price: Amount | None = None
    total_tax: Amount = Decimal(0)
    discount_applications: tuple[Application, ...] = ()
    discount_codes: tuple[DiscountCode, ...] = ()
    refunds: tuple[RefundPayload, ...] | None = None
    metafields: Any = ()


def in_shop_money(amount: Decimal, both: MoneySet | None) -> Decimal:
    """The amount in the shop's currency: from the set where there is one."""
    return both.shop_money.amount if both is not None else amount


_NOTHING = Decimal(0)
