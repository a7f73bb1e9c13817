"""Discrepancies between an account and what belongs to it: its hold, its orders, its outbox.

The entries themselves: `domain.reconcile`.
"""

from collections.abc import Iterator

from pointbook.domain.account import Account, HoldRecord
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.order_sums import OrderSums
from pointbook.domain.orders import Order
from pointbook.domain.reconcile import Damage, Finding


def hold_findings(account: Account, record: HoldRecord | None) -> Iterator[Finding]:
    """What contradicts itself in an open hold and its record."""
    hold = account.hold
    assert hold is not None, "only an open hold is compared"
    if record is None:
        yield Finding(Damage.HOLD, 0, f"hold {hold.hold_id} is open, but has no record")
        return
    held, recorded = (hold.points, hold.code), (record.points, record.code)
    if held != recorded:
        yield Finding(Damage.HOLD, 0, f"hold {hold.hold_id} is {held}, its record says {recorded}")
    owners = (account.customer_id, *account.merged_from)
    if record.customer_id not in owners and not _is_being_renamed(account, record.customer_id):
        owner = record.customer_id
        yield Finding(Damage.HOLD, 0, f"the record of hold {hold.hold_id} names customer {owner}")
    if record.orders:
        orders = ", ".join(record.orders)
        yield Finding(Damage.HOLD, 0, f"hold {hold.hold_id} is open, but was used by {orders}")


def order_findings(
    account: Account, order_id: str, moved: OrderSums, order: Order | None
) -> Iterator[Finding]:
    """What contradicts itself in an order and the entries about it.

    Sums are compared only where no customers were merged: else the entries of an order may be in
    both accounts.
    """
    if order is None:
        yield Finding(Damage.ORDER, 0, f"entries are about order {order_id}, which is not stored")
        return
    if account.merged_from or account.merged_into or order.customer_id is None:
        return
    names = (order.customer_id, *(one.customer_id for one in order.spendings))
    if account.customer_id not in names and any(_is_being_renamed(account, one) for one in names):
        return
    stated = OrderSums.stated_by(order, account.customer_id)
    for name, entries, own in zip(OrderSums._fields, moved, stated, strict=True):
        if entries != own:
            what = f"order {order_id} has {own} points {name}, the entries about it {entries}"
            yield Finding(Damage.ORDER, 0, what)


def used_hold_findings(record: HoldRecord, order_id: str, order: Order | None) -> Iterator[Finding]:
    """Whether the order that a hold was used by says so."""
    spendings = order.spendings if order else ()
    if not any(one.spending_id == record.hold_id for one in spendings):
        what = f"hold {record.hold_id} was used by order {order_id}, which does not say so"
        yield Finding(Damage.HOLD, 0, what)


def _is_being_renamed(account: Account, name: str) -> bool:
    """Whether an erasure has moved the account, and has yet to rename what refers to it."""
    return is_pseudonym(account.customer_id) and not is_pseudonym(name)
