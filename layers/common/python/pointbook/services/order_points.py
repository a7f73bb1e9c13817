"""The points of one order, for the customer whose order it is."""

from datetime import datetime
from functools import cache
from typing import Any

from pointbook.domain.expiry import day_of
from pointbook.domain.orders import Order
from pointbook.domain.ports import Clock
from pointbook.domain.refusal import Code, Refusal
from pointbook.ledger.read_only import ReadOnlyLedger

_NOT_FOUND = Refusal(Code.ORDER_NOT_FOUND, "There is no such order, or it is not known here yet.")


class OrderPoints:
    """Reads the points of orders."""

    def __init__(self, ledger: ReadOnlyLedger, clock: Clock, time_zone: str) -> None:
        """Read from `ledger`; days are those of the shop's `time_zone`."""
        self._ledger = ledger
        self._clock = clock
        self._time_zone = time_zone

    def of(self, shop: str, customer_id: str, order_id: str) -> dict[str, Any] | Refusal:
        """Return the body of `GET /customers/{customer}/orders/{order_id}/points`.

        Refused in the same words for an order that does not exist, that no webhook has brought yet,
        and that is another customer's. Orders of customers who were merged into this one are this
        customer's. Raises LedgerUnavailable.
        """
        order = self._ledger.order(shop, order_id)
        if order is None or order.customer_id is None:
            return _NOT_FOUND
        own = self._ledger.read(shop, customer_id)

        @cache
        def is_own(owner_id: str) -> bool:
            return owner_id == own.customer_id or (
                self._ledger.read(shop, owner_id).customer_id == own.customer_id
            )

        if not is_own(order.customer_id):
            return _NOT_FOUND
        spendings = [one for one in order.spendings if is_own(one.customer_id)]
        return {
            "order_id": order.order_id,
            **self._earned(order, self._clock.now()),
            "used": sum(one.points for one in spendings),
            "returned": sum(one.returned_points for one in spendings),
        }

    def _earned(self, order: Order, now: datetime) -> dict[str, Any]:
        """What the order has earned so far; pending points that are due count as approved."""
        due_at = order.due_at
        is_due = due_at is not None and due_at <= now
        pending = 0 if is_due else order.pending_points
        comes_on = day_of(due_at, self._time_zone) if due_at is not None and pending else None
        return {
            "approved": order.current_points - pending,
            "pending": pending,
            "comes_on": comes_on.isoformat() if comes_on else None,
        }
