"""Erases a shop that has removed the app.

Shopify sends `shop/redact` 48 hours after `app/uninstalled`. Erasing a shop that has installed the
app again meanwhile could not be undone. So the request is held for an operator unless all of this
is true:

    the app was removed a day ago or earlier    Shopify waits 48 hours
    there is no access token                    it was deleted when the app was removed
    no entry was booked since                   except for lapsed points, and messages that were
                                                under way when the app was removed
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.privacy import PrivacyRequest
from pointbook.services.privacy.dependencies import Dependencies, Save
from pointbook.store.stored_items import StoredItem

PAGE_ITEMS = 500
PROGRESS_EVERY_ITEMS = 10_000

SENT_AFTER_MIN = timedelta(hours=24)
"""Shopify waits twice as long; an earlier request belongs to another removal."""

IN_FLIGHT_MAX = timedelta(hours=6)
"""Shopify retries a webhook for four hours; it may be in our queue for a while after that."""

_OF_TIME = frozenset({"time", "schedule"})
_CHECKED = "checked"


class ShopInUse(Exception):
    """The shop may still use the app: erasing it has to be confirmed by an operator."""


class ShopErasure:
    """Processes one request to erase a shop until it is done or its deadline passes."""

    def __init__(
        self, request: PrivacyRequest, dependencies: Dependencies, save: Save, deadline: Deadline
    ) -> None:
        """Process `request`; `save` saves its progress."""
        self._request = request
        self._dependencies = dependencies
        self._save = save
        self._deadline = deadline

    def run(self) -> PrivacyRequest:
        """Do the rest of it: check all of the shop first, then delete it.

        Raises ShopInUse; DeadlinePassed or LedgerUnavailable if the next run has to continue.
        """
        shop = self._request.shop
        if not self._request.confirmed and not self._request.counts.get(_CHECKED):
            removed_at = self._removed_at()
            self._scan_shop(lambda page: _require_quiet(page, removed_at))
            self._request = self._save(replace(self._request.counted(checked=1), position=None))
        self._scan_shop(self._delete)
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

    def _scan_shop(self, process: Callable[[list[StoredItem]], int]) -> None:
        """Scan the table from where the last run stopped. `process` returns how many it deleted."""
        seen = 0
        while True:
            page, position = self._dependencies.items.of_shop(
                self._request.shop, self._request.position, PAGE_ITEMS
            )
            deleted = process(page)
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

    def _delete(self, page: list[StoredItem]) -> int:
        self._dependencies.items.delete(page)
        return len(page)


def _require_quiet(page: Iterable[StoredItem], removed_at: datetime) -> int:
    """Raise ShopInUse if an entry came after the app was removed, unless by time alone."""
    for item in page:
        from_outside = item.is_entry and item.source not in _OF_TIME
        if from_outside and item.recorded_at > removed_at + IN_FLIGHT_MAX:
            raise ShopInUse("points were booked after the shop had removed the app")
    return 0
