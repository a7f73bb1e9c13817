"""Reconciliation: every kind of damage to an account or its entries is found and named."""

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
type Entries = list[BookedEntry]


def history() -> tuple[Account, Entries]:
    """An account with a history of grants, a hold, spending and expiry, hashed entry by entry."""
    account = Account("1001", account_id="b1")
    booked: Entries = []
    for command, now in (
        (c.Grant(5, through(10)), NOW),
        (c.Grant(5, through(20)), NOW),
        (c.Consume(2), NOW + timedelta(milliseconds=1)),
        (c.PlaceHold(4, "h1", 600), END_OF_TODAY),
    ):
        decision = done(account, command, now)
        chained = chain_entries(decision.entries, "b1", account.head, CAUSE, TEXT)
        booked += chained
        account = replace(decision.account, head=chained[-1].entry_hash)
    return account, booked


ACCOUNT, ENTRIES = history()


def damages(account: Account, entries: Entries) -> set[Damage]:
    findings = reconcile(account, entries)
    assert all(finding.message for finding in findings)
    return {finding.damage for finding in findings}


def altered(number: int, **changes: object) -> Entries:
    """The entries with one changed and hashed anew, as a forger would."""
    entry = replace(ENTRIES[number].entry, **changes)  # type: ignore[arg-type]
    (forged,) = chain_entries([entry], "b1", ENTRIES[number].previous_hash, CAUSE, TEXT)
    return [*ENTRIES[:number], forged, *ENTRIES[number + 1 :]]


def test_untouched_entries_have_no_finding() -> None:
    assert reconcile(ACCOUNT, ENTRIES) == []
    assert reconcile(Account("1002"), []) == []


def test_erased_texts_have_no_finding() -> None:
    assert reconcile(ACCOUNT, [replace(booked, text=None) for booked in ENTRIES]) == []


def test_entries_without_texts_have_no_finding() -> None:
    decision = done(Account("1001"), c.Grant(1, through(20)))
    booked = chain_entries(decision.entries, "", "", CAUSE, None)
    assert booked[0].text_digest == ""
    assert reconcile(replace(decision.account, head=booked[0].entry_hash), booked) == []


@pytest.mark.parametrize(
    ("damage", "entries"),
    [
        (Damage.GAP, [*ENTRIES[:1], *ENTRIES[2:]]),
        (Damage.GAP, ENTRIES[1:]),
        (Damage.OUT_OF_ORDER, [*ENTRIES[:2], ENTRIES[1], *ENTRIES[2:]]),
        (Damage.OUT_OF_ORDER, [ENTRIES[1], ENTRIES[0], *ENTRIES[2:]]),
        (
            Damage.HASH,
            [replace(ENTRIES[0], entry=replace(ENTRIES[0].entry, about="o9")), *ENTRIES[1:]],
        ),
        (Damage.HASH, [replace(ENTRIES[0], cause=Cause("manual")), *ENTRIES[1:]]),
        (Damage.CHAIN, altered(1, about="o9")),
        (Damage.TEXT, [replace(ENTRIES[0], text=Text("Sorry", "salt")), *ENTRIES[1:]]),
        (Damage.SUM, altered(0, moves=((Bucket.APPROVED, 5),))),
        (Damage.FIGURES, altered(1, figures=ENTRIES[0].entry.figures)),
        (Damage.TIME, altered(0, at=NOW + timedelta(milliseconds=1))),
        (Damage.ACCOUNT, ENTRIES[:-1]),
        (Damage.ACCOUNT, []),
    ],
)
def test_a_touched_entry_is_found(damage: Damage, entries: Entries) -> None:
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
    assert damages(change(ACCOUNT), ENTRIES) == {Damage.ACCOUNT}


def test_entries_of_another_account_are_found() -> None:
    assert Damage.HASH in damages(replace(ACCOUNT, account_id="b2"), ENTRIES)


def test_an_entry_is_sealed_with_all_that_it_says() -> None:
    """Changing any one fact changes the hash."""
    entry = ENTRIES[0].entry
    variants = [
        entry,
        replace(entry, version=2),
        replace(entry, topic=ENTRIES[2].entry.topic),
        replace(entry, at=entry.at - timedelta(milliseconds=1)),
        replace(entry, recorded_at=entry.recorded_at + timedelta(milliseconds=1)),
        replace(entry, moves=((Bucket.ISSUED, -6), (Bucket.APPROVED, 6))),
        replace(entry, lots=(Lot(day(11), 5),)),
        replace(entry, held_lots=(Lot(day(11), 5),)),
        replace(entry, figures=ENTRIES[1].entry.figures),
        replace(entry, about="o1"),
    ]
    chained = [chain_entries([variant], "b1", "", CAUSE, TEXT)[0] for variant in variants]
    chained += [
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
    assert len({booked.entry_hash for booked in chained}) == len(chained)


def test_instants_are_stored_to_the_millisecond() -> None:
    assert milliseconds(NOW) == 1_804_647_600_000
    assert milliseconds(NOW + timedelta(microseconds=1999)) == 1_804_647_600_001
