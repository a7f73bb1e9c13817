"""Keys: every one begins with its shop or is due work, and nobody's text is in one."""

import pytest

from pointbook.domain.ports import DUE_SHARDS, DueKind
from pointbook.store import keys

SHOP = "demo.myshopify.com"


def test_books_orders_and_hold_records_begin_with_their_shop() -> None:
    assert keys.book(SHOP, "7001") == "S#demo.myshopify.com#C#7001"
    assert keys.order(SHOP, "9001") == "S#demo.myshopify.com#O#9001"
    assert keys.hold_record(SHOP, "h1").startswith("S#demo.myshopify.com#K#")


def test_the_key_of_a_book_or_an_order_is_parsed_into_shop_and_id() -> None:
    assert keys.parse(keys.book(SHOP, "7001")) == (SHOP, "7001")
    assert keys.parse(keys.order(SHOP, "9001")) == (SHOP, "9001")


@pytest.mark.parametrize(
    "text", ["", "7001#O#1", "gid://shopify/Customer/7001", "７００１", "-1", "7 "]
)
def test_an_id_that_is_no_number_never_becomes_a_key(text: str) -> None:
    with pytest.raises(AssertionError):
        keys.book(SHOP, text)
    with pytest.raises(AssertionError):
        keys.order(SHOP, text)


def test_the_id_of_a_hold_is_hashed_so_that_no_text_gets_into_a_key() -> None:
    text = "A#B/ç"

    assert text not in keys.hold_record(SHOP, text)
    assert keys.hold_record(SHOP, text) == keys.hold_record(SHOP, text)
    assert len({keys.hold_record(SHOP, each) for each in (text, "a#b/Ç", "A#B/c")}) == 3


def test_entries_sort_by_version() -> None:
    versions = [1, 9, 10, 99, 100, 10**11]

    assert sorted(keys.entry(version) for version in versions) == [
        keys.entry(version) for version in versions
    ]


def test_neither_the_account_nor_a_remembered_request_sorts_among_the_entries() -> None:
    first, last = keys.entry(1), keys.entry(10**12 - 1)

    assert not first <= keys.ACCOUNT <= last
    assert not first <= keys.remembered("0" * 64) <= last
    assert not first <= keys.CURSOR <= last


def test_due_work_is_spread_over_all_shards_and_stays_on_its_own() -> None:
    shards = {keys.due_of(DueKind.LOT, keys.book(SHOP, str(each))) for each in range(200)}

    assert shards == {keys.due(DueKind.LOT, shard) for shard in range(DUE_SHARDS)}
    assert keys.due_of(DueKind.HOLD, "b") == keys.due_of(DueKind.HOLD, "b")
    assert keys.due_of(DueKind.HOLD, "b") != keys.due_of(DueKind.LOT, "b")


def test_each_shop_has_its_own_list_of_what_flow_is_to_be_told() -> None:
    assert keys.due_triggers(SHOP) == f"DUE#trigger#{SHOP}"
    assert keys.due_triggers(SHOP) != keys.due_triggers("other.myshopify.com")
