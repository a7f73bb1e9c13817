"""Random movements of many accounts, made by the rules themselves, for statements."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from pointbook.domain import commands as c
from pointbook.domain.account import Account
from pointbook.domain.books.periods import Period
from pointbook.domain.books.statement import Books, Statement
from pointbook.domain.decide import decide
from pointbook.domain.decision import Decision
from pointbook.domain.entry import Entry, Topic
from pointbook.domain.expiry import Days, ExpiryRule, Months, Never, RoundTo
from pointbook.domain.merge import Merged, merge
from pointbook.domain.state import State

TOKYO = "Asia/Tokyo"
MIDNIGHT = datetime(2026, 11, 20, 15, tzinfo=UTC)
"""The beginning of November 21 in Tokyo."""

EXPIRIES: tuple[ExpiryRule, ...] = (Days(1), Days(40), Months(12, RoundTo.MONTH_END), Never())


@dataclass(slots=True)
class Shop:
    """Accounts with their entries, in memory."""

    random: Random
    accounts: dict[str, Account] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    versions: tuple[tuple[datetime, int], ...] = ()

    def execute(self, customer_id: str, command: c.Command, now: datetime) -> bool:
        """Carry a command out; whether it was accepted."""
        account = self.accounts.get(customer_id) or Account(customer_id, account_id=customer_id)
        decision = decide(State(account), command, now)
        if not isinstance(decision, Decision):
            return False
        self._keep(decision)
        return True

    def merge(self, source: str, target: str, now: datetime) -> bool:
        """Merge one customer into another; whether that was possible."""
        merged = merge(self.accounts[source], self.accounts[target], now)
        if not isinstance(merged, Merged):
            return False
        self._keep(merged.source)
        self._keep(merged.target)
        return True

    def move(self, customer_id: str, now: datetime) -> bool:
        """One random movement; whether it was accepted."""
        points = self.random.randint(1, 400)
        hold = f"h{self.random.randrange(10**9)}"
        account = self.accounts.get(customer_id)
        open_hold = account.hold.hold_id if account and account.hold else ""
        commands: list[c.Command] = [
            c.Grant(points, self.random.choice(EXPIRIES)),
            c.Grant(points, Months(12), Topic.ADD_SIGN_UP),
            c.Consume(points),
            c.Consume(points // 2 + 1),
            c.Remove(points // 4 + 1),
            c.PlaceHold(points // 2 + 1, hold, self.random.choice((60, 86_400)), code=hold),
            c.ReleaseHold(open_hold) if open_hold else c.Settle(),
        ]
        return self.execute(customer_id, self.random.choice(commands), now)

    def count(self) -> int:
        """How many entries there are."""
        return sum(map(len, self.entries.values()))

    def statement(self, period: Period) -> Statement:
        """The statement of a period."""
        books = Books(period, self.versions, Statement())
        for customer_id, account in self.accounts.items():
            books.add(account, self.entries[customer_id])
        return books.statement

    def _keep(self, decision: Decision) -> None:
        customer_id = decision.account.customer_id
        self.accounts[customer_id] = decision.account
        self.entries.setdefault(customer_id, []).extend(decision.entries)


def busy_shop(seed: int, per_day: int, customers: int = 300) -> Shop:
    """A shop with so many entries on the day of MIDNIGHT, and a tenth on days around it."""
    shop = Shop(Random(seed))
    ids = [str(7_000 + number) for number in range(customers)]
    for day in (-3, -2, -1, 0, 1):
        start, before = MIDNIGHT + timedelta(days=day), shop.count()
        wanted, place = per_day if day == 0 else per_day // 10, 0
        while shop.count() - before < wanted:
            place += 1
            at = start + timedelta(seconds=min(86_399, place * 86_400 // (wanted * 2)))
            if place % 500 == 0 and len(shop.accounts) > 2:
                source, target = shop.random.sample(sorted(shop.accounts), 2)
                shop.merge(source, target, at)
            else:
                shop.move(shop.random.choice(ids), at)
    return shop
