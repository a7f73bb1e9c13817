"""Erasure leaves nothing of a person in any stored item, and all of the points."""

from dataclasses import replace

import pytest

from pointbook.domain.account import Account, HoldRecord
from pointbook.domain.buckets import Balances
from pointbook.domain.erase import (
    is_pseudonym,
    moved_account,
    pseudonym_of,
    renamed_merges,
    renamed_order,
    renamed_record,
    tombstone,
)
from pointbook.domain.orders import Order, Spending

X, CHILD, SURVIVOR, OTHER = "8840734670934", "71", "72", "73"
NAMES = {X: pseudonym_of(5), CHILD: pseudonym_of(6)}
ACCOUNT = Account(X, "b1", version=3, revision=9, balances=Balances(issued=-5, approved=5))


@pytest.mark.parametrize("number", [0, 10**19 - 1])
def test_a_pseudonym_is_no_id_of_shopifys(number: int) -> None:
    name = pseudonym_of(number)
    assert (len(name), name[0]) == (20, "0")
    assert is_pseudonym(name)


@pytest.mark.parametrize("customer_id", [X, "1", "9" * 20, "0", "", "0" * 21, "0" * 19 + "x"])
def test_an_id_is_no_pseudonym(customer_id: str) -> None:
    assert not is_pseudonym(customer_id)


@pytest.mark.parametrize("number", [-1, 10**19])
def test_a_number_that_has_no_room_is_no_pseudonym(number: int) -> None:
    with pytest.raises(AssertionError):
        pseudonym_of(number)


def test_a_tombstone_has_nothing_of_the_account_but_is_its_next_write() -> None:
    assert tombstone(X, ACCOUNT) == Account(X, erased=True, revision=10)
    assert tombstone(X, None) == Account(X, erased=True, revision=1)


def test_a_moved_account_differs_in_names_only() -> None:
    before = replace(ACCOUNT, merged_from=(CHILD,))
    moved = moved_account(before, NAMES)
    assert moved == replace(before, customer_id=NAMES[X], merged_from=(NAMES[CHILD],), revision=1)
    child = moved_account(replace(ACCOUNT, customer_id=CHILD, merged_into=X), NAMES)
    assert (child.customer_id, child.merged_into) == (NAMES[CHILD], NAMES[X])


def test_a_survivor_forgets_the_name_and_keeps_the_rest() -> None:
    survivor = Account(SURVIVOR, merged_from=(OTHER, X))
    assert renamed_merges(survivor, NAMES) == replace(survivor, merged_from=(OTHER, NAMES[X]))
    gone = replace(ACCOUNT, merged_into=SURVIVOR)
    assert moved_account(gone, NAMES).merged_into == SURVIVOR


def test_an_order_forgets_its_buyer_and_whoever_spent_on_it() -> None:
    spendings = (Spending("h1", X, 5, ()), Spending("h2", OTHER, 6, ()))
    order = Order("1", customer_id=CHILD, revision=4, spendings=spendings)
    renamed = renamed_order(order, NAMES)
    assert renamed.customer_id == NAMES[CHILD]
    assert [one.customer_id for one in renamed.spendings] == [NAMES[X], OTHER]
    assert replace(renamed, customer_id=CHILD, spendings=spendings) == order


@pytest.mark.parametrize("customer_id", [OTHER, None])
def test_an_order_of_others_stays_as_it_is(customer_id: str | None) -> None:
    order = Order("1", customer_id=customer_id)
    assert renamed_order(order, NAMES) == order


def test_a_hold_record_forgets_its_customer_and_keeps_its_code() -> None:
    record = HoldRecord("h1", X, 5, (), code="PTS-1")
    assert renamed_record(record, NAMES) == replace(record, customer_id=NAMES[X])
    other = replace(record, customer_id=OTHER)
    assert renamed_record(other, NAMES) == other
