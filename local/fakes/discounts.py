"""Discount codes as Shopify stores them, with user errors as recorded from its Admin API."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from local.fakes.shopify_schema import read_date_time, write_date_time

_TEXT_LIMIT = 255
_TAGS_LIMIT = 5
_USAGE_LIMIT_MAX = 2**31 - 1
_AMOUNT_LIMIT = 10**18
_INPUT = "basicCodeDiscount"
_FIRST_ID = 1_640_000_000_000


@dataclass(frozen=True, slots=True)
class UserError:
    """One of a mutation's `userErrors`; `field` is the path into the arguments."""

    field: tuple[str, ...]
    message: str
    code: str | None

    def as_answer(self) -> dict[str, object]:
        """Return it as GraphQL does."""
        return {"field": list(self.field), "message": self.message, "code": self.code}


class Refused(Exception):
    """A mutation was refused by these user errors; nothing was changed."""

    def __init__(self, *errors: UserError) -> None:
        super().__init__(", ".join(error.message for error in errors))
        self.errors = errors


class NotRedeemable(Exception):
    """The checkout does not accept this code; the text says why."""


@dataclass(slots=True)
class Discount:
    """One code discount. `given` is the input it was created from."""

    id: int
    given: Mapping[str, Any]
    starts_at: datetime
    ends_at: datetime | None
    created_at: datetime
    updated_at: datetime
    used: int = 0
    used_by: set[str] = field(default_factory=set)

    @property
    def gid(self) -> str:
        """The node's global id."""
        return f"gid://shopify/DiscountCodeNode/{self.id}"

    @property
    def code(self) -> str:
        """The code as it was given; codes are unique regardless of case."""
        return str(self.given["code"])

    @property
    def amount(self) -> Decimal:
        """What it takes off an order; 0 if it takes off a percentage."""
        amount = self.given["customerGets"]["value"].get("discountAmount") or {}
        return Decimal(str(amount.get("amount") or 0))

    def status(self, now: datetime) -> str:
        """Return ACTIVE, SCHEDULED or EXPIRED at `now`."""
        if self.ends_at is not None and self.ends_at <= now:
            return "EXPIRED"
        return "SCHEDULED" if now < self.starts_at else "ACTIVE"

    def customers(self) -> tuple[str, ...]:
        """Return the global ids of the customers who may use it; empty if everybody may."""
        buyers = self.given.get("context") or self.given.get("customerSelection") or {}
        return tuple((buyers.get("customers") or {}).get("add") or ())


