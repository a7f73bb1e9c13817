"""A shop's statement: its movements over a period, and what is outstanding at its end.

A day's statement has what was recorded on that day, so it never changes once the day is over. What
took effect on an earlier day is told apart. Opening figures and movements come from the entries,
the closing figures from the accounts: both have to meet.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from pointbook.domain.account import Account
from pointbook.domain.books.lot_ages import LotAges, Piece
from pointbook.domain.books.movements import (
    NOTHING,
    Movement,
    Sum,
    available,
    minus,
    movement_of,
    plus,
)
from pointbook.domain.books.periods import Period, month_of, months_between
from pointbook.domain.buckets import Balances, Moves
from pointbook.domain.entry import Entry
from pointbook.domain.expiry import NEVER

NEVER_EXPIRES = "never"
EXPIRED = "expired"
"""In place of a month: lots that never expire, and lots whose last day is over already."""

RUN_OFF_MONTHS = 24
"""For how many months back lots count for the breakage estimate."""

USED = "used"
_FATES = {Movement.SPENT: USED, Movement.EXPIRED: EXPIRED}


class LotGroup(NamedTuple):
    """Outstanding points that expire in one month, came in one month, under one programme."""

    expires: str
    came: str
    programme: int


@dataclass(slots=True)
class Statement:
    """The figures of a shop over a period. All are sums, so that accounts can be added in parts.

    `opening` and `days` are by the entries, `closing` by the accounts. `owed` is what customers
    owe (negative approved points). `outstanding` has free points and held ones for each group of
    lots. `run_off` has, by age in months and by what became of them, the points of lots whose last
    day has passed within the last RUN_OFF_MONTHS. `unreadable` accounts are in no sum.
    """

    accounts: int = 0
    entries: int = 0
    unreadable: int = 0
    opening: Balances = NOTHING
    closing: Balances = NOTHING
    owed: int = 0
    days: dict[date, dict[Movement, Sum]] = field(default_factory=dict)
    outstanding: dict[LotGroup, tuple[int, int]] = field(default_factory=dict)
    run_off: Counter[tuple[int, str]] = field(default_factory=Counter)

    @property
    def movements(self) -> dict[Movement, Sum]:
        """The sums of all days, in the order of the kinds; those that occurred."""
        found: dict[Movement, Sum] = {}
        for kind in Movement:
            sums = [day[kind] for day in self.days.values() if kind in day]
            if sums:
                found[kind] = _total(sums)
        return found

    @property
    def expected_closing(self) -> Balances:
        """The closing figures by the entries: opening plus movements."""
        balances = self.opening
        for one in self.movements.values():
            balances = plus(balances, one.changes)
        return balances

    @property
    def difference(self) -> Balances:
        """The closing figures by the accounts less those by the entries; all 0 if they meet."""
        return minus(self.closing, self.expected_closing)

    @property
    def lots_difference(self) -> int:
        """Points in lots, less what customers owe, less the closing approved and held points."""
        lots = sum(free + held for free, held in self.outstanding.values())
        return lots - self.owed - available(self.closing)

    @property
    def is_closed(self) -> bool:
        """Whether everything meets."""
        return not (any(self.difference) or self.lots_difference or self.unreadable)


class Books:
    """Adds accounts with their entries to a statement."""

    def __init__(
        self, period: Period, programmes: Sequence[tuple[datetime, int]], statement: Statement
    ) -> None:
        """Continue `statement`; `programmes` are the versions with since when, the first first."""
        self._period = period
        self._programmes = programmes
        self.statement = statement
        self._closing_month = month_of(period.last)

    def add(self, account: Account, entries: Iterable[Entry]) -> bool:
        """Add an account and all its entries, in their order; whether they meet."""
        statement, ages = self.statement, LotAges(self._period.time_zone)
        start, end = self._period.start, self._period.end
        opening = at_end = total = NOTHING
        for entry in entries:
            total = total.moved(entry.moves)
            if entry.recorded_at >= end:
                continue
            at_end = at_end.moved(entry.moves)
            kind = movement_of(entry)
            self._run_off(kind, entry, ages.add(entry))
            if entry.recorded_at < start:
                opening = opening.moved(entry.moves)
            else:
                self._move(kind, entry)
        closing = minus(account.balances, minus(total, at_end))
        statement.accounts += 1
        statement.opening = plus(statement.opening, opening)
        statement.closing = plus(statement.closing, closing)
        statement.owed += max(0, -closing.approved)
        in_lots = sum(self._outstanding(piece, is_held) for piece, is_held in ages.outstanding())
        are_lots_right = in_lots == max(0, closing.approved) + closing.hold
        return account.balances == total and are_lots_right

    def add_unreadable(self) -> None:
        """Count an account that cannot be read."""
        self.statement.unreadable += 1

    def _move(self, kind: Movement, entry: Entry) -> None:
        day = self._period.day_of(entry.recorded_at)
        sums = self.statement.days.setdefault(day, {}).setdefault(kind, Sum())
        is_of_earlier_day = self._period.day_of(entry.at) < day
        moves: Moves = entry.moves
        sums.add(entry.points, moves, is_of_earlier_day=is_of_earlier_day)
        self.statement.entries += 1

    def _run_off(self, kind: Movement, entry: Entry, left: Iterable[Piece]) -> None:
        if (fate := _FATES.get(kind)) is None:
            return
        month = month_of(self._period.day_of(entry.at))
        for piece in left:
            has_passed = piece.valid_through <= self._period.last
            ended = month_of(piece.valid_through)
            if has_passed and months_between(ended, self._closing_month) < RUN_OFF_MONTHS:
                came = month_of(self._period.day_of(piece.since))
                self.statement.run_off[months_between(came, month), fate] += piece.points

    def _outstanding(self, piece: Piece, is_held: bool) -> int:
        expires = month_of(piece.valid_through)
        if piece.valid_through == NEVER:
            expires = NEVER_EXPIRES
        elif piece.valid_through <= self._period.last:
            expires = EXPIRED
        booked_at = piece.origin.booked_at
        programme = max((v for at, v in self._programmes if at <= booked_at), default=0)
        group = LotGroup(expires, month_of(self._period.day_of(piece.since)), programme)
        free, held = self.statement.outstanding.get(group, (0, 0))
        if is_held:
            held += piece.points
        else:
            free += piece.points
        self.statement.outstanding[group] = free, held
        return piece.points


def joined(statements: Sequence[Statement]) -> Statement:
    """One statement of consecutive days. What is outstanding is that of the last."""
    last = statements[-1]
    days = {day: sums for one in statements for day, sums in one.days.items()}
    return Statement(
        accounts=last.accounts,
        entries=sum(one.entries for one in statements),
        unreadable=max(one.unreadable for one in statements),
        opening=statements[0].opening,
        closing=last.closing,
        owed=last.owed,
        days=days,
        outstanding=last.outstanding,
        run_off=last.run_off,
    )


def _total(sums: Iterable[Sum]) -> Sum:
    total = Sum()
    for one in sums:
        total = total.plus(one)
    return total
