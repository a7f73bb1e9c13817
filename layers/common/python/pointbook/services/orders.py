"""Carries out what Shopify says about orders: earning, refunds, points used, cancellation.

Each step is safe to repeat and needs no memory of messages: the order item knows what was done.
An order belongs to the customer it was first seen with; news of it goes to that customer's book,
wherever that has moved since. Until a customer is known, an order is kept without a book.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from pointbook import log
from pointbook.domain.chain import Cause
from pointbook.domain.commands import (
    CaptureHold,
    Command,
    ReturnSpending,
    SpendOnOrder,
    UpdateOrder,
)
from pointbook.domain.orders import EarningRule, Order, OrderUpdate, Spending
from pointbook.domain.ports import (
    Clock,
    Committed,
    Loaded,
    ReadRequest,
    Store,
    StoreUnavailable,
    Write,
)
from pointbook.domain.programme import Programme
from pointbook.domain.programme_rules import ApproveOn
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import (
    LedgerUnavailable,
    MessageDeclined,
    ShopifyRefused,
    TagsUnknown,
    Unavailable,
)
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.services.alarms import TILL_POINTS_UNREADABLE, raise_order_alarm
from pointbook.services.message import Message
from pointbook.shopify.discount_code import hold_id_of
from pointbook.shopify.ids import is_customer_digits
from pointbook.shopify.orders import TILL_FIELD, CodeUse, OrderFacts, read_order, read_refund

REFUND_CREATED = "refunds/create"

TILL_SPENDING = "till"
"""Under which name an order keeps the points that were used at a counter."""

_SOURCE = "order"
_TRIES = 5


class CustomerTags(Protocol):
    """The tags of one shop's customers, as Shopify has them now."""

    def tag_digests(self, customer_id: str) -> Collection[str] | None:
        """The digests of a customer's tags, None if the shop has no such customer.

        Raises ShopifyRefused or Unavailable.
        """
        ...


class _GoodsMeanwhile(Exception):
    """Another message made the goods known after this one saw no need of a rule: look again."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One command for one customer's book: made of what was read, if that still names them.

    `owner` says whose book it is by what was read; None: nobody's yet.
    """

    customer_id: str
    order_id: str
    command: Callable[[Loaded, Order], Command]
    owner: Callable[[Loaded, Order], str | None]
    hold_id: str | None = None

    def complete(self, loaded: Loaded) -> Command:
        """The command. Raises LedgerUnavailable where the book has just become another's."""
        if self.owner_in(loaded) not in (None, self.customer_id):
            raise LedgerUnavailable(retry_after_seconds=1)
        return self.command(loaded, self._order(loaded))

    def owner_in(self, loaded: Loaded) -> str | None:
        """Whose book it is."""
        return self.owner(loaded, self._order(loaded))

    def _order(self, loaded: Loaded) -> Order:
        return loaded.order or Order(self.order_id)


