"""What was recorded outside the ledger's table, for verification to compare the accounts with."""

from dataclasses import dataclass, field
from datetime import date

from pointbook.domain.closings import Closing, ClosingSums
from pointbook.domain.heads import HeadCheck, RecordedHeads


@dataclass(frozen=True, slots=True)
class Records:
    """The recorded heads of chains, and what statements close with."""

    heads: RecordedHeads = field(default_factory=RecordedHeads)
    closings: tuple[Closing, ...] = ()

    def head_check(self, shop: str, account_id: str) -> HeadCheck:
        """The comparison of one account's chain with its heads."""
        return HeadCheck(self.heads.of(shop, account_id))

    def sums(self, shop: str) -> ClosingSums:
        """The sums of a shop's entries, by its closings."""
        return ClosingSums(one for one in self.closings if one.shop == shop)

    def shops(self) -> tuple[str, ...]:
        """The shops of which there is a record."""
        return tuple(dict.fromkeys((*self.heads.shops, *(one.shop for one in self.closings))))


NO_RECORDS = Records()


class RecordComparison:
    """One reading of all accounts, compared with the records as a whole.

    An account that moves to a pseudonym meanwhile is met twice, or not at all: once it counts, and
    what is missing counts only if a second reading misses it too.
    """

    def __init__(self, records: Records) -> None:
        """Begin with no accounts."""
        self._records = records
        self._met: set[str] = set()
        self._sums = {shop: records.sums(shop) for shop in records.shops()}

    def take(self, shop: str, account_id: str, sums: ClosingSums) -> None:
        """Take an account, by its random name (empty if it cannot be read), and its entries."""
        if shop not in self._sums or account_id in self._met:
            return
        if account_id:
            self._met.add(account_id)
        self._sums[shop].plus(sums)

    def gone(self, shop: str) -> set[str]:
        """The accounts that have heads, and were not met."""
        return self._records.heads.accounts(shop) - self._met

    def differences(self, shop: str) -> set[tuple[date, str]]:
        """The days whose closings the entries do not add up to, each with what differs."""
        return {(closing.day, what) for closing, what in self._sums[shop].differences()}
