"""ReCORE, by its co-api: one call finds a member with balance, expiry and rank.

Its public description has no call that changes points, so this till is read only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo

from pointbook.deadline import Deadline
from pointbook.http.calls import Call
from pointbook.till.client import (
    Pace,
    TillClient,
    failures_as_till_errors,
    json_headers,
    unpaced,
)
from pointbook.till.errors import (
    AmbiguousMember,
    BadTillAnswer,
    ChangeRefused,
    MemberNotRegistered,
)
from pointbook.till.fields import Record, an_object, last_day, number, records, text, unix_instant
from pointbook.till.member import Capabilities, Member, PointsChange

_NUMBER = re.compile(r"[!-+\--~]{1,64}")
"""A member's code: no comma, which separates codes."""

_ACTIVE = "ACTIVE"
"""The status of a member who has not left. The others are not described."""


@dataclass(frozen=True, slots=True)
class RecoreConfig:
    """A company at ReCORE.

    `api_url` is https://co-api.recore-pos.com. `store_id` is needed if the key has none.
    `ranks` turns the id of a rank into the shop's word for it; another rank has ReCORE's name.
    `zone` is that of the day on which points expire.
    """

    api_key: str = field(repr=False)
    api_url: str
    zone: tzinfo
    store_id: str = ""
    ranks: Mapping[str, str] = field(default_factory=dict)


class RecoreTill:
    """A `Till` at ReCORE. Connections are persistent; the key does not expire."""

    capabilities = Capabilities(pushes=False, expiry=True, lots=False, ranks=True)

    def __init__(self, config: RecoreConfig, pace: Pace = unpaced) -> None:
        self._config = config
        self._client = TillClient("ReCORE", pace)

    def member(
        self,
        member_number: str,
        deadline: Deadline,
        till_id: str | None = None,  # noqa: ARG002
    ) -> Member:
        """See `Till.member`. The code finds everything; the id saves nothing."""
        if not _NUMBER.fullmatch(member_number):
            raise MemberNotRegistered(f"{member_number!r} cannot be a member's code at ReCORE")
        headers = {"X-Identification": self._config.api_key}
        if self._config.store_id:
            headers["X-Store-Id"] = self._config.store_id
        url, query = f"{self._config.api_url}/members", {"codes": member_number}
        call = Call("GET", url, json_headers(**headers), query=query)
        with failures_as_till_errors():
            answer = self._client.decoded(self._client.send(call, deadline))
            return self._read(answer, member_number)

    def add_points(self, change: PointsChange, deadline: Deadline) -> int:  # noqa: ARG002
        """Raise ChangeRefused."""
        raise ChangeRefused(f"points of {change.member_number} cannot be changed at ReCORE")

    def is_applied(self, change: PointsChange, deadline: Deadline) -> bool:  # noqa: ARG002
        """Raise ChangeRefused."""
        raise ChangeRefused(f"points of {change.member_number} cannot be changed at ReCORE")

    def _read(self, answer: object, member_number: str) -> Member:
        found = [
            record
            for record in records(answer)
            if text(record, "code") == member_number and text(record, "status") == _ACTIVE
        ]
        if not found:
            raise MemberNotRegistered(f"no member {member_number} at ReCORE: check the sync")
        if len(found) > 1:
            raise AmbiguousMember(f"{len(found)} members at ReCORE have the code {member_number}")
        (record,) = found
        member_id, points = text(record, "id"), an_object(record.get("point"))
        if not member_id:
            raise BadTillAnswer(f"member {member_number} has no id")
        return Member(
            member_number=member_number,
            till_id=member_id,
            balance_points=number(points, "total"),
            expires_on=self._last_day(points),
            rank=self._rank(record),
            as_of=datetime.now(UTC),
        )

    def _last_day(self, points: Record) -> date | None:
        """The last day of the points that expire first; None if none expire."""
        if points.get("expires_at") is None:
            return None
        return last_day(unix_instant(points, "expires_at"), self._config.zone)

    def _rank(self, record: Record) -> str | None:
        rank = record.get("rank")
        if rank is None:
            return None
        rank = an_object(rank)
        return self._config.ranks.get(text(rank, "id"), text(rank, "name")) or None
