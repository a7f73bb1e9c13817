"""Keys: every one begins with its shop or is due work, and nobody's text is in one."""

import pytest

from pointbook.domain.chain import milliseconds
from pointbook.domain.ports import DUE_SHARDS, DueKind
from pointbook.store import keys
from pointbook.store.values import Item, text_of
from tests.support.examples import NOON

SHOP = "demo.myshopify.com"


def pk(key: Item) -> str:
    return text_of(key["pk"])


def test_customers_orders_and_holds_begin_with_their_shop() -> None:
    assert keys.customer(SHOP, "7001") == "SHOP#demo.myshopify.com#CUSTOMER#7001"
    assert pk(keys.order(SHOP, "9001")) == "SHOP#demo.myshopify.com#ORDER#9001"
    assert pk(keys.hold(SHOP, "h1")).startswith("SHOP#demo.myshopify.com#HOLD#")


def test_the_key_of_a_customer_or_an_order_is_parsed_into_shop_and_id() -> None:
    assert keys.parse(keys.customer(SHOP, "7001")) == (SHOP, "7001")
    assert keys.parse(pk(keys.order(SHOP, "9001"))) == (SHOP, "9001")


@pytest.mark.parametrize(
    "text", ["", "7001#ORDER#1", "gid://shopify/Customer/7001", "７００１", "-1", "7 "]
)
def test_an_id_that_is_no_number_never_becomes_a_key(text: str) -> None:
    with pytest.raises(AssertionError):
        keys.customer(SHOP, text)
    with pytest.raises(AssertionError):
        keys.order(SHOP, text)


def test_the_id_of_a_hold_is_hashed_so_that_no_text_gets_into_a_key() -> None:
    text = "A#B/ç"

    assert text not in pk(keys.hold(SHOP, text))
    assert pk(keys.hold(SHOP, text)) == pk(keys.hold(SHOP, text))
    assert len({pk(keys.hold(SHOP, each)) for each in (text, "a#b/Ç", "A#B/c")}) == 3


def test_entries_sort_by_version() -> None:
    versions = [1, 9, 10, 99, 100, 10**11]

    assert sorted(keys.entry(version) for version in versions) == [
        keys.entry(version) for version in versions
    ]


def test_neither_the_account_nor_an_idempotency_record_sorts_among_the_entries() -> None:
    first, last = keys.entry(1), keys.entry(10**12 - 1)

    assert not first <= keys.ACCOUNT <= last
    assert not first <= keys.idempotency_record("0" * 64) <= last
    assert not first <= keys.OUTBOX <= last


def test_due_work_is_spread_over_all_shards_and_stays_on_its_own() -> None:
    def shard_of(kind: DueKind, customer_id: str) -> str:
        found = keys.due_attributes(kind, keys.account(SHOP, customer_id), NOON)
        assert found[f"due_{kind}_at"] == {"N": str(milliseconds(NOON))}
        return text_of(found[f"due_{kind}"])

    shards = {shard_of(DueKind.LOT, str(each)) for each in range(200)}

    assert shards == {keys.due(DueKind.LOT, shard) for shard in range(DUE_SHARDS)}
    assert shard_of(DueKind.HOLD, "1") == shard_of(DueKind.HOLD, "1")
    assert shard_of(DueKind.HOLD, "1") != shard_of(DueKind.LOT, "1")


def test_each_shop_has_its_own_list_of_what_is_to_be_published() -> None:
    assert keys.due_triggers(SHOP) == f"DUE#trigger#{SHOP}"
    assert keys.due_triggers(SHOP) != keys.due_triggers("other.myshopify.com")
