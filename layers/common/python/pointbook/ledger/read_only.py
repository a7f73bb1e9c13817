"""Reads of the ledger: accounts as of now, their history, orders and holds. Nothing is written."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from pointbook.deadline import JITTER, Backoff, retry
from pointbook.domain.account import Account, Hold, HoldRecord
from pointbook.domain.buckets import Figures
from pointbook.domain.chain import BookedEntry
from pointbook.domain.decision import settle_part, settled
from pointbook.domain.lots import Lots
from pointbook.domain.orders import Order
from pointbook.domain.ports import Clock, ReadRequest, Store, StoreUnavailable
from pointbook.ledger.account_writes import TIME, account_write
from pointbook.ledger.loading import Loader, new_account

READ_DEADLINE_SECONDS = 0.9
"""My page waits no longer than this for the ledger."""


@dataclass(frozen=True, slots=True)
class View:
    """A customer's account at `as_of`, with everything settled that has fallen due.

    `version` is that of the last entry written. `is_due`: something has fallen due since, and no
    entry has it yet.
    """

    customer_id: str
    figures: Figures
    lots: Lots
    hold: Hold | None
    version: int
    as_of: datetime
    erased: bool = False
    is_due: bool = False


class ReadOnlyLedger:
    """Reads accounts for all shops; a function that only reads loads no command.

    Every method raises LedgerUnavailable when the store gives no answer within its deadline.
    """

    def __init__(self, store: Store, clock: Clock, random: Callable[[], float] = JITTER) -> None:
        """Read from `store`; `random` returns the jitter of its retries, 0 to 1."""
        self._store = store
        self._clock = clock
        self._random = random
        self._loader = Loader(store, clock)

    def read(self, shop: str, customer_id: str) -> View:
        """The account of a customer as of now; an empty one for a customer without points."""
        stored = self._retried(lambda: self._loader.survivor(shop, customer_id))
        account = settled(stored or new_account(customer_id), self._clock.now())
        return View(
            customer_id=account.customer_id,
            figures=account.figures,
            lots=account.lots,
            hold=account.hold,
            version=stored.version if stored else 0,
            as_of=account.as_of,
            erased=account.erased,
            is_due=stored is not None and stored.figures != account.figures,
        )

    def history(
        self, shop: str, customer_id: str, *, limit: int, before_version: int | None = None
    ) -> list[BookedEntry]:
        """The latest entries below a version, newest first."""
        account = self._retried(lambda: self._loader.survivor(shop, customer_id))
        if account is None:
            return []
        owner = account.customer_id
        above = account.version + 1  # ignore entries of an erased account that are not deleted yet
        before = above if before_version is None else min(before_version, above)
        return self._retried(
            lambda: self._store.entries(shop, owner, before_version=before, limit=limit)
        )

    def history_page(
        self, shop: str, customer_id: str, *, limit: int, before_version: int
    ) -> tuple[Account | None, list[BookedEntry]]:
        """The account as of now, and its latest entries below a version, newest first.

        Those that have fallen due are among them, under the ids and times that they will have once
        they are written; nothing is written. None: there is no account.
        """
        stored = self._retried(lambda: self._loader.survivor(shop, customer_id))
        if stored is None:
            return None, []
        owner = stored.customer_id
        due = account_write(stored, settle_part(stored, self._clock.now(), None), TIME, None)
        found = [one for one in reversed(due.entries) if one.entry.version < before_version][:limit]
        before = min(stored.version + 1, before_version)
        missing = limit - len(found)
        if missing:
            found += self._retried(
                lambda: self._store.entries(shop, owner, before_version=before, limit=missing)
            )
        return due.account, found

    def account(self, shop: str, customer_id: str) -> Account | None:
        """A customer's own account or tombstone as stored: merges are not followed."""
        return self._retried(lambda: self._store.account(shop, customer_id))

    def own_entries(
        self, shop: str, customer_id: str, *, before_version: int, limit: int
    ) -> list[BookedEntry]:
        """The latest entries of one account below a version, newest first; no merge is followed."""
        return self._retried(
            lambda: self._store.entries(
                shop, customer_id, before_version=before_version, limit=limit
            )
        )

    def orders(self, shop: str, order_ids: Collection[str]) -> dict[str, Order]:
        """Those of these orders that are there, by their ids; they may be a moment old."""
        if not order_ids:
            return {}
        return self._retried(lambda: self._store.orders(shop, order_ids))

    def entry(self, shop: str, customer_id: str, version: int) -> BookedEntry | None:
        """One entry by the customer and version that its id names, if it is there."""
        found = self._retried(
            lambda: self._store.entries(shop, customer_id, before_version=version + 1, limit=1)
        )
        return next((booked for booked in found if booked.entry.version == version), None)

    def order(self, shop: str, order_id: str) -> Order | None:
        """An order as it is now."""
        request = ReadRequest(shop, None, order_id=order_id)
        return self._retried(lambda: self._store.load(request, fresh=True)).order

    def hold_record(self, shop: str, hold_id: str) -> HoldRecord | None:
        """The record of a hold as it is now."""
        request = ReadRequest(shop, None, hold_id=hold_id)
        return self._retried(lambda: self._store.load(request, fresh=True)).hold_record

    def _backoff(self, seconds: float) -> Backoff:
        return Backoff(self._clock, seconds, self._random)

    def _retried[T](self, call: Callable[[], T], seconds: float = READ_DEADLINE_SECONDS) -> T:
        return retry(call, self._backoff(seconds), StoreUnavailable)
