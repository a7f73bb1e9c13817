"""Deactivates orphaned codes, which no hold stands behind, until each is off or has ended."""

from collections.abc import Callable
from datetime import timedelta

from pointbook import log
from pointbook.domain.account import OrphanedCode
from pointbook.domain.ports import Clock
from pointbook.errors import ShopifyRefused, Unavailable
from pointbook.services.ports import Discounts
from pointbook.store.orphaned_codes import OrphanedCodes

BACKOFF_INITIAL_SECONDS = 30
BACKOFF_MAX_SECONDS = 600


class OrphanedCodeService:
    """The orphaned codes of one table."""

    def __init__(
        self, codes: OrphanedCodes, clock: Clock, discounts: Callable[[str], Discounts]
    ) -> None:
        """`discounts` gives those of a shop."""
        self._codes = codes
        self._clock = clock
        self._discounts = discounts

    def deactivate(self, shop: str, listed_id: str) -> int:
        """Attempt to deactivate one listed code. Returns 0: no entry is written.

        A code that does not exist may still be created by a delayed request, so it stays listed
        until its time is over. Raises Unavailable or ShopifyRefused after rescheduling it, and
        LedgerUnavailable.
        """
        listed = self._codes.get(shop, listed_id)
        if listed is not None:
            self._attempt(shop, *listed)
        return 0

    def _attempt(self, shop: str, orphaned: OrphanedCode, attempts: int) -> None:
        if self._clock.now() >= orphaned.until:
            self._codes.remove(shop, orphaned)
            return
        try:
            existed = self._discounts(shop).deactivate(orphaned.code)
        except (ShopifyRefused, Unavailable):
            log.metric("OrphanedCodesNotSwitchedOff")
            self._reschedule(shop, orphaned, attempts)
            raise
        if existed:
            self._codes.remove(shop, orphaned)
        else:
            self._reschedule(shop, orphaned, attempts)

    def _reschedule(self, shop: str, orphaned: OrphanedCode, attempts: int) -> None:
        pause = timedelta(seconds=min(BACKOFF_MAX_SECONDS, BACKOFF_INITIAL_SECONDS * 2**attempts))
        next_attempt_at = min(orphaned.until, self._clock.now() + pause)
        self._codes.reschedule(shop, orphaned, attempts + 1, next_attempt_at)
