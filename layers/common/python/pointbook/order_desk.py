"""Carries out what Shopify says about orders: earning, refunds, points used, cancellation.

Each step is safe to repeat and needs no memory of messages: the order item knows what was done.
An order belongs to the customer it was first seen with; news of it goes to that customer's book,
wherever that has moved since. Until a customer is known, an order is kept without a book.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from pointbook import log
from pointbook.domain.chain import Cause
from pointbook.domain.commands import (
    CaptureHold,
    Command,
    ReturnSpending,
    SpendOnOrder,
    UpdateOrder,
)
from pointbook.domain.orders import EarningRule, Order, OrderNews, Spending
from pointbook.domain.ports import Clock, Committed, Loaded, Store, TryAgainError, Wanted, Write
from pointbook.domain.programme import Programme
from pointbook.domain.programme_rules import ApproveOn
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import LedgerUnavailable, MessageDeclined
from pointbook.instruction import Booked, Instruction
from pointbook.ledger import Ledger
from pointbook.message import Message
from pointbook.shopify.discount_code import hold_id_of
from pointbook.shopify.orders import CodeUse, OrderFacts, read_order, read_refund

REFUND_CREATED = "refunds/create"
ORDER_PAID = "orders/paid"
ORDER_CANCELLED = "orders/cancelled"

TILL_SPENDING = "till"
"""Under which name an order keeps the points that were used at a counter."""

_SOURCE = "order"
_TRIES = 5


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


class OrderDesk:
    """The orders of one shop under its programme."""

    def __init__(
        self, shop: str, ledger: Ledger, store: Store, clock: Clock, programme: Programme
    ) -> None:
        """Book on `ledger`; `store` is where it keeps its books."""
        self._shop = shop
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._programme = programme

    def carry_out(self, message: Message) -> None:
        """Carry out a message about an order or a refund; it may come twice and in any order.

        Raises InvalidRequest for a payload that cannot be read, LedgerUnavailable when there was no
        verdict in time, MessageDeclined when a person has to look. Doing it again is always safe.
        """
        cause = Cause(_SOURCE, message.event_id)
        if message.topic == REFUND_CREATED:
            refunded = read_refund(message.payload, self._programme.currency)
            news = OrderNews(refunds=(refunded.refund,))
            self._tell(refunded.order_id, None, news, self._usual_rule(), cause)
            self._give_back(refunded.order_id, cause)
            return
        facts = read_order(message.payload, self._programme.currency)
        rule = self._programme.earning_rule(facts.tag_digests, is_test=facts.is_test)
        news = self._news(message.topic, facts, message.triggered_at)
        self._tell(facts.order_id, facts.customer_id, news, rule, cause)
        for use in facts.code_uses:
            self._capture(facts.order_id, use, cause)
        if facts.till_points:
            self._spend_at_till(facts.order_id, facts.till_points, cause)
        self._give_back(facts.order_id, cause)

    def approve(self, order_id: str) -> int:
        """Approve the pending points of an order, if their time has come. Returns the entries."""
        booked = self._tell(order_id, None, OrderNews(), self._usual_rule(), Cause("schedule"))
        return booked.settled + len(booked.entry_ids) if booked else 0

    def _news(self, topic: str, facts: OrderFacts, triggered_at: datetime | None) -> OrderNews:
        reasons = [facts.updated_at] if facts.paid or topic == ORDER_PAID else []
        if self._programme.approve_on is ApproveOn.CREATED:
            reasons.append(facts.created_at or facts.updated_at)
        return OrderNews(
            updated_at=facts.updated_at,
            triggered_at=triggered_at,
            goods=facts.goods,
            removed=facts.removed,
            taxes_included=facts.taxes_included,
            # Shopify's clock may be ahead of ours: what it says has happened has happened by now.
            confirmed_at=min((*reasons, self._clock.now())) if reasons else None,
            cancelled=facts.cancelled or topic == ORDER_CANCELLED,
            refunds=facts.refunds,
        )

    def _usual_rule(self) -> EarningRule:
        """For news without goods, which earn nothing by themselves."""
        return self._programme.earning_rule((), is_test=False)

    def _tell(
        self,
        order_id: str,
        customer_id: str | None,
        news: OrderNews,
        rule: EarningRule,
        cause: Cause,
    ) -> Booked | None:
        """Take the news in, on the book of the order's customer, or on none while there is none."""

        def update(_: Loaded, order: Order) -> Command:
            return UpdateOrder(order, news, rule, self._programme.expiry)

        for _ in range(_TRIES):
            order = self._order(order_id) or Order(order_id)
            owner = order.customer_id or customer_id
            if owner is not None:
                return self._book(_Step(owner, order_id, update, _buyer), cause)
            if self._keep(order, order.told(news, None)):
                return None
        raise LedgerUnavailable(retry_after_seconds=1)

    def _capture(self, order_id: str, use: CodeUse, cause: Cause) -> None:
        """The order carries the code of a hold: what it used of it is spent."""
        hold_id = hold_id_of(use.code)
        record = self._load(Wanted(self._shop, None, hold_id=hold_id)).hold_record
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
        papers = self._load(Wanted(self._shop, None, order_id=step.order_id, hold_id=step.hold_id))
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
        except TryAgainError as error:
            raise LedgerUnavailable(retry_after_seconds=1) from error

    def _order(self, order_id: str) -> Order | None:
        return self._load(Wanted(self._shop, None, order_id=order_id)).order

    def _load(self, wanted: Wanted) -> Loaded:
        try:
            return self._store.load(wanted, fresh=True)
        except TryAgainError as error:
            raise LedgerUnavailable(retry_after_seconds=1) from error


def _buyer(_: Loaded, order: Order) -> str | None:
    return order.customer_id


def _holder(loaded: Loaded, _: Order) -> str | None:
    return loaded.hold_record.customer_id if loaded.hold_record else None
