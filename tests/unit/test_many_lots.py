"""However many lots a command moves, and however long ago they lapsed: one verdict, few entries."""

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import Account
from pointbook.domain.decision import COMMAND_ENTRIES_MAX
from pointbook.domain.expiry import Days, Never
from pointbook.domain.lots import LOTS_MAX, negated
from pointbook.domain.orders import Order, OrderUpdate
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.ledger.ledger import Ledger
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support.engine import MEMORY, SHOP, all_entries, opened
from tests.support.examples import CUSTOMER, ORDER
from tests.support.ledgers import FLOW, SetClock

LOTS = pytest.mark.parametrize("lots", [1, 19, 20, 21, 60, 100, 120])
WAYS = pytest.mark.parametrize("way", ["hold", "till"])
RETURNED = ["points/add/refund", "points/sub/expire"]


class Spender:
    """A customer who spent so many lots on one order, a hundred at a time: more are never free."""

    def __init__(self, lots: int, way: str) -> None:
        self.clock = SetClock()
        self.store = opened(MEMORY, MemoryDynamoDB()).store()
        self.ledger = Ledger(self.store, self.clock, random=lambda: 0.5)
        for first in range(0, lots, LOTS_MAX):
            some = min(LOTS_MAX, lots - first)
            for day in range(first, first + some):
                self.say(c.Grant(1, Days(day + 1)))
            self._spend(some, f"{way}-{first}")

    def say(self, command: c.Command) -> Booked:
        """Carry a command out."""
        answer = self.ledger.execute(Instruction(SHOP, CUSTOMER, command, FLOW))
        assert isinstance(answer, Booked), answer
        return answer

    def cancel(self) -> None:
        """The order is cancelled; it has earned nothing."""
        self.say(c.UpdateOrder(ORDER, OrderUpdate(cancelled=True), None, Never()))

    def _spend(self, points: int, spending_id: str) -> None:
        if spending_id.startswith("till"):
            self.say(c.SpendOnOrder(points, ORDER, spending_id))
            return
        self.say(c.PlaceHold(points, spending_id, 600))
        self.say(c.CaptureHold(points, spending_id, ORDER))

    @property
    def order(self) -> Order:
        found = self.ledger.order(SHOP, ORDER)
        assert found is not None
        return found

    @property
    def account(self) -> Account:
        found = self.store.account(SHOP, CUSTOMER)
        assert found is not None
        return found


@LOTS
@WAYS
def test_points_of_many_lapsed_lots_come_back_and_expire_in_one_write(lots: int, way: str) -> None:
    spender = Spender(lots, way)
    spender.clock.pass_time(days=200)
    spender.cancel()
    assert sum(len(spending.lots) for spending in spender.order.spendings) == lots
    for spending in spender.order.spendings:
        before = spender.account.revision
        booked = spender.say(c.ReturnSpending(ORDER, spending.spending_id, Never()))
        assert (spender.account.revision, len(booked.entry_ids)) == (before + 1, len(RETURNED))
        returned, expired = (one.entry for one in all_entries(spender.store, CUSTOMER)[-2:])
        assert [returned.topic, expired.topic] == RETURNED
        assert (returned.lots, expired.lots) == (spending.lots, negated(spending.lots))
    account = spender.account
    assert (account.figures.spent, account.figures.approved) == (0, 0)
    assert account.balances.expired == lots
    assert len(RETURNED) <= COMMAND_ENTRIES_MAX
