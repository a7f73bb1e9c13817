"""The rows of an export as a table: one for each entry, or one for each customer's balance.

Points are whole numbers, times have their zone, and what there is not is empty. docs/export.md has
each column.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cli.errors import CommandFailed
from pointbook.domain.account import Account
from pointbook.domain.buckets import Bucket, Figures
from pointbook.domain.chain import BookedEntry
from pointbook.domain.decision import settled
from pointbook.domain.expiry import NEVER
from pointbook.domain.lots import Lots
from pointbook.store import items, keys
from pointbook.store.export_format import item_of
from pointbook.store.export_work import ExportWork
from pointbook.store.partition_checks import Key
from pointbook.store.values import Stored, instant_of

type Cell = str | int | datetime | None

_IDS = ("shop", "customer_id")
_TEXTS = {*_IDS, "entry_id", "topic", "lots", "about", "source", "actor", "cause_entry_id"} | {
    *("reason", "previous_hash", "hash", "expires_on", "merged_into")
}
_TIMES = frozenset({"recorded_at", "at", "last_entry_at"})

ENTRIES = (
    *_IDS,
    *("entry_id", "version", "recorded_at", "at", "topic"),
    *(f"{bucket}_change" for bucket in Bucket),
    *Figures._fields,
    *("lots", "about", "source", "actor", "cause_entry_id", "depth", "reason"),
    *("previous_hash", "hash"),
)
BALANCES = (
    *_IDS,
    *Figures._fields,
    *("expires_on", "expiring", "version", "last_entry_at", "merged_into"),
)


@dataclass(frozen=True, slots=True)
class Period:
    """A period by the time at which entries were recorded; the end is exclusive."""

    since: datetime | None = None
    until: datetime | None = None

    def has(self, at: datetime) -> bool:
        """Whether an instant is within."""
        is_before = self.since is not None and at < self.since
        return not is_before and (self.until is None or at < self.until)


def kind_of(column: str) -> type[str] | type[int] | type[datetime]:
    """What a column holds."""
    if column in _TIMES:
        return datetime
    return str if column in _TEXTS else int


def texts(work: ExportWork, period: Period | None) -> Iterator[tuple[Key, str]]:
    """Every item; of a period its entries alone."""
    for key, text in work.texts():
        if period is None or _is_within(key, text, period):
            yield key, text


def entries(work: ExportWork, period: Period | None) -> Iterator[tuple[Cell, ...]]:
    """A row for each entry, by customer and version."""
    for key, text in texts(work, period):
        if key[1].startswith(keys.ENTRY):
            yield _entry(key, item_of(text))


def balances(work: ExportWork, now: datetime) -> Iterator[tuple[Cell, ...]]:
    """A row for each customer with an account, as of now: what has fallen due is settled."""
    for key, text in work.texts():
        if key[1] != keys.ACCOUNT:
            continue
        try:
            account = items.account_of(item_of(text))
            if not account.erased:
                yield _balance(key, settled(account, now))
        except (AssertionError, KeyError, ValueError, TypeError) as error:
            raise _unreadable(key, error) from error


def _entry(key: Key, item: Stored) -> tuple[Cell, ...]:
    try:
        booked: BookedEntry = items.entry_of(item)
    except (KeyError, ValueError, TypeError) as error:
        raise _unreadable(key, error) from error
    entry, cause, moves = booked.entry, booked.cause, dict(booked.entry.moves)
    return (
        *keys.parse(key[0]),
        *(entry.entry_id, entry.version, entry.recorded_at, entry.at, entry.topic.value),
        *(moves.get(bucket, 0) for bucket in Bucket),
        *entry.figures,
        *(_lots(entry.lots), entry.about, cause.source, cause.actor, cause.cause_entry_id),
        *(cause.depth, booked.text.reason if booked.text else ""),
        *(booked.previous_hash, booked.entry_hash),
    )


def _balance(key: Key, account: Account) -> tuple[Cell, ...]:
    soonest = account.lots[0] if account.lots else None
    is_never = soonest is None or soonest.valid_through == NEVER
    return (
        *keys.parse(key[0]),
        *account.figures,
        "" if soonest is None or is_never else soonest.valid_through.isoformat(),
        0 if soonest is None or is_never else soonest.points,
        account.version,
        account.last_at if account.version else None,
        account.merged_into or "",
    )


def _lots(lots: Lots) -> str:
    return " ".join(f"{lot.valid_through.isoformat()}:{lot.points:+}" for lot in lots)


def _is_within(key: Key, text: str, period: Period) -> bool:
    if not key[1].startswith(keys.ENTRY):
        return False
    item = item_of(text)
    return "recorded_at" in item and period.has(instant_of(item["recorded_at"]).astimezone(UTC))


def _unreadable(key: Key, error: Exception) -> CommandFailed:
    shop, customer_id = keys.parse(key[0])
    return CommandFailed(
        f"{key[1]} of customer {customer_id} of {shop} cannot be read ({error!r}). Look at it with"
        f" `pointbook verify {customer_id} --shop {shop}`; a .jsonl export has it as it is."
    )
