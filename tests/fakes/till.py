"""A till in memory, as adapters answer: members, one error for all, and a log of calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from pointbook.deadline import Deadline
from pointbook.till.errors import ChangeRefused, MemberNotRegistered, TillError
from pointbook.till.member import Capabilities, Member, PointsChange


@dataclass(slots=True)
class FakeTill:
    """Knows `members`; while there is an `error`, every call raises it."""

    members: dict[str, Member] = field(default_factory=dict)
    error: TillError | Exception | None = None
    calls: list[tuple[str, str | None]] = field(default_factory=list)
    pace: Callable[[Deadline], None] = Deadline.check
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(pushes=False, expiry=True, lots=False, ranks=True)
    )

    def adapter(self, _: Mapping[str, str], pace: Callable[[Deadline], None]) -> "FakeTill":
        """This till, as a container's `till_adapter`."""
        self.pace = pace
        return self

    def put(self, number: str, balance: int, as_of: datetime, till_id: str = "77") -> None:
        """Let the till know a gold member."""
        day = date(2025, 12, 31)
        self.members[number] = Member(number, till_id, balance, day, "gold", as_of)

    def member(self, member_number: str, deadline: Deadline, till_id: str | None = None) -> Member:
        """See `Till.member`."""
        self.pace(deadline)
        self.calls.append((member_number, till_id))
        if self.error is not None:
            raise self.error
        if member_number not in self.members:
            raise MemberNotRegistered(member_number)
        return self.members[member_number]

    def add_points(self, change: PointsChange, deadline: Deadline) -> int:
        """See `Till.add_points`."""
        self.pace(deadline)
        self.calls.append((change.member_number, change.till_id))
        if self.error is not None:
            raise self.error
        raise ChangeRefused(change.change_id)

    def is_applied(self, change: PointsChange, deadline: Deadline) -> bool:
        """See `Till.is_applied`."""
        self.pace(deadline)
        self.calls.append((change.member_number, change.till_id))
        if self.error is not None:
            raise self.error
        return False
