"""A shop with a till in memory, a clock that a test moves, and the queue between its functions."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pointbook.store import keys
from pointbook.store.till_members import CachedMember
from pointbook.store.till_state import TillState
from pointbook.till.errors import TillError
from tests.fakes.customers import MemoryCustomers
from tests.fakes.till import FakeTill
from tests.support.harness import CUSTOMER, TABLE, Answer, Functions, event
from tests.support.ledgers import SetClock
from tools.make_events_webhooks import sqs_event

NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
SHOP = "demo.myshopify.com"


class WaitingClock(SetClock):
    """Does something in place of each wait."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self.instead: Callable[[], object] = lambda: None

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.instead()


class TillShop:
    """The functions of a shop whose till knows the customer of the sample events."""

    def __init__(self, **variables: str) -> None:
        self.clock = WaitingClock(NOW)
        self.till = FakeTill()
        self.till.put(CUSTOMER, 1250, NOW)
        self.customers = MemoryCustomers()
        self.functions = Functions(
            {
                "wall_clock": self.clock,
                "till_adapter": self.till.adapter,
                "customers": lambda _: self.customers,
            },
            TILL_PROVIDER="smaregi",
            **variables,
        )
        self.operator = self.functions.operator

    def view(self, case: str = "by_header") -> Answer:
        """What my page is answered."""
        return self.functions.sample("get_points", case)

    def view_till(self, case: str = "by_header") -> dict[str, Any]:
        """The till's part of what my page is answered."""
        answer = self.view(case)
        assert answer.status == 200
        till: dict[str, Any] = answer.body["till"]
        return till

    def asked(self) -> list[str]:
        """The messages on the queue, taken from it."""
        sent = [text for queue, text in self.functions.queues.sent if queue == "till_refreshes"]
        self.functions.queues.sent.clear()
        return sent

    def work(self) -> dict[str, Any]:
        """Let `refresh_till` work on all that is on the queue."""
        texts = self.asked()
        if not texts:
            return {}
        return self.functions.invoke("refresh_till", sqs_event("till_refreshes", *texts))

    def watch(self) -> dict[str, Any]:
        """A run of the schedule."""
        return self.functions.invoke("refresh_till", event("refresh_till", "schedule"))

    def fail(self, error: TillError | Exception | None, times: int = 3) -> None:
        """Let the till answer so, and have it called for unknown members, a few times."""
        self.till.error = error
        for number in range(times):
            self.refresh(str(9000 + number))

    def refresh(self, customer_id: str = CUSTOMER) -> dict[str, Any]:
        """Let `refresh_till` refresh a member."""
        text = json.dumps({"shop": SHOP, "customer_id": customer_id})
        return self.functions.invoke("refresh_till", sqs_event("till_refreshes", text))

    def cached(self, customer_id: str = CUSTOMER) -> CachedMember | None:
        """What is cached of a customer."""
        return self.functions.container.till_members().read(SHOP, customer_id)

    @property
    def state(self) -> TillState:
        """The till's state."""
        return self.functions.container.till_states().read()

    def has_item(self, customer_id: str = CUSTOMER) -> bool:
        """Whether anything is cached of a customer at the till."""
        key = (keys.customer(SHOP, customer_id), keys.TILL_MEMBER)
        return key in self.functions.table.items(TABLE)

    def later(self, seconds: float) -> None:
        """Let time pass, for the till too."""
        self.clock.at += timedelta(seconds=seconds)
        for number, member in self.till.members.items():
            self.till.put(number, member.balance_points, self.clock.at, member.till_id)
