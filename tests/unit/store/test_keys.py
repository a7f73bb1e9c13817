"""Keys: every one begins with its shop or is due work, and nobody's text is in one."""

import pytest

from pointbook.domain.ports import DUE_SHARDS, DueKind
from pointbook.store import keys

SHOP = "demo.myshopify.com"


def test_books_orders_and_hold_records_begin_with_their_shop() -> None:
    assert keys.book(SHOP, "7001") == "S#demo.myshopify.com#C#7001"
    assert keys.order(SHOP, "9001") == "S#demo.myshopify.com#O#9001"
    assert keys.hold_record(SHOP, "CODE").startswith("S#demo.myshopify.com#K#")


def test_a_book_key_is_parsed_into_shop_and_customer() -> None:
    assert keys.parse_book(keys.book(SHOP, "7001")) == (SHOP, "7001")


@pytest.mark.parametrize(
    "text", ["", "7001#O#1", "gid://shopify/Customer/7001", "７００１", "-1", "7 "]
)
def test_an_id_that_is_no_number_never_becomes_a_key(text: str) -> None:
    with pytest.raises(AssertionError):
        keys.book(SHOP, text)
    with pytest.raises(AssertionError):
        keys.order(SHOP, text)


def test_a_code_is_hashed_and_found_whatever_its_case() -> None:
    text = "A#B/ç"

    assert text not in keys.hold_record(SHOP, text)
    assert keys.hold_record(SHOP, text) == keys.hold_record(SHOP, "a#b/Ç")
    assert keys.hold_record(SHOP, text) != keys.hold_record(SHOP, "a#b/c")


def test_entries_sort_by_version() -> None:
    versions = [1, 9, 10, 99, 100, 10**11]

    assert sorted(keys.entry(version) for version in versions) == [
        keys.entry(version) for version in versions
    ]


def test_neither_the_account_nor_a_remembered_request_sorts_among_the_entries() -> None:
    first, last = keys.entry(1), keys.entry(10**12 - 1)

    assert not first <= keys.ACCOUNT <= last
    assert not first <= keys.remembered("0" * 64) <= last


def test_due_work_is_spread_over_all_shards_and_stays_on_its_own() -> None:
    shards = {keys.due_of(DueKind.LOT, keys.book(SHOP, str(each))) for each in range(200)}

    assert shards == {keys.due(DueKind.LOT, shard) for shard in range(DUE_SHARDS)}
    assert keys.due_of(DueKind.HOLD, "b") == keys.due_of(DueKind.HOLD, "b")
    assert keys.due_of(DueKind.HOLD, "b") != keys.due_of(DueKind.LOT, "b")
