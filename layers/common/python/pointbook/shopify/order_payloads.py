"""Models of the fields that points need of orders and refunds in Shopify's webhooks.

Fields: https://shopify.dev/docs/api/admin-rest/latest/resources/order and .../refund. Other
fields are ignored. Money is an exact Decimal.

A missing field has its default. An invalid field is refused by its name, and so is the projection's
marker for unreadable values.
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
        raise ValueError("not a customer's id") from None


def _readable(value: str) -> str:
    if value == UNREADABLE:
        raise ValueError("the value cannot be read")
    return value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _no_float(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError("an amount must be a decimal text")
    return value


Id = Annotated[str, BeforeValidator(_as_digits), Field(pattern=r"^[1-9][0-9]{0,19}$")]
"""The digits of an id, given as a number, as digits or as a gid."""

CustomerId = Annotated[str, BeforeValidator(_as_customer)]
"""The digits of a customer id: gids of other kinds are refused."""

Word = Annotated[str, AfterValidator(_readable)]
Flag = Annotated[bool, Field(strict=True)]
Currency = Annotated[str, BeforeValidator(_upper), Field(pattern=r"^[A-Z]{3}$")]
"""A currency's code, converted to capitals."""

AMOUNT_LIMIT = 10**15
"""Far beyond any order; products and sums of such amounts are still exact."""

Amount = Annotated[Decimal, BeforeValidator(_no_float), Field(gt=-AMOUNT_LIMIT, lt=AMOUNT_LIMIT)]
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]


class Part(BaseModel):
    """The base of all parts of a payload."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Money(Part):
    """An amount with its currency."""

    amount: Amount
    currency_code: Currency = ""


class MoneySet(Part):
    """One amount in two currencies; only the shop's is used."""

    shop_money: Money


class Allocation(Part):
    """The amount of one discount on a line."""

    amount: Amount
    amount_set: MoneySet | None = None
    discount_application_index: Count

    @property
    def taken_off(self) -> Decimal:
        """The amount in the shop's currency."""
        return in_shop_money(self.amount, self.amount_set)


class TaxLine(Part):
    """One tax on a line."""

    price: Amount
    price_set: MoneySet | None = None


class Sold(Part):
    """The product of a line. Only a tip has a gateway and a method of its own."""

    has_tip_gateway: Flag = False
    has_tip_method: Flag = False

    @property
    def is_tip(self) -> bool:
        """Whether it is a tip: Shopify lists tips among the lines, but in no subtotal."""
        return self.has_tip_gateway or self.has_tip_method


class LineItem(Sold):
    """A line of an order."""

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
        """The price of all pieces after discounts, in the shop's currency."""
        gross = in_shop_money(self.price, self.price_set) * self.quantity
        return gross - sum(allocation.taken_off for allocation in self.discount_allocations)

    @property
    def tax(self) -> Decimal:
        """The tax on all pieces, in the shop's currency."""
        return sum((in_shop_money(line.price, line.price_set) for line in self.tax_lines), _NOTHING)


class RefundedItem(Sold):
    """The product of a refunded line."""

    gift_card: Flag | None = None


class RefundLine(Part):
    """A refunded line, or part of one."""

    line_item_id: Id
    quantity: Count
    subtotal: Amount = Decimal(0)
    subtotal_set: MoneySet | None = None
    total_tax: Amount = Decimal(0)
    total_tax_set: MoneySet | None = None
    line_item: RefundedItem = RefundedItem()


class Transaction(Part):
    """A payment, made or attempted."""

    kind: Word
    status: Word
    amount: Amount
    currency: Currency = ""


class Adjustment(Part):
    """The difference of a refund from its calculated amount; negative: paid to the customer.

    `kind` says whether it is for shipping; API versions without it have no shipping here.
    """

    kind: Word = ""
    amount: Amount
    amount_set: MoneySet | None = None
    tax_amount: Amount = Decimal(0)
    tax_amount_set: MoneySet | None = None

    @property
    def paid(self) -> Decimal:
        """The amount paid to the customer, including tax, in the shop's currency."""
        amount = in_shop_money(self.amount, self.amount_set)
        return -amount - in_shop_money(self.tax_amount, self.tax_amount_set)


class ShippingLine(Part):
    """Refunded shipping."""

    id: Id | None = None


class RefundPayload(Part):
    """One refund, alone or in its order."""

    id: Id
    order_id: Id
    created_at: AwareDatetime | None = None
    refund_line_items: tuple[RefundLine, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    order_adjustments: tuple[Adjustment, ...] = ()
    refund_shipping_lines: tuple[ShippingLine, ...] = ()
    total_duties_set: MoneySet | None = None

    @property
    def has_items(self) -> bool:
        """Whether the refund has any items, adjustments, shipping or duties."""
        duties = self.total_duties_set
        return bool(
            self.refund_line_items
            or self.order_adjustments
            or self.refund_shipping_lines
            or (duties and duties.shop_money.amount)
        )


class Buyer(Part):
    """The customer of an order; without an id for a guest."""

    id: CustomerId | None = None


class Application(Part):
    """One discount of an order; `code` is set for codes of holds only.

    Every discount has a type, so that none is left out and indexes stay valid.
    """

    type: Word = ""
    code: Word | None = None


class DiscountCode(Part):
    """A code and its total amount on the order."""

    code: Word | None = None
    amount: Amount


class OrderPayload(Part):
    """The state of an order at one time.

    `metafields` may be anything: another app's mistake there must not stop the order.
    """

    id: Id
    customer: Buyer | None = None
    name: Word | None = None
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
    """Return the amount in the shop's currency: from the set if there is one."""
    return both.shop_money.amount if both is not None else amount


_NOTHING = Decimal(0)
