"""Whole shops from one seed: what their customers do for three weeks, and the webhooks of it.

A history is the final state of a shop (`orders_calculation.Shop`) and the webhooks and checkouts
that led to it, each with its time. How it is delivered is drawn elsewhere, and must not matter.

The tags that customers begin with are part of it; how they change, and by which rank an order
earns, is decided during delivery (`customer_tags`).

Left out, since what comes first counts there by design: an order that changes its customer
otherwise than by a merge, and a discount that changes after the order was placed.
"""

import base64
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from random import Random
from typing import Final

from pointbook.domain.programme import Programme, default_programme, programme_of
from pointbook.services.message import Message, message_text
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.discount_code import derive_code
from pointbook.shopify.webhook import read_webhook
from tests.reference.orders_calculation import Bought, CodeUse, Rules, Shop
from tests.simulation.orders.order_life import SHOP, Currency, OrderLife, Payload, body_of
from tests.support.payloads import merge_payload

CURRENCIES: Final = (Currency("JPY", 0), Currency("JPY", 0), Currency("USD", 2), Currency("KWD", 3))
OTHER_SHOP: Final = "second.myshopify.com"
BEGIN: Final = datetime(2027, 1, 20, 3, tzinfo=UTC)
HOLD_SECONDS: Final = 600
LAST_DAYS: Final = 120
"""How long points last in a history in which they expire: longer than the history."""

OPENING_POINTS: Final = 10_000_000
RANKS: Final = {"": 100, "news": 100, "gold, news": 150, "Silver": 125, "gold,Silver": 150}
EXCLUDED: Final = "staff"

_DAYS_OF_ORDERS = 14
_SECOND = timedelta(seconds=1)


KEYS: Final = AppKeys(
    client_id="client-id",
    client_secret="secret-of-this-app-0123456789",
    client_secret_previous="",
    my_page_secret="",
    shops=frozenset({SHOP, OTHER_SHOP}),
)


@dataclass(frozen=True)
class Webhook:
    """A webhook."""

    number: int
    at: datetime
    topic: str
    body: bytes

    @cached_property
    def text(self) -> str:
        """Its text on a queue, as the webhook endpoint makes it."""
        return self.text_as(self.topic, SHOP)

    def text_as(self, topic: str, shop: str) -> str:
        """Its text if the headers name this topic and shop. Raises Refused."""
        headers = {
            "x-shopify-topic": topic,
            "x-shopify-shop-domain": shop,
            "x-shopify-event-id": f"event-{self.number}",
            "x-shopify-triggered-at": self.at.isoformat(timespec="milliseconds"),
            "x-shopify-hmac-sha256": self._signature,
        }
        read = read_webhook("POST", headers, self.body, KEYS)
        message = Message(
            read.topic, read.shop, self.at, read.event_id, read.payload, read.triggered_at
        )
        return message_text(message)

    @cached_property
    def _signature(self) -> str:
        digest = hmac.digest(KEYS.client_secret.encode(), self.body, "sha256")
        return base64.b64encode(digest).decode()

    @property
    def names(self) -> set[str]:
        """The order that it is about, and its buyer if it has one."""
        body = json.loads(self.body)
        order_id = str(body["id"])
        return {order_id, f"buyer of {order_id}"} if body.get("customer") else {order_id}


@dataclass(frozen=True, slots=True)
class Checkout:
    """A customer takes a hold, and gets its code."""

    at: datetime
    customer: str
    points: int
    code: str


@dataclass(slots=True)
class ShopHistory:
    """What happened in a shop. `last_holds` are still open at the end.

    `tags` are those of each customer at the beginning, `merged_at` says when each was merged.
    """

    programme: Programme
    shop: Shop
    tags: dict[str, str] = field(default_factory=dict)
    merged_at: dict[str, datetime] = field(default_factory=dict)
    events: list[Webhook | Checkout] = field(default_factory=list)
    last_holds: list[Checkout] = field(default_factory=list)

    @property
    def end(self) -> datetime:
        """When the last of it happened."""
        return max(one.at for one in self.events)


def with_other_rules(history: ShopHistory) -> Programme:
    """A later programme of the same shop, with other rules for what orders earn."""
    texts = {
        **history.programme.texts(),
        "earn_unit_minor": "37",
        "points_per_unit": "5",
        "earn_on_tax": "included" if not history.shop.rules.tax_earns else "excluded",
        "gift_cards_earn": "no" if history.shop.rules.gift_cards_earn else "yes",
        "rounding": "ceil" if history.shop.rules.rounding == "floor" else "floor",
        "minimum_minor": "77",
        "rank_multipliers": "news=300",
        "excluded_tag": "gold",
        "return_spent": "share" if history.shop.rules.return_spent == "cancelled" else "cancelled",
        "pending_days": "1" if history.shop.rules.pending_days != 1 else "2",
        "point_worth_minor": "3",
    }
    return programme_of(texts, version=2)


