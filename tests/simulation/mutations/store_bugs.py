"""The bugs that are planted in the ledger's use case and its store, one at a time.

Every guard is taken away alone, every answer of DynamoDB misread. `HARMLESS` are changes that
break no promise: nothing may find fault with them, or the detectors cry wolf.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from pointbook import deadline
from pointbook.domain.account import BEGINNING, Account, HourlyCount
from pointbook.domain.chain import Cause, Text
from pointbook.domain.decision import Decision
from pointbook.domain.ports import (
    AccountWrite,
    AlreadyDone,
    Clock,
    Committed,
    DueKind,
    StoreUnavailable,
    TransientCause,
    VersionConflict,
    Write,
)
from pointbook.domain.refusal import Refusal
from pointbook.ledger import account_writes, instruction, ledger, loading, read_only, writes
from pointbook.store import (
    dynamodb,
    hold_items,
    items,
    keys,
    ledger_transactions,
    order_items,
    table,
)
from pointbook.store.table import Check, Put
from pointbook.store.values import Item
from tests.simulation.mutations.planted import Bug

type _Actions = Sequence[Put | Check]


def _without_the_conditions_of(written: Callable[[Write], list[Item]]) -> Callable[..., _Actions]:
    """The same actions, but these items are written whatever is there."""

    def transaction(original: Callable[..., _Actions], write: Write) -> _Actions:
        unguarded = written(write)
        return [
            Put(action.item) if isinstance(action, Put) and action.item in unguarded else action
            for action in original(write)
        ]

    return transaction


def _accounts(write: Write) -> list[Item]:
    return [items.account_item(write.shop, part.account) for part in write.accounts]


def _tombstones(write: Write) -> list[Item]:
    """Those that are moved on: nothing is booked on them."""
    accounts = [part.account for part in write.accounts if not part.entries]
    return [items.account_item(write.shop, it) for it in accounts if it.merged_into is not None]


def _entries(write: Write) -> list[Item]:
    return [
        items.entry_item(write.shop, booked) for part in write.accounts for booked in part.entries
    ]


def _records(write: Write) -> list[Item]:
    record = write.idempotency_record
    return [items.idempotency_item(write.shop, write.recorded_for, record)] if record else []


def _orders(write: Write) -> list[Item]:
    return [order_items.order_item(write.shop, write.order)] if write.order else []


def _hold_records(write: Write) -> list[Item]:
    record = write.hold_record
    return [hold_items.hold_record_item(write.shop, record)] if record else []


def _compared(put: Put, comparison: str) -> Put:
    return put._replace(condition=put.condition.replace(" = ", f" {comparison} "))


def _taken_for_done(cause: TransientCause) -> Callable[..., Any]:
    """A write that failed by this cause, taken for one that was done."""

    def transact(original: Callable[..., Any], *actions: Any) -> Any:
        try:
            return original(*actions)
        except StoreUnavailable as error:
            if error.cause is not cause:
                raise
            return None

    return transact


class _StoppedClock(Clock):
    """A wall clock that always shows the same time; waiting takes as long as ever."""

    def __init__(self, clock: Clock, now: datetime) -> None:
        self._clock = clock
        self._now = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


def _stopped(of: ledger.Ledger, now: datetime) -> ledger.Ledger:
    """The same ledger with a wall clock that always shows this time."""
    return ledger.Ledger(of._store, _StoppedClock(of._clock, now), of._random, of._alarm)


def _past_those_due(
    original: Callable[..., AccountWrite],
    before: Account,
    decision: Decision,
    cause: Cause,
    text: Text | None,
) -> AccountWrite:
    """Both the entries that are due and the command's own follow the last one before."""
    due = replace(decision, entries=decision.entries[: decision.settled])
    own = replace(decision, entries=decision.command_entries, settled=0)
    entries_due, entries_own = (original(before, part, cause, text) for part in (due, own))
    last = entries_own if own.entries else entries_due
    return replace(last, entries=(*entries_due.entries, *entries_own.entries))


