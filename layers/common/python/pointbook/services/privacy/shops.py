"""A shop that has removed the app: what is noted at once, and how it is erased 48 hours later.

Shopify sends `shop/redact` 48 hours after `app/uninstalled`. A shop that has installed the app
again meanwhile lives, and deleting it would be past mending. So it is held for an operator unless
all of this is true:

    the app was removed a day ago or earlier    so Shopify says, 48 hours before
    there is no access token                    removing the app took it away; a new one is life
    no entry from outside was booked since      points that lapse, and news that was on its way
                                                when the app went, are not life
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.privacy import PrivacyRequest
from pointbook.services.privacy.dependencies import Dependencies
from pointbook.store.stored_items import StoredItem

PAGE_ITEMS = 500
PROGRESS_EVERY_ITEMS = 10_000

SENT_AFTER_MIN = timedelta(hours=24)
"""Shopify waits twice as long; what comes sooner is about another removal."""

ON_ITS_WAY = timedelta(hours=6)
"""Shopify repeats a webhook for four hours; it may wait on our queue for a while after that."""

_OF_TIME = frozenset({"time", "schedule"})
_CHECKED = "checked"

type Save = Callable[[PrivacyRequest], PrivacyRequest]


class ShopInUse(Exception):
    """The shop is not to be erased unless an operator says so."""


class ShopErasure:
    """One request to erase a shop, as far as the time goes."""

    def __init__(
        self, request: PrivacyRequest, dependencies: Dependencies, save: Save, deadline: Deadline
    ) -> None:
        """Work on `request`; `save` writes down how far it has come."""
        self._request = request
        self._dependencies = dependencies
        self._save = save
        self._deadline = deadline

    def run(self) -> PrivacyRequest:
        """Do all that is left of it: look through the whole shop first, then delete it.

        Raises ShopInUse, and DeadlinePassed or LedgerUnavailable where the next run has to go on.
        """
        shop = self._request.shop
        if not self._request.confirmed and not self._request.counts.get(_CHECKED):
            removed_at = self._removed_at()
            self._through_all(lambda page: _require_quiet(page, removed_at))
            self._request = self._save(replace(self._request.counted(checked=1), position=None))
        self._through_all(self._delete)
        return self._request.counted(files=self._dependencies.files.forget_shop(shop))

    def _removed_at(self) -> datetime:
        shop = self._request.shop
        removed_at = self._dependencies.installations.removed_at(shop)
        if removed_at is None:
            raise ShopInUse("there is no note that the shop removed the app")
        if self._request.received_at - removed_at < SENT_AFTER_MIN:
            raise ShopInUse("the shop removed the app less than a day before it was to be erased")
        if self._dependencies.installations.has_token(shop):
            raise ShopInUse("the shop has an access token, so the app is installed")
        return removed_at

    def _through_all(self, look: Callable[[list[StoredItem]], int]) -> None:
        """Go through the table from where the last run stopped. `look` says what it has deleted."""
        seen = 0
        while True:
            page, position = self._dependencies.items.of_shop(
                self._request.shop, self._request.position, PAGE_ITEMS
            )
            deleted = look(page)
            seen += PAGE_ITEMS
            if position is None:
                if deleted:
                    self._request = self._request.counted(items=deleted)
                return
            self._request = replace(self._request.counted(items=deleted), position=position)
            if seen % PROGRESS_EVERY_ITEMS == 0:
                log.info("shop_erasure_progress", shop=self._request.shop, **self._request.counts)
            self._request = self._save(self._request)
            self._deadline.check()

    def _delete(self, page: Iterable[StoredItem]) -> int:
        found = list(page)
        self._dependencies.items.delete(found)
        return len(found)


def _require_quiet(page: Iterable[StoredItem], removed_at: datetime) -> int:
    """Raise ShopInUse where an entry came after the app was removed, unless by time alone."""
    for item in page:
        from_outside = item.is_entry and item.source not in _OF_TIME
        if from_outside and item.recorded_at > removed_at + ON_ITS_WAY:
            raise ShopInUse("points were booked after the shop had removed the app")
    return 0
