"""Items: whatever goes in comes out, also when the engine mixes up the parts of a map."""

from typing import Any

from hypothesis import given

from pointbook.domain.account import Account, HoldRecord
from pointbook.domain.chain import BookedEntry
from pointbook.domain.orders import Order
from pointbook.domain.ports import IdempotencyRecord
from pointbook.store import items
from pointbook.store import order_items as papers
from pointbook.store.values import SCHEMA
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


@given(generated.remembered)
def test_a_remembered_request_comes_back_the_same(remembered: IdempotencyRecord) -> None:
    item = items.remembered_item(SHOP, CUSTOMER, remembered)
    assert items.remembered_of(mixed_up(item)) == remembered


@given(generated.orders(ORDER))
def test_an_order_comes_back_the_same(order: Order) -> None:
    assert papers.order_of(mixed_up(papers.order_item(SHOP, order))) == order


@given(generated.hold_records)
def test_a_hold_record_comes_back_the_same(record: HoldRecord) -> None:
    assert papers.hold_record_of(mixed_up(papers.hold_record_item(SHOP, record))) == record


def test_every_item_says_which_schema_it_has() -> None:
    assert items.account_item(SHOP, an_account())["schema"] == {"N": str(SCHEMA)}
