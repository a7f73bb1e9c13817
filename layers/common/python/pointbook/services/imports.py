"""Imports of balances from another system: each row is a grant with its own identity.

The identity is the import's id, the row's number and the customer. So a file that is sent again
books only the rows that are not booked yet, as long as their numbers have not changed; the same
number for another customer is another row.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pointbook import log
from pointbook.deadline import Deadline, DeadlinePassed
from pointbook.domain.chain import Cause
from pointbook.domain.commands import POINTS_MAX, Grant
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import FixedDate, without_renewal
from pointbook.domain.programme import Programme
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import InvalidRequest, LedgerUnavailable
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.shopify.ids import customer_digits
from pointbook.validation import optional_day, optional_text, shown, text, whole_number

SOURCE = "import"

ROWS_MAX = 100
ROW_NUMBER_MAX = 1_000_000_000
TEXT_LENGTH_MAX = 255
ROW_SECONDS = 4.0
"""The time limit for one row; after it the import goes on to the next."""

STATUSES = ("booked", "repeated", "refused", "not_done")

BOOKED_OTHERWISE = (
    "This row was booked before with other points, another day or another creation time: leave it"
    " as it was booked, and correct the customer's points with `pointbook adjust`."
)

_IMPORT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

type Content = Mapping[str, Any]
type Done = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One valid row. Without a day the programme's expiry rule applies."""

    customer_id: str
    title: str
    points: int
    expires_on: date | None
    created_at: str | None


def read_import_id(value: object, field: str = "import_id") -> str:
    """Return the id of an import. Raises InvalidRequest unless it is a short plain name."""
    if not isinstance(value, str) or not _IMPORT_ID.fullmatch(value):
        raise InvalidRequest(
            "import_id",
            f"{field} is {shown(value)}, but must be 1 to 64 letters, digits, dots, _ and -.",
        )
    return value


def read_rows(value: object) -> dict[int, Content]:
    """Return the rows of a request by their numbers; their other fields are not validated yet.

    Raises InvalidRequest unless there are 1 to 100 objects, each with a `row` of its own.
    """
    if not isinstance(value, list) or not 1 <= len(value) <= ROWS_MAX:
        raise InvalidRequest("rows", f"rows must be a list of 1 to {ROWS_MAX} rows.")
    rows: dict[int, Content] = {}
    for content in value:
        if not isinstance(content, dict):
            raise InvalidRequest("rows", f"A row is {shown(content)}, but must be an object.")
        number = whole_number(content.get("row"), "row", 1, ROW_NUMBER_MAX)
        if number in rows:
            raise InvalidRequest("row", f"Row {number} is given twice.")
        rows[number] = content
    return rows


def read_row(content: Content) -> Row:
    """Return a row. Raises InvalidRequest with the field that is wrong."""
    return Row(
        customer_id=customer_digits(content.get("customer_id")),
        title=text(content.get("title"), "title", TEXT_LENGTH_MAX),
        points=whole_number(content.get("point"), "point", 1, POINTS_MAX),
        expires_on=optional_day(content.get("expired_at"), "expired_at"),
        created_at=optional_text(content.get("created_at"), "created_at", TEXT_LENGTH_MAX),
    )


class Import:
    """One import into a shop's accounts, by an operator. A `dry_run` writes nothing."""

    def __init__(
        self,
        import_id: str,
        shop: str,
        actor: str,
        ledger: Ledger,
        programme: Programme,
        *,
        dry_run: bool,
    ) -> None:
        """Book in `ledger`; `actor` is the operator that the entries name."""
        self._import_id = import_id
        self._shop = shop
        self._cause = Cause(SOURCE, actor)
        self._expiry = without_renewal(programme.expiry)
        self._time_zone = programme.time_zone
        self._dry_run = dry_run
        self._carry_out = ledger.preview if dry_run else ledger.execute

    def run(self, rows: Mapping[int, Content], deadline: Deadline) -> Iterator[Done]:
        """Yield the result of each row, in order; rows left after `deadline` are `not_done`.

        A result is `{"row", "status", "points"}`, with `entry_id` if the row is booked now or was
        before (not in a dry run: there is no entry yet), and `code` and `message` if it is refused.
        A row whose number of points cannot be read counts as 0 points.
        """
        for number, content in rows.items():
            yield {"row": number} | self._one(number, content, deadline)

    def _one(self, number: int, content: Content, deadline: Deadline) -> Done:
        try:
            row = read_row(content)
        except InvalidRequest as error:
            return _refused(_points(content), error.code, error.message)
        try:
            seconds = min(deadline.left_seconds(), ROW_SECONDS)
            answer = self._carry_out(self._instruction(number, row), seconds)
        except (DeadlinePassed, LedgerUnavailable):
            return {"status": "not_done", "points": row.points}
        except Exception:  # noqa: BLE001 - one failing row must not stop the others
            log.exception("import_row_failed", row=number)
            return {"status": "not_done", "points": row.points}
        return self._result(row.points, answer)

    def _result(self, points: int, answer: Booked | Refusal) -> Done:
        if isinstance(answer, Refusal):
            mismatch = answer.code is Code.IDEMPOTENCY_MISMATCH
            return _refused(points, answer.code, BOOKED_OTHERWISE if mismatch else answer.message)
        if answer.duplicate:
            return {"status": "repeated", "points": points, "entry_id": answer.entry_ids[0]}
        entry = {} if self._dry_run else {"entry_id": answer.entry_ids[0]}
        return {"status": "booked", "points": points, **entry}

    def _instruction(self, number: int, row: Row) -> Instruction:
        """Return a row's grant. Its content is all but the title, which can be erased."""
        day = row.expires_on
        name = f"{self._import_id}#{number}"
        return Instruction(
            shop=self._shop,
            customer_id=row.customer_id,
            command=Grant(
                points=row.points,
                expiry=FixedDate(day) if day else self._expiry,
                topic=Topic.ADD_IMPORT,
                about=name,
                in_time=True,
            ),
            cause=self._cause,
            reason=row.title,
            identity=Identity("import:row", name),
            content={
                "customer": row.customer_id,
                "points": row.points,
                "expires_on": day.isoformat() if day else None,
                "created_at": row.created_at,
            },
            time_zone=self._time_zone,
        )


def totals(done: list[Done]) -> dict[str, dict[str, int]]:
    """Return rows and points in total and by status, to compare with the file's own sums."""
    return {
        name: {
            "rows": sum(1 for one in done if name in ("all", one["status"])),
            "points": sum(one["points"] for one in done if name in ("all", one["status"])),
        }
        for name in ("all", *STATUSES)
    }


def _points(content: Content) -> int:
    try:
        return whole_number(content.get("point"), "point", 1, POINTS_MAX)
    except InvalidRequest:
        return 0


def _refused(points: int, code: str, message: str) -> Done:
    return {"status": "refused", "points": points, "code": code, "message": message}
