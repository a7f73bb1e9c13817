"""The order service: processes webhooks about orders (earning, refunds, points used, cancellation).

Each step is safe to repeat and needs no record of messages: the stored order says what was done. An
order belongs to its first known customer; updates go to that customer's account, even after a merge
or an erasure has moved it. An order without a known customer is stored without moving points.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from pointbook import log
from pointbook.domain.chain import Cause
from pointbook.domain.commands import CaptureHold, ReturnSpending, SpendOnOrder, UpdateOrder
from pointbook.domain.orders import EarningRule, Order, OrderUpdate
from pointbook.domain.ports import Clock
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

ORDER_CREATED = "orders/create"
REFUND_CREATED = "refunds/create"

TILL_SPENDING = "till"
"""The spending id of points that were used at a counter."""

_SOURCE = "order"
_ATTEMPTS = 5


class CustomerTags(Protocol):
    """The tags of one shop's customers, as Shopify has them now."""

    def tag_digests(self, customer_id: str) -> Collection[str] | None:
        """The digests of a customer's tags, None if the shop has no such customer.

        Raises ShopifyRefused or Unavailable.
        """
        ...


type _OrderCommand = CaptureHold | UpdateOrder | SpendOnOrder | ReturnSpending

_STALE_REFUSALS = frozenset({Code.NOT_THE_OWNER, Code.RULE_MISSING, Code.HOLD_NOT_FOUND})
"""Refusals which mean that the data a command was built from is stale."""


class _StaleRead(LedgerUnavailable):
    """The data a command was built from has changed since, for example by a merge or an erasure."""


