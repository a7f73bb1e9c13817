"""The state that a decision is based on: the account, and what the command refers to."""

from dataclasses import dataclass

from pointbook.domain.account import Account, HoldRecord
from pointbook.domain.orders import Order


@dataclass(frozen=True, slots=True)
class State:
    """The account, and the order and hold record that the command names; None: there is none.

    `customer_id` is the customer that the command names, if they were merged into the account's.
    """

    account: Account
    order: Order | None = None
    hold_record: HoldRecord | None = None
    customer_id: str = ""

    def belongs(self, owner_id: str | None) -> bool:
        """Whether `owner_id` is this account's customer by now; None, nobody, counts too."""
        account = self.account
        return owner_id in (None, account.customer_id, self.customer_id, *account.merged_from)

    def order_or_new(self, order_id: str) -> Order:
        """The order as stored, or a new one under this id."""
        assert self.order is None or self.order.order_id == order_id, "another order was loaded"
        return self.order or Order(order_id)
