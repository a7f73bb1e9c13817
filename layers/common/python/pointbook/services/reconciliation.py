"""Compares a shop's orders with Shopify's, and feeds those whose webhooks were lost.

Shopify sends a webhook eight times in four hours and then never again. An order that the ledger
does not know, or knows in an older state than Shopify has it, is put on the orders' queue as what
`orders/updated` would have left there. It is booked there and nowhere else: an order that is fed
twice, or whose webhook comes after all, is one of the repetitions that the worker tolerates.

An order whose customer at Shopify is another one than ours, while ours is gone there, looks like a
lost `customers/merge`. It is reported; a merge cannot be undone, so it is fed only if a person says
so.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.ports import Clock
from pointbook.errors import PointbookError, Refused
from pointbook.ledger.ledger import Ledger
from pointbook.services.message import Message, message_text
from pointbook.shopify.admin_orders import UPDATED, AdminOrders, ListedOrder
from pointbook.shopify.ids import customer_gid
from pointbook.shopify.webhook import CUSTOMERS, ORDERS
from pointbook.store.reconciliations import Reconciliations, StoredOrder
from pointbook.store.waiting_sign_ups import WaitingSignUps

if TYPE_CHECKING:
    from pointbook.services.customers import CustomerDirectory

SIGN_UP = "customers/create"

ACTOR = "reconcile_orders"
"""The event id of what is fed, and so the actor of its entries."""

FAILURES_MAX = 5
"""After as many failures in a row it is not the order, but Shopify or the queue."""


class Reason(StrEnum):
    """Why an order is fed."""

    UNKNOWN = "unknown"
    OLDER = "older"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """An order that was found, and what became of it.

    `updated_at` is Shopify's, `known_at` that of the state that the ledger knows. Neither `fed` nor
    with a `code`: a dry run, or the order is gone at Shopify. `code` says why it could not be fed;
    if that is not `final`, the next run tries again. `till_points_unread`: it was fed without the
    points that were used at a till (`shopify.admin_orders`).
    """

    order_id: str
    why: Reason
    updated_at: datetime | None = None
    known_at: datetime | None = None
    fed: bool = False
    code: str = ""
    final: bool = False
    till_points_unread: bool = False


@dataclass(frozen=True, slots=True)
class SuspectedMerge:
    """An order that shows a merge whose webhook was lost: `gone` became `kept`."""

    order_id: str
    gone: str
    kept: str
    fed: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing one page came to.

    `position` is the last update that was looked at, `cursor` the next page, None at the end.
    `cut`: the time was up before the page was done; the same page has to be compared again.
    `failed` are merges that could not be looked at.
    """

    compared: int = 0
    orders: tuple[FoundOrder, ...] = ()
    merges: tuple[SuspectedMerge, ...] = ()
    position: datetime | None = None
    cursor: str | None = None
    cut: bool = False
    failed: int = 0

    @property
    def left(self) -> tuple[str, ...]:
        """The orders that have to be tried again."""
        return tuple(one.order_id for one in self.orders if one.code and not one.final)


@dataclass(frozen=True, slots=True)
class Mode:
    """How to compare: `dry_run` feeds nothing, `merges` feeds merges too."""

    dry_run: bool = False
    merges: bool = False


class Feed(Protocol):
    """Puts a message on a queue."""

    def __call__(self, queue: str, text: str) -> None:
        """Raises Unavailable."""
        ...


