"""The report of `pointbook drift`: a file on this machine, written after each page.

So a comparison that was stopped is continued, and a repair knows which figures a person has seen
and which members it has repaired already. Nothing in it says more of a customer than ids and
points.
"""

import csv
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

type Row = dict[str, Any]

EQUAL, DIFFERS, NOT_REGISTERED = "equal", "differs", "not_registered"
AMBIGUOUS, NOT_COMPARED = "ambiguous", "not_compared"

_COLUMNS = ("customer_id", "member_number", "kind", "ledger", "till", "difference")
_OPTIONAL_COLUMNS = ("expires_on", "rank")
_EVALUATED = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet takes for a formula."""


@dataclass(slots=True)
class Report:
    """One comparison of a shop's members.

    `run` names it for ever. Of `total` members the next page begins at `position`, until the whole
    table `is_read`; `finished_at` is empty until all are compared. `till` is what the till can do.
    `rows` are all members that are not equal, by customer; of those that are `equal` only the
    points. `repaired` says how members were repaired.
    """

    run: str
    stack: str
    shop: str
    began_at: str
    finished_at: str = ""
    total: int = 0
    position: list[str] | None = None
    is_read: bool = False
    till: dict[str, bool] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    equal: list[int] = field(default_factory=list)
    repaired: dict[str, str] = field(default_factory=dict)

    @classmethod
    def new(cls, stack: str, shop: str, now: datetime) -> Self:
        """A report with nothing in it."""
        began = now.isoformat(timespec="seconds")
        return cls(f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}", stack, shop, began)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The report in a file; None if there is none, or none of this release."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Replace the file at once, so that Ctrl-C leaves the old one or the new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {name: getattr(self, name) for name in self.__slots__}
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        beside.chmod(0o600)
        beside.replace(path)

    def add(self, page: dict[str, Any]) -> None:
        """Add the rows of a page; a member that was compared again replaces what was there."""
        self.till = page["till"]
        for row in page["rows"]:
            self.rows.pop(row["customer_id"], None)
            if row["kind"] == EQUAL:
                self.equal.append(row["ledger"])
            else:
                self.rows[row["customer_id"]] = row

    @property
    def compared(self) -> int:
        """How many members are known to both and were compared."""
        return len(self.equal) + len(self.of(DIFFERS))

    @property
    def looked_at(self) -> int:
        """How many customers were looked at."""
        return len(self.equal) + len(self.rows)

    def of(self, kind: str) -> list[Row]:
        """The rows of a kind, the largest difference first."""
        found = [row for row in self.rows.values() if row["kind"] == kind]
        return sorted(found, key=lambda row: (-abs(row["difference"]), -row["ledger"]))

    def shown(self, *, everybody: bool) -> list[Row]:
        """The rows that people see.

        Of those whom the till does not know only those who have points, unless `everybody`.
        """
        return [
            row
            for kind in (DIFFERS, AMBIGUOUS, NOT_REGISTERED, NOT_COMPARED)
            for row in self.of(kind)
            if everybody or kind != NOT_REGISTERED or row["ledger"]
        ]

    def totals(self) -> dict[str, int]:
        """What the comparison came to: members, and points where the name says so."""
        differences = [row["difference"] for row in self.of(DIFFERS)]
        unknown = self.of(NOT_REGISTERED)
        return {
            "compared": self.compared,
            "equal": len(self.equal),
            "differing": len(differences),
            "till_less": sum(one < 0 for one in differences),
            "till_less_points": -sum(one for one in differences if one < 0),
            "till_more": sum(one > 0 for one in differences),
            "till_more_points": sum(one for one in differences if one > 0),
            "sum_of_differences": sum(differences),
            "not_registered": sum(bool(row["ledger"]) for row in unknown),
            "not_registered_without_points": sum(not row["ledger"] for row in unknown),
            "ambiguous": len(self.of(AMBIGUOUS)),
            "not_compared": len(self.of(NOT_COMPARED)),
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that this till can fill."""
        some = next(iter(self.rows.values()), {})
        return (*_COLUMNS, *(one for one in _OPTIONAL_COLUMNS if one in some), "why")


def known(row: Row) -> Row:
    """The row without a difference where the till has no figure to compare with."""
    return row | {"difference": None} if row["till"] is None else row


def write_csv(path: Path, report: Report, rows: Iterable[Row]) -> None:
    """Write rows as CSV that spreadsheets read as it is meant.

    UTF-8 with a byte order mark. A text that a spreadsheet would take for a number or a formula has
    a tab before it, so a long id keeps its last digits and nothing is evaluated.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(report.columns)
        writer.writerows(_cells(report, rows))


def _cells(report: Report, rows: Iterable[Row]) -> Iterator[list[object]]:
    for row in rows:
        yield [cell(known(row)[name]) for name in report.columns]


def cell(value: object) -> object:
    """A cell: numbers as they are, texts so that they stay texts."""
    if not isinstance(value, str):
        return "" if value is None else value
    is_number = value.strip().replace(".", "").replace(",", "").isdecimal()
    return f"\t{value}" if is_number or value.startswith(_EVALUATED) else value
