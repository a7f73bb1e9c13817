"""Switches off the codes that nobody holds points for, until each is off or has ended by itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from pointbook import log
from pointbook.domain.account import LooseCode
from pointbook.domain.ports import Clock, TryAgainError
from pointbook.errors import LedgerUnavailable, ShopifyRefused, Unavailable
from pointbook.store.loose_codes import LooseCodes

PAUSE_FIRST_SECONDS = 30
PAUSE_MAX_SECONDS = 600


class Discounts(Protocol):
    """The discount codes of a shop."""

    def switch_off(self, code: str) -> bool:
        """No checkout takes it any more; False if there was none."""
        ...


class LooseCodeDesk:
    """Works on the list of one table."""

    def __init__(
        self, codes: LooseCodes, clock: Clock, discounts: Callable[[str], Discounts]
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
        except TryAgainError as error:
            raise LedgerUnavailable(retry_after_seconds=1) from error
        return 0

    def _try(self, shop: str, loose: LooseCode, tries: int) -> None:
        if self._clock.now() >= loose.until:
            self._codes.strike_off(shop, loose)
            return
        try:
            existed = self._discounts(shop).switch_off(loose.code)
        except (ShopifyRefused, Unavailable):
            log.metric("LooseCodesNotSwitchedOff")
            self._put_off(shop, loose, tries)
            raise
        if existed:
            self._codes.strike_off(shop, loose)
        else:
            self._put_off(shop, loose, tries)

    def _put_off(self, shop: str, loose: LooseCode, tries: int) -> None:
        pause = timedelta(seconds=min(PAUSE_MAX_SECONDS, PAUSE_FIRST_SECONDS * 2**tries))
        next_try_at = min(loose.until, self._clock.now() + pause)
        self._codes.put_off(shop, loose, tries + 1, next_try_at)
