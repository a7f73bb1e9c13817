"""Adds up a shop's statement from its accounts and entries, which are read from the whole table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pointbook import log
from pointbook.domain.books.periods import Period
from pointbook.domain.books.statement import Books, Statement
from pointbook.domain.programme import Programme
from pointbook.services.statement_lines import StatementFile
from pointbook.store.ledger_reader import LedgerReader, OnPage
from pointbook.store.partition_checks import Key

PAGE_ITEMS = 1_000


@dataclass(frozen=True, slots=True)
class ShopRules:
    """What a statement needs of a shop's programme.

    `versions` are those of the programme with since when they were in force, the first one first.
    """

    time_zone: str
    currency: str
    worth_minor: int
    versions: tuple[tuple[datetime, int], ...]

    @classmethod
    def of(cls, programme: Programme, versions: tuple[tuple[datetime, int], ...]) -> "ShopRules":
        """The rules of a programme."""
        worth = programme.point_worth_minor
        return cls(programme.time_zone, programme.currency, worth, versions)


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one shop. Raises LedgerUnavailable.

    `report` gets the id of each customer whose account and entries do not agree.
    """

    shop: str
    rules: ShopRules
    reader: LedgerReader
    report: Callable[[str], None]

    def file(self, period: Period, statement: Statement) -> StatementFile:
        """A statement with what it is of."""
        return StatementFile(
            self.shop, period, self.rules.currency, self.rules.worth_minor, statement
        )

    def add(
        self,
        period: Period,
        statement: Statement,
        after: Key | None = None,
        on_page: OnPage = lambda _: True,
    ) -> Iterator[Key]:
        """Add every account behind a key to `statement`; yields the place behind each."""
        books = Books(period, self.rules.versions, statement)
        for found in self.reader.accounts(self.shop, after, PAGE_ITEMS, on_page):
            if found.account is None:
                books.add_unreadable()
                self.report(found.customer_id)
            elif not books.add(found.account, (one.entry for one in found.entries)):
                self.report(found.customer_id)
            yield found.key

    def whole(self, period: Period, on_page: OnPage = lambda _: True) -> StatementFile:
        """The statement of a period, computed now."""
        statement = Statement()
        for _ in self.add(period, statement, on_page=on_page):
            pass
        return self.file(period, statement)


def log_disagreement(shop: str, customer_id: str) -> None:
    """Log an account that is not what its entries add up to."""
    log.error("account_disagrees", shop=shop, customer_id=customer_id)
