"""Where something of a customer or a shop is kept: all that privacy requests have to look at."""

from dataclasses import dataclass

from pointbook.domain.ports import Clock, Store
from pointbook.store.bulk import Bulk
from pointbook.store.files import PrivacyFiles
from pointbook.store.pseudonyms import Pseudonyms


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The books, the table as a whole, the files, the pseudonyms, and the ledger's clock."""

    store: Store
    bulk: Bulk
    files: PrivacyFiles
    pseudonyms: Pseudonyms
    clock: Clock