class OrderService:
    """The orders of one shop under its programme."""

    def __init__(
        self,
        shop: str,
        ledger: Ledger,
        store: Store,
        clock: Clock,
        programme: Programme,
        customers: Callable[[], CustomerTags],
    ) -> None:
        """Book on `ledger`; `store` is where it keeps its books.

        `customers` is called only where the programme names a tag and an order is to be rated.
        """
        self._shop = shop
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._programme = programme
        self._customers = customers

    def carry_out(self, message: Message) -> None:
        """Carry out a message about an order or a refund; it may come twice and in any order.

        Raises InvalidRequest for a payload that cannot be read, LedgerUnavailable when there was no
        verdict in time, TagsUnknown when Shopify has not told the customer's tags, MessageDeclined
        when a person has to look. Doing it again is always safe.
        """
        cause = Cause(_SOURCE, message.event_id)
        if message.topic == REFUND_CREATED:
            refunded = read_refund(message.payload, self._programme.currency)
            news = OrderUpdate(refunds=(refunded.refund,))
            self._tell(refunded.order_id, news, cause)
            self._give_back(refunded.order_id, cause)
            return
        facts = read_order(message.payload, self._programme.currency)
        news = self._news(facts, message.triggered_at)
        tags_unknown: TagsUnknown | None = None
        try:
            self._tell(facts.order_id, news, cause, facts)
        except TagsUnknown as error:
            # What the order used is known all the same, and its holds would end meanwhile.
            tags_unknown = error
        for use in facts.code_uses:
            self._capture(facts.order_id, use, cause)
        if tags_unknown is not None:
            raise tags_unknown
        if facts.till_points is None:
            order_id, customer_id = facts.order_id, facts.customer_id
            raise_order_alarm(
                TILL_POINTS_UNREADABLE, self._shop, order_id, customer_id, field=TILL_FIELD
            )
        elif facts.till_points:
            self._spend_at_till(facts.order_id, facts.till_points, cause)
        self._give_back(facts.order_id, cause)

    def approve(self, order_id: str) -> int:
        """Approve the pending points of an order, if their time has come. Returns the entries."""
        booked = self._tell(order_id, OrderUpdate(), Cause("schedule"))
        return booked.settled + len(booked.entry_ids) if booked else 0

    def _news(self, facts: OrderFacts, triggered_at: datetime | None) -> OrderUpdate:
        """What the signed body says; its topic is a header, and says nothing."""
        reasons = [facts.updated_at] if facts.paid else []
        if self._programme.approve_on is ApproveOn.CREATED:
            reasons.append(facts.created_at or facts.updated_at)
        return OrderUpdate(
            updated_at=facts.updated_at,
            triggered_at=triggered_at,
            goods=facts.goods,
            removed=facts.removed,
            taxes_included=facts.taxes_included,
            # Shopify's clock may be ahead of ours: what it says has happened has happened by now.
            confirmed_at=min((*reasons, self._clock.now())) if reasons else None,
            cancelled=facts.cancelled,
            refunds=facts.refunds,
        )

    def _tell(
        self, order_id: str, news: OrderUpdate, cause: Cause, facts: OrderFacts | None = None
    ) -> Booked | None:
        """Take the news in, on the book of the order's customer, or on none while there is none.

        `facts` are those of the order itself: only with them an order is given its rule. Raises
        TagsUnknown.
        """
        for _ in range(_TRIES):
            order = self._order(order_id) or Order(order_id)
            owner = order.customer_id or (facts.customer_id if facts else None)
            if owner is not None:
                if facts is not None and order.told(news, None).lacks_rule:
                    update = self._update(news, self._rule(owner, order_id, facts.is_test))
                else:
                    update = self._update(news, None, order if facts else None)
                try:
                    booked = self._book(_Step(owner, order_id, update, _buyer), cause)
                except _GoodsMeanwhile:
                    continue
                if booked is not None:
                    return booked
                order = self._order(order_id) or Order(order_id)
                if order.customer_id is not None:
                    continue  # it has just been renamed: the news goes to that book
            # An erased customer's order goes on as a guest's: codes that it used can come back.
            if self._keep(order, order.told(news, None)):
                return None
        raise LedgerUnavailable(retry_after_seconds=1)

    def _update(
        self, news: OrderUpdate, rule: EarningRule | None, seen: Order | None = None
    ) -> Callable[[Loaded, Order], Command]:
        """The command; `seen` is the order that did not need a rule, where it is to have one."""

        def update(_: Loaded, order: Order) -> Command:
            # An order older than the one that was seen is a stale read: its write will be lost.
            is_later = seen is not None and order.revision > seen.revision
            if is_later and order.told(news, rule).lacks_rule:
                raise _GoodsMeanwhile
            return UpdateOrder(order, news, rule, self._programme.expiry)

        return update

    def _rule(self, owner: str, order_id: str, is_test: bool) -> EarningRule | None:
        """By which rule an order of the owner's earns; None: nobody can say what tags they had.

        That is so of an erased customer only. Asked about is the survivor of a merge, whose tags
        Shopify has put together. Raises TagsUnknown.
        """
        programme = self._programme
        if not programme.asks_for_tags(is_test=is_test):
            return programme.earning_rule((), is_test=is_test)
        book = self._ledger.read(self._shop, owner)
        if book.erased or not is_customer_digits(book.customer_id):
            return None
        try:
            tag_digests = self._customers().tag_digests(book.customer_id)
        except (ShopifyRefused, Unavailable) as error:
            raise TagsUnknown(
                f"Shopify does not tell the tags of customer {book.customer_id}, by which order"
                f" {order_id} earns ({error}); redrive this message once it does."
            ) from error
        if tag_digests is None:
            raise TagsUnknown(
                f"Shopify knows no customer {book.customer_id}, whose order {order_id} is. If they"
                " were merged, redrive this message once customers/merge has been carried out; if"
                " they are gone for good, add the order's points by hand and drop this message."
            )
        return programme.earning_rule(tag_digests, is_test=is_test)

    def _capture(self, order_id: str, use: CodeUse, cause: Cause) -> None:
        """The order carries the code of a hold: what it used of it is spent."""
        hold_id = hold_id_of(use.code)
        record = self._load(ReadRequest(self._shop, None, hold_id=hold_id)).hold_record
        if record is None:
            log.warning("code_of_no_hold", order_id=order_id)
            log.metric("CodesOfNoHold")
            return
        if use.amount_minor <= 0:
            return
        points = -(-use.amount_minor // record.worth_minor)

        def capture(loaded: Loaded, order: Order) -> Command:
            # A cheap read may be older than the record, but a hold record, once there, stays.
            return CaptureHold(
                points,
                loaded.hold_record or record,
                order,
                self._programme.renew,
                self._programme.return_spent,
            )

        self._book(_Step(record.customer_id, order_id, capture, _holder, hold_id), cause)

    def _spend_at_till(self, order_id: str, points: int, cause: Cause) -> None:
        order = self._order(order_id)
        if order is None or order.customer_id is None:
            log.warning("till_points_of_no_customer", order_id=order_id)
            return

        def spend(_: Loaded, order: Order) -> Command:
            programme = self._programme
            return SpendOnOrder(
                points, order, TILL_SPENDING, programme.renew, programme.return_spent
            )

        self._book(_Step(order.customer_id, order_id, spend, _buyer), cause)

    def _give_back(self, order_id: str, cause: Cause) -> None:
        """Bring what was spent on the order to what must have come back of it."""
        order = self._order(order_id)
        if order is None:
            return
        for spending in order.spendings:
            if order.returned_target(spending) != spending.returned_points:
                self._return(spending, order_id, cause)

    def _return(self, spending: Spending, order_id: str, cause: Cause) -> None:
        def give_back(_: Loaded, order: Order) -> Command:
            programme = self._programme
            return ReturnSpending(
                order, spending.hold_id, programme.expiry, programme.lapsed_expiry
            )

        def spender(_: Loaded, order: Order) -> str | None:
            return next(
                (s.customer_id for s in order.spendings if s.hold_id == spending.hold_id), None
            )

        self._book(_Step(spending.customer_id, order_id, give_back, spender), cause)

    def _book(self, step: _Step, cause: Cause) -> Booked | None:
        """Carry a step out. None: its customer was erased, so there is no book for it."""
        answer = self._ledger.execute(
            Instruction(
                shop=self._shop,
                customer_id=step.customer_id,
                command=step.complete,
                cause=cause,
                order_id=step.order_id,
                hold_id=step.hold_id,
            )
        )
        if not isinstance(answer, Refusal):
            return answer
        if answer.code is not Code.CUSTOMER_ERASED:
            raise MessageDeclined(answer.code, answer.message)
        papers = self._load(
            ReadRequest(self._shop, None, order_id=step.order_id, hold_id=step.hold_id)
        )
        if step.owner_in(papers) == step.customer_id:
            order = papers.order
            if step.hold_id or order is None or order.has_points:
                raise LedgerUnavailable(retry_after_seconds=1)  # the book is just being moved away
            # No entry leads from the erased book to this order, so its owner is forgotten here.
            if not self._keep(order, replace(order, customer_id=None)):
                raise LedgerUnavailable(retry_after_seconds=1)
        log.metric("OrdersOfErasedCustomers")
        return None

    def _keep(self, before: Order, order: Order) -> bool:
        """Keep an order without a book; False if somebody else wrote it meanwhile."""
        if order == before:
            return True
        write = Write(self._shop, (), order=replace(order, revision=before.revision + 1))
        try:
            return isinstance(self._store.commit(write), Committed)
        except StoreUnavailable as error:
            raise LedgerUnavailable(retry_after_seconds=1) from error

    def _order(self, order_id: str) -> Order | None:
        return self._load(ReadRequest(self._shop, None, order_id=order_id)).order

    def _load(self, wanted: ReadRequest) -> Loaded:
        try:
            return self._store.load(wanted, fresh=True)
        except StoreUnavailable as error:
            raise LedgerUnavailable(retry_after_seconds=1) from error


def _buyer(_: Loaded, order: Order) -> str | None:
    return order.customer_id


def _holder(loaded: Loaded, _: Order) -> str | None:
    return loaded.hold_record.customer_id if loaded.hold_record else None
