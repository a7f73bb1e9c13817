"""Switches off orphaned codes, which nobody holds points for, until each is off or has ended."""

from collections.abc import Callable
from datetime import timedelta

from pointbook import log
from pointbook.domain.account import OrphanedCode
from pointbook.domain.ports import Clock
from pointbook.errors import ShopifyRefused, Unavailable
from pointbook.services.ports import Discounts
from pointbook.store.orphaned_codes import OrphanedCodes

PAUSE_FIRST_SECONDS = 30
PAUSE_MAX_SECONDS = 600


class OrphanedCodeService:
    """Works on the list of orphaned codes of one table."""

    def __init__(
        self, codes: OrphanedCodes, clock: Clock, discounts: Callable[[str], Discounts]
    ) -> None:
        """`discounts` gives those of a shop."""
        self._codes = codes
        self._clock = clock
        self._discounts = discounts

    def switch_off(self, shop: str, listed_id: str) -> int:
        """Try one code of the list. Returns 0: no entry is written.

        A code that does not exist may still be on its way, so it stays on the list until its time
        is over. Raises Unavailable or ShopifyRefused after rescheduling it, and LedgerUnavailable.
        """
        listed = self._codes.get(shop, listed_id)
        if listed is not None:
            self._try(shop, *listed)
        return 0

    def _try(self, shop: str, orphaned: OrphanedCode, tries: int) -> None:
        if self._clock.now() >= orphaned.until:
            self._codes.remove(shop, orphaned)
            return
        try:
            existed = self._discounts(shop).switch_off(orphaned.code)
        except (ShopifyRefused, Unavailable):
            log.metric("OrphanedCodesNotSwitchedOff")
            self._reschedule(shop, orphaned, tries)
            raise
        if existed:
            self._codes.remove(shop, orphaned)
        else:
            self._reschedule(shop, orphaned, tries)

    def _reschedule(self, shop: str, orphaned: OrphanedCode, tries: int) -> None:
        pause = timedelta(seconds=min(PAUSE_MAX_SECONDS, PAUSE_FIRST_SECONDS * 2**tries))
        next_try_at = min(orphaned.until, self._clock.now() + pause)
        self._codes.reschedule(shop, orphaned, tries + 1, next_try_at)
