"""The part of the container for comparing members' points with the till, and for repairs."""

from abc import abstractmethod
from typing import TYPE_CHECKING

from pointbook.till_container import BACKGROUND_SHARE, TillContainer

if TYPE_CHECKING:
    from pointbook.domain.programme_rules import TillPush
    from pointbook.ledger.ledger import Ledger
    from pointbook.services.till_comparison import TillComparison
    from pointbook.services.till_comparison_runs import TillComparisonRuns
    from pointbook.services.till_repair import TillRepair


class DriftContainer(TillContainer):
    """What compares; `Container` has the parts that it is made of."""

    @property
    @abstractmethod
    def ledger(self) -> "Ledger":
        """See `Container.ledger`."""

    @abstractmethod
    def till_push(self, shop: str) -> "TillPush":
        """See `Container.till_push`."""

    def till_comparison(self, shop: str) -> "TillComparison":
        """The service that compares a shop's members with the till. The stack must have a till."""
        from pointbook.services.till_comparison import PushesUnderWay, TillComparison  # noqa: PLC0415 - for one function
        from pointbook.store.till_pushes import TillPushes  # noqa: PLC0415 - same

        till, pushes = self.till(BACKGROUND_SHARE), TillPushes(self._table)
        assert till is not None, "a stack without a till has nothing to compare"
        return TillComparison(
            shop=shop,
            till=till,
            ledger=self.ledger,
            members=self.till_members(),
            number=lambda _, customer_id, __: customer_id,
            pushing=PushesUnderWay(pushes, self.ledger, self.till_push, self.clock),
            clock=self.wall_clock,
        )

    def till_repair(self, shop: str) -> "TillRepair":
        """The service that has members' points at the till become the ledger's."""
        from pointbook.services.till_repair import TillRepair  # noqa: PLC0415 - for one function
        from pointbook.store.till_pushes import TillPushes  # noqa: PLC0415 - same

        comparison, pushes = self.till_comparison(shop), TillPushes(self._table)
        return TillRepair(comparison, pushes, self.till_push(shop), self.wall_clock)

    def till_comparison_runs(self) -> "TillComparisonRuns":
        """The service that compares all shops with the till, from where the last run ended."""
        from pointbook.services.till_comparison_runs import TillComparisonRuns  # noqa: PLC0415 - for one function

        store = self.till_comparisons()
        return TillComparisonRuns(self.till_comparison, store, self.till_push, self.clock)
