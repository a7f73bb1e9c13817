"""The DynamoDB keys of a ledger read, and the conditional puts of a ledger write.

Idempotency: a record is put with the condition ABSENT, so a request cannot count twice. Whatever
a decision depends on is guarded by a condition or read again before anything is refused.
"""

from collections.abc import Iterator

from pointbook.domain.account import BEGINNING
from pointbook.domain.ports import ReadRequest, Write
from pointbook.store import hold_items, items, keys, order_items
from pointbook.store.table import ABSENT, Check, Put
from pointbook.store.values import Item, number

UNCHANGED = "revision = :read_revision"
NOT_ERASED = "attribute_not_exists(erased)"


def keys_of(request: ReadRequest) -> dict[str, Item]:
    """The key of each requested item, by the field of `Loaded` that it fills."""
    by_field: dict[str, Item] = {}
    if request.customer_id is not None:
        by_field["account"] = keys.account(request.shop, request.customer_id)
        if request.key_hash is not None:
            record = keys.idempotency_record(request.key_hash)
            by_field["idempotency_record"] = keys.key(
                keys.customer(request.shop, request.customer_id), record
            )
    if request.order_id is not None:
        by_field["order"] = keys.order(request.shop, request.order_id)
    if request.hold_id is not None:
        by_field["hold_record"] = keys.hold(request.shop, request.hold_id)
    return by_field


def transaction(write: Write) -> list[Put | Check]:
    """The actions of a write: accounts first, then their entries, then the rest.

    An account, an order, a hold record: unchanged since it was read. An entry, an idempotency
    record: must not exist yet. Either condition would prevent a lost update; both are used. A
    record under another customer's id (who was merged): that customer must not be erased.
    """
    return [*_puts(write), *_erasure_checks(write)]


def put_unchanged(item: Item, new_revision: int) -> Put:
    """Replace the previous revision; the first revision requires that no item exists."""
    if new_revision == 1:
        return Put(item, ABSENT)
    return Put(item, UNCHANGED, {":read_revision": number(new_revision - 1)})


def _puts(write: Write) -> Iterator[Put]:
    shop = write.shop
    for part in write.accounts:
        yield put_unchanged(items.account_item(shop, part.account), part.account.revision)
    for part in write.accounts:
        for booked in part.entries:
            yield Put(items.entry_item(shop, booked), ABSENT)
    if write.idempotency_record is not None:
        record = items.idempotency_item(shop, write.recorded_for, write.idempotency_record)
        yield Put(record, ABSENT)
    if write.order is not None:
        yield put_unchanged(order_items.order_item(shop, write.order), write.order.revision)
    if write.hold_record is not None:
        held = hold_items.hold_record_item(shop, write.hold_record)
        yield put_unchanged(held, write.hold_record.revision)
    for code in write.orphaned_codes:
        yield Put(hold_items.orphaned_code_item(shop, code, attempts=0, next_attempt_at=BEGINNING))


def _erasure_checks(write: Write) -> Iterator[Check]:
    owners = {part.account.customer_id for part in write.accounts}
    for customer_id in sorted(_customers_referenced(write) - owners):
        yield Check(keys.account(write.shop, customer_id), NOT_ERASED)


def _customers_referenced(write: Write) -> set[str]:
    """The customers that a write's idempotency record and order refer to.

    An order written without an account is being moved to a pseudonym, or has no customer.
    """
    referenced = {write.recorded_for} if write.idempotency_record is not None else set()
    if write.accounts and write.order is not None and write.order.customer_id is not None:
        referenced.add(write.order.customer_id)
    return referenced
