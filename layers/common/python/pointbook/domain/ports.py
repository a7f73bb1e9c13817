"""What the ledger needs of a store, and what a store promises.

Promises: a write happens whole or not at all, and only if every condition holds; what was once
committed stays. A read that is not `fresh` may be old or torn: parts of it from different times.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pointbook.domain.account import Account, HoldRecord, OrphanedCode
from pointbook.domain.buckets import Figures
from pointbook.domain.chain import BookedEntry
from pointbook.domain.orders import Order


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The record of a request that had its effect: kept for ever, written with the effect.

    `key_hash` names the request (SHA-256 of the caller's key), `content_hash` is what makes two
    requests the same. The rest is the answer, given again to every repetition.
    """

    key_hash: str
    content_hash: str
    entry_ids: tuple[str, ...]
    figures: Figures


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What to read: the account of a customer, and what else a decision needs.

    Without a customer, an order or a hold record by itself.
    """

    shop: str
    customer_id: str | None
    key_hash: str | None = None
    order_id: str | None = None
    hold_id: str | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was there. None: not there, or not asked for."""

    account: Account | None = None
    idempotency_record: IdempotencyRecord | None = None
    order: Order | None = None
    hold_record: HoldRecord | None = None


@dataclass(frozen=True, slots=True)
class AccountWrite:
    """An account as it will be, and its new entries.

    The condition: the stored revision is one less, or, for the first revision, there is none yet.
    """

    account: Account
    entries: tuple[BookedEntry, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """One transaction. `recorded_for` is the customer under whom the record is kept.

    An order of which no customer is known yet is written without an account.

    The order and the hold record carry the revision that they will have; their condition is as that
    of the account. Orphaned codes are put on the list of what is to be switched off.
    """

    shop: str
    accounts: tuple[AccountWrite, ...]
    idempotency_record: IdempotencyRecord | None = None
    recorded_for: str = ""
    order: Order | None = None
    hold_record: HoldRecord | None = None
    orphaned_codes: tuple[OrphanedCode, ...] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """The transaction has happened."""


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """The request had its effect before; nothing was written now."""

    record: IdempotencyRecord


@dataclass(frozen=True, slots=True)
class VersionConflict:
    """Somebody else wrote first; nothing was written now.

    `accounts` are the accounts that had changed, as they are now, where the store handed them back
    and nothing else had changed. Empty: read again.
    """

    accounts: Mapping[str, Account] = field(default_factory=dict)


type Verdict = Committed | AlreadyDone | VersionConflict


class TransientCause(StrEnum):
    """Why a store could not answer just now."""

    CONFLICT = "conflict"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"


class StoreUnavailable(Exception):
    """The store gave no verdict. A write may or may not have happened: read again, then decide."""

    def __init__(self, cause: TransientCause, detail: str) -> None:
        """Say what stood in the way."""
        super().__init__(f"{cause}: {detail}")
        self.cause = cause


DUE_SHARDS = 8
"""Over how many keys the work of one kind is spread; each takes about 1,000 writes a second."""


class DueKind(StrEnum):
    """What can fall due; each kind has an index of its own."""

    HOLD = "hold"
    LOT = "lot"
    PENDING = "pending"
    CODE = "code"


class Store(Protocol):
    """The table of all accounts. Every method may raise StoreUnavailable."""

    def load(self, request: ReadRequest, *, fresh: bool) -> Loaded:
        """Read all that is wanted. `fresh`: as one snapshot, nothing older than the call."""
        ...

    def account(self, shop: str, customer_id: str) -> Account | None:
        """One account, fresh."""
        ...

    def commit(self, write: Write) -> Verdict:
        """Write all or nothing."""
        ...

    def entries(
        self, shop: str, customer_id: str, *, before_version: int, limit: int
    ) -> list[BookedEntry]:
        """The `limit` latest entries below a version, newest first."""
        ...

    def due(self, kind: DueKind, shard: int, now: datetime) -> Iterable[tuple[str, str]]:
        """Shop and id of all of a shard on which something has fallen due.

        The id is a customer's, for pending points an order's, for codes a hold's. Shards are
        numbered from 0 to `DUE_SHARDS` - 1; that of one thing is always the same.
        """
        ...


class Clock(Protocol):
    """Time as the ledger sees it."""

    def now(self) -> datetime:
        """The wall clock, aware, in whole milliseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...
