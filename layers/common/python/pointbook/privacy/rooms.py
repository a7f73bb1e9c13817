"""Where something of a customer or a shop is kept: all that privacy requests have to look at."""

from dataclasses import dataclass

from pointbook.domain.ports import Clock, Store
from pointbook.store.bulk import Bulk
from pointbook.store.files import PrivacyFiles


@dataclass(frozen=True, slots=True)
class Rooms:
    """The books, the table as a whole, the files, and the ledger's clock."""

    store: Store
    bulk: Bulk
    files: PrivacyFiles
    clock: Clock
