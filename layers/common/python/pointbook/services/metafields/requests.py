"""Requests metafields to be written, for every account in the table's stream.

`publish_changes` reads the stream anyway, so it puts the customers on the shop's list, and
`write_metafields` writes them: DynamoDB allows two readers of a stream before it throttles.
"""

from collections.abc import Callable

from pointbook import log
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.ports import Clock
from pointbook.domain.programme import Programme
from pointbook.errors import PointbookError
from pointbook.services.recording import record_by
from pointbook.store.metafields import INTERVAL, Metafields
from pointbook.store.stream import AccountChange


class MetafieldRequests:
    """The requests of all shops. `clock` is the wall clock."""

    def __init__(
        self, store: Metafields, programme: Callable[[str], Programme], clock: Clock
    ) -> None:
        """`programme` gives the one in force in a shop."""
        self._store = store
        self._programme = programme
        self._clock = clock

    def request(self, change: AccountChange) -> None:
        """Request the account's version, unless the shop has no metafields.

        Due only after `INTERVAL`, so that changes that come together are written once. Raises
        LedgerUnavailable.
        """
        shop, customer_id = change.shop, change.customer_id
        if is_pseudonym(customer_id) or self._is_off(shop):
            return
        at = self._clock.now() + INTERVAL
        record_by(self._clock, lambda: self._store.request(shop, customer_id, change.version, at))

    def _is_off(self, shop: str) -> bool:
        try:
            return self._programme(shop).metafields is None
        except PointbookError:  # the writer will know; a change that is not requested is lost
            log.exception("programme_unknown", shop=shop)
            return False
