"""A customer's account with its hold, and the record of a hold."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from pointbook.domain.buckets import Balances, Figures
from pointbook.domain.entry import entry_id
from pointbook.domain.expiry import NEVER, ExpiryRule, lapse_instant
from pointbook.domain.lots import Lots, total

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

DEFAULT_TIME_ZONE = "Asia/Tokyo"
"""The calendar of an account whose shop names no other."""

HOLD_SECONDS_MAX = 86_400

LAPSED_DAYS_MAX = 8
"""How many of the latest lapsed days an account keeps for late orders."""


class HoldState(StrEnum):
    """The state of an open hold. An ended hold is no longer on the account."""

    PREPARING = "preparing"
    READY = "ready"
    RELEASING = "releasing"


@dataclass(frozen=True, slots=True)
class Hold:
    """Points taken out of approved for one checkout.

    `lots` are the lots that they came from and return to. From `ends_at` on the points are free
    again. `lapsed_expiry` is the expiry rule of points whose last day has passed meanwhile; None:
    they expire as soon as they are back. `code` is the customer's discount code.
    """

    hold_id: str
    points: int
    lots: Lots
    ends_at: datetime
    state: HoldState = HoldState.PREPARING
    lapsed_expiry: ExpiryRule | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class OrphanedCode:
    """A code that no hold stands behind any more, but that checkouts accept until `until`."""

    hold_id: str
    code: str
    until: datetime


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """The permanent record of a hold, found by its id, which is derived from its code.

    `orders` are the orders that used the code; the next write requires this `revision`.
    `worth_minor` is the value of each point in the currency's smallest unit.
    """

    hold_id: str
    customer_id: str
    points: int
    lots: Lots
    revision: int = 0
    orders: tuple[str, ...] = ()
    code: str = ""
    worth_minor: int = 1

    def points_for(self, amount_minor: int) -> int:
        """The points that pay an amount; part of a point's worth takes a whole point."""
        return -(-amount_minor // self.worth_minor)


class HourlyCount(NamedTuple):
    """The number of commands of one kind in one hour (hours since 1970)."""

    hour: int
    commands: int


@dataclass(frozen=True, slots=True)
class Account:
    """One customer's account as of its last write.

    `version` counts entries, `revision` counts writes (some, such as a hold becoming ready, add no
    entry). `as_of` is the latest instant any write has seen: time never runs backwards for an
    account; `last_at` is when the last entry took effect. `account_id` is random and covered by the
    entries' hashes, `head` the hash of the last entry. `lapsed` is what expired on the latest
    lapsed days: an order that comes after its hold has ended takes from there first. `flow_count`
    and `hold_count` are the rate limits' counters. `merged_into` marks the tombstone of a merged
    customer, `erased` that of an erased one; `merged_from` are those merged into this account.
    """

    customer_id: str
    account_id: str = ""
    time_zone: str = "Asia/Tokyo"
    version: int = 0
    revision: int = 0
    as_of: datetime = BEGINNING
    last_at: datetime = BEGINNING
    balances: Balances = field(default_factory=Balances)
    lots: Lots = ()
    hold: Hold | None = None
    lapsed: Lots = ()
    head: str = ""
    merged_into: str | None = None
    merged_from: tuple[str, ...] = ()
    erased: bool = False
    flow_count: HourlyCount | None = None
    hold_count: HourlyCount | None = None

    @property
    def figures(self) -> Figures:
        """The six figures as of the last write; `settle` first for those of now."""
        return self.balances.figures()

    @property
    def last_entry_id(self) -> str:
        """The id of the last entry; "" before the first."""
        return entry_id(self.customer_id, self.version) if self.version else ""

    @property
    def debt(self) -> int:
        """Points owed: the next credit into approved repays them first."""
        return max(0, -self.balances.approved)

    @property
    def next_lapse(self) -> datetime | None:
        """When the soonest-expiring lot lapses."""
        if not self.lots or self.lots[0].valid_through == NEVER:
            return None
        return lapse_instant(self.lots[0].valid_through, self.time_zone)

    @property
    def hold_end(self) -> datetime | None:
        """When the open hold ends by itself."""
        return self.hold.ends_at if self.hold else None


def faults(account: Account) -> list[str]:
    """The violated invariants of an account, in words; there should never be any.

    The buckets sum to zero; only issued and approved may be below zero; a debt means that there is
    no free lot; otherwise the lots are exactly the approved points; the hold's lots are exactly the
    held points; lots are sorted, one a day, none empty.
    """
    balances, lots, hold = account.balances, account.lots, account.hold
    held_lots = hold.lots if hold else ()
    below_zero = [
        name
        for name, points in balances._asdict().items()
        if points < 0 and name not in ("issued", "approved")
    ]
    rules = {
        f"the buckets sum to {sum(balances)}": sum(balances) == 0,
        f"below zero: {below_zero}": not below_zero,
        f"issued is {balances.issued}": balances.issued <= 0,
        f"lots hold {total(lots)}, approved is {balances.approved}": (
            total(lots) == max(0, balances.approved)
        ),
        f"hold is {hold}, its bucket {balances.hold}": (
            balances.hold == total(held_lots) == (hold.points if hold else 0)
        ),
        "a hold of nothing": hold is None or hold.points > 0,
        "lots are unsorted, doubled or empty": all(
            _well_formed(group) for group in (lots, held_lots, account.lapsed)
        ),
    }
    return [fault for fault, holds in rules.items() if not holds]


def _well_formed(lots: Lots) -> bool:
    days = [lot.valid_through for lot in lots]
    return days == sorted(set(days)) and all(lot.points > 0 for lot in lots)
