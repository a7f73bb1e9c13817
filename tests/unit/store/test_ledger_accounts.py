"""Accounts are read with all their entries as of one version, however a scan has torn them."""

from collections.abc import Mapping
from typing import Any

import pytest

from pointbook.aws.metered import MeteredClient
from pointbook.domain.account import Account
from pointbook.store import keys
from pointbook.store.ledger_reader import AccountEntries, LedgerReader
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support import engine as engines
from tests.support.engine import SHOP, Engine, opened
from tests.support.examples import CUSTOMER, OTHER
from tests.support.ledgers import LedgerDriver, SetClock


class TornClient:
    """DynamoDB whose scan lacks some items, or still has them as they were, or deleted ones."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.stale: dict[tuple[str, str], Mapping[str, Any] | None] = {}
        self.ghosts: list[Mapping[str, Any]] = []

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._client, operation)

    def scan(self, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.scan(**request)
        items, self.ghosts = self.ghosts, []
        for item in answer["Items"]:
            key = (item["pk"]["S"], item["sk"]["S"])
            seen = self.stale.get(key, item)
            items += [seen] if seen is not None else []
        return {**answer, "Items": items}


class Ledger:
    """Two accounts of three entries each, read through a torn scan."""

    def __init__(self) -> None:
        self.engine: Engine = opened(engines.MEMORY, MemoryDynamoDB(page_items=2))
        self.client = TornClient(self.engine.client)
        self.driver = LedgerDriver(self.engine)
        for customer_id in (CUSTOMER, OTHER):
            for number in range(3):
                self.driver.grant(1, customer_id=customer_id, key=str(number))

    def item(self, customer_id: str, sk: str) -> Mapping[str, Any]:
        key = keys.key(keys.customer(SHOP, customer_id), sk)
        found: Mapping[str, Any] = self.engine.client.get_item(
            TableName=self.engine.table, Key=key, ConsistentRead=True
        )["Item"]
        return found

    def forget(self, customer_id: str, sk: str, item: Mapping[str, Any] | None = None) -> None:
        """Let the scan lack an item, or have it as it was."""
        self.client.stale[keys.customer(SHOP, customer_id), sk] = item

    def accounts(self, shop: str = SHOP, **more: Any) -> list[AccountEntries]:
        clock = SetClock()
        reader = LedgerReader(MeteredClient(self.client, clock), self.engine.table, clock)
        return list(reader.accounts(shop, **more))


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def versions(found: list[AccountEntries]) -> dict[str, tuple[int, list[int]]]:
    return {
        one.customer_id: (version(one.account), [each.entry.version for each in one.entries])
        for one in found
    }


def version(account: Account | None) -> int:
    assert account is not None
    return account.version


def test_every_account_comes_with_its_entries(ledger: Ledger) -> None:
    whole = (3, [1, 2, 3])
    assert versions(ledger.accounts()) == {CUSTOMER: whole, OTHER: whole}


def test_another_shops_accounts_are_left_out(ledger: Ledger) -> None:
    assert ledger.accounts("other.myshopify.com") == []


def test_entries_that_the_scan_did_not_see_yet_are_read_again(ledger: Ledger) -> None:
    ledger.forget(CUSTOMER, keys.entry(3))
    ledger.forget(OTHER, keys.ACCOUNT)
    whole = (3, [1, 2, 3])
    assert versions(ledger.accounts()) == {CUSTOMER: whole, OTHER: whole}


def test_entries_beyond_the_accounts_version_are_left_out(ledger: Ledger) -> None:
    before = ledger.item(CUSTOMER, keys.ACCOUNT)
    ledger.driver.grant(1, customer_id=CUSTOMER, key="4")
    ledger.forget(CUSTOMER, keys.ACCOUNT, before)
    assert versions(ledger.accounts())[CUSTOMER] == (3, [1, 2, 3])


def test_an_entry_that_is_missing_in_the_table_is_missing(ledger: Ledger) -> None:
    key = keys.key(keys.customer(SHOP, CUSTOMER), keys.entry(2))
    ledger.engine.client.delete_item(TableName=ledger.engine.table, Key=key)
    assert versions(ledger.accounts())[CUSTOMER] == (3, [1, 3])


def test_an_account_that_cannot_be_read_is_named(ledger: Ledger) -> None:
    item = {**ledger.item(CUSTOMER, keys.ACCOUNT), "balances": {"S": "damaged"}}
    ledger.engine.client.put_item(TableName=ledger.engine.table, Item=item)
    found = {one.customer_id: one.account for one in ledger.accounts()}
    assert found[CUSTOMER] is None
    assert found[OTHER] is not None


def test_an_account_that_was_erased_meanwhile_is_left_out(ledger: Ledger) -> None:
    whole = [ledger.item(CUSTOMER, sk) for sk in (keys.ACCOUNT, *map(keys.entry, (1, 2)))]
    for sk in (keys.ACCOUNT, *map(keys.entry, (1, 2, 3))):
        key = keys.key(keys.customer(SHOP, CUSTOMER), sk)
        ledger.engine.client.delete_item(TableName=ledger.engine.table, Key=key)
    ledger.client.ghosts = whole
    assert list(versions(ledger.accounts())) == [OTHER]


def test_reading_goes_on_behind_each_account_until_it_is_told_to_end(ledger: Ledger) -> None:
    first, second = ledger.accounts()
    assert versions(ledger.accounts(after=first.key)) == versions([second])
    assert ledger.accounts(after=second.key) == []
    pages: list[int] = []

    def once(read: int) -> bool:
        pages.append(read)
        return len(pages) < 2

    assert ledger.accounts(on_page=once) == [], "the account that was being read is left out"
