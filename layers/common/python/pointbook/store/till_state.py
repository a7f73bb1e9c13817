"""The state of the stack's till, shared by all functions: breaker, pauses and notices.

    closed ──three failures in a row──► open ──one probe at a time──► closed
                                          │ a failed probe: open as before

A stack has one till, whatever shops it serves, so this is one item. `services.guarded_till` calls
the till by it, and `services.till_notices` notifies the operator by it. Times are real time.
"""

from dataclasses import dataclass
from datetime import datetime

from pointbook.store import keys
from pointbook.store.fields import INSTANT, NUMBER, TEXT, TEXTS, Codec
from pointbook.store.items import SCHEMA
from pointbook.store.table import Outcome, Table, Update
from pointbook.store.values import Item, Stored, instant, number, text, texts

FAILURES_TO_OPEN = 3

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class TillState:
    """How the till has answered lately.

    `failures` in a row, `kind` of the last one (a code of `till.errors`), `since` the first and
    `failed_at` the last of them. `open_since`: the breaker is open, and the next probe is due at
    `probe_at`. `paused_until`: the till asked for no calls until then. `succeeded_at`: the last
    success that was recorded. `notified`: the kinds of this outage that the operator knows of;
    `recovered_at`: an outage that the operator knows of, which began at `outage_since`, is over,
    and they do not know yet. `notified_at`: the last notice.
    """

    failures: int = 0
    kind: str = ""
    since: datetime | None = None
    failed_at: datetime | None = None
    open_since: datetime | None = None
    probe_at: datetime | None = None
    paused_until: datetime | None = None
    succeeded_at: datetime | None = None
    notified: tuple[str, ...] = ()
    notified_at: datetime | None = None
    outage_since: datetime | None = None
    recovered_at: datetime | None = None

    def is_paused(self, now: datetime) -> bool:
        """Whether the till asked for no calls."""
        return self.paused_until is not None and now < self.paused_until

    @property
    def is_open(self) -> bool:
        """Whether the breaker is open."""
        return self.open_since is not None

    def probe_is_due(self, now: datetime) -> bool:
        """Whether the breaker is open and somebody may try one call."""
        return (
            self.is_open and not self.is_paused(now) and (not self.probe_at or now >= self.probe_at)
        )

    def refuses(self, now: datetime) -> bool:
        """Whether nobody may call the till, not even for a probe."""
        return self.is_paused(now) or (self.is_open and not self.probe_is_due(now))


_STATE = Codec(
    TillState,
    failures=NUMBER.optional(0),
    kind=TEXT.optional(""),
    since=INSTANT.optional(),
    failed_at=INSTANT.optional(),
    open_since=INSTANT.optional(),
    probe_at=INSTANT.optional(),
    paused_until=INSTANT.optional(),
    succeeded_at=INSTANT.optional(),
    notified=TEXTS.optional(()),
    notified_at=INSTANT.optional(),
    outage_since=INSTANT.optional(),
    recovered_at=INSTANT.optional(),
)
_OUTAGE = "failures, kind, since, failed_at, open_since, probe_at"
_FREE = "(attribute_not_exists(notice_until) OR notice_until <= :now)"


def state_of(item: Stored) -> TillState:
    """The state that an item holds; without one nothing has happened yet."""
    return _STATE.read(item)


class TillStates:
    """The till's state in one table. Raises LedgerUnavailable while it cannot be reached."""

    def __init__(self, table: Table) -> None:
        """Keep it in `table`."""
        self._table = table.outside_ledger()

    def read(self) -> TillState:
        """The state, by a consistent read."""
        return state_of(self._table.get(keys.till_state()) or {})

    def failed(self, kind: str, now: datetime) -> TillState:
        """Count a failure, and return the state after it."""
        outcome = self._update(
            "SET failures = if_not_exists(failures, :none) + :one, kind = :kind, failed_at = :now,"
            " since = if_not_exists(since, :now)",
            {":none": number(0), ":one": number(1), ":kind": text(kind), ":now": instant(now)},
        )
        return state_of(outcome.item)

    def pause(self, until: datetime) -> None:
        """Let nobody call the till until then; a longer pause stays."""
        self._update(
            "SET paused_until = :until",
            {":until": instant(until)},
            "(attribute_not_exists(paused_until) OR paused_until < :until)",
        )

    def open(self, now: datetime, probe_at: datetime) -> bool:
        """Open the breaker. False: it is open, or the till has answered meanwhile."""
        return self._update(
            "SET open_since = :now, probe_at = :probe_at",
            {
                ":now": instant(now),
                ":probe_at": instant(probe_at),
                ":few": number(FAILURES_TO_OPEN),
            },
            "attribute_not_exists(open_since) AND failures >= :few",
        ).done

    def claim_probe(self, now: datetime, next_at: datetime) -> bool:
        """Claim the probe that is due; the next one is due at `next_at`."""
        return self._update(
            "SET probe_at = :next",
            {":next": instant(next_at), ":now": instant(now)},
            "attribute_exists(open_since) AND probe_at <= :now",
        ).done

    def succeeded(self, now: datetime) -> TillState:
        """Record a success: the outage is over, the breaker closed. Returns the state before it.

        If the operator knows of the outage, a notice that it is over is due.
        """
        before = TillState()
        for _ in range(_ATTEMPTS):
            before = self.read()
            change, values = "SET succeeded_at = :now", {":now": instant(now)}
            condition = "attribute_not_exists(notified)"
            if before.notified:
                change += ", recovered_at = :now, outage_since = :since"
                values[":since"] = instant(before.since or before.open_since or now)
                values[":notified"] = texts(before.notified)
                condition = "notified = :notified"
            change += f" REMOVE {_OUTAGE}, notified"
            if self._update(change, values, condition).done:
                break
        return before

    def claim_notice(self, now: datetime, until: datetime) -> bool:
        """Claim the right to send notices until then. False: somebody else is sending."""
        values = {":until": instant(until), ":now": instant(now)}
        return self._update("SET notice_until = :until", values, _FREE).done

    def release_notice(self) -> None:
        """Give the claim back."""
        self._update("REMOVE notice_until", {})

    def notified_failure(self, state: TillState, now: datetime) -> None:
        """Record that the operator was notified of the state's failure.

        If the outage is over by now, the notice that it is over has become due.
        """
        opened = instant(state.open_since or now)
        known = self._update(
            "SET notified = :kinds, notified_at = :now",
            {
                ":kinds": texts((*state.notified, state.kind)),
                ":now": instant(now),
                ":opened": opened,
            },
            "open_since = :opened",
        )
        if not known.done:
            since = instant(state.since or state.open_since or now)
            self._update(
                "SET recovered_at = :now, outage_since = :since, notified_at = :now",
                {":now": instant(now), ":since": since},
            )

    def notified_recovery(self, state: TillState, now: datetime) -> None:
        """Record that the operator was notified of the state's recovery."""
        self._update(
            "SET notified_at = :now REMOVE recovered_at, outage_since",
            {":now": instant(now), ":recovered": instant(state.recovered_at or now)},
            "recovered_at = :recovered",
        )

    def _update(self, change: str, values: Item, condition: str = "") -> Outcome:
        """Change the item; the first change of all creates it."""
        change = _with_schema(change)
        return self._table.update_if(
            Update(keys.till_state(), change, {**values, ":schema": SCHEMA["schema"]}, condition)
        )


def _with_schema(change: str) -> str:
    """The change, and the schema that every item has."""
    if change.startswith("SET "):
        return f"SET #schema = :schema, {change.removeprefix('SET ')}"
    return f"SET #schema = :schema {change}"
