"""What a decision rests on: the customer's account and what else was loaded for the command."""

from dataclasses import dataclass

from pointbook.domain.account import Account, HoldRecord
from pointbook.domain.orders import Order


@dataclass(frozen=True, slots=True)
class State:
    """The account, and the order and hold record that the command names; None: there is none.

    `customer_id` is the customer for whom the account was loaded, where that customer was merged
    into the account's; "" stands for the account's own.
    """

    account: Account
    order: Order | None = None
    hold_record: HoldRecord | None = None
    customer_id: str = ""

    def belongs(self, owner_id: str | None) -> bool:
        """Whether what `owner_id` owns is this account's by now; what nobody owns is anybody's."""
        account = self.account
        known = (None, account.customer_id, self.customer_id, *account.merged_from)
        return owner_id in known

    def order_or_new(self, order_id: str) -> Order:
        """The order as stored, or a new one under this id."""
        assert self.order is None or self.order.order_id == order_id, "another order was loaded"
        return self.order or Order(order_id)
