"""A book whose history was touched shows it: every kind of damage is found and named."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import Account
from pointbook.domain.buckets import Bucket
from pointbook.domain.chain import BookedEntry, Cause, Text, chain_entries, milliseconds
from pointbook.domain.lots import Lot
from pointbook.domain.reconcile import Damage, reconcile
from tests.support.domain import END_OF_TODAY, NOW, day, done, through

CAUSE = Cause("flow", "workflow-7", "1001-000000000003")
TEXT = Text("Thank you", "salt")
type Book = list[BookedEntry]


def book() -> tuple[Account, Book]:
    """An account with a history of grants, a hold, spending and expiry, sealed entry by entry."""
    account = Account("1001", account_id="b1")
    booked: Book = []
    for command, now in (
        (c.Grant(5, through(10)), NOW),
        (c.Grant(5, through(20)), NOW),
        (c.Consume(2), NOW + timedelta(milliseconds=1)),
        (c.PlaceHold(4, "h1", 600), END_OF_TODAY),
    ):
        decision = done(account, command, now)
        sealed = chain_entries(decision.entries, "b1", account.head, CAUSE, TEXT)
        booked += sealed
        account = replace(decision.account, head=sealed[-1].entry_hash)
    return account, booked


ACCOUNT, BOOK = book()


def damages(account: Account, entries: Book) -> set[Damage]:
    findings = reconcile(account, entries)
    assert all(finding.message for finding in findings)
    return {finding.damage for finding in findings}


def altered(number: int, **changes: object) -> Book:
    """The book with one entry changed and sealed anew, as one would who knows how."""
    entry = replace(BOOK[number].entry, **changes)  # type: ignore[arg-type]
    (forged,) = chain_entries([entry], "b1", BOOK[number].previous_hash, CAUSE, TEXT)
    return [*BOOK[:number], forged, *BOOK[number + 1 :]]


def test_an_untouched_book_is_whole() -> None:
    assert reconcile(ACCOUNT, BOOK) == []
    assert reconcile(Account("1002"), []) == []


def test_erased_text_leaves_the_hashes_whole() -> None:
    assert reconcile(ACCOUNT, [replace(booked, text=None) for booked in BOOK]) == []


def test_a_book_without_texts_is_whole() -> None:
    decision = done(Account("1001"), c.Grant(1, through(20)))
    booked = chain_entries(decision.entries, "", "", CAUSE, None)
    assert booked[0].text_digest == ""
    assert reconcile(replace(decision.account, head=booked[0].entry_hash), booked) == []


@pytest.mark.parametrize(
    ("damage", "entries"),
    [
        (Damage.GAP, [*BOOK[:1], *BOOK[2:]]),
        (Damage.GAP, BOOK[1:]),
        (Damage.OUT_OF_ORDER, [*BOOK[:2], BOOK[1], *BOOK[2:]]),
        (Damage.OUT_OF_ORDER, [BOOK[1], BOOK[0], *BOOK[2:]]),
        (Damage.HASH, [replace(BOOK[0], entry=replace(BOOK[0].entry, about="o9")), *BOOK[1:]]),
        (Damage.HASH, [replace(BOOK[0], cause=Cause("manual")), *BOOK[1:]]),
        (Damage.CHAIN, altered(1, about="o9")),
        (Damage.TEXT, [replace(BOOK[0], text=Text("Sorry", "salt")), *BOOK[1:]]),
        (Damage.SUM, altered(0, moves=((Bucket.APPROVED, 5),))),
        (Damage.FIGURES, altered(1, figures=BOOK[0].entry.figures)),
        (Damage.TIME, altered(0, at=NOW + timedelta(milliseconds=1))),
        (Damage.ACCOUNT, BOOK[:-1]),
        (Damage.ACCOUNT, []),
    ],
)
def test_a_touched_entry_is_found(damage: Damage, entries: Book) -> None:
    assert damage in damages(ACCOUNT, entries)


@pytest.mark.parametrize(
    "change",
    [
        lambda account: replace(account, version=account.version + 1),
        lambda account: replace(account, head="0" * 64),
        lambda account: replace(account, balances=account.balances._replace(approved=9)),
        lambda account: replace(account, lots=(Lot(day(21), 1),)),
        lambda account: replace(account, hold=None),
    ],
)
def test_a_touched_account_is_found(change: Callable[[Account], Account]) -> None:
    assert damages(change(ACCOUNT), BOOK) == {Damage.ACCOUNT}


def test_another_customers_book_is_not_mistaken_for_this_one() -> None:
    assert Damage.HASH in damages(replace(ACCOUNT, account_id="b2"), BOOK)


def test_an_entry_is_sealed_with_all_that_it_says() -> None:
    """Changing any one fact changes the hash."""
    entry = BOOK[0].entry
    variants = [
        entry,
        replace(entry, version=2),
        replace(entry, topic=BOOK[2].entry.topic),
        replace(entry, at=entry.at - timedelta(milliseconds=1)),
        replace(entry, recorded_at=entry.recorded_at + timedelta(milliseconds=1)),
        replace(entry, moves=((Bucket.ISSUED, -6), (Bucket.APPROVED, 6))),
        replace(entry, lots=(Lot(day(11), 5),)),
        replace(entry, held_lots=(Lot(day(11), 5),)),
        replace(entry, figures=BOOK[1].entry.figures),
        replace(entry, about="o1"),
    ]
    sealed = [chain_entries([variant], "b1", "", CAUSE, TEXT)[0] for variant in variants]
    sealed += [
        chain_entries([entry], account_id, head, cause, text)[0]
        for account_id, head, cause, text in (
            ("b2", "", CAUSE, TEXT),
            ("b1", "0", CAUSE, TEXT),
            ("b1", "", replace(CAUSE, source="manual"), TEXT),
            ("b1", "", replace(CAUSE, actor=""), TEXT),
            ("b1", "", replace(CAUSE, cause_entry_id=""), TEXT),
            ("b1", "", CAUSE, None),
            ("b1", "", CAUSE, replace(TEXT, reason="")),
            ("b1", "", CAUSE, replace(TEXT, salt="")),
        )
    ]
    assert len({booked.entry_hash for booked in sealed}) == len(sealed)


def test_instants_are_kept_to_the_millisecond() -> None:
    assert milliseconds(NOW) == 1_804_647_600_000
    assert milliseconds(NOW + timedelta(microseconds=1999)) == 1_804_647_600_001
