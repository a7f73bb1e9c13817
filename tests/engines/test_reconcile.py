"""Damage done to an account and its entries without the ledger is found, of whatever kind."""

from collections.abc import Callable
from typing import Any

import pytest

from pointbook.domain.reconcile import Damage
from pointbook.store import items, keys
from tests.support.engine import DYNAMODB_LOCAL, MEMORY, SHOP, Engine, all_entries
from tests.support.examples import CUSTOMER
from tests.support.ledgers import LedgerDriver

type Item = dict[str, Any]

PARTITION = keys.customer(SHOP, CUSTOMER)
pytestmark = pytest.mark.parametrize("engine", [MEMORY, DYNAMODB_LOCAL], indirect=True)


class Vandal:
    """Someone who writes the table without the ledger. The account has four entries."""

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
        """Delete an item of the account."""
        if self._engine.name == MEMORY:  # it knows no deleting: the ledger never does it
            table = self._engine.client._tables[self._engine.table]
            del table.versions[PARTITION, sort_key]
            table.partitions[PARTITION].remove(sort_key)
            return
        key = {"pk": {"S": PARTITION}, "sk": {"S": sort_key}}
        self._engine.client.delete_item(TableName=self._engine.table, Key=key)

    def change(self, entry: int, /, **attributes: Item) -> None:
        """Change attributes of an entry; another sort key makes it another item."""
        self.put({**self.entry(entry), **attributes})

    def entry(self, version: int) -> Item:
        """An entry's item."""
        return items.entry_item(SHOP, all_entries(self.driver.store, CUSTOMER)[version - 1])

    def account(self) -> Item:
        """The account's item."""
        return items.account_item(SHOP, self.driver.account())

    def found(self) -> set[tuple[Damage, int]]:
        """What reconciling finds, and at which versions (0: the account)."""
        return {(finding.damage, finding.version) for finding in self.driver.findings()}


@pytest.fixture
def vandal(engine: Engine) -> Vandal:
    return Vandal(engine)


def swap(vandal: Vandal, *names: str) -> None:
    """Let the second and the third entry swap these attributes."""
    second, third = vandal.entry(2), vandal.entry(3)
    vandal.put({**second, **{name: third[name] for name in names}})
    vandal.put({**third, **{name: second[name] for name in names}})


def move(issued: int, approved: int) -> Item:
    return {"M": {"issued": {"N": str(issued)}, "approved": {"N": str(approved)}}}


FIGURES_AND_ACCOUNT = {(Damage.FIGURES, 3), (Damage.FIGURES, 4), (Damage.ACCOUNT, 0)}
DAMAGES: dict[str, tuple[Callable[[Vandal], object], set[tuple[Damage, int]]]] = {
    "a missing entry": (
        lambda vandal: vandal.delete(keys.entry(2)),
        {(Damage.GAP, 3), (Damage.CHAIN, 3)} | FIGURES_AND_ACCOUNT,
    ),
    "the missing last entry": (
        lambda vandal: vandal.delete(keys.entry(4)),
        {(Damage.ACCOUNT, 0)},
    ),
    "a doubled entry": (
        lambda vandal: vandal.change(4, sk={"S": keys.entry(5)}, version={"N": "5"}),
        {(Damage.CHAIN, 5), (Damage.HASH, 5), (Damage.FIGURES, 5), (Damage.ACCOUNT, 0)},
    ),
    "an altered entry": (
        lambda vandal: vandal.change(3, moves=move(-5000, 5000)),
        {(Damage.HASH, 3)} | FIGURES_AND_ACCOUNT,
    ),
    "an altered entry whose own sums agree": (
        lambda vandal: vandal.change(3, source={"S": "manual"}),
        {(Damage.HASH, 3)},
    ),
    "another text": (
        lambda vandal: vandal.change(2, reason={"S": "さようなら"}),
        {(Damage.TEXT, 2)},
    ),
}
"""What is done to the four entries, and all that has to be found."""

SUSPICIONS: dict[str, tuple[Callable[[Vandal], object], set[tuple[Damage, int]]]] = {
    "an entry that does not sum to zero": (
        lambda vandal: vandal.change(3, moves=move(-20, 21)),
        {(Damage.SUM, 3)},
    ),
    "reordered entries": (
        lambda vandal: swap(vandal, "sk"),
        {(Damage.GAP, 3), (Damage.OUT_OF_ORDER, 2), (Damage.CHAIN, 3)},
    ),
    "entries that swap their places and numbers": (
        lambda vandal: swap(vandal, "sk", "version"),
        {(Damage.CHAIN, 2), (Damage.CHAIN, 3), (Damage.HASH, 2)},
    ),
}
"""What is done, and what has to be among all that is found."""


@pytest.mark.parametrize(("damage", "expected"), DAMAGES.values(), ids=DAMAGES.keys())
def test_damage_is_found_and_nothing_else(
    vandal: Vandal, damage: Callable[[Vandal], object], expected: set[tuple[Damage, int]]
) -> None:
    damage(vandal)
    assert vandal.found() == expected


@pytest.mark.parametrize(("damage", "expected"), SUSPICIONS.values(), ids=SUSPICIONS.keys())
def test_damage_with_consequences_is_found(
    vandal: Vandal, damage: Callable[[Vandal], object], expected: set[tuple[Damage, int]]
) -> None:
    damage(vandal)
    assert expected <= vandal.found()


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


def test_an_account_stays_sound_when_a_text_is_erased(vandal: Vandal) -> None:
    entry = vandal.entry(2)
    assert {"reason", "salt"} <= entry.keys()
    vandal.put({name: value for name, value in entry.items() if name not in {"reason", "salt"}})

    assert all_entries(vandal.driver.store, CUSTOMER)[1].text is None
    assert vandal.found() == set()
