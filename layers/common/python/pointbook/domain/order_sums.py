"""What an account's entries moved for one order, to be compared with the order's own state."""

from typing import NamedTuple, Self

from pointbook.domain.buckets import Bucket
from pointbook.domain.entry import Entry, Topic
from pointbook.domain.orders import Order

OF_ORDERS = frozenset(
    {
        Topic.ADD_ORDER,
        Topic.ADD_REFUND,
        Topic.SUB_ORDER,
        Topic.SUB_REFUND,
        Topic.PENDING_ADD,
        Topic.PENDING_CANCEL,
        Topic.HOLD_SPENT,
        Topic.EXPIRED_SPENT,
    }
)


class OrderSums(NamedTuple):
    """Points of one order that are pending, remain of those approved, and are still spent."""

    pending: int = 0
    approved: int = 0
    spent: int = 0

    @classmethod
    def of(cls, entry: Entry) -> Self | None:
        """What one entry moved for its order; None if it is about none.

        A late order spends by `points/sub/hold`, whose other entries spend nothing.
        """
        moves = dict(entry.moves)
        spent = moves.get(Bucket.SPENT, 0)
        is_late = entry.topic is Topic.SUB_HOLD and spent
        if not entry.about or not (entry.topic in OF_ORDERS or is_late):
            return None
        granted = entry.approved_delta if entry.topic is Topic.ADD_ORDER else 0
        approved = granted - moves.get(Bucket.REVERSED, 0)
        return cls(moves.get(Bucket.PENDING, 0), approved, spent)

    @classmethod
    def stated_by(cls, order: Order, customer_id: str) -> Self:
        """What an order says of one customer's points."""
        spent = sum(
            one.points - one.returned_points
            for one in order.spendings
            if one.customer_id == customer_id
        )
        if order.customer_id != customer_id:
            return cls(spent=spent)
        return cls(order.pending_points, order.approved_points, spent)

    def plus(self, other: "OrderSums") -> "OrderSums":
        """Both together."""
        return OrderSums(*(one + more for one, more in zip(self, other, strict=True)))
