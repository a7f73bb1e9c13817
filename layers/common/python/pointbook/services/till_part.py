"""The till's part of a view: its status, and the cached member."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pointbook.store.till_members import CachedMember

type TillStatus = Literal["ok", "not_registered", "unavailable", "timeout", "disabled", "pending"]


@dataclass(frozen=True, slots=True)
class TillPart:
    """The till's part of a view. `stale`: the cached member is older than it may be."""

    status: TillStatus
    cached: "CachedMember | None" = None
    stale: bool = False


DISABLED = TillPart("disabled")
"""The part of a shop without a till."""
