"""A shop with statements on file, on the functions in memory, as the command line reads it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pointbook.entrypoints.schedule import MARGIN_SECONDS
from pointbook.store.table import Table
from tests.support.harness import TABLE, Functions

NOON = datetime(2026, 11, 21, 3, tzinfo=UTC)
"""Noon of November 21 in Tokyo."""

DAY = timedelta(days=1)


@dataclass
class Clock:
    """A clock that the test sets; each look at it passes `tick` seconds."""

    at: datetime = NOON
    seconds: float = 0.0
    tick: float = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        self.seconds += self.tick
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class BookShop(Functions):
    """The functions, at noon of November 21 in Tokyo, and the commands' view of the stack."""

    name = "pointbook-test"

    def __init__(self) -> None:
        self.now = Clock()
        super().__init__({"clock": self.now, "wall_clock": Clock()})
        self.settings = self.container.settings
        self.outputs = {"StatementsBucketName": self.settings.statements_bucket}

    def write_statements(self, seconds: float = 600) -> dict[str, Any]:
        """One run of the function."""
        return self.invoke("write_statements", {}, seconds + MARGIN_SECONDS)

    def pass_nights(self, nights: int = 1) -> None:
        """It is one o'clock in the night, so many nights later."""
        midnight = self.now.at.replace(hour=15, minute=0)
        nights -= midnight > self.now.at
        self.now.at = midnight + nights * DAY + timedelta(hours=1)

    # --- as cli.target.Target ---------------------------------------------------------------------

    def client(self, service: str) -> Any:
        """A client of one of AWS's services."""
        return {"s3": self.container.s3, "dynamodb": self.container.dynamodb}[service]

    def stack_table(self) -> Table:
        """The ledger's table."""
        return Table(self.container.dynamodb, TABLE)


class BookStack:
    """What `target_of` returns: the stack of a shop."""

    def __init__(self, shop: BookShop) -> None:
        self._shop = shop
        self.name, self.settings, self.outputs = shop.name, shop.settings, shop.outputs

    def client(self, service: str) -> Any:
        return self._shop.client(service)

    def table(self) -> Table:
        return self._shop.stack_table()

    def clock(self) -> Clock:
        return self._shop.now

    def items(self) -> int:
        return 12

    def shop(self, domain: str | None) -> str:
        return domain or self.settings.shops[0]
