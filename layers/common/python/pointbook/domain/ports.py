"""Ports: what the ledger needs of a store and a clock, and what a store guarantees.

A write is atomic and happens only if every condition holds; what was committed stays. A read that
is not `fresh` may be stale or torn: parts of it from different times.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from pointbook.domain.account import Account, HoldRecord, OrphanedCode
from pointbook.domain.buckets import Figures
from pointbook.domain.chain import BookedEntry
from pointbook.domain.orders import Order
from pointbook.domain.staff import DailyLimit


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The permanent record of a request, written together with its effect.

    `key_hash` identifies the request (SHA-256 of the caller's key); another `content_hash` means
    another request under the same key. The rest is the answer, repeated to every retry.
    """

    key_hash: str
    content_hash: str
    entry_ids: tuple[str, ...]
    figures: Figures


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What to read: a customer's account, and what else a decision needs.

    Without a customer: an order or a hold record alone.
    """

    shop: str
    customer_id: str | None
    key_hash: str | None = None
    order_id: str | None = None
    hold_id: str | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was found. None: absent, or not requested."""

    account: Account | None = None
    idempotency_record: IdempotencyRecord | None = None
    order: Order | None = None
    hold_record: HoldRecord | None = None


@dataclass(frozen=True, slots=True)
class AccountWrite:
    """The new state of an account, and its new entries.

    The condition: the stored revision is one less; for the first revision there is none yet.
    """

    account: Account
    entries: tuple[BookedEntry, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """One transaction. `recorded_for` is the customer under whom the idempotency record is stored.

    Order and hold record have their new revision; their condition is as that of an account. An
    order without a known customer is written without an account. Orphaned codes are listed for
    deactivation. The points of `daily_limit` are counted, and nothing is written beyond it.
    """

    shop: str
    accounts: tuple[AccountWrite, ...]
    idempotency_record: IdempotencyRecord | None = None
    recorded_for: str = ""
    order: Order | None = None
    hold_record: HoldRecord | None = None
    orphaned_codes: tuple[OrphanedCode, ...] = ()
    daily_limit: DailyLimit | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """The transaction has happened."""


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """The request was processed before; nothing was written now."""

    record: IdempotencyRecord


@dataclass(frozen=True, slots=True)
class VersionConflict:
    """Another write came first; nothing was written now.

    `accounts` are the changed accounts as they are now, if the store returned them and nothing else
    had changed. Empty: read again.
    """

    accounts: Mapping[str, Account] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LimitReached:
    """The write's daily limit leaves `points_left`, too few; nothing was written now.

    The request may have been processed before: read again, then refuse.
    """

    points_left: int


type Verdict = Committed | AlreadyDone | VersionConflict | LimitReached


class TransientCause(StrEnum):
    """Why a store could not answer just now."""

    CONFLICT = "conflict"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"


class StoreUnavailable(Exception):
    """The store did not answer. A write may or may not have happened: read again, then decide."""

    def __init__(self, cause: TransientCause, detail: str) -> None:
        """Name the cause."""
        super().__init__(f"{cause}: {detail}")
        self.cause = cause


DUE_SHARDS = 8
"""How many keys the due work of one kind is spread over; each takes about 1,000 writes a second."""


class DueKind(StrEnum):
    """What can fall due; each kind has an index of its own."""

    HOLD = "hold"
    LOT = "lot"
    PENDING = "pending"
    CODE = "code"


class Due(NamedTuple):
    """An item that has fallen due. `due_id` is that of a customer, an order or an orphaned code."""

    shop: str
    due_id: str
    due_at: datetime


class Store(Protocol):
    """The table of all accounts. Every method may raise StoreUnavailable."""

    def load(self, request: ReadRequest, *, fresh: bool) -> Loaded:
        """Read everything requested. `fresh`: one snapshot, not older than the call."""
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

    def orders(self, shop: str, order_ids: Collection[str]) -> dict[str, Order]:
        """Those of these orders that are there, by their ids, eventually consistent."""
        ...

    def due(self, kind: DueKind, shard: int, now: datetime) -> Iterable[Due]:
        """Everything in a shard that has fallen due, the longest due first.

        The id is a customer's, for pending points an order's, for codes a hold's. Shards are
        numbered from 0 to `DUE_SHARDS` - 1; an item is always in the same one.
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
