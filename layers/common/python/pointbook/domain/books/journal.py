"""A period's journal: debit and credit, as accountants take it.

Only approved and held points are a liability; holds, releases and merges do not change it, and
pending points are not booked before they are approved. What the shop owes is valued at `worth` for
each point. Each line has the change of the liability by one kind of movement.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from pointbook.domain.books.movements import Movement, available
from pointbook.domain.books.statement import Statement


class Practice(StrEnum):
    """How points are booked; docs/books.md says which one is for whom."""

    CONTRACT_LIABILITY = "contract-liability"
    ADVANCE = "advance"
    PROVISION = "provision"


class LedgerAccount(StrEnum):
    """The accounts of a general ledger that the journal names."""

    SALES = "sales"
    CONTRACT_LIABILITY = "contract_liability"
    ADVANCES_RECEIVED = "advances_received"
    PROVISION = "provision_for_points"
    PROVISION_EXPENSE = "provision_expense"
    PROVISION_REVERSAL = "provision_reversal"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `points` and their value in the currency's smallest unit."""

    movement: Movement
    debit: LedgerAccount
    credit: LedgerAccount
    points: int
    amount_minor: int


_LIABILITIES = {
    Practice.CONTRACT_LIABILITY: LedgerAccount.CONTRACT_LIABILITY,
    Practice.ADVANCE: LedgerAccount.ADVANCES_RECEIVED,
    Practice.PROVISION: LedgerAccount.PROVISION,
}
_USES = frozenset({Movement.SPENT, Movement.RETURNED})


def journal(statement: Statement, practice: Practice, worth: Decimal) -> list[Line]:
    """The lines of a statement; `worth` is each point's value in the smallest unit."""
    return list(_lines(statement, practice, worth))


def worth_of(points: int, worth: Decimal) -> int:
    """The value of points, rounded to the currency's smallest unit."""
    return int((points * worth).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _lines(statement: Statement, practice: Practice, worth: Decimal) -> Iterator[Line]:
    liability = _LIABILITIES[practice]
    for movement, moved in statement.movements.items():
        change = available(moved.changes)
        amount = worth_of(abs(change), worth)
        if change > 0:
            yield Line(movement, _source(practice, movement), liability, change, amount)
        elif change < 0:
            yield Line(movement, liability, _target(practice, movement), -change, amount)


def _source(practice: Practice, movement: Movement) -> LedgerAccount:
    """What is debited for points that are granted or come back."""
    if practice is Practice.PROVISION and movement not in _USES:
        return LedgerAccount.PROVISION_EXPENSE
    return LedgerAccount.SALES


def _target(practice: Practice, movement: Movement) -> LedgerAccount:
    """What is credited for points that are used, expire or are taken back."""
    if practice is Practice.PROVISION and movement not in _USES:
        return LedgerAccount.PROVISION_REVERSAL
    return LedgerAccount.SALES