def draw_history(
    seed: int, *, orders: int = 100, customers: int = 40, merges: bool = False, **texts: str
) -> ShopHistory:
    """The history of a seed; `texts` are rules of its programme that are not drawn."""
    return _ShopDrawer(Random(seed), orders, customers, merges, texts).draw()


class _ShopDrawer:
    def __init__(
        self, random: Random, orders: int, customers: int, merges: bool, texts: dict[str, str]
    ) -> None:
        self.random = random
        self.orders = orders
        self.money = random.choice(CURRENCIES)
        self.programme = default_programme(**{**self._rules(), **texts})
        self.unit = 10**self.money.decimals
        ids = [str(7001 + number) for number in range(customers)]
        self.shop = Shop(Rules.of(self.programme.texts()), ids)
        self.history = ShopHistory(self.programme, self.shop)
        self.merged_at = self.history.merged_at
        if merges:
            self._merge_some()
        tags = {self.shop.survivor(one): self._tags() for one in ids}
        self.tags = self.history.tags = {one: tags[self.shop.survivor(one)] for one in ids}
        self.rich = {self.shop.survivor(one) for one in ids if random.random() < 0.6}
        self.free_at: dict[str, datetime] = {}
        self.codes: list[tuple[str, str, int]] = []

    def draw(self) -> ShopHistory:
        """Draw everything."""
        for customer in self.shop.customers:
            at = BEGIN + timedelta(hours=self.random.random() * 24 * 10)
            who = {
                "id": int(customer),
                "admin_graphql_api_id": f"gid://shopify/Customer/{customer}",
                "email": "a@example.com",
                "created_at": at.isoformat(),
            }
            for _ in range(self.random.choice([1, 1, 2])):
                self._send(at, "customers/create", who)
            if self.shop.survivor(customer) in self.rich:
                self.shop.granted[customer] = OPENING_POINTS
        for number, at in enumerate(sorted(self._time_of_order() for _ in range(self.orders))):
            self._order(str(900_001 + number), at)
        self._hold_at_the_end()
        return self.history

    # --- the shop ------------------------------------------------------------------------------

    def _rules(self) -> dict[str, str]:
        draw, unit = self.random.choice, 10**self.money.decimals
        return {
            "currency": self.money.code,
            "earn_unit_minor": str(draw([1, 7, 100, 110]) * max(1, unit // 10)),
            "points_per_unit": draw(["1", "2", "3"]),
            "earn_on_tax": draw(["included", "excluded"]),
            "gift_cards_earn": draw(["no", "no", "yes"]),
            "test_orders_earn": draw(["no", "no", "yes"]),
            "rounding": draw(["floor", "half_up", "ceil"]),
            "minimum_minor": str(draw([0, 0, 3000]) * unit),
            "rank_multipliers": "gold=150,silver=125",
            "excluded_tag": EXCLUDED,
            "approve_on": draw(["paid", "paid", "created"]),
            "pending_days": draw(["0", "0", "3", "30"]),
            "sign_up_points": draw(["0", "100"]),
            "expiry": "never",
            "point_worth_minor": str(draw([1, 10]) * max(1, unit // 10)),
            "return_spent": draw(["cancelled", "refunded", "refunded", "share", "share"]),
            "hold_seconds": str(HOLD_SECONDS),
        }

    def _tags(self) -> str:
        return self.random.choice([*RANKS, *RANKS, EXCLUDED])

    def _who(self, customer: str, at: datetime) -> str:
        """The customer with whose account this one's is merged by then."""
        while customer in self.merged_at and self.merged_at[customer] <= at:
            customer = self.shop.merged_into[customer]
        return customer

    def _time_of_order(self) -> datetime:
        """Some time, often not long before one of the customers is merged."""
        late = [one for one in self.merged_at.values() if one > BEGIN + timedelta(days=1, hours=1)]
        if late and self.random.random() < 0.2:
            return self.random.choice(late) - self.random.randint(5, 900) * _SECOND
        hours = self.random.random() * 24 * _DAYS_OF_ORDERS
        return BEGIN + timedelta(seconds=86_400 + int(hours * 3600))

    def _buyer(self, at: datetime) -> str:
        """Any customer, but preferably one who is about to be merged."""
        soon = [one for one, when in self.merged_at.items() if at < when <= at + 900 * _SECOND]
        if soon and self.random.random() < 0.8:
            return self.random.choice(soon)
        return self._who(self.random.choice(self.shop.customers), at)

    def _merge_some(self) -> None:
        """Chains of two to four customers, merged in some order, some within seconds."""
        left = self.random.sample(self.shop.customers, len(self.shop.customers) * 2 // 3)
        while len(left) >= 4:
            chain = [left.pop() for _ in range(self.random.randint(2, 4))]
            for gone, percent in pairwise(chain):
                self.shop.merged_into[gone] = percent
        at = BEGIN
        for gone, percent in sorted(
            self.shop.merged_into.items(), key=lambda _: self.random.random()
        ):
            at += self.random.choice([2, 400, 20_000, 40_000]) * _SECOND
            self.merged_at[gone] = at
            self._send_merge(at - _SECOND, gone, percent, "in_progress")
            self._send_merge(at, gone, percent, self.random.choice(["completed", "COMPLETED"]))
        strangers = [one for one in self.shop.customers if one not in self.shop.merged_into]
        if len(strangers) > 1:
            gone, percent = self.random.sample(strangers, 2)
            self._send_merge(at, gone, percent, "failed")

    def _send_merge(self, at: datetime, source: str, target: str, status: str) -> None:
        self._send(at, "customers/merge", merge_payload(source, target, status))

    # --- one order -----------------------------------------------------------------------------

    def _order(self, order_id: str, at: datetime) -> None:
        buyer = self._buyer(at)
        is_guest = self.random.random() < 0.12
        bought = Bought(
            order_id=order_id,
            customer=None if is_guest else buyer,
            created_at=at,
            lines=[],
            taxes_included=self.random.random() < 0.6,
            is_test=self.random.random() < 0.04,
        )
        life = OrderLife(self.random, self.money, bought, self.tags[buyer], at, bought.customer)
        for _ in range(self.random.choice([1, 1, 2, 3, 5])):
            life.add_line()
        self._discount(life, buyer)
        self.shop.orders.append(bought)
        pays_at_once = self.random.random() < 0.65
        if pays_at_once and self.random.random() < 0.5:
            bought.paid_at = at
        self._send_order(life, "orders/create")
        if pays_at_once and (bought.paid_at is None or self.random.random() < 0.8):
            bought.paid_at = at
            self._send_order(life, "orders/paid")
        for step in self._steps(is_guest=is_guest, pays_later=not pays_at_once):
            life.updated_at += self._gap()
            if not bought.is_cancelled or step in ("refund", "everything back", "touch"):
                self._step(life, step, buyer)
            if self.random.random() < 0.5:
                self._settle(life)
        self._settle(life, only_foreign=True)

    def _discount(self, life: OrderLife, buyer: str) -> None:
        """A sale, another shop's code, points of a hold, or points at a till."""
        whole = sum(shelf.net for shelf in life.shelf)
        if self.random.random() < 0.2:
            life.discount({"type": "automatic", "title": "Sale"}, whole // 7)
        if self.random.random() < 0.1:
            off = life.discount({"type": "discount_code", "code": "SPRING"}, whole // 9)
            life.discount_codes.append({"code": "SPRING", "amount": life.money.text(off)})
        drawn = self.random.random()
        if drawn < 0.3:
            self._pay_with_hold(life, buyer, whole)
        elif drawn < 0.33 and self.codes:
            self._use_code(life, *self.random.choice(self.codes), whole // 2)
        elif drawn < 0.43:
            life.bought.till_points = self.random.randint(1, 900)

    def _pay_with_hold(self, life: OrderLife, buyer: str, whole: int) -> None:
        person, at = self.shop.survivor(buyer), life.bought.created_at
        if person not in self.rich or at < self.free_at.get(person, at):
            return
        self.free_at[person] = at + 2 * HOLD_SECONDS * _SECOND
        worth = self.shop.rules.worth
        points = self.random.randint(1, max(1, min(whole // worth, 5_000)))
        taken_at = at - self.random.randint(2, HOLD_SECONDS - 10) * _SECOND
        owner = self._who(buyer, taken_at)
        code = derive_code(b"secret", "demo", owner, life.bought.order_id)
        self.history.events.append(Checkout(taken_at, owner, points, code))
        # Usually the whole hold is used; a basket that shrank meanwhile uses less, or none of it.
        expected = points * worth - self.random.choice([0, 0, 0, worth // 3, points * worth // 2])
        if self.random.random() < 0.06:
            expected = 0
        self._use_code(life, code, owner, points, expected)
        self.codes.append((code, owner, points))

    def _use_code(self, life: OrderLife, code: str, owner: str, points: int, expected: int) -> None:
        written = self.random.choice([code, code, code.lower()])
        off = life.discount({"type": "discount_code", "code": written}, expected)
        discount_code = {"code": written, "amount": life.money.text(off), "type": "fixed_amount"}
        life.discount_codes.append(discount_code)
        life.bought.codes.append(CodeUse(owner, points, off))

    def _steps(self, *, is_guest: bool, pays_later: bool) -> list[str]:
        draw = self.random
        steps = ["edit"] * draw.choice([0, 0, 1, 2]) + ["refund"] * draw.choice([0, 0, 1, 2, 3])
        steps += ["everything back"] * draw.choice([0, 0, 0, 0, 1])
        steps += ["touch"] * draw.choice([0, 0, 1])
        if is_guest and draw.random() < 0.6:
            steps.append("attach")
        if pays_later and draw.random() < 0.7:
            steps.append("pay")
        if draw.random() < 0.12:
            steps.append("cancel")
        draw.shuffle(steps)
        return steps

    def _step(self, life: OrderLife, step: str, buyer: str) -> None:
        topic = "orders/updated"
        match step:
            case "edit":
                if (refund := life.edit(life.updated_at)) is not None:
                    self._send(life.updated_at, "refunds/create", refund)
            case "refund" | "everything back":
                if self._refund(life, everything=step != "refund"):
                    return
            case "attach":
                life.bought.customer = life.customer_now = self._who(buyer, life.updated_at)
            case "pay":
                topic = "orders/paid"
                life.bought.paid_at = life.updated_second
                life.owes_more = False
            case "cancel":
                topic = "orders/cancelled"
                life.bought.is_cancelled = True
        self._send_order(life, topic)
        self._send_more(life)

    def _refund(self, life: OrderLife, *, everything: bool) -> bool:
        """Refund; returns whether the order that lists the refund is not sent."""
        listed = list(life.refunds)
        refund = life.refund(life.updated_at, everything=everything)
        drawn = self.random.random()
        if drawn < 0.2:  # pieces are back before their refund is listed
            self._send_order(life, "orders/updated", refunds=listed)
            life.updated_at += self._gap()
        self._send(life.updated_at, "refunds/create", refund)
        return drawn > 0.85 and not any(line.removed for line in life.bought.lines)

    def _settle(self, life: OrderLife, *, only_foreign: bool = False) -> None:
        """Pending money arrives, or fails.

        How much is pending in another currency cannot be known; so all of that settles.
        """
        if life.settle(only_foreign=only_foreign):
            life.updated_at += self._gap() + _SECOND
            self._send_order(life, "orders/updated")

    def _send_more(self, life: OrderLife) -> None:
        """Send the order again, and let what an edited order still owes be paid."""
        if self.random.random() < 0.15:
            self._send_order(life, "orders/updated")
        if life.owes_more and life.bought.paid_at is not None and self.random.random() < 0.5:
            life.updated_at += self._gap()
            life.owes_more = False
            self._send_order(life, "orders/paid")

    def _gap(self) -> timedelta:
        """Seconds, hours or days; or a fraction of a second, which Shopify may not show."""
        if self.random.random() < 0.15:
            return timedelta(milliseconds=self.random.randint(1, 400))
        longest = self.random.choice([60, 7_200, 7_200, 400_000])
        return self.random.randint(1, longest) * _SECOND

    # --- webhooks ------------------------------------------------------------------------------

    def _send_order(self, life: OrderLife, topic: str, **said: object) -> None:
        if life.customer_now is not None:
            life.customer_now = self._who(life.customer_now, life.updated_at)
        self._send(life.updated_at, topic, life.payload() | said)

    def _send(self, at: datetime, topic: str, payload: Payload) -> None:
        number = len(self.history.events)
        self.history.events.append(Webhook(number, at, topic, body_of(payload)))

    def _hold_at_the_end(self) -> None:
        at = self.history.end
        for customer in sorted(self.rich):
            if self.random.random() < 0.2:
                points = self.random.randint(1, 1_000)
                code = derive_code(b"secret", "demo", customer, "the last")
                self.history.last_holds.append(Checkout(at, customer, points, code))
                self.shop.held[customer] += points
