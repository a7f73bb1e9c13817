"""Catch-up after an import: what the other app says by now, less what the ledger has booked of it.

    another export of the other app ──┐
                                      ├──► differences ──► adjustments that name the import
    entries that name the import ─────┘

What was booked is read from the entries. So a catch-up may be run as often as one likes, with any
later export: it books what is left, and at the end nothing. What customers have done here since
their points came is left out of it.

Points are compared by their last valid day. Days that are past are left out: those points have
expired on both sides. Where the export gives no day for a customer, or does not have the customer,
only the sum is compared. Merged customers are one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from pointbook.domain.account import Account
from pointbook.domain.buckets import Bucket
from pointbook.domain.chain import BookedEntry
from pointbook.domain.commands import POINTS_MAX
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.expiry import NEVER, ExpiryRule, last_valid_day
from pointbook.errors import InvalidRequest
from pointbook.services.bulk_imports.rows import Calendar, granted_on
from pointbook.services.imports import TEXT_LENGTH_MAX, Content
from pointbook.shopify.ids import customer_digits
from pointbook.validation import optional_day, optional_text, shown, whole_number

IMPORT_ID_LENGTH_MAX = 40
"""So that the ids of its catch-ups are ids of imports too."""

_NO_DAY = "rule"
_CATCH_UP = re.compile(r"(?P<number>[0-9]{1,9})\.(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}|rule)")

type Day = date | None
"""The last valid day of points; None for those to which the programme's rule applies."""

type Points = dict[Day, int]


@dataclass(frozen=True, slots=True)
class Balance:
    """One row of an export."""

    customer_id: str
    title: str
    points: int
    expires_on: Day


@dataclass(frozen=True, slots=True)
class Difference:
    """What is to be booked for one customer and one day; `number` counts the catch-ups of both."""

    customer_id: str
    expires_on: Day
    before: int
    now: int
    number: int
    title: str

    @property
    def points(self) -> int:
        """The points to add, or a negative number to remove."""
        return self.now - self.before

    def import_id(self, base: str) -> str:
        """The id that the entry names: the import's with number and day.

        It is the same whenever the same step is booked, and so is the idempotency key.
        """
        return f"{base}.{self.number}.{self.expires_on or _NO_DAY}"


@dataclass(slots=True)
class Export:
    """What the other app says: each customer's points by day, and a title."""

    points: dict[str, Points] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def add(self, row: Balance) -> None:
        """Add a row; several of a customer for one day are summed up."""
        points = self.points.setdefault(row.customer_id, {})
        points[row.expires_on] = points.get(row.expires_on, 0) + row.points
        if row.title:
            self.titles[row.customer_id] = row.title


@dataclass(slots=True)
class Moved:
    """What the ledger has booked of one import, by customer and day; whether it was undone."""

    import_id: str
    points: dict[str, Points] = field(default_factory=dict)
    merged_into: dict[str, str] = field(default_factory=dict)
    is_undone: bool = False
    _numbers: dict[tuple[str, Day], int] = field(default_factory=dict)

    def add(self, account: Account, entries: Iterable[BookedEntry]) -> None:
        """Add an account with its entries; those that do not name the import are left out."""
        customer_id = account.customer_id
        if account.merged_into is not None:
            self.merged_into[customer_id] = account.merged_into
        if is_pseudonym(customer_id):
            return
        for booked in entries:
            if "#" in booked.entry.about:
                self._add(customer_id, booked)

    def _add(self, customer_id: str, booked: BookedEntry) -> None:
        entry, (name, _, _) = booked.entry, booked.entry.about.partition("#")
        points = self.points.get(customer_id, {})
        if name == self.import_id:
            moves = dict(entry.moves)
            self.is_undone |= Bucket.REVERSED in moves or moves.get(Bucket.REMOVED, 0) < 0
            rest = entry.approved_delta
            for lot in entry.lots:
                points[lot.valid_through] = points.get(lot.valid_through, 0) + lot.points
                rest -= lot.points
            if rest:  # it repaid a debt
                points[None] = points.get(None, 0) + rest
        elif step := self._step(name):
            number, day = step
            points[day] = points.get(day, 0) + entry.approved_delta
            self._numbers[customer_id, day] = max(number, self.number(customer_id, day))
        else:
            return
        self.points[customer_id] = points

    def _step(self, name: str) -> tuple[int, Day] | None:
        base, _, rest = name.partition(f"{self.import_id}.")
        found = _CATCH_UP.fullmatch(rest) if not base else None
        if found is None:
            return None
        number, day = int(found["number"]), found["day"]
        try:
            return number, None if day == _NO_DAY else date.fromisoformat(day)
        except ValueError:
            return None

    def number(self, customer_id: str, day: Day) -> int:
        """How many catch-ups of this customer and day are booked."""
        return self._numbers.get((customer_id, day), 0)

    def survivor(self, customer_id: str) -> str:
        """The customer with whom this one was merged, at last; else the customer."""
        seen = {customer_id}
        while (customer_id in self.merged_into) and self.merged_into[customer_id] not in seen:
            customer_id = self.merged_into[customer_id]
            seen.add(customer_id)
        return customer_id


