"""Cached members: what the till last said of a customer, one item beside the account.

    cached = members.read(shop, customer_id)              # None: the till has said nothing yet
    members.save(shop, customer_id, cached)               # the newest `as_of` wins
    members.claim_refresh(shop, customer_id, now, until)  # True: the caller has to refresh it

Views of my page answer from it. Whoever asks the till about a customer saves the answer: views,
`refresh_till`, pushes and the drift report. `services.cached_members` makes it from a till's
`Member` or error. It belongs to the customer: it is erased with them and exported with their data,
and a merge does not move it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from pointbook.store import keys
from pointbook.store.customer_items import CustomerErased, CustomerItems
from pointbook.store.fields import INSTANT, NUMBER, TEXT, Codec, Format, many, one_of
from pointbook.store.items import SCHEMA
from pointbook.store.table import Table, Update
from pointbook.store.till_state import TillState, state_of
from pointbook.store.values import (
    Item,
    Stored,
    Value,
    instant,
    int_of,
    number,
    optional_instant,
    sequence,
    text,
    text_of,
    values_of,
)


class Membership(StrEnum):
    """What the till said of a member number."""

    MEMBER = "member"
    NOT_REGISTERED = "not_registered"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class CachedMember:
    """What the till last said of a customer, and `as_of` when (aware, UTC).

    Beside `membership`, `member_number` and `as_of` a field has a value only where the till knows
    the member; they are those of `till.member.Member`.
    """

    membership: Membership
    member_number: str
    as_of: datetime
    till_id: str = ""
    balance_points: int = 0
    expires_on: date | None = None
    rank: str | None = None
    lots: tuple[tuple[int, date], ...] = ()

    @property
    def is_member(self) -> bool:
        """Whether the till knows one member with this number."""
        return self.membership is Membership.MEMBER


@dataclass(frozen=True, slots=True)
class MemberLookup:
    """A look-up for a view: the cached member, its refresh under way, and the till's state.

    `refreshing_until` is when a refresh that was claimed will have been given up.
    """

    cached: CachedMember | None
    refreshing_until: datetime | None
    state: TillState

    def refreshing(self, now: datetime) -> bool:
        """Whether a refresh is under way."""
        return self.refreshing_until is not None and self.refreshing_until > now


def _lot(value: Stored) -> tuple[int, date]:
    points, day = values_of(value)
    return int_of(points), date.fromisoformat(text_of(day))


def _lot_value(lot: tuple[int, date]) -> Value:
    return sequence((number(lot[0]), text(lot[1].isoformat())))


_CACHED = Codec(
    CachedMember,
    membership=one_of(Membership),
    member_number=TEXT,
    as_of=INSTANT,
    till_id=TEXT.optional(""),
    balance_points=NUMBER.named("balance"),
    expires_on=Format(
        lambda day: text(day.isoformat()), lambda value: date.fromisoformat(text_of(value))
    ).optional(),
    rank=TEXT.optional(),
    lots=many(Format(_lot_value, _lot)).optional(()),
)
_OPTIONAL = ("till_id", "expires_on", "#rank", "lots")
_NEWER = "(attribute_not_exists(as_of) OR as_of <= :as_of)"
_UNCLAIMED = "(attribute_not_exists(refreshing_until) OR refreshing_until <= :now)"


class TillMembers:
    """The cached members in one table. Raises LedgerUnavailable while it cannot be reached."""

    def __init__(self, table: Table) -> None:
        """Keep them in `table`."""
        self._table = table.outside_ledger()
        self._items = CustomerItems(table)

    def read(self, shop: str, customer_id: str) -> CachedMember | None:
        """The cached member, by a consistent read; None if the till has said nothing yet."""
        return cached_of(self._table.get(keys.till_member(shop, customer_id)) or {})

    def look_up(self, shop: str, customer_id: str) -> MemberLookup:
        """The cached member and the till's state, in one call; it may be a moment old."""
        member, state = keys.till_member(shop, customer_id), keys.till_state()
        found, _ = self._table.batch_get([member, state])  # one that is left out is as if absent
        by_key = {text_of(item["sk"]): item for item in found}
        item: Stored = by_key.get(keys.TILL_MEMBER, {})
        return MemberLookup(
            cached_of(item),
            optional_instant(item, "refreshing_until"),
            state_of(by_key.get(keys.TILL_STATE, {})),
        )

    def save(self, shop: str, customer_id: str, cached: CachedMember) -> bool:
        """Keep what the till said, and end the refresh under way.

        False: something newer is cached, or the customer was erased.
        """
        fields = _CACHED.write(cached)
        left = [name for name in _OPTIONAL if name.removeprefix("#") not in fields]
        changes = [f"{_alias(name)} = :{name}" for name in fields]
        update = Update(
            keys.till_member(shop, customer_id),
            f"SET {', '.join(changes)} REMOVE {', '.join(['refreshing_until', *left])}",
            {f":{name}": value for name, value in fields.items()},
            _NEWER,
        )
        item = {**keys.till_member(shop, customer_id), **SCHEMA, **fields}
        return self._change_or_create(update, item)

    def claim_refresh(self, shop: str, customer_id: str, now: datetime, until: datetime) -> bool:
        """Claim the refresh of a member until then. False: somebody else has, or it was erased."""
        claimed: Item = {"refreshing_until": instant(until)}
        update = Update(
            keys.till_member(shop, customer_id),
            "SET refreshing_until = :until",
            {":until": instant(until), ":now": instant(now)},
            _UNCLAIMED,
        )
        item = {**keys.till_member(shop, customer_id), **SCHEMA, **claimed}
        return self._change_or_create(update, item)

    def _change_or_create(self, update: Update, item: Item) -> bool:
        try:
            return self._items.change_or_create(update, item).done
        except CustomerErased:
            return False


def cached_of(item: Stored) -> CachedMember | None:
    """The cached member that an item holds; None for one with nothing but a claim."""
    return _CACHED.read(item) if "membership" in item else None


def _alias(name: str) -> str:
    return "#rank" if name == "rank" else name
