"""Recompute an account from its entries and report every discrepancy.

It uses only the entries, none of the rules that created them, so it also finds errors of the rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from pointbook.domain.account import Account, faults
from pointbook.domain.buckets import Balances
from pointbook.domain.chain import BookedEntry, hash_of
from pointbook.domain.lots import Lots, added


class Damage(StrEnum):
    """The kinds of discrepancy between an account and its entries."""

    GAP = "gap"
    OUT_OF_ORDER = "out_of_order"
    HASH = "hash"
    CHAIN = "chain"
    TEXT = "text"
    SUM = "sum"
    FIGURES = "figures"
    TIME = "time"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Finding:
    """One discrepancy, and the entry version where it is (0: the account)."""

    damage: Damage
    version: int
    message: str


@dataclass(slots=True)
class _Fold:
    """The state that the entries so far add up to."""

    account_id: str
    version: int = 0
    head: str = ""
    balances: Balances = field(default_factory=Balances)
    lots: Lots = ()
    held_lots: Lots = ()


def reconcile(account: Account, entries: Iterable[BookedEntry]) -> list[Finding]:
    """All discrepancies of `account` and its `entries`, which come in stored order.

    None means: no gap, every hash and link valid, every entry sums to zero and states the right
    figures, and the account is what its entries add up to.
    """
    fold = _Fold(account.account_id)
    findings: list[Finding] = []
    for booked in entries:
        findings.extend(_entry_findings(fold, booked))
        _add(fold, booked)
    return findings + _account_findings(fold, account)


def _entry_findings(fold: _Fold, booked: BookedEntry) -> Iterable[Finding]:
    entry, at = booked.entry, booked.entry.version
    digest, previous = booked.text_digest, booked.previous_hash
    expected_hash = hash_of(entry, fold.account_id, booked.cause, digest, previous)
    figures = fold.balances.moved(entry.moves).figures()
    rules = (
        (Damage.OUT_OF_ORDER, at > fold.version, f"entry {at} follows entry {fold.version}"),
        (Damage.GAP, at <= fold.version + 1, f"entries before {at} are missing"),
        (Damage.CHAIN, previous == fold.head, f"entry {at} is not chained to the one before it"),
        (Damage.HASH, booked.entry_hash == expected_hash, f"entry {at} does not match its hash"),
        (
            Damage.TEXT,
            booked.text is None or booked.text.digest(booked.cause) == digest,
            f"the text of entry {at} does not match its digest",
        ),
        (
            Damage.SUM,
            sum(change for _, change in entry.moves) == 0,
            f"entry {at} does not sum to zero: {entry.moves}",
        ),
        (Damage.FIGURES, entry.figures == figures, f"entry {at} results in {figures}"),
        (Damage.TIME, entry.at <= entry.recorded_at, f"entry {at} was recorded before its time"),
    )
    return (Finding(damage, at, message) for damage, holds, message in rules if not holds)


def _add(fold: _Fold, booked: BookedEntry) -> None:
    entry = booked.entry
    fold.version = entry.version
    fold.head = booked.entry_hash
    fold.balances = fold.balances.moved(entry.moves)
    fold.lots = added(fold.lots, entry.lots)
    fold.held_lots = added(fold.held_lots, entry.held_lots)


def _account_findings(fold: _Fold, account: Account) -> list[Finding]:
    held_lots = account.hold.lots if account.hold else ()
    pairs = {
        "version": (account.version, fold.version),
        "head": (account.head, fold.head),
        "balances": (account.balances, fold.balances),
        "lots": (account.lots, fold.lots),
        "held lots": (held_lots, fold.held_lots),
    }
    differences = [
        f"the account's {name} is {stored}, its entries say {folded}"
        for name, (stored, folded) in pairs.items()
        if stored != folded
    ]
    return [Finding(Damage.ACCOUNT, 0, wrong) for wrong in (*differences, *faults(account))]
