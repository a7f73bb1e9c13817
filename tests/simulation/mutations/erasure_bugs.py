"""The bugs that are planted in what erases merged customers while others write, one at a time.

Every guard is taken away alone.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import count, islice
from typing import Any, Final

from pointbook.domain import erase
from pointbook.domain.erase import pseudonym_of
from pointbook.domain.privacy import Kind, PrivacyRequest, State
from pointbook.ledger.ledger import Ledger
from pointbook.services import customers as customer_events
from pointbook.services.privacy import customers
from pointbook.services.privacy.customers import CustomerErasure
from pointbook.services.privacy.dependencies import Dependencies
from pointbook.services.privacy.requests import PrivacyService
from pointbook.store import ledger_transactions
from pointbook.store.customer_items import CustomerItems
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.pseudonyms import Pseudonyms
from pointbook.store.stored_items import StoredItems
from pointbook.store.table import ABSENT, Put
from pointbook.store.values import Item, Stored
from tests.simulation.mutations.planted import Bug

type Original = Callable[..., Any]

_NUMBERS: Final = count(1)


def _created_unchecked(original: Original, items: CustomerItems, item: Item) -> Stored | None:
    outcome = items._table.put_if(Put(item, ABSENT))
    return None if outcome.done else outcome.item


def _erased_with_its_source(
    original: Original, kept: str, gone: str, message: Any, ledger: Any, saved: Any
) -> None:
    original(kept, gone, message, ledger, saved)
    saved.save(PrivacyRequest(Kind.CUSTOMER, message.shop, kept, message.received_at, kept))


ERASURE_BUGS: Final = (
    Bug(
        "a pseudonym for each request",
        Pseudonyms.draw,
        lambda original, *args: original(*args) and pseudonym_of(next(_NUMBERS)),
    ),
    Bug(
        "a pseudonym that is drawn before its customer is recorded",
        CustomerErasure._save_pseudonyms,
        lambda original, erasure, pseudonyms: (
            original(erasure, pseudonyms) if all(pseudonyms.values()) else None
        ),
    ),
    Bug(
        "a pseudonym that is used before its customer's account has moved",
        Dependencies.is_erased,
        lambda original, dependencies, shop, customer_id: (
            original(dependencies, shop, customer_id)
            or dependencies.pseudonyms.find(shop, customer_id) is not None
        ),
    ),
    Bug("a pseudonym that is never deleted", Pseudonyms.forget, lambda original, *_: None),
    Bug(
        "a survivor that goes on naming the erased",
        erase.renamed_merges,
        lambda original, account, pseudonyms: (
            original(account, pseudonyms) if account.customer_id in pseudonyms else account
        ),
    ),
    Bug(
        "a merged customer who still leads to the erased survivor",
        CustomerErasure._repoint_merged_accounts,
        lambda original, *_: None,
    ),
    Bug(
        "orders in the survivor's account go on naming the erased",
        CustomerErasure._rename_in_survivors,
        lambda original, erasure: None,
    ),
    Bug(
        "the scan's progress counts for any set of accounts",
        customers._digest,
        lambda original, names: "any",
    ),
    Bug(
        "idempotency records go on naming the erased",
        CustomerErasure._rename_idempotency_records,
        lambda original, *_: None,
    ),
    Bug(
        "a data request that stays",
        PrivacyRequests.for_data_of,
        lambda original, *_: [],
    ),
    Bug("an item beside an erased account", CustomerItems.create, _created_unchecked),
    Bug(
        "an order under the id of an erased customer",
        ledger_transactions._customers_referenced,
        lambda original, write: original(replace(write, order=None)),
    ),
    Bug(
        "orders that only a second redaction names",
        PrivacyRequest.with_orders_of,
        lambda original, request, later: request,
    ),
    Bug(
        "a redaction that was done is not opened again",
        PrivacyRequest.with_orders_of,
        lambda original, request, later: (
            request if request.state is State.DONE else original(request, later)
        ),
    ),
    Bug(
        "a file whose worker ended before it looked again",
        PrivacyService._delete_orphaned_files,
        lambda original, *_: None,
    ),
    Bug(
        "every file is taken for an orphan",
        PrivacyService._delete_orphaned_files,
        lambda original, service, shop: service._dependencies.files.forget_shop(shop),
    ),
    Bug(
        "an update that brings back what is gone",
        CustomerItems.change,
        lambda original, items, update: items._table.update_if(update),
    ),
    Bug(
        "a request recorded under the id of an erased customer who was merged",
        ledger_transactions._customers_referenced,
        lambda original, write: original(replace(write, idempotency_record=None)),
    ),
    Bug(
        "a source that stays when its survivor is erased",
        customer_events._erase_with,
        lambda original, *_: None,
    ),
    Bug(
        "a target that is erased with its source",
        customer_events._erase_with,
        _erased_with_its_source,
    ),
    Bug(
        "an update of an erased customer's order is dropped",
        Ledger.save_order,
        lambda original, ledger, shop, before, order: (
            before.customer_id is None or original(ledger, shop, before, order)
        ),
    ),
    Bug(
        "an entry is deleted that was not copied",
        StoredItems.put_entries,
        lambda original, items, shop, entries: original(items, shop, islice(entries, 1, None)),
    ),
)
