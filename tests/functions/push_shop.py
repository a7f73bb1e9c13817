"""A shop whose till takes pushes: its functions, its stream, and the counter."""

from datetime import timedelta
from typing import Any

from local import demo
from pointbook.container import Parts
from pointbook.store.till_pushes import TillCursor, TillPushes
from tests.fakes.flow import RealClock
from tests.fakes.locked import LockedClient
from tests.fakes.pushed_till import FakeTill
from tests.support.harness import CUSTOMER, TABLE, Answer, Functions, event, memory_table
from tools.make_events_stream import records

SHOP = demo.SHOP_DOMAIN
HOUR = timedelta(hours=1)


class PushShop:
    """The functions of a shop whose till knows the customer of the sample events."""

    def __init__(self, **variables: str) -> None:
        self.clock = RealClock()
        self.till = FakeTill(self.clock, {CUSTOMER: 0})
        parts: Parts = {
            "dynamodb": LockedClient(memory_table()),
            "clock": self.clock,
            "wall_clock": self.clock,
            "till_adapter": lambda _credentials, _pace: self.till,
        }
        till = {"TILL_PROVIDER": "smaregi", "PROGRAMME_TILL_PUSH": "changes"}
        self.functions = Functions(parts, **(till | variables))

    def flow(self, action: str, run: str, points: object, **more: object) -> Answer:
        """Flow runs an action."""
        properties = {"customer_id": CUSTOMER, "points": points, "reason": "Points", **more}
        return self.functions.flow(action, run, **properties)

    def account(self, customer_id: str = CUSTOMER) -> dict[str, Any]:
        """The account's item."""
        found: dict[str, Any] = self.functions.table.items(TABLE)[
            f"SHOP#{SHOP}#CUSTOMER#{customer_id}", "ACCOUNT"
        ]
        return found

    def stream(self, *customer_ids: str) -> dict[str, Any]:
        """The stream shows these accounts as they are now."""
        images = (self.account(one) for one in customer_ids or (CUSTOMER,))
        return self.functions.invoke("push_till", records(*images))

    def sweep(self, **later: float) -> dict[str, Any]:
        """The schedule runs, some time later."""
        self.clock.pass_time(**later)
        return self.functions.invoke("push_till", event("push_till", "schedule"))

    def cursor(self, customer_id: str = CUSTOMER) -> TillCursor | None:
        """The cursor of the till's outbox."""
        return TillPushes(self.functions.container._table).find(SHOP, customer_id)

    @property
    def balance(self) -> int:
        """What the till has."""
        return self.till.balances[CUSTOMER]
