"""Switches off the codes that nobody holds points for, until each is off or has ended by itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from pointbook import log
from pointbook.domain.account import OrphanedCode
from pointbook.domain.ports import Clock, StoreUnavailable
from pointbook.errors import LedgerUnavailable, ShopifyRefused, Unavailable
from pointbook.store.orphaned_codes import OrphanedCodes

PAUSE_FIRST_SECONDS = 30
PAUSE_MAX_SECONDS = 600


class Discounts(Protocol):
    """The discount codes of a shop."""

    def switch_off(self, code: str) -> bool:
        """No checkout takes it any more; False if there was none."""
        ...


class OrphanedCodeService:
    """Works on the list of one table."""

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
        is over. Raises Unavailable or ShopifyRefused after putting it off.
        """
        try:
            listed = self._codes.get(shop, listed_id)
            if listed is not None:
                self._try(shop, *listed)
        except StoreUnavailable as error:
            raise LedgerUnavailable(retry_after_seconds=1) from error
        return 0

    def _try(self, shop: str, loose: OrphanedCode, tries: int) -> None:
        if self._clock.now() >= loose.until:
            self._codes.remove(shop, loose)
            return
        try:
            existed = self._discounts(shop).switch_off(loose.code)
        except (ShopifyRefused, Unavailable):
            log.metric("OrphanedCodesNotSwitchedOff")
            self._reschedule(shop, loose, tries)
            raise
        if existed:
            self._codes.remove(shop, loose)
        else:
            self._reschedule(shop, loose, tries)

    def _reschedule(self, shop: str, loose: OrphanedCode, tries: int) -> None:
        pause = timedelta(seconds=min(PAUSE_MAX_SECONDS, PAUSE_FIRST_SECONDS * 2**tries))
        next_try_at = min(loose.until, self._clock.now() + pause)
        self._codes.reschedule(shop, loose, tries + 1, next_try_at)