def _begun(count: HourlyCount | None) -> HourlyCount | None:
    """As if each command was the first of its hour."""
    return count._replace(commands=1) if count else None


STORE_BUGS: Final = (
    # --- guards of a write, each taken away alone ---
    *(
        Bug(name, ledger_transactions.transaction, _without_the_conditions_of(written))
        for name, written in (
            ("account written whatever its revision", _accounts),
            ("tombstones written without their condition", _tombstones),
            ("entry written over another", _entries),
            ("request recorded over another", _records),
            ("order written whatever its revision", _orders),
            ("hold record written whatever its revision", _hold_records),
        )
    ),
    Bug(
        "first write over an account that is there",
        ledger_transactions.put_unchanged,
        lambda original, item, revision: Put(item) if revision == 1 else original(item, revision),
    ),
    Bug(
        "an older revision passes",
        ledger_transactions.put_unchanged,
        lambda original, item, revision: _compared(original(item, revision), "<="),
    ),
    Bug(
        "a newer revision passes",
        ledger_transactions.put_unchanged,
        lambda original, item, revision: _compared(original(item, revision), ">="),
    ),
    Bug(
        "compared with the new revision",
        ledger_transactions.put_unchanged,
        lambda original, item, revision: original(item, revision + (revision > 1)),
    ),
    Bug(
        "the old record is not handed back",
        table.Table._conditional,
        lambda original, *conditional: (
            original(*conditional) | {"ReturnValuesOnConditionCheckFailure": "NONE"}
        ),
    ),
    # --- what DynamoDB answers ---
    Bug(
        "done before, taken for done now",
        dynamodb._verdict,
        lambda original, *cancelled: (
            Committed() if isinstance(it := original(*cancelled), AlreadyDone) else it
        ),
    ),
    Bug(
        "done before, taken for a lost race",
        dynamodb._verdict,
        lambda original, *cancelled: (
            VersionConflict() if isinstance(it := original(*cancelled), AlreadyDone) else it
        ),
    ),
    *(
        Bug(name, table.Table.transact, _taken_for_done(cause))
        for name, cause in (
            ("a conflict taken for done", TransientCause.CONFLICT),
            ("a throttle taken for done", TransientCause.THROTTLED),
            ("a time-out taken for done", TransientCause.UNREACHABLE),
        )
    ),
    Bug(
        "a fresh read that is not",
        dynamodb.DynamoStore.load,
        lambda original, store, request, **_: original(store, request, fresh=False),
    ),
    Bug(
        "an account read that may be old",
        table.Table._send,
        lambda original, sender, operation, request: original(
            sender,
            operation,
            request | ({"ConsistentRead": False} if operation == "get_item" else {}),
        ),
    ),
    # --- reading again ---
    Bug(
        "refused on an old read",
        ledger._needs_fresh_read,
        lambda original, asked, before, decision: (
            not isinstance(decision, Refusal) and original(asked, before, decision)
        ),
    ),
    Bug(
        "nothing to do on an old read",
        ledger._needs_fresh_read,
        lambda original, asked, before, decision: (
            original(asked, before, decision)
            and (isinstance(decision, Refusal) or decision.changes(before) or asked.order_id)
        ),
    ),
    Bug(
        "recorded as done on an old order",
        ledger._needs_fresh_read,
        lambda original, asked, before, decision: (
            original(asked, before, decision)
            and (isinstance(decision, Refusal) or not decision.changes(before))
        ),
    ),
    Bug(
        "refused while an earlier try is on its way",
        ledger.Ledger._refused,
        lambda original, refusing, asked, account, refusal, now: refusal,
    ),
    Bug(
        "a snapshot called fresh after a lost race",
        loading.Snapshot.after,
        lambda original, snapshot, conflict: (
            (after := original(snapshot, conflict)) and replace(after, fresh=snapshot.fresh)
        ),
    ),
    Bug(
        "the time of the first try on every try",
        ledger.Ledger._execute,
        lambda original, asked, *asking: original(_stopped(asked, asked._clock.now()), *asking),
    ),
    Bug(
        "a reader sees what has fallen due",
        read_only.ReadOnlyLedger.read,
        lambda original, asked, *asking: original(_stopped(asked, BEGINNING), *asking),
    ),
    Bug(
        "more than twenty entries in one write",
        ledger._exceeds_one_write,
        lambda original, decision: False,
    ),
    # --- identities ---
    Bug(
        "another content taken for the same",
        ledger._repeated,
        lambda original, asked, record: original(
            asked, replace(record, content_hash=asked.content_hash)
        ),
    ),
    Bug(
        "recorded under the survivor of a merge",
        writes.write_of,
        lambda original, asked, before, decision: replace(
            original(asked, before, decision), recorded_for=before.customer_id
        ),
    ),
    Bug(
        "a key that is the same for every kind",
        instruction.Identity.key_hash,
        lambda original, identity: original(replace(identity, kind="")),
    ),
    Bug(
        "a tombstone not followed",
        loading.Loader.followed,
        lambda original, loader, shop, account: account,
    ),
    Bug(
        "order and account of a merged customer read at two moments",
        loading.Loader._check_unchanged,
        lambda original, *read: None,
    ),
    Bug(
        "a repetition not marked as one",
        ledger._repeated,
        lambda original, asked, record: (
            it
            if isinstance(it := original(asked, record), Refusal)
            else replace(it, duplicate=False)
        ),
    ),
    Bug(
        "a repetition counts towards the hourly limit",
        ledger.Ledger._attempt,
        lambda original, asked, given, snapshot: original(
            asked,
            given,
            replace(snapshot, idempotency_record=None)
            if snapshot.state.account.hold_count
            else snapshot,
        ),
    ),
    Bug(
        "the first entry taken for the command's",
        writes.booked,
        lambda original, decision: replace(
            original(decision), entry_ids=tuple(entry.entry_id for entry in decision.entries)
        ),
    ),
    Bug(
        "no alarm",
        writes.booked,
        lambda original, decision: original(replace(decision, alarms=())),
    ),
    # --- items ---
    Bug(
        "a hold not on the index",
        keys.due_attributes,
        lambda original, kind, *due: {} if kind is DueKind.HOLD else original(kind, *due),
    ),
    Bug(
        "pending points on no index",
        keys.due_attributes,
        lambda original, kind, *due: {} if kind is DueKind.PENDING else original(kind, *due),
    ),
    Bug(
        "when an update was sent is forgotten",
        order_items.order_item,
        lambda original, shop, order: original(shop, replace(order, triggered_at=None)),
    ),
    Bug(
        "an hourly count that does not grow in the table",
        items.account_item,
        lambda original, shop, account: original(
            shop,
            replace(
                account,
                flow_count=_begun(account.flow_count),
                hold_count=_begun(account.hold_count),
            ),
        ),
    ),
    # --- the chain ---
    Bug(
        "a cause without a text is not sealed",
        account_writes.account_write,
        lambda original, before, decision, cause, text: original(
            before, decision, cause, text if text and text.reason else None
        ),
    ),
    Bug("own entries chained past those due", account_writes.account_write, _past_those_due),
)

HARMLESS: Final = (
    Bug(
        "part of a read left out is taken for absent",
        table.Table.batch_get,
        lambda original, *reads: (original(*reads)[0], []),
    ),
    Bug(
        "a lost race is always read again",
        loading.Snapshot.after,
        lambda original, snapshot, conflict: None,
    ),
    Bug(
        "every read is fresh",
        dynamodb.DynamoStore.load,
        lambda original, store, request, **_: original(store, request, fresh=True),
    ),
    Bug(
        "pauses that grow faster",
        deadline._longest_pause_seconds,
        lambda original, tries: original(2 * tries),
    ),
    Bug(
        "pauses without jitter",
        deadline.Backoff.__init__,
        lambda original, backoff, clock, seconds, *_: original(
            backoff, clock, seconds, lambda: 1.0
        ),
    ),
)
