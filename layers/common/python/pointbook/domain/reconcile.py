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
from pointbook.domain.order_sums import OrderSums


class Damage(StrEnum):
    """The kinds of discrepancy: of an account and its entries, of what belongs to them, of records.

    What each means and what to do: docs/operations.md, "What verify finds".
    """

    GAP = "gap"
    OUT_OF_ORDER = "out_of_order"
    HASH = "hash"
    CHAIN = "chain"
    TEXT = "text"
    SUM = "sum"
    FIGURES = "figures"
    TIME = "time"
    ACCOUNT = "account"
    NO_ACCOUNT = "no_account"
    UNREADABLE = "unreadable"
    DUE = "due"
    HOLD = "hold"
    ORDER = "order"
    MERGE = "merge"
    OUTBOX = "outbox"
    REQUEST = "request"
    REWRITTEN = "rewritten"
    CUT_OFF = "cut_off"
    GONE = "gone"
    HEADS = "heads"
    STATEMENT = "statement"


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


class Reconciler:
    """Recomputes one account, entry by entry, so that no account has to fit into memory."""

    def __init__(self, account: Account) -> None:
        """Compare with `account`."""
        self._account = account
        self._fold = _Fold(account.account_id)
        self.orders: dict[str, OrderSums] = {}
        """What the entries so far have moved for each order."""

    @property
    def entries(self) -> int:
        """The version of the last entry."""
        return self._fold.version

    def add(self, booked: BookedEntry) -> list[Finding]:
        """The discrepancies of the next entry in stored order."""
        found = list(_entry_findings(self._fold, booked))
        _add(self._fold, booked)
        if moved := OrderSums.of(booked.entry):
            about = booked.entry.about
            self.orders[about] = self.orders.get(about, OrderSums()).plus(moved)
        return found

    def finish(self) -> list[Finding]:
        """The discrepancies between the account and all its entries."""
        return _account_findings(self._fold, self._account)


def reconcile(account: Account, entries: Iterable[BookedEntry]) -> list[Finding]:
    """All discrepancies of `account` and its `entries`, which come in stored order.

    None means: no gap, every hash and link valid, every entry sums to zero and states the right
    figures, and the account is what its entries add up to.
    """
    reconciler = Reconciler(account)
    findings = [finding for booked in entries for finding in reconciler.add(booked)]
    return findings + reconciler.finish()


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
