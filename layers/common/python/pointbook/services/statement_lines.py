"""A statement as JSON Lines, one record a line, and as CSV. It has no customer's data.

{"record": "statement", "shop": ..., "first": ..., "last": ..., "opening": {...}, ...}
{"record": "movement", "day": ..., "movement": "granted", "entries": ..., "changes": {...}, ...}
{"record": "outstanding", "expires": "2027-03", "came": "2026-03", "programme": 2, ...}
{"record": "run_off", "age_months": 7, "fate": "used", "points": ...}
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from pointbook.domain.books.movements import Movement, Sum
from pointbook.domain.books.periods import Period
from pointbook.domain.books.statement import LotGroup, Statement
from pointbook.domain.buckets import Balances


@dataclass(frozen=True, slots=True)
class StatementFile:
    """A statement with what it is of. `worth_minor` is a point's value as payment."""

    shop: str
    period: Period
    currency: str
    worth_minor: int
    statement: Statement

    def lines(self, **more: object) -> str:
        """All as JSON Lines; `more` is added to the first one."""
        records = (self._head() | more, *_records(self.statement))
        return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in records)

    @classmethod
    def read(cls, lines: str) -> tuple[Self, dict[str, Any]]:
        """What `lines` wrote, and the first line with all its members."""
        head, *records = (json.loads(line) for line in lines.splitlines())
        statement = Statement(
            accounts=head["accounts"],
            entries=head["entries"],
            unreadable=head["unreadable"],
            opening=Balances(**head["opening"]),
            closing=Balances(**head["closing"]),
            owed=head["owed"],
        )
        for record in records:
            _take(statement, record)
        first, last = date.fromisoformat(head["first"]), date.fromisoformat(head["last"])
        period = Period(first, last, head["time_zone"])
        return cls(head["shop"], period, head["currency"], head["worth_minor"], statement), head

    def csv(self, *, is_over: bool = True) -> str:
        """The movements as a table, with a line for the opening and one for the closing figures.

        Of a period that is not over they are `closing_so_far`.
        """
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        about = ["shop", "day", "movement", "entries", "points"]
        writer.writerow([*about, *Balances._fields, "earlier_entries", "earlier_points"])
        statement, first, last = self.statement, self.period.first, self.period.last
        writer.writerow([self.shop, first, "opening", "", "", *statement.opening, "", ""])
        for day, movement, moved in _by_day(statement):
            figures = [moved.entries, moved.points, *moved.changes]
            earlier = [moved.earlier_entries, moved.earlier_points]
            writer.writerow([self.shop, day, movement, *figures, *earlier])
        closing = "closing" if is_over else "closing_so_far"
        writer.writerow([self.shop, last, closing, "", "", *statement.closing, "", ""])
        writer.writerow([self.shop, last, "difference", "", "", *statement.difference, "", ""])
        return out.getvalue()

    def _head(self) -> dict[str, Any]:
        statement = self.statement
        return {
            "record": "statement",
            "shop": self.shop,
            "first": self.period.first.isoformat(),
            "last": self.period.last.isoformat(),
            "time_zone": self.period.time_zone,
            "currency": self.currency,
            "worth_minor": self.worth_minor,
            "accounts": statement.accounts,
            "entries": statement.entries,
            "unreadable": statement.unreadable,
            "opening": statement.opening._asdict(),
            "closing": statement.closing._asdict(),
            "difference": statement.difference._asdict(),
            "lots_difference": statement.lots_difference,
            "owed": statement.owed,
            "is_closed": statement.is_closed,
        }


def _records(statement: Statement) -> Iterator[dict[str, Any]]:
    for day, movement, moved in _by_day(statement):
        yield {
            "record": "movement",
            "day": day.isoformat(),
            "movement": movement,
            "entries": moved.entries,
            "points": moved.points,
            "changes": {name: n for name, n in moved.changes._asdict().items() if n},
            "earlier_entries": moved.earlier_entries,
            "earlier_points": moved.earlier_points,
        }
    for group in sorted(statement.outstanding):
        free, held = statement.outstanding[group]
        yield {"record": "outstanding", **group._asdict(), "free": free, "held": held}
    for age, fate in sorted(statement.run_off):
        points = statement.run_off[age, fate]
        yield {"record": "run_off", "age_months": age, "fate": fate, "points": points}


def _by_day(statement: Statement) -> Iterator[tuple[date, Movement, Sum]]:
    for day in sorted(statement.days):
        for movement in Movement:
            if movement in statement.days[day]:
                yield day, movement, statement.days[day][movement]


def _take(statement: Statement, record: Mapping[str, Any]) -> None:
    match record["record"]:
        case "movement":
            day = statement.days.setdefault(date.fromisoformat(record["day"]), {})
            day[Movement(record["movement"])] = Sum(
                record["entries"],
                record["points"],
                Balances(**record["changes"]),
                record["earlier_entries"],
                record["earlier_points"],
            )
        case "outstanding":
            group = LotGroup(record["expires"], record["came"], record["programme"])
            statement.outstanding[group] = record["free"], record["held"]
        case "run_off":
            statement.run_off[record["age_months"], record["fate"]] = record["points"]
        case unknown:
            raise ValueError(f"{unknown!r} is no record of a statement")