class OrderService:
    """The orders of one shop under its programme."""

    def __init__(
        self,
        shop: str,
        ledger: Ledger,
        clock: Clock,
        programme: Programme,
        customers: Callable[[], CustomerTags],
    ) -> None:
        """Book on `ledger`.

        `customers` is called only if the programme uses tags and an order needs its earning rule.
        """
        self._shop = shop
        self._ledger = ledger
        self._clock = clock
        self._programme = programme
        self._customers = customers

    def carry_out(self, message: Message) -> None:
        """Process a message about an order or a refund, even if repeated or out of sequence.

        While earning is paused, only holds whose codes it used are captured.

        Raises InvalidRequest for an unreadable payload, LedgerUnavailable if the ledger did not
        answer in time, TagsUnknown if Shopify did not return the customer's tags, MessageDeclined
        if an operator must intervene. Repeating is always safe.
        """
        cause = Cause(_SOURCE, message.event_id)
        if self._programme.earning_paused:
            self._while_paused(message, cause)
            return
        if message.topic == REFUND_CREATED:
            self._refund(message, cause)
            return
        facts = read_order(message.payload, self._programme.currency)
        if message.topic == ORDER_CREATED:
            log.metric("OrdersWithoutCustomer", int(facts.customer_id is None))
        update = self._update_of(facts, message.triggered_at)
        tags_unknown: TagsUnknown | None = None
        try:
            self._merge_update(facts.order_id, update, cause, facts)
        except TagsUnknown as error:
            # The codes the order used are known anyway, and its holds could expire while we wait.
            tags_unknown = error
        self._capture_holds(facts, cause)
        if tags_unknown is not None:
            raise tags_unknown
        if facts.till_points is None:
            order_id, customer_id = facts.order_id, facts.customer_id
            raise_order_alarm(
                TILL_POINTS_UNREADABLE, self._shop, order_id, customer_id, field=TILL_FIELD
            )
        elif facts.till_points:
            self._spend_at_till(facts, facts.till_points, message.event_id)
        self._return_spent(facts.order_id, cause)

    def _refund(self, message: Message, cause: Cause) -> None:
        refunded = read_refund(message.payload, self._programme.currency)
        self._merge_update(refunded.order_id, OrderUpdate(refunds=(refunded.refund,)), cause)
        self._return_spent(refunded.order_id, cause)

    def _while_paused(self, message: Message, cause: Cause) -> None:
        """Capture the holds whose codes an order used; everything else waits.

        The order stays as the ledger knows it, or unknown. So the comparison with Shopify finds it
        as soon as earning is on again, and feeds it as Shopify has it then.
        """
        if message.topic == REFUND_CREATED:
            order_id = read_refund(message.payload, self._programme.currency).order_id
        else:
            facts = read_order(message.payload, self._programme.currency)
            order_id = facts.order_id
            self._capture_holds(facts, cause)
        log.info("order_waits_for_earning", order_id=order_id, event_id=message.event_id)

    def approve(self, order_id: str) -> int:
        """Approve an order's pending points if due. Returns the number of entries written."""
        booked = self._merge_update(order_id, OrderUpdate(), Cause("schedule"))
        return booked.settled + len(booked.entry_ids) if booked else 0

    def _update_of(self, facts: OrderFacts, triggered_at: datetime | None) -> OrderUpdate:
        """The update in the signed body; the topic is an unsigned header and is not trusted."""
        now = self._clock.now()
        confirmation_times = [facts.updated_at] if facts.paid else []
        if self._programme.approve_on is ApproveOn.CREATED:
            confirmation_times.append(facts.created_at or facts.updated_at)
        return OrderUpdate(
            updated_at=facts.updated_at,
            triggered_at=triggered_at,
            goods=facts.goods,
            removed=facts.removed,
            taxes_included=facts.taxes_included,
            # Shopify's clock may be ahead of ours: an order is never confirmed in the future.
            confirmed_at=min((*confirmation_times, now)) if confirmation_times else None,
            cancelled=facts.cancelled,
            refunds=facts.refunds,
            name=facts.name,
        )

    def _merge_update(
        self, order_id: str, update: OrderUpdate, cause: Cause, facts: OrderFacts | None = None
    ) -> Booked | None:
        """Merge an update into an order, on its customer's account if it has a customer.

        Only order webhooks have `facts`, which determine the order's earning rule. Raises
        TagsUnknown.
        """
        for _ in range(_ATTEMPTS):
            order = self._order(order_id)
            owner = _owner_of(order, facts)
            if owner is not None:
                command = self._update_command(order, update, facts, owner)
                try:
                    booked = self._execute(owner, command, cause, update.name or order.name)
                except _StaleRead:
                    continue
                if booked is not None:
                    return booked
                order = self._order(order_id)
                if order.customer_id is not None:
                    continue
            # An erased customer's order continues as a guest's: points spent on it can be returned.
            if self._ledger.save_order(self._shop, order, order.merged_with(update, None)):
                return None
        raise LedgerUnavailable(retry_after_seconds=1)

    def _update_command(
        self, order: Order, update: OrderUpdate, facts: OrderFacts | None, owner: str
    ) -> UpdateOrder:
        """The command, with an earning rule if the order needs one and has none.

        If the ledger finds that one is needed but missing, it refuses with RULE_MISSING.
        """
        expiry = self._programme.expiry
        if facts is not None and order.merged_with(update, None).lacks_rule:
            rule = self._rule(owner, facts)
            return UpdateOrder(order.order_id, update, rule, expiry)
        return UpdateOrder(order.order_id, update, None, expiry, needs_rule=facts is not None)

    def _rule(self, owner: str, facts: OrderFacts) -> EarningRule | None:
        """The earning rule for the owner's order; None if the owner was erased.

        After a merge the survivor's tags are read, which Shopify has combined. Raises TagsUnknown.
        """
        programme, order_id, is_test = self._programme, facts.order_id, facts.is_test
        if programme.is_before_start(facts.created_at or facts.updated_at):
            return programme.no_earning_rule()
        if not programme.uses_tags(is_test=is_test):
            return programme.earning_rule((), is_test=is_test)
        account = self._ledger.read(self._shop, owner)
        if account.erased or not is_customer_digits(account.customer_id):
            return None
        try:
            tag_digests = self._customers().tag_digests(account.customer_id)
        except (ShopifyRefused, Unavailable) as error:
            raise TagsUnknown(
                f"Shopify did not return the tags of customer {account.customer_id}, on which order"
                f" {order_id} depends ({error}); redrive this message once it does."
            ) from error
        if tag_digests is None:
            raise TagsUnknown(
                f"Shopify has no customer {account.customer_id} (owner of order {order_id}). If"
                " they were merged, redrive this message once customers/merge has been carried out;"
                " if they are gone for good, add the order's points by hand and drop this message."
            )
        return programme.earning_rule(tag_digests, is_test=is_test)

    def _capture_holds(self, order: OrderFacts, cause: Cause) -> None:
        for use in order.code_uses:
            self._capture(order, use, cause)

    def _capture(self, order: OrderFacts, use: CodeUse, cause: Cause) -> None:
        """Spend the points of the hold whose code the order used."""
        hold_id = hold_id_of(use.code)
        record = self._ledger.hold_record(self._shop, hold_id)
        if record is None:
            log.warning("code_of_no_hold", order_id=order.order_id)
            log.metric("CodesOfNoHold")
            return
        if use.amount_minor <= 0:
            return
        command = CaptureHold(
            points=record.points_for(use.amount_minor),
            hold_id=hold_id,
            order_id=order.order_id,
            renew=self._programme.renew,
            return_spent=self._programme.return_spent,
        )
        self._execute(record.customer_id, command, cause, order.name)

    def _spend_at_till(self, order: OrderFacts, points: int, event_id: str) -> None:
        owner = self._order(order.order_id).customer_id
        if owner is None:
            log.warning("till_points_of_no_customer", order_id=order.order_id)
            return
        command = SpendOnOrder(
            points=points,
            order_id=order.order_id,
            spending_id=TILL_SPENDING,
            renew=self._programme.renew,
            return_spent=self._programme.return_spent,
        )
        self._execute(owner, command, Cause.reported(_SOURCE, event_id), order.name)

    def _return_spent(self, order_id: str, cause: Cause) -> None:
        """Return as many of the order's spent points as its current state requires."""
        order = self._order(order_id)
        for spending in order.spendings:
            if order.returned_target(spending) != spending.returned_points:
                command = ReturnSpending(
                    order_id=order_id,
                    spending_id=spending.spending_id,
                    expiry=self._programme.expiry,
                    lapsed_expiry=self._programme.lapsed_expiry,
                )
                at_till = spending.spending_id == TILL_SPENDING  # the till returns them by itself
                of_till = Cause.reported(cause.source, cause.actor)
                owner = spending.customer_id
                self._execute(owner, command, of_till if at_till else cause, order.name)

    def _execute(
        self, owner: str, command: _OrderCommand, cause: Cause, name: str
    ) -> Booked | None:
        """Execute a command on the owner's account; None if the owner has been erased.

        The order's name is the reason that the customer reads.
        Raises _StaleRead if the data it is based on has changed since it was read.
        """
        answer = self._ledger.execute(
            Instruction(
                shop=self._shop,
                customer_id=owner,
                command=command,
                cause=cause,
                reason=name,
                time_zone=self._programme.time_zone,
            )
        )
        if not isinstance(answer, Refusal):
            return answer
        if answer.code in _STALE_REFUSALS:
            raise _StaleRead(retry_after_seconds=1)
        if answer.code is not Code.CUSTOMER_ERASED:
            raise MessageDeclined(answer.code, answer.message)
        self._forget_owner(owner, command)
        log.metric("OrdersOfErasedCustomers")
        return None

    def _forget_owner(self, erased: str, command: _OrderCommand) -> None:
        """Remove an erased customer from the order, unless one of their entries refers to it.

        Raises _StaleRead if it has their pseudonym by now, LedgerUnavailable while it is being
        moved there.
        """
        order = self._order(command.order_id)
        owner = self._owner(order, command)
        if owner is None:
            return
        if owner != erased:
            raise _StaleRead(retry_after_seconds=1)
        must_wait_for_move = isinstance(command, CaptureHold) or order.has_points
        ownerless = replace(order, customer_id=None)
        if must_wait_for_move or not self._ledger.save_order(self._shop, order, ownerless):
            raise LedgerUnavailable(retry_after_seconds=1)

    def _owner(self, order: Order, command: _OrderCommand) -> str | None:
        """The customer whose account this command now applies to."""
        match command:
            case CaptureHold():
                record = self._ledger.hold_record(self._shop, command.hold_id)
                return record.customer_id if record else None
            case ReturnSpending():
                matching = (s for s in order.spendings if s.spending_id == command.spending_id)
                return next((spending.customer_id for spending in matching), None)
            case UpdateOrder() | SpendOnOrder():
                return order.customer_id

    def _order(self, order_id: str) -> Order:
        """The order as stored, or a new one."""
        return self._ledger.order(self._shop, order_id) or Order(order_id)


def _owner_of(order: Order, facts: OrderFacts | None) -> str | None:
    """Whose order it is: the first customer it was seen with keeps it."""
    return order.customer_id or (facts.customer_id if facts else None)
