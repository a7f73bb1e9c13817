"""The members of a fake till, and the control API by which tests and the demo shop set them.

`POST /_member {"member_number", "balance", "expires_on", "rank"}` adds or changes a member, as
somebody at the counter might: no transaction is recorded. Optional are `status` (Smaregi's, "0" to
"4"; elsewhere "3" and "4" are members who have left), `customer_id`, the till's own id, which
allows two members with one number, `lots` (`[[300, "2027-03-31"], ...]`, for a till that has them)
and `lapses` (the next change by API lapses points whose day has passed).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus

from local import demo
from local.fakes.server import Reply, Request

POINTS_MAX = 999_999_999
_FORMER = frozenset({"3", "4"})


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A member as the till stores it; `expires_on` is returned as it was given."""

    customer_id: str
    member_number: str
    balance: int
    expires_on: str
    rank: str
    status: str = "0"
    lots: tuple[tuple[int, str], ...] = ()
    lapses: bool = False

    @property
    def has_left(self) -> bool:
        """Whether the member has withdrawn or was merged into another."""
        return self.status in _FORMER

    @property
    def lapsed_points(self) -> int:
        """Points that the next change takes away first."""
        passed = len(self.expires_on) > 0 and self.expires_on < f"{datetime.now(UTC):%Y-%m-%d}"
        return max(self.balance, 0) if self.lapses and passed else 0


DEMO_MEMBER = MemberRecord("1", "8840734670934", 1250, demo.last_day(12, 31), "gold")


class Members:
    """The members of a till. Safe to use from several threads."""

    def __init__(self, ids_from: Callable[[int], str] = str) -> None:
        """`ids_from` makes the till's id of the n-th member."""
        self._ids_from = ids_from
        self.lock = threading.RLock()
        first = replace(DEMO_MEMBER, customer_id=ids_from(1))
        self._by_id = {first.customer_id: first}

    def by_id(self, customer_id: str) -> MemberRecord | None:
        """Return the member with this id of the till."""
        return self._by_id.get(customer_id)

    def all(self) -> list[MemberRecord]:
        """Return all members."""
        with self.lock:
            return list(self._by_id.values())

    def set_balance(self, customer_id: str, balance: int) -> MemberRecord:
        """Change a member's points."""
        with self.lock:
            changed = replace(self._by_id[customer_id], balance=balance)
            self._by_id[customer_id] = changed
            return changed

    def put(self, given: object) -> MemberRecord:
        """Add or change a member. Raises ValueError and changes nothing."""
        if not isinstance(given, dict) or not given.get("member_number"):
            raise ValueError('give {"member_number", "balance", "expires_on", "rank"}')
        balance = given.get("balance", 0)
        if isinstance(balance, bool) or not isinstance(balance, int):
            raise ValueError(f"balance is {balance!r}, not a whole number")
        number = str(given["member_number"])
        with self.lock:
            record = MemberRecord(
                customer_id=str(given.get("customer_id") or self._id_of(number)),
                member_number=number,
                balance=balance,
                expires_on=str(given.get("expires_on") or ""),
                rank=str(given.get("rank") or ""),
                status=str(given.get("status", "0")),
                lots=_lots(given.get("lots") or []),
                lapses=given.get("lapses") is True,
            )
            self._by_id[record.customer_id] = record
        return record

    def command(self, request: Request) -> Reply | None:
        """Answer `POST /_member`; None for any other request."""
        if (request.method, request.path) != ("POST", "/_member"):
            return None
        try:
            record = self.put(request.json())
        except ValueError as error:
            return Reply(HTTPStatus.BAD_REQUEST, {"message": str(error)})
        return Reply(HTTPStatus.OK, {"customer_id": record.customer_id})

    def _id_of(self, member_number: str) -> str:
        for record in self._by_id.values():
            if record.member_number == member_number:
                return record.customer_id
        return next(
            new
            for n in range(1, len(self._by_id) + 2)
            if (new := self._ids_from(n)) not in self._by_id
        )


def _lots(given: object) -> tuple[tuple[int, str], ...]:
    if not isinstance(given, list) or not all(
        isinstance(lot, list) and len(lot) == 2 and type(lot[0]) is int for lot in given
    ):
        raise ValueError('lots are [[points, "2027-03-31"], ...]')
    return tuple((points, str(day)) for points, day in given)