def read_balance(content: Content, rule: ExpiryRule, calendar: Calendar) -> Balance:
    """Return a row of an export. Raises InvalidRequest with the field that is wrong.

    Unlike a row of an import it may have 0 points. As there, points without a last day that have an
    original one last from then on, by the programme's `rule`.
    """
    created_at = optional_text(content.get("created_at"), "created_at", TEXT_LENGTH_MAX)
    expires_on = optional_day(content.get("expired_at"), "expired_at")
    if expires_on is None and created_at:
        day = last_valid_day(rule, granted_on(created_at.strip(), calendar))
        expires_on = None if day == NEVER else day
    return Balance(
        customer_id=customer_digits(content.get("customer_id")),
        title=optional_text(content.get("title"), "title", TEXT_LENGTH_MAX) or "",
        points=whole_number(content.get("point"), "point", 0, POINTS_MAX),
        expires_on=expires_on,
    )


def read_catch_up_id(import_id: str, field: str = "import_id") -> str:
    """Return the id of an import that can be caught up. Raises InvalidRequest."""
    if len(import_id) > IMPORT_ID_LENGTH_MAX:
        raise InvalidRequest(
            "import_id",
            f"{field} is {shown(import_id)}, but only imports whose ids have up to"
            f" {IMPORT_ID_LENGTH_MAX} characters can be caught up.",
        )
    return import_id


def differences(
    export: Export, moved: Moved, today: date, title: str, without: frozenset[str] = frozenset()
) -> Iterator[Difference]:
    """Yield what is to be booked so that the ledger has of the import what the export says.

    A customer's additions come first. `title` is for rows without one. Customers `without` a
    readable row, and those merged with them, are left out.
    """
    members: dict[str, list[str]] = {}
    for customer_id in dict.fromkeys((*export.points, *moved.points)):
        members.setdefault(moved.survivor(customer_id), []).append(customer_id)
    left_out = {moved.survivor(customer_id) for customer_id in without}
    for customer_id in sorted(members, key=int):
        if customer_id in left_out:
            continue
        ids = members[customer_id]
        now, before = (_valid(source, ids, today) for source in (export.points, moved.points))
        if not now or None in now:
            now, before = _sum(now), _sum(before)
        own = next((export.titles[one] for one in ids if one in export.titles), title)
        found = [
            Difference(
                customer_id,
                day,
                before.get(day, 0),
                now.get(day, 0),
                1 + max(moved.number(one, day) for one in {*ids, customer_id}),
                own,
            )
            for day in dict.fromkeys((*now, *before))
            if now.get(day, 0) != before.get(day, 0)
        ]
        yield from sorted(found, key=lambda one: (one.points < 0, one.expires_on or date.max))


def absent(export: Export, moved: Moved) -> int:
    """How many customers with points of the import the export does not have at all."""
    known = {moved.survivor(one) for one in export.points}
    return sum(
        1
        for one, points in moved.points.items()
        if sum(points.values()) and moved.survivor(one) not in known
    )


def _valid(source: Mapping[str, Points], customer_ids: Iterable[str], today: date) -> Points:
    """The points of these customers together, by day, without days that are past."""
    found: Points = {}
    for customer_id in customer_ids:
        for day, points in source.get(customer_id, {}).items():
            if day is None or day >= today:
                found[day] = found.get(day, 0) + points
    return found


def _sum(points: Points) -> Points:
    return {None: sum(points.values())}
