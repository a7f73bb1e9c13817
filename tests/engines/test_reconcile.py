"""Damage done to a book behind the ledger's back is found, whatever kind it is."""

from typing import Any

import pytest

from pointbook.domain.reconcile import Damage
from pointbook.store import items, keys
from tests.support.engine import DYNAMODB_LOCAL, MEMORY, SHOP, Engine, all_entries
from tests.support.examples import CUSTOMER
from tests.support.ledgers import LedgerDriver

type Item = dict[str, Any]

BOOK = keys.customer(SHOP, CUSTOMER)
pytestmark = pytest.mark.parametrize("engine", [MEMORY, DYNAMODB_LOCAL], indirect=True)


class Vandal:
    """Someone who can write the table and does not use the ledger. The book has four entries."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.driver = LedgerDriver(engine)
        for points in (100, 50, 20):
            self.driver.grant(points, reason="ようこそ")
        self.driver.consume(30)
        assert self.driver.findings() == []

    def put(self, item: Item) -> None:
        """Put an item over whatever is there."""
        self._engine.client.put_item(TableName=self._engine.table, Item=item)

    def delete(self, sort_key: str) -> None:
        """Delete an item of the book."""
        if self._engine.name == MEMORY:  # it knows no deleting: the ledger never does it
            table = self._engine.client._tables[self._engine.table]
            del table.versions[BOOK, sort_key]
            table.partitions[BOOK].remove(sort_key)
            return
        key = {"pk": {"S": BOOK}, "sk": {"S": sort_key}}
        self._engine.client.delete_item(TableName=self._engine.table, Key=key)

    def entry(self, version: int) -> Item:
        """An entry as it is kept."""
        return items.entry_item(SHOP, all_entries(self.driver.store, CUSTOMER)[version - 1])

    def account(self) -> Item:
        """The account as it is kept."""
        account = self.driver.store.account(SHOP, CUSTOMER)
        assert account is not None
        return items.account_item(SHOP, account)

    def found(self) -> set[tuple[Damage, int]]:
        """What reconciling finds, and at which versions (0: the account)."""
        return {(finding.damage, finding.version) for finding in self.driver.findings()}


@pytest.fixture
def vandal(engine: Engine) -> Vandal:
    return Vandal(engine)


def test_a_missing_entry_is_found(vandal: Vandal) -> None:
    vandal.delete(keys.entry(2))

    assert vandal.found() == {
        (Damage.GAP, 3),
        (Damage.CHAIN, 3),
        (Damage.FIGURES, 3),
        (Damage.FIGURES, 4),
        (Damage.ACCOUNT, 0),
    }


def test_the_missing_last_entry_is_found(vandal: Vandal) -> None:
    vandal.delete(keys.entry(4))

    assert vandal.found() == {(Damage.ACCOUNT, 0)}


def test_a_doubled_entry_is_found(vandal: Vandal) -> None:
    vandal.put({**vandal.entry(4), "sk": {"S": keys.entry(5)}, "version": {"N": "5"}})

    assert vandal.found() == {
        (Damage.CHAIN, 5),
        (Damage.HASH, 5),
        (Damage.FIGURES, 5),
        (Damage.ACCOUNT, 0),
    }


def test_an_altered_entry_is_found(vandal: Vandal) -> None:
    moves = {"issued": {"N": "-5000"}, "approved": {"N": "5000"}}
    vandal.put({**vandal.entry(3), "moves": {"M": moves}})

    assert vandal.found() == {
        (Damage.HASH, 3),
        (Damage.FIGURES, 3),
        (Damage.FIGURES, 4),
        (Damage.ACCOUNT, 0),
    }


def test_an_altered_entry_is_found_even_if_its_own_sums_agree(vandal: Vandal) -> None:
    vandal.put({**vandal.entry(3), "source": {"S": "manual"}})

    assert vandal.found() == {(Damage.HASH, 3)}


def test_an_entry_that_sums_to_something_is_found(vandal: Vandal) -> None:
    moves = {"issued": {"N": "-20"}, "approved": {"N": "21"}}
    vandal.put({**vandal.entry(3), "moves": {"M": moves}})

    assert (Damage.SUM, 3) in vandal.found()


def test_reordered_entries_are_found(vandal: Vandal) -> None:
    second, third = vandal.entry(2), vandal.entry(3)
    vandal.put({**second, "sk": third["sk"]})
    vandal.put({**third, "sk": second["sk"]})

    found = vandal.found()
    assert {(Damage.GAP, 3), (Damage.OUT_OF_ORDER, 2), (Damage.CHAIN, 3)} <= found


def test_entries_that_swap_their_places_and_numbers_are_found(vandal: Vandal) -> None:
    second, third = vandal.entry(2), vandal.entry(3)
    vandal.put({**second, "sk": third["sk"], "version": third["version"]})
    vandal.put({**third, "sk": second["sk"], "version": second["version"]})

    assert {(Damage.CHAIN, 2), (Damage.CHAIN, 3), (Damage.HASH, 2)} <= vandal.found()


@pytest.mark.parametrize(
    "edit",
    [
        {"balances": {"L": [{"N": str(n)} for n in (-1170, 0, 0, 1140, 0, 30, 0, 0, 0)]}},
        {"lots": {"L": [{"L": [{"N": "20291231"}, {"N": "140"}]}]}},
        {"version": {"N": "3"}},
        {"head": {"B": bytes(32)}},
    ],
    ids=lambda edit: next(iter(edit)),
)
def test_an_edited_account_is_found(vandal: Vandal, edit: Item) -> None:
    vandal.put({**vandal.account(), **edit})

    assert vandal.found() == {(Damage.ACCOUNT, 0)}


def test_another_text_is_found(vandal: Vandal) -> None:
    vandal.put({**vandal.entry(2), "reason": {"S": "さようなら"}})

    assert vandal.found() == {(Damage.TEXT, 2)}


def test_a_book_stays_sound_when_a_text_is_erased(vandal: Vandal) -> None:
    entry = vandal.entry(2)
    assert {"reason", "salt"} <= entry.keys()
    vandal.put({name: value for name, value in entry.items() if name not in {"reason", "salt"}})

    assert all_entries(vandal.driver.store, CUSTOMER)[1].text is None
    assert vandal.found() == set()
