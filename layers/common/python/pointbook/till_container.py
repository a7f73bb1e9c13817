"""The part of the container for changes carried to the till, and for its reports of them."""

from abc import abstractmethod
from functools import cached_property, partial
from typing import TYPE_CHECKING

from pointbook.base_container import BaseContainer

if TYPE_CHECKING:
    from pointbook.domain.programme import Programme
    from pointbook.domain.programme_rules import TillPush
    from pointbook.ledger.ledger import Ledger
    from pointbook.services.publishing.runs import Publisher
    from pointbook.services.till_push.echoes import TillEchoes
    from pointbook.store.table import Table
    from pointbook.store.till_members import TillMembers
    from pointbook.till.member import Till

BACKGROUND_SHARE = 0.5
"""The part of the till's calls that background work may take; views of my page have the rest."""


class TillContainer(BaseContainer):
    """What is carried to the till; `Container` has the parts that it is made of."""

    @property
    @abstractmethod
    def ledger(self) -> "Ledger":
        """See `Container.ledger`."""

    @property
    @abstractmethod
    def _table(self) -> "Table":
        """The ledger's table."""

    @abstractmethod
    def programme(self, shop: str) -> "Programme":
        """See `Container.programme`."""

    @abstractmethod
    def till(self, share: float = 1.0) -> "Till | None":
        """See `Container.till`."""

    @abstractmethod
    def till_members(self) -> "TillMembers":
        """See `Container.till_members`."""

    @cached_property
    def till_publisher(self) -> "Publisher":
        """The publisher of changes to the till; one for each process, as `publisher` is."""
        from pointbook.services.till_push.pusher import publisher  # noqa: PLC0415 - for one function

        till, members = partial(self.till, BACKGROUND_SHARE), self.till_members()
        return publisher(self._table, members, till, self._till_push, self.wall_clock)

    def till_echoes(self) -> "TillEchoes":
        """The service that recognizes pushes to the till that come back as its reports."""
        from pointbook.services.till_push.echoes import TillEchoes  # noqa: PLC0415 - for reports only
        from pointbook.store.till_pushes import TillPushes  # noqa: PLC0415 - same

        return TillEchoes(TillPushes(self._table), self.ledger, self.till, self.wall_clock)

    def _till_push(self, shop: str) -> "TillPush":
        return self.programme(shop).pushed
