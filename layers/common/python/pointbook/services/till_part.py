"""The till's part of a view: its status, and the cached member."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pointbook.store.till_members import CachedMember, Membership

type TillStatus = Literal["ok", "not_registered", "unavailable", "timeout", "disabled", "pending"]


@dataclass(frozen=True, slots=True)
class TillPart:
    """The till's part of a view. `stale`: the cached member is older than it may be."""

    status: TillStatus
    cached: "CachedMember | None" = None
    stale: bool = False

    @property
    def member(self) -> "CachedMember | None":
        """The cached member, if the till knows one."""
        return self.cached if self.cached and self.cached.is_member else None

    def as_json(self) -> dict[str, Any]:
        """Return it as my page's API and the operators' show it."""
        cached, member = self.cached, self.member
        as_of = cached.as_of.astimezone(UTC).isoformat(timespec="milliseconds") if cached else None
        return {
            "status": self.status,
            "member_number": member.member_number if member else None,
            "balance": member.balance_points if member else None,
            "expires_on": member.expires_on.isoformat() if member and member.expires_on else None,
            "rank": member.rank if member else None,
            "as_of": as_of,
            "stale": self.stale,
        }


STATUS_OF: "dict[Membership | str, TillStatus]" = {
    "member": "ok",
    "not_registered": "not_registered",
    "ambiguous": "unavailable",
}
"""The status of what the till said (`store.till_members.Membership`)."""

DISABLED = TillPart("disabled")
"""The part of a shop without a till."""


def cached_part(cached: "CachedMember | None", now: datetime, fresh_seconds: float) -> TillPart:
    """Return the part that the cache alone has; `pending` if the till has said nothing yet."""
    if cached is None:
        return TillPart("pending")
    stale = now - cached.as_of >= timedelta(seconds=fresh_seconds)
    return TillPart(STATUS_OF[cached.membership], cached, stale=stale)
