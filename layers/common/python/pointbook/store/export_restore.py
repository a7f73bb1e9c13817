"""Puts an export into an empty table, item by item as it was.

For a table that nobody else writes. Cut off anywhere, it is finished by another run: what the table
has already must be what the file has, and the rest is written.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import batched, islice

from pointbook.deadline import Backoff, no_jitter, retry
from pointbook.domain.ports import Clock, StoreUnavailable
from pointbook.domain.privacy import PrivacyRequest
from pointbook.store import keys
from pointbook.store.batches import send_all
from pointbook.store.export_format import ExportFile
from pointbook.store.partition_checks import Key, plain_key
from pointbook.store.privacy_requests import PrivacyRequests, request_of
from pointbook.store.stored_items import BATCH_ITEMS
from pointbook.store.table import Page, Table
from pointbook.store.table_differences import Read, TableDifferences
from pointbook.store.table_restore import reopen_erasures
from pointbook.store.values import Item

_PAGE_ITEMS = 1_000
_SECONDS = 60.0
"""How long one request is retried while the table is throttled."""

type Progress = Callable[[int], None]


class ExportRestore:
    """A file, and the table. Raises ExportDamaged, LedgerUnavailable, StoreRefused, OSError."""

    def __init__(self, file: ExportFile, table: Table, clock: Clock) -> None:
        """Write to `table`."""
        self._file = file
        self._table = table
        self._clock = clock
        self._requests: dict[Key, Item] = {}

    def load_file(self, found: TableDifferences, progress: Progress) -> int:
        """Check the whole file and note its items; returns how many they are."""
        return found.load("copy", _pages(self._noted()), progress)

    def load_table(self, found: TableDifferences, progress: Progress) -> int:
        """Note the table's items; returns how many they are."""
        return found.load("live", self._page, progress)

    def write(self, found: TableDifferences, progress: Progress) -> None:
        """Write what the table lacks, and take away versions of the programme from before."""
        written = 0
        for batch in batched(self._missing(found), BATCH_ITEMS, strict=False):
            send_all(self._put, batch, self._clock)
            written += len(batch)
            progress(written)
        for some in batched(superfluous(found), BATCH_ITEMS, strict=False):
            send_all(self._delete, (keys.key(*key) for key in some), self._clock)

    def reopen_erasures(self, found: TableDifferences) -> list[PrivacyRequest]:
        """Open those erasures again of which the table knows, and the file does not.

        privacy_watch carries them out on the accounts as the file had them.
        """
        return reopen_erasures(PrivacyRequests(self._table), self._request, found)

    def _noted(self) -> Iterator[Item]:
        """The items of the file; its privacy requests, which are few, are kept."""
        for item in self._file.items():
            key = plain_key(item)
            if key[1].startswith(keys.PRIVACY_REQUEST):
                self._requests[key] = item
            yield item

    def _request(self, key: Item) -> PrivacyRequest | None:
        found = self._requests.get(plain_key(key))
        return request_of(found) if found else None

    def _missing(self, found: TableDifferences) -> Iterator[Item]:
        """The items of the file that differences name; both are in the order of their keys."""
        wanted = missing(found)
        next_key = next(wanted, None)
        for item in self._file.items():
            if next_key is None:
                return
            if plain_key(item) == next_key:
                yield item
                next_key = next(wanted, None)
        assert next_key is None, f"the file was changed meanwhile: {next_key} is gone"

    def _page(self, last_key: Item | None) -> Page:
        return self._retry(partial(self._table.everything, last_key, consistent=True))

    def _put(self, left: list[Item]) -> list[Item]:
        return self._retry(partial(self._table.batch_put, left))

    def _delete(self, left: list[Item]) -> list[Item]:
        return self._retry(partial(self._table.batch_delete, left))

    def _retry[T](self, call: Callable[[], T]) -> T:
        return retry(call, Backoff(self._clock, _SECONDS, no_jitter), on=StoreUnavailable)


def missing(found: TableDifferences) -> Iterator[Key]:
    """The keys of items of the file that the table lacks."""
    for one in found.differences():
        yield from ((one.pk, sk) for sk in one.written)


def superfluous(found: TableDifferences) -> Iterator[Key]:
    """The keys of the table's own versions of programmes that the file replaces."""
    replaced = found.of_copy(keys.PROGRAMME)
    for one in found.differences():
        if one.pk in replaced:
            versions = (sk for sk in one.deleted if sk.startswith(keys.PROGRAMME))
            yield from ((one.pk, sk) for sk in versions)


def _pages(items: Iterator[Item]) -> Read:
    """A file as the pages of a table, one after the other."""

    def read(_: Item | None) -> Page:
        page = list(islice(items, _PAGE_ITEMS))
        return Page([*page], len(page), keys.key_of(page[-1]) if page else None)

    return read
