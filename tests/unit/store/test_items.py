"""Items: whatever goes in comes out, also when the engine mixes up the parts of a map."""

from typing import Any

from hypothesis import given

from pointbook.domain.account import Account, HoldRecord
from pointbook.domain.chain import BookedEntry
from pointbook.domain.orders import Order
from pointbook.domain.ports import IdempotencyRecord
from pointbook.store import hold_items, items, order_items
from tests.support import generated
from tests.support.engine import SHOP
from tests.support.examples import CUSTOMER, ORDER, an_account


def mixed_up(value: Any) -> Any:
    """The same item with every map in another order: DynamoDB keeps none."""
    if isinstance(value, dict):
        return {name: mixed_up(value[name]) for name in reversed(value)}
    return [mixed_up(part) for part in value] if isinstance(value, list) else value


@given(generated.accounts(CUSTOMER))
def test_an_account_comes_back_the_same(account: Account) -> None:
    assert items.account_of(mixed_up(items.account_item(SHOP, account))) == account


@given(generated.entries(CUSTOMER))
def test_an_entry_comes_back_the_same(entry: BookedEntry) -> None:
    assert items.entry_of(mixed_up(items.entry_item(SHOP, entry))) == entry


@given(generated.idempotency_record)
def test_an_idempotency_record_comes_back_the_same(idempotency_record: IdempotencyRecord) -> None:
    item = items.idempotency_item(SHOP, CUSTOMER, idempotency_record)
    assert items.idempotency_record_of(mixed_up(item)) == idempotency_record


@given(generated.orders(ORDER))
def test_an_order_comes_back_the_same(order: Order) -> None:
    assert order_items.order_of(mixed_up(order_items.order_item(SHOP, order))) == order


@given(generated.hold_records)
def test_a_hold_record_comes_back_the_same(record: HoldRecord) -> None:
    assert hold_items.hold_record_of(mixed_up(hold_items.hold_record_item(SHOP, record))) == record


def test_every_item_says_which_schema_it_has() -> None:
    assert items.account_item(SHOP, an_account())["schema"] == {"N": "1"}