class Discounts:
    """The code discounts of one shop. Thread-safe."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._lock = threading.Lock()
        self._by_id: dict[str, Discount] = {}
        self._by_code: dict[str, Discount] = {}
        self._next_id = _FIRST_ID

    def create(self, given: Mapping[str, Any], now: datetime, forgotten: str | None) -> Discount:
        """Store a new discount. Raises Refused."""
        with self._lock:
            errors = _errors_of(given, forgotten)
            if str(given.get("code", "")).lower() in self._by_code:
                errors.append(
                    _error("code", "Code must be unique. Please try a different code.", "TAKEN")
                )
            if errors:
                raise Refused(*errors)
            self._next_id += 1
            discount = Discount(
                id=self._next_id,
                given=given,
                starts_at=read_date_time(given["startsAt"]),
                ends_at=read_date_time(given["endsAt"]) if given.get("endsAt") else None,
                created_at=now,
                updated_at=now,
            )
            self._by_id[discount.gid] = discount
            self._by_code[discount.code.lower()] = discount
            return discount

    def by_id(self, gid: str) -> Discount | None:
        """The discount with this global id."""
        return self._by_id.get(gid)

    def by_code(self, code: str) -> Discount | None:
        """The discount with this code, in any case."""
        return self._by_code.get(code.lower())

    def deactivate(self, gid: str, now: datetime) -> Discount:
        """End it now; no change if it has ended. Raises Refused if it is unknown."""
        with self._lock:
            discount = self._existing(gid)
            if discount.status(now) != "EXPIRED":
                discount.starts_at = min(discount.starts_at, now)
                discount.ends_at = discount.updated_at = now
            return discount

    def delete(self, gid: str) -> None:
        """Delete it. Raises Refused if it is unknown or was deleted before."""
        with self._lock:
            discount = self._existing(gid)
            del self._by_id[gid], self._by_code[discount.code.lower()]

    def delete_all(self) -> None:
        """Delete every discount."""
        with self._lock:
            self._by_id.clear()
            self._by_code.clear()

    def redeem(self, code: str, customer: str, now: datetime) -> Discount:
        """Use the code at a checkout as this customer (global id). Raises NotRedeemable."""
        with self._lock:
            discount = self.by_code(code)
            if discount is None:
                raise NotRedeemable("no such code")
            if discount.status(now) != "ACTIVE":
                raise NotRedeemable(f"the code is {discount.status(now)}")
            if discount.customers() and customer not in discount.customers():
                raise NotRedeemable("the code is another customer's")
            limit = discount.given.get("usageLimit")
            if limit is not None and discount.used >= limit:
                raise NotRedeemable("the code is used up")
            if discount.given.get("appliesOncePerCustomer") and customer in discount.used_by:
                raise NotRedeemable("the customer has used the code before")
            discount.used += 1
            discount.used_by.add(customer)
            return discount

    def all(self) -> list[Discount]:
        """Every discount, oldest first."""
        with self._lock:
            return list(self._by_id.values())

    def node(self, discount: Discount, now: datetime) -> dict[str, object]:
        """Return the discount as a DiscountCodeNode, with the fields that the fake knows."""
        return {
            "__typename": "DiscountCodeNode",
            "id": discount.gid,
            "codeDiscount": self._code_discount(discount, now),
        }

    def _code_discount(self, discount: Discount, now: datetime) -> dict[str, object]:
        given = discount.given
        code = {"id": f"gid://shopify/DiscountRedeemCode/{discount.id}", "code": discount.code}
        usage = {"asyncUsageCount": discount.used}
        return usage | {
            "__typename": "DiscountCodeBasic",
            "title": given["title"],
            "status": discount.status(now),
            "startsAt": write_date_time(discount.starts_at),
            "endsAt": write_date_time(discount.ends_at) if discount.ends_at else None,
            "createdAt": write_date_time(discount.created_at),
            "updatedAt": write_date_time(discount.updated_at),
            "usageLimit": given.get("usageLimit"),
            "appliesOncePerCustomer": given.get("appliesOncePerCustomer", False),
            "tags": given.get("tags") or [],
            "codes": {"nodes": [code | usage], "edges": [{"node": code | usage}]},
            "codesCount": {"count": 1, "precision": "EXACT"},
            "combinesWith": _combines_with(given.get("combinesWith") or {}),
            "context": _context(discount),
            "customerGets": self._customer_gets(given["customerGets"]),
            "discountClasses": ["ORDER"],
        }

    def _customer_gets(self, given: Mapping[str, Any]) -> dict[str, object]:
        amount = given["value"].get("discountAmount")
        value: dict[str, object] = {"percentage": given["value"].get("percentage")}
        value["__typename"] = "DiscountPercentage"
        if amount is not None:
            value = {
                "__typename": "DiscountAmount",
                "amount": {"amount": str(amount["amount"]), "currencyCode": self._currency},
                "appliesOnEachItem": amount.get("appliesOnEachItem", False),
            }
        return {
            "value": value,
            "items": {"__typename": "AllDiscountItems", "allItems": True},
            "appliesOnOneTimePurchase": given.get("appliesOnOneTimePurchase", True),
            "appliesOnSubscription": given.get("appliesOnSubscription", False),
        }

    def _existing(self, gid: str) -> Discount:
        discount = self._by_id.get(gid)
        if discount is None:
            raise Refused(UserError(("id",), "Code discount does not exist.", "INVALID"))
        return discount


def _context(discount: Discount) -> dict[str, object]:
    if not discount.customers():
        return {"__typename": "DiscountBuyerSelectionAll", "all": "ALL"}
    customers = [{"__typename": "Customer", "id": gid} for gid in discount.customers()]
    return {"__typename": "DiscountCustomers", "customers": customers}


def _combines_with(given: Mapping[str, Any]) -> dict[str, object]:
    names = ("orderDiscounts", "productDiscounts", "shippingDiscounts")
    return {name: given.get(name) or False for name in names}


def _errors_of(given: Mapping[str, Any], forgotten: str | None) -> list[UserError]:
    """Return the errors in the input of a new discount, except for a code that is taken."""
    return [
        *_context_errors(given, forgotten),
        *_value_errors(given.get("customerGets") or {}),
        *_title_errors(given.get("title")),
        *_code_errors(given),
        *_time_errors(given.get("startsAt"), given.get("endsAt")),
        *_usage_errors(given.get("usageLimit")),
        *_tag_errors(given.get("tags") or []),
    ]


def _error(field: str, message: str, code: str) -> UserError:
    return UserError((_INPUT, *field.split(".")), message, code)


def _context_errors(given: Mapping[str, Any], forgotten: str | None) -> list[UserError]:
    context, selection = given.get("context"), given.get("customerSelection")
    if context is not None and selection is not None:
        text = "Only one of context or customerSelection can be provided."
        return [_error("context", text, "INVALID")]
    if context is None and selection is None:
        return [_error("context", "Context can't be blank", "BLANK")]
    customers = ((context or selection or {}).get("customers") or {}).get("add") or []
    unknown = [gid for gid in customers if gid.rpartition("/")[2] == forgotten]
    return [
        _error("context.customers.add", f"Customer with id: {forgotten} is invalid", "INVALID")
        for _ in unknown
    ]


def _value_errors(gets: Mapping[str, Any]) -> list[UserError]:
    value = gets.get("value") or {}
    if not value or not gets.get("items"):
        return [_error("customerGets", "Customer gets can't be blank", "BLANK")]
    amount = value.get("discountAmount")
    if amount is None:
        return []
    field = "customerGets.value.discountAmount.amount"
    # Shopify stores the amount with the opposite sign, which its messages show.
    if Decimal(str(amount.get("amount") or 0)) < 0:
        return [_error(field, "Value must be less than or equal to 0", "LESS_THAN_OR_EQUAL_TO")]
    if Decimal(str(amount.get("amount") or 0)) >= _AMOUNT_LIMIT:
        return [_error(field, f"Value must be greater than -{_AMOUNT_LIMIT}", "LESS_THAN")]
    return []


def _title_errors(title: str | None) -> list[UserError]:
    if not title or not title.strip():
        return [_error("title", "Title can't be blank", "BLANK")]
    if len(title) > _TEXT_LIMIT:
        return [_error("title", _too_long("Title"), "TOO_LONG")]
    return []


def _code_errors(given: Mapping[str, Any]) -> list[UserError]:
    code = given.get("code")
    if code is None:
        return [_error("code", "Code can't be blank", "BLANK")]
    if code == "":
        return [_error("code", "Code is too short (minimum is 1 character)", "TOO_SHORT")]
    if "\n" in code:
        return [_error("code", "Code cannot contain newline characters.", "INVALID")]
    if len(code) > _TEXT_LIMIT:
        return [_error("code", _too_long("Code"), "TOO_LONG")]
    return []


def _too_long(name: str) -> str:
    return f"{name} is too long (maximum is {_TEXT_LIMIT} characters)"


def _time_errors(starts_at: str | None, ends_at: str | None) -> list[UserError]:
    if starts_at is None:
        return [_error("startsAt", "Starts at can't be blank", "BLANK")]
    if ends_at is not None and read_date_time(ends_at) <= read_date_time(starts_at):
        return [_error("endsAt", "Ends at needs to be after starts_at", "INVALID")]
    return []


def _usage_errors(limit: int | None) -> list[UserError]:
    if limit is None:
        return []
    if limit <= 0:
        return [_error("usageLimit", "Usage limit must be greater than 0", "GREATER_THAN")]
    if limit > _USAGE_LIMIT_MAX:
        text = f"Usage limit must be less than or equal to {_USAGE_LIMIT_MAX}"
        return [_error("usageLimit", text, "LESS_THAN_OR_EQUAL_TO")]
    return []


def _tag_errors(tags: list[str]) -> list[UserError]:
    if len(tags) > _TAGS_LIMIT:
        return [_error("tags", f"Tags can't exceed {_TAGS_LIMIT}", "TOO_MANY_TAGS")]
    return []
