"""The books of a shop, as `pointbook statement` and `pointbook liability` read them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from cli.output import Output
from cli.target import Target
from pointbook.aws.metered import MeteredClient
from pointbook.aws.statement_files import StatementFiles
from pointbook.clock import SystemClock
from pointbook.domain.books.periods import Period
from pointbook.domain.books.statement import joined
from pointbook.domain.money import exponent
from pointbook.services.month_books import changed_days, last_settled_day
from pointbook.services.statement_lines import StatementFile
from pointbook.services.statements import ShopRules, Statements
from pointbook.store.ledger_reader import LedgerReader
from pointbook.store.programmes import Deployment, Programmes

FILES, LEDGER = "files", "ledger"
BUCKET_OUTPUT = "StatementsBucketName"

Day = Annotated[str | None, typer.Option("--day", help="A day, such as 2026-11-30.")]
Recompute = Annotated[
    bool, typer.Option("--recompute", help="Compute from the ledger, also where there are files.")
]
Worth = Annotated[
    str | None,
    typer.Option("--worth", help="Value of one point, such as 0.85; default: as payment."),
]
Rate = Annotated[
    float, typer.Option("--rate", min=1, help="Read units per second at most, from the ledger.")
]
UNITS_PER_SECOND = 500.0


@dataclass(frozen=True, slots=True)
class Found:
    """A statement, and where it comes from.

    `changed` are the days that do not begin where the day before them ended, `disagreeing` the
    customers whose account is not what its entries add up to; files do not name them. Not
    `is_over`: the period that was asked for lasts still, and the statement ends with the last day
    that is over, or with today where there is none yet.
    """

    file: StatementFile
    source: str
    is_over: bool = True
    changed: tuple[date, ...] = ()
    disagreeing: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether everything meets."""
        return self.file.statement.is_closed and not (self.changed or self.disagreeing)


class Books:
    """The statements of one shop of a stack."""

    def __init__(self, stack: Target, shop: str, rate: float, out: Output) -> None:
        """Read the programme."""
        self.shop = shop
        self._stack = stack
        self._rate = rate
        self._out = out
        deployment = Deployment(stack.settings.default_programme())
        programmes = Programmes(stack.table(), SystemClock(), deployment)
        version = programmes.latest(shop)
        programme = version.programme if version else deployment.programme
        history = programmes.history(shop)
        versions = tuple((one.at, one.programme.version) for one in history if one.at)
        self.rules = ShopRules.of(programme, versions)

    def yesterday(self) -> date:
        """The last day that is over in the shop's time zone."""
        return last_settled_day(self._stack.clock().now(), self.rules.time_zone)

    def day(self, text: str | None) -> Period:
        """The period of a day, yesterday's by default. Raises BadParameter."""
        day = _parsed_day(text) if text else self.yesterday()
        return self._begun(Period(day, day, self.rules.time_zone))

    def month(self, text: str) -> Period:
        """The period of a month such as 2026-11. Raises BadParameter."""
        try:
            first = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
        except ValueError:
            raise typer.BadParameter(
                f"--month is {text!r}, but must be a month such as 2026-11."
            ) from None
        return self._begun(Period.month(first.year, first.month, self.rules.time_zone))

    def find(self, period: Period, *, recompute: bool) -> Found:
        """The statement of a period: from its files if there is one for each day.

        Else, and with `recompute`, from the ledger. A period that lasts still is cut at its last
        day that is over, so that what is booked is never dated later. Raises Unavailable.
        """
        is_over = period.last <= self.yesterday()
        if not is_over:
            period = replace(period, last=max(period.first, self.yesterday()))
        files = [] if recompute else list(self._files(period))
        if files and len(files) == len(list(period.days())):
            first, last = files[0], files[-1]
            found = StatementFile(
                self.shop,
                Period(period.first, period.last, last.period.time_zone),
                last.currency,
                last.worth_minor,
                joined([one.statement for one in files]),
            )
            assert first.shop == self.shop, "the bucket's keys have the shop"
            return Found(found, FILES, is_over, changed=tuple(changed_days(files)))
        disagreeing: list[str] = []
        computed = self._computed(period, disagreeing)
        return Found(computed, LEDGER, is_over, disagreeing=tuple(disagreeing))

    def worth(self, text: str | None) -> Decimal:
        """The value of a point in the currency's smallest unit. Raises BadParameter."""
        if text is None:
            return Decimal(self.rules.worth_minor)
        try:
            worth = Decimal(text)
        except InvalidOperation:
            worth = Decimal("NaN")
        if not worth.is_finite() or not 0 <= worth < 10**6:
            raise typer.BadParameter(f"--worth is {text!r}, but must be an amount such as 0.85.")
        return worth.scaleb(exponent(self.rules.currency))

    def _files(self, period: Period) -> Iterator[StatementFile]:
        bucket = self._stack.outputs.get(BUCKET_OUTPUT)
        if not bucket:
            return
        files = StatementFiles(self._stack.client("s3"), bucket)
        there = set(files.days(self.shop, period.first))
        if not there.issuperset(period.days()):
            return
        with self._out.progress("days read", len(there)) as advance:
            for number, day in enumerate(period.days(), start=1):
                lines = files.read(self.shop, day)
                if lines is not None:
                    yield StatementFile.read(lines)[0]
                advance(number)

    def _computed(self, period: Period, disagreeing: list[str]) -> StatementFile:
        clock, stack = SystemClock(), self._stack
        client = MeteredClient(stack.client("dynamodb"), clock, self._rate)
        reader = LedgerReader(client, stack.settings.table_name, clock)
        statements = Statements(self.shop, self.rules, reader, disagreeing.append)
        total = stack.items()
        with self._out.progress("items read", total or None) as advance:

            def on_page(items: int) -> bool:
                advance(items, max(items, total))
                return True

            return statements.whole(period, on_page)

    def _begun(self, period: Period) -> Period:
        if period.start > self._stack.clock().now():
            raise typer.BadParameter(f"{period.first} has not begun in {period.time_zone}.")
        return period


def _parsed_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"--day is {text!r}, but must be a day such as 2026-11-30."
        ) from None
