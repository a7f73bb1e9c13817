"""One order of a Shopify shop from creation to its end, and the payloads of its webhooks.

Its state is a `Bought`, which changes with every step; payloads are made from it in Shopify's
shape, with fields that a real one has besides: names, addresses, presentment money.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, Final

from tests.reference.orders_calculation import Bought, Line, Return

type Payload = dict[str, Any]

ZONE: Final = timezone(timedelta(hours=9))
FOREIGN: Final = "EUR"
SHOP: Final = "demo.myshopify.com"


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency, and how many decimals its amounts have."""

    code: str
    decimals: int

    def text(self, minor: int) -> str:
        """An amount as Shopify writes it."""
        sign, digits = "-" if minor < 0 else "", str(abs(minor)).zfill(self.decimals + 1)
        at = len(digits) - self.decimals
        return f"{sign}{digits[:at]}.{digits[at:]}" if self.decimals else f"{sign}{digits}"

    def both(self, minor: int) -> Payload:
        """An amount in the shop's money, and in the buyer's, which must be ignored."""
        return {
            "shop_money": {"amount": self.text(minor), "currency_code": self.code},
            "presentment_money": {"amount": "3.33", "currency_code": FOREIGN},
        }


@dataclass(slots=True)
class ShelfLine:
    """What Shopify has of a line besides its state: id, tax rates, discounts by place."""

    line_id: int
    line: Line
    percents: list[int]
    allocations: dict[int, int]
    returned: int = 0

    @property
    def left(self) -> int:
        """Pieces that neither came back nor were removed."""
        return self.line.pieces - self.line.removed - self.returned

    @property
    def net(self) -> int:
        """What all pieces cost after discounts."""
        return self.line.price * self.line.pieces - self.line.discount

    def taxes(self, *, included: bool) -> list[int]:
        """One amount for each rate."""
        if included:
            return [self.net * percent // (100 + sum(self.percents)) for percent in self.percents]
        return [self.net * percent // 100 for percent in self.percents]


@dataclass(slots=True)
class OrderLife:
    """An order as it is now, and its next number for anything that needs one."""

    random: Random
    money: Currency
    bought: Bought
    tags: str
    updated_at: datetime
    customer_now: str | None
    shelf: list[ShelfLine] = field(default_factory=list)
    applications: list[Payload] = field(default_factory=list)
    discount_codes: list[Payload] = field(default_factory=list)
    refunds: list[Payload] = field(default_factory=list)
    owes_more: bool = False
    owed: int = 0
    pending: list[tuple[Payload, Return]] = field(default_factory=list)
    _numbers: Counter[str] = field(default_factory=Counter)

    @property
    def updated_second(self) -> datetime:
        """When it last changed, as Shopify says it."""
        return self.updated_at.replace(microsecond=0)

    # --- what is bought --------------------------------------------------------------------------

    def add_line(self) -> None:
        """Something more in the basket."""
        price = self.random.randint(40, 3_000) * 10**self.money.decimals - self.random.randint(
            0, 30
        )
        line = Line(price, self.random.randint(1, 6), is_gift_card=self.random.random() < 0.08)
        percents = [] if line.is_gift_card else self.random.choice([[10], [8], [5, 3], []])
        self.shelf.append(ShelfLine(self._number("line"), line, percents, {}))
        self.bought.lines.append(line)
        self._price_taxes()

    def discount(self, application: Payload, expected: int) -> int:
        """Take `amount` off the lines, as far as they reach; returns how much it was."""
        place = len(self.applications)
        self.applications.append(application)
        left = expected
        for shelf in self.random.sample(self.shelf, len(self.shelf)):
            off = min(left, shelf.net)
            if off:
                shelf.allocations[place] = off
                shelf.line.discount += off
            left -= off
        self._price_taxes()
        return expected - left

    def edit(self, at: datetime) -> Payload | None:
        """Add a line, add pieces, or remove some: Shopify may make a refund without money of it."""
        drawn = self.random.random()
        some = [shelf for shelf in self.shelf if shelf.left]
        if drawn < 0.25 or not some:
            self.add_line()
            self.owes_more = True
        elif drawn < 0.45:
            self.random.choice(some).line.pieces += self.random.randint(1, 2)
            self._price_taxes()
            self.owes_more = True
        elif self.random.random() < 0.5:
            shelf = self.random.choice(some)
            pieces = self.random.randint(1, shelf.left)
            shelf.line.removed += pieces
            self.owed += shelf.net * pieces // shelf.line.pieces
        else:
            return self._refund_of_an_edit(at)
        return None

    def _price_taxes(self) -> None:
        for shelf in self.shelf:
            shelf.line.tax = sum(shelf.taxes(included=self.bought.taxes_included))

    # --- refunds ---------------------------------------------------------------------------------

    def refund(self, at: datetime, *, everything: bool = False) -> Payload:
        """Refund lines, an amount, shipping, or several of them; or all goods."""
        owes = not everything and self.owed and self.bought.paid_at is not None
        if owes and self.random.random() < 0.7:
            return self._refund_of_what_is_owed(at)
        kind = self.random.choice(["lines", "lines", "lines", "amount", "shipping", "mixed"])
        kind = "lines" if everything else kind
        back, lines = Return(), list[Payload]()
        if kind in ("lines", "mixed"):
            lines = self._lines_back(back, "return", everything=everything)
        if self.bought.paid_at is None:
            return self._refund_of_no_money(at, lines, back)
        beside, goods = 0, self._worth(back)
        if kind in ("amount", "mixed"):
            largest = max(1, sum(shelf.net for shelf in self.shelf) // 3)
            beside = self.random.randint(1, largest) * self.random.choice([1, 1, -1])
            beside = abs(beside) if kind == "amount" else max(beside, -goods)
        if kind in ("shipping", "mixed", "amount") and self.random.random() < 0.5:
            back.shipping = self.random.randint(1, 800)
        back.money = goods + beside + back.shipping
        return self._keep(self._refund_payload(at, lines, back, beside), back)

    def settle(self, *, only_foreign: bool) -> bool:
        """Pending money is paid, or fails. Returns whether there was any."""
        some = [each for each in self.pending if not only_foreign or _is_foreign(each[0])]
        for payload, back in some:
            self.pending.remove((payload, back))
            self.refunds[self.refunds.index(payload)] = self._settled(payload, back)
        return bool(some)

    def _refund_of_an_edit(self, at: datetime) -> Payload:
        """Lines are removed, and money for them may be owed."""
        back = Return()
        lines = self._lines_back(back, self.random.choice(["cancel", "no_restock"]))
        if self.bought.paid_at is not None:
            self.owed += self._worth(back)
        return self._refund_of_no_money(at, lines, back)

    def _refund_of_no_money(self, at: datetime, lines: list[Payload], back: Return) -> Payload:
        """Shopify may or may not write down that nothing was paid."""
        payload = self._blank(at, lines)
        worth = self._worth(back)
        if worth and self.random.random() < 0.5:
            payload["order_adjustments"] = [self._discrepancy(worth)]
        return self._keep(payload, back)

    def _refund_of_what_is_owed(self, at: datetime) -> Payload:
        """Money for lines that were removed before; sometimes only a part, or more than that."""
        money = self.random.choice([self.owed, self.owed, (self.owed + 1) // 2, self.owed + 99])
        self.owed = max(0, self.owed - money)
        back = Return(money=money)
        return self._keep(self._refund_payload(at, [], back, money), back)

    def _keep(self, payload: Payload, back: Return) -> Payload:
        self.bought.returns.append(back)
        self.refunds.append(payload)
        if any(one["status"] == "pending" for one in payload["transactions"]):
            self.pending.append((payload, back))
        return payload

    def _worth(self, back: Return) -> int:
        """What the goods had cost, tax included."""
        on_top = 0 if self.bought.taxes_included else 1
        return sum(price + tax * on_top for price, tax, _ in back.goods)

    def _lines_back(
        self, back: Return, restock_type: str, *, everything: bool = False
    ) -> list[Payload]:
        lines = []
        some = [shelf for shelf in self.shelf if shelf.left]
        most = len(some) if everything else self.random.randint(1, 2)
        for shelf in self.random.sample(some, min(len(some), most)):
            pieces = shelf.left if everything else self.random.randint(1, shelf.left)
            net, tax = (
                whole * (shelf.returned + pieces) // shelf.line.pieces
                - whole * shelf.returned // shelf.line.pieces
                for whole in (shelf.net, shelf.line.tax)
            )
            shelf.returned += pieces
            back.pieces += pieces
            back.goods.append((net, tax, shelf.line.is_gift_card))
            lines.append(
                {
                    "id": self._number("refund line"),
                    "line_item_id": shelf.line_id,
                    "quantity": pieces,
                    "restock_type": restock_type,
                    "subtotal": float(self.money.text(net)),
                    "subtotal_set": self.money.both(net),
                    "total_tax": float(self.money.text(tax)),
                    "total_tax_set": self.money.both(tax),
                    "line_item": {"title": "A thing", "gift_card": shelf.line.is_gift_card},
                }
            )
        return lines

    def _blank(self, at: datetime, lines: list[Payload]) -> Payload:
        """A refund that only names its lines."""
        return {
            "id": self._number("refund"),
            "admin_graphql_api_id": f"gid://shopify/Refund/{self._numbers['refund']}",
            "order_id": int(self.bought.order_id),
            "created_at": at.isoformat(),
            "note": "Did not fit Mr Yamada",
            "user_id": 799407056,
            "refund_line_items": lines,
            "transactions": [],
            "order_adjustments": [],
            "refund_shipping_lines": [],
            "duties": [],
            "total_duties_set": self.money.both(0),
        }

    def _refund_payload(
        self, at: datetime, lines: list[Payload], back: Return, beside: int
    ) -> Payload:
        """As Shopify sends it: also money in the buyer's currency, and money that is pending.

        What is paid besides lines and shipping is an adjustment, below zero; while the money is
        pending another one takes it back.
        """
        payload = self._blank(at, lines)
        if not back.money:
            back.shipping = 0
            if beside:
                payload["order_adjustments"] = [self._discrepancy(-beside)]
            return payload
        is_foreign = self.random.random() < 0.15
        status = self.random.choice(["success", "success", "pending"])
        self._add_shipping(payload, back.shipping)
        is_itemised = lines or back.shipping or is_foreign
        if beside and (is_itemised or status == "pending" or self.random.random() < 0.5):
            payload["order_adjustments"].append(self._discrepancy(-beside))
        if status == "pending":
            payload["order_adjustments"].append(self._discrepancy(back.money))
        payload["transactions"].append(self._transaction(back.money, is_foreign, status))
        if self.random.random() < 0.1:
            payload["transactions"].append(self._transaction(777, is_foreign, "failure"))
        return payload

    def _add_shipping(self, payload: Payload, shipping: int) -> None:
        """Shipping or duties, which points ignore, in every form that there is."""
        if not shipping:
            return
        forms = self.random.choice([("old",), ("new",), ("old", "new"), ("duties",)])
        if "old" in forms:
            tax = shipping // 10
            old = self._adjustment("shipping_refund", tax - shipping, -tax)
            payload["order_adjustments"].append(old)
        if "new" in forms:
            new = {"subtotal_amount_set": self.money.both(shipping - shipping // 10)}
            payload["refund_shipping_lines"].append(new)
        if "duties" in forms:
            payload["duties"].append({"duty_id": 1, "amount_set": self.money.both(shipping)})
            payload["total_duties_set"] = self.money.both(shipping)

    def _settled(self, payload: Payload, back: Return) -> Payload:
        """The refund once the money has moved, or has failed to."""
        has_failed = self.random.random() < 0.25
        status = self.random.choice(["failure", "error"]) if has_failed else "success"
        adjustments = [*payload["order_adjustments"]]
        if has_failed:
            back.money = 0
        else:
            adjustments.append(self._discrepancy(-back.money, "Pending refund discrepancy"))
        transactions = [
            {**one, "status": status} if one["status"] == "pending" else one
            for one in payload["transactions"]
        ]
        return {**payload, "transactions": transactions, "order_adjustments": adjustments}

    def _transaction(self, minor: int, is_foreign: bool, status: str) -> Payload:
        return {
            "id": self._number("transaction"),
            "kind": "refund",
            "gateway": self.random.choice(["shopify_payments", "gift_card", "manual"]),
            "status": status,
            "amount": "3.33" if is_foreign else self.money.text(minor),
            "currency": FOREIGN if is_foreign else self.money.code,
        }

    def _discrepancy(self, minor: int, reason: str = "Refund discrepancy") -> Payload:
        """Its tax may be separate; newer versions of Shopify's API do not name its kind."""
        tax = self.random.choice([0, 0, minor // 10])
        one = self._adjustment("refund_discrepancy", minor - tax, tax) | {"reason": reason}
        if self.random.random() < 0.1:
            del one["kind"]
        return one

    def _adjustment(self, kind: str, minor: int, tax_minor: int) -> Payload:
        return {
            "id": self._number("adjustment"),
            "kind": kind,
            **self._priced("amount", minor),
            **self._priced("tax_amount", tax_minor),
        }

    # --- payloads --------------------------------------------------------------------------------

    def payload(self) -> Payload:
        """The order as it is now."""
        bought = self.bought
        updated_at = self.updated_second.astimezone(ZONE).isoformat()
        return {
            "id": int(bought.order_id),
            "admin_graphql_api_id": f"gid://shopify/Order/{bought.order_id}",
            "name": "#1001",
            "email": "taro@example.com",
            "test": bought.is_test,
            "currency": self.money.code,
            "presentment_currency": FOREIGN,
            "created_at": bought.created_at.astimezone(ZONE).isoformat(),
            "updated_at": updated_at,
            "cancelled_at": updated_at if bought.is_cancelled else None,
            "financial_status": self._financial_status(),
            "taxes_included": bought.taxes_included,
            "subtotal_price": self.money.text(sum(shelf.net for shelf in self.shelf)),
            "total_tax": self.money.text(sum(shelf.line.tax for shelf in self.shelf) + 31),
            "shipping_lines": [{"price": self.money.text(500), "title": "Post"}],
            "line_items": [self._line_payload(shelf) for shelf in self.shelf],
            "discount_applications": self.applications,
            "discount_codes": self.discount_codes,
            "refunds": list(self.refunds),
            "customer": self._customer_payload(),
            "order_status_url": f"https://{SHOP}/1/orders/{bought.order_id}/authenticate?key=x",
            **self._metafields(),
        }

    def _priced(self, name: str, minor: int) -> Payload:
        """An amount as Shopify names it twice."""
        return {name: self.money.text(minor), f"{name}_set": self.money.both(minor)}

    def _line_payload(self, shelf: ShelfLine) -> Payload:
        taxes = shelf.taxes(included=self.bought.taxes_included)
        return {
            "id": shelf.line_id,
            "title": "A thing",
            "quantity": shelf.line.pieces,
            "current_quantity": shelf.left,
            **self._priced("price", shelf.line.price),
            "gift_card": shelf.line.is_gift_card,
            "tax_lines": [
                {"title": "VAT", "rate": percent / 100, **self._priced("price", tax)}
                for percent, tax in zip(shelf.percents, taxes, strict=True)
            ],
            "discount_allocations": [
                {**self._priced("amount", off), "discount_application_index": place}
                for place, off in shelf.allocations.items()
            ],
        }

    def _customer_payload(self) -> Payload | None:
        if self.customer_now is None:
            return None
        return {
            "id": int(self.customer_now),
            "admin_graphql_api_id": f"gid://shopify/Customer/{self.customer_now}",
            "created_at": None,
            "email": "taro@example.com",
            "note": None,
            "state": "enabled",
        }

    def _metafields(self) -> Payload:
        if not self.bought.till_points:
            return {}
        used = str(self.bought.till_points)
        listed = [
            {"namespace": "another_app", "key": "point_used", "value": "999"},
            {"namespace": "omni_hub", "key": "point_used", "value": used},
        ]
        return {"metafields": listed}

    def _financial_status(self) -> str:
        if self.bought.paid_at is None:
            return "voided" if self.bought.is_cancelled else "pending"
        if self.owes_more:
            return "partially_paid"
        if any(back.money for back in self.bought.returns):
            return "partially_refunded" if any(s.left for s in self.shelf) else "refunded"
        return "paid"

    def _number(self, kind: str) -> int:
        """The next id of a kind: the order's number followed by a counter."""
        self._numbers[kind] += 1
        return int(self.bought.order_id) * 1_000 + self._numbers[kind]


def _is_foreign(payload: Payload) -> bool:
    return any(one["currency"] == FOREIGN for one in payload["transactions"])


def body_of(payload: Payload) -> bytes:
    """The bytes that Shopify sends."""
    return json.dumps(payload, ensure_ascii=False).encode()