@dataclass(slots=True)
class OrderReconciler:
    """The comparison of one shop's orders."""

    shop: str
    orders: AdminOrders
    customers: Callable[[], "CustomerDirectory"]
    reconciliations: Reconciliations
    sign_ups: WaitingSignUps
    ledger: Ledger
    feed: Feed
    clock: Clock
    _failures_in_a_row: int = field(default=0, init=False)

    def compare(
        self,
        period: tuple[datetime, datetime],
        cursor: str | None,
        limit: int,
        deadline: Deadline,
        mode: Mode = Mode(),
    ) -> Comparison:
        """Compare a page of the orders that were updated in a period, and feed what is missing.

        Raises Unavailable and ShopifyRefused if the page cannot be read, and what feeding raised if
        it failed several times in a row. Repeating is always safe.
        """
        since, until = period
        page = self.orders.updated_since(since, cursor, limit)
        listed = [one for one in page.orders if one.updated_at < until]
        stored = self.reconciliations.stored_orders(self.shop, (one.order_id for one in listed))
        found, merges, failed = list[FoundOrder](), dict[tuple[str, str], SuspectedMerge](), 0
        for one in listed:
            if deadline.passed:
                return Comparison(orders=tuple(found), cursor=cursor, cut=True)
            ours = stored.get(one.order_id)
            if missing := _missing(one, ours):
                found.append(self._fed(missing, mode))
            try:
                merge = self._merge(one, ours)
            except PointbookError:
                log.exception("merge_not_checked", shop=self.shop, order_id=one.order_id)
                failed += 1
            else:
                if merge is not None:
                    merges.setdefault((merge.gone, merge.kept), merge)
        return Comparison(
            compared=len(listed),
            orders=tuple(found),
            merges=tuple(self._merged(list(merges.values()), mode)),
            position=listed[-1].updated_at if listed else None,
            cursor=page.cursor if len(listed) == len(page.orders) else None,
            failed=failed,
        )

    def feed_again(self, order_ids: Iterable[str]) -> Iterator[FoundOrder]:
        """Feed orders that were found before and could not be fed."""
        for order_id in order_ids:
            yield self._fed(FoundOrder(order_id, Reason.LEFT), Mode())

    def feed_sign_ups(self) -> int:
        """Feed the sign-ups that came while earning was paused; how many there were.

        Each keeps the time at which it came. Raises Unavailable; repeating is safe.
        """
        fed = 0
        for customer_id, at in self.sign_ups.all(self.shop):
            self._send(CUSTOMERS, SIGN_UP, {"id": int(customer_id)}, at)
            self.sign_ups.remove(self.shop, customer_id)
            fed += 1
        if fed:
            log.info("sign_ups_taken_up", shop=self.shop, count=fed)
        return fed

    def _fed(self, found: FoundOrder, mode: Mode) -> FoundOrder:
        if mode.dry_run:
            return found
        try:
            order = self.orders.find(found.order_id)
            if order is not None:
                self._send(ORDERS, UPDATED, order.payload)
        except Refused as error:
            log.exception("order_not_reconciled", **self._ids(found), code=error.code)
            return replace(found, code=error.code, final=True)
        except PointbookError as error:
            self._failures_in_a_row += 1
            log.exception("order_not_reconciled", **self._ids(found), code=error.code)
            if self._failures_in_a_row >= FAILURES_MAX:
                raise
            return replace(found, code=error.code)
        self._failures_in_a_row = 0
        if order is None:
            return found
        log.info("order_reconciled", **self._ids(found), reason=found.why)
        if order.till_points_unread:
            log.warning("till_points_unread", **self._ids(found))
        return replace(found, fed=True, till_points_unread=order.till_points_unread)

    def _ids(self, found: FoundOrder) -> dict[str, str]:
        return {"shop": self.shop, "order_id": found.order_id}

    def _send(
        self, queue: str, topic: str, payload: dict[str, object], at: datetime | None = None
    ) -> None:
        message = Message(topic, self.shop, at or self.clock.now(), ACTOR, payload)
        self.feed(queue, message_text(message))

    # --- merges -----------------------------------------------------------------------------------

    def _merge(self, listed: ListedOrder, ours: StoredOrder | None) -> SuspectedMerge | None:
        """The merge that an order shows, if the ledger does not know of it."""
        owner, kept = ours.customer_id if ours else None, listed.customer_id
        if owner is None or kept is None or owner == kept:
            return None
        account = self.ledger.read(self.shop, owner)
        gone = account.customer_id
        if account.erased or gone == kept or is_pseudonym(gone):
            return None
        customers = self.customers()
        if customers.exists(gone) or not customers.exists(kept):
            return None
        return SuspectedMerge(listed.order_id, gone, kept)

    def _merged(self, merges: list[SuspectedMerge], mode: Mode) -> Iterator[SuspectedMerge]:
        """The merges, fed if asked for; not those of a customer who seems to be in two others."""
        for merge in merges:
            is_one = [one.gone for one in merges].count(merge.gone) == 1
            feeds = mode.merges and not mode.dry_run and is_one
            if feeds:
                self._send(
                    CUSTOMERS,
                    "customers/merge",
                    {
                        "admin_graphql_api_customer_deleted_id": customer_gid(merge.gone),
                        "admin_graphql_api_customer_kept_id": customer_gid(merge.kept),
                        "status": "completed",
                    },
                )
            ids = {"order_id": merge.order_id, "gone": merge.gone, "kept": merge.kept}
            log.warning("merge_suspected", shop=self.shop, **ids, fed=feeds)
            yield SuspectedMerge(**ids, fed=feeds)


def _missing(listed: ListedOrder, ours: StoredOrder | None) -> FoundOrder | None:
    """An order that has to be fed: unknown, or known in an older state."""
    if ours is None:
        return FoundOrder(listed.order_id, Reason.UNKNOWN, listed.updated_at)
    if ours.updated_at is None or ours.updated_at < listed.updated_at:
        return FoundOrder(listed.order_id, Reason.OLDER, listed.updated_at, ours.updated_at)
    return None
