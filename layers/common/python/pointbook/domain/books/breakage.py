"""An estimate of breakage: points that will expire without having been used.

By run-off: lots whose last day passed within the last months are known to their end. Of their
points that were still there at some age, in months, a share expired in the end and the rest was
used. The share at the age of each outstanding point is its estimate. Points that refunds or the
shop took back count for neither side. Points that never expire have no estimate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from pointbook.domain.books.periods import months_between
from pointbook.domain.books.statement import EXPIRED, NEVER_EXPIRES, USED, Statement


@dataclass(frozen=True, slots=True)
class Breakage:
    """The estimate. `rates` are the shares by age in months; empty if no lot has run off yet.

    `points` of `base` points are expected to expire; points that never expire are not in the base.
    `observed` points have run off, of which `observed_expired` expired.
    """

    rates: Mapping[int, Fraction]
    base: int
    points: int
    observed: int
    observed_expired: int

    @property
    def is_estimated(self) -> bool:
        """Whether there is anything to estimate from."""
        return bool(self.rates)


def estimate(statement: Statement, closing_month: str) -> Breakage:
    """The breakage of what is outstanding at the end of `closing_month`."""
    rates = _rates(statement.run_off)
    base, expected = 0, Fraction(0)
    for group, (free, held) in statement.outstanding.items():
        if group.expires == NEVER_EXPIRES:
            continue
        base += free + held
        rate = Fraction(1) if group.expires == EXPIRED else Fraction(0)
        if rates and group.expires != EXPIRED:
            age = months_between(group.came, closing_month)
            rate = rates[max((one for one in rates if one <= age), default=min(rates))]
        expected += (free + held) * rate
    observed = statement.run_off.total()
    expired = sum(points for (_, fate), points in statement.run_off.items() if fate == EXPIRED)
    return Breakage(rates, base, round(expected), observed, expired)


def _rates(run_off: Mapping[tuple[int, str], int]) -> dict[int, Fraction]:
    """For each age, the share that expired of the points that were still there at that age."""
    rates: dict[int, Fraction] = {}
    used = expired = 0
    for age in range(max((age for age, _ in run_off), default=-1), -1, -1):
        used += run_off.get((age, USED), 0)
        expired += run_off.get((age, EXPIRED), 0)
        if used + expired:
            rates[age] = Fraction(expired, used + expired)
    return dict(sorted(rates.items()))
