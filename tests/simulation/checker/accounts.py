"""One account as its items add up, entry by entry, compared with the model's customer."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pointbook.domain.reconcile import reconcile
from pointbook.store.dynamodb import DynamoStore
from tests.fakes.dynamodb import LATEST
from tests.reference.calendar_walk import FOREVER, lapses_at
from tests.reference.model import Customer, Point
from tests.simulation.checker import raw_items
from tests.simulation.checker.raw_items import Plain
from tests.simulation.kernel.requests import Who
from tests.simulation.kernel.violation import must
from tests.support.instants import instant, milliseconds


@dataclass(slots=True)
class StoredAccount:
    """An account as its items in the table add up."""

    account_id: str = ""
    revision: int = 0
    version: int = 0
    head: str = ""
    as_of_ms: int = 0
    last_ms: int = 0
    balances: dict[str, int] = field(default_factory=lambda: dict.fromkeys(raw_items.BUCKETS, 0))

    @property
    def figures(self) -> tuple[int, ...]:
        """The six figures."""
        return raw_items.figures_of(self.balances)

    def check_date(self, account: Plain, wall_ms: int) -> None:
        """A write is dated by the clock at its own attempt, and time never runs back."""
        expected = max(wall_ms, self.as_of_ms)
        must("time", account["as_of"] == expected, f"{account['as_of']} should be {expected}")

    def add(self, entry: Plain, as_of_ms: int) -> None:
        """Add the next entry."""
        self.version += 1
        must("entries", entry["version"] == self.version, f"{entry['version']}, not {self.version}")
        must("entries", sum(entry["moves"].values()) == 0, "the moves do not sum to zero")
        for bucket, change in entry["moves"].items():
            self.balances[bucket] += change
        figures = self.figures
        must("entries", tuple(entry["figures"]) == figures, f"{entry['figures']}, not {figures}")
        must("entries", self.last_ms <= entry["at"] <= entry["recorded_at"], "at the wrong time")
        must("entries", entry["recorded_at"] == as_of_ms, "recorded at the wrong time")
        must("entries", entry["previous_hash"] == self.head, "not chained to the one before")
        must("entries", entry["text_digest"] == raw_items.text_digest(entry), "another text")
        expected = raw_items.entry_hash(entry, self.account_id, self.head)
        must("entries", entry["hash"] == expected, "not what its hash covers")
        self.head, self.last_ms = entry["hash"], entry["at"]

    def check_account(self, who: Who, account: Plain, customer: Customer) -> None:
        """The account item is the next revision, and as its entries and the model say."""
        self.revision += 1
        self.account_id = self.account_id or account["book"]
        self.as_of_ms = account["as_of"]
        model_balances = customer.balances()
        held = account.get("hold")
        reclaimable = [point for point in customer.points["expired"] if point.reclaimable]
        pairs = {
            "book": (account["book"], self.account_id),
            "revision": (account["revision"], self.revision),
            "version": (account["version"], self.version),
            "head": (account["head"], self.head),
            "last_at": (account["last_at"], self.last_ms),
            "balances": (account["balances"], list(self.balances.values())),
            "model": (self.balances, {name: model_balances[name] for name in raw_items.BUCKETS}),
            "lots": (raw_items.by_day(account["lots"]), _by_day(customer.points["approved"])),
            "lapsed": (raw_items.by_day(account.get("lapsed", [])), _by_day(reclaimable)),
            "hold": (held and _hold_in_table(held), _hold_of(customer)),
            "paces": (_paces(account), customer.paces()),
            "merged_into": (account.get("merged_into"), customer.merged_into),
            "merged_from": (account.get("merged_from", []), list(customer.merged_from)),
            "due_hold_at": (account.get("due_hold_at"), hold_end_ms(customer)),
            "due_lot_at": (account.get("due_lot_at"), next_lapse_ms(customer)),
        }
        for name, (stored, expected) in pairs.items():
            must("effect", stored == expected, f"{who}: {name} is {stored}, must be {expected}")

    def check_quiet(self, who: Who, customer: Customer, now_ms: int) -> None:
        """No hold and no lot that is over is left."""
        now_ms = max(now_ms, self.as_of_ms)
        for what, due_ms in (("hold", hold_end_ms(customer)), ("lot", next_lapse_ms(customer))):
            left = due_ms is not None and due_ms <= now_ms
            must("due", not left, f"{who}: a {what} that is over is left")


def hold_end_ms(customer: Customer) -> int | None:
    """When the open hold ends."""
    return milliseconds(customer.hold.ends_at) if customer.hold else None


def next_lapse_ms(customer: Customer) -> int | None:
    """When the soonest lot lapses."""
    soonest = min((point.last_day for point in customer.points["approved"]), default=FOREVER)
    lapse = lapses_at(soonest, customer.time_zone)
    return milliseconds(lapse) if lapse else None


def _by_day(points: list[Point]) -> dict[date, int]:
    return dict(Counter(point.last_day for point in points))


def _paces(account: Plain) -> dict[str, tuple[int, ...]]:
    """What was done in the latest hour, of each kind that is counted."""
    named = {kind: account.get(f"{kind}_count") for kind in ("flow", "hold")}
    return {kind: tuple(pace) for kind, pace in named.items() if pace is not None}


def _hold_of(customer: Customer) -> tuple[Any, ...] | None:
    if customer.hold is None:
        return None
    held = customer.hold
    return held.hold_id, held.state, held.ends_at, _by_day(customer.points["hold"]), held.code


def _hold_in_table(held: Plain) -> tuple[Any, ...]:
    lots, code = raw_items.by_day(held["lots"]), held.get("code", "")
    return held["id"], held["state"], instant(held["ends_at"]), lots, code


def check_entries(promise: str, store: DynamoStore, who: Who) -> None:
    """The account is there and agrees with all its entries, by the product's own check."""
    account = store.account(*who)
    assert account is not None, f"{who} is gone"
    entries = store.entries(*who, before_version=LATEST, limit=LATEST)
    findings = reconcile(account, reversed(entries))
    must(promise, not findings, f"{who}: {findings}")
