"""The shop's staff: who of them may do what, and how many points they may move by hand."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

STAFF_IDS_MAX = 50
_ALL, _NONE = "all", "none"
_ID = "[1-9][0-9]{0,19}"


class Right(StrEnum):
    """What a member of the staff may do; the programme's rule `staff_<right>` says who."""

    LOOK = "look"
    ADJUST = "adjust"
    HOLD = "hold"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class StaffGroup:
    """Some of a shop's staff by their ids at Shopify, or all of them."""

    everybody: bool = False
    ids: tuple[str, ...] = ()

    def includes(self, staff_id: str) -> bool:
        """Whether a member of the staff is in the group."""
        return self.everybody or staff_id in self.ids


@dataclass(frozen=True, slots=True)
class DailyLimit:
    """Points that one member of the staff moves by hand on `day`, of at most `points_max` a day.

    Added and removed points count alike. `day` is one of the shop's calendar.
    """

    staff_id: str
    day: date
    points: int
    points_max: int


def is_staff_id(text: str) -> bool:
    """Return whether `text` is the id of a member of the staff: 1 to 20 digits, no leading zero."""
    return re.fullmatch(_ID, text) is not None


def parse_staff(text: str) -> StaffGroup:
    """Return the group that a rule names: all, none, or ids separated by commas.

    Raises ValueError.
    """
    if text in (_ALL, _NONE):
        return StaffGroup(everybody=text == _ALL)
    ids = tuple(re.split(", *", text))
    if not all(map(is_staff_id, ids)) or len(set(ids)) < len(ids) or len(ids) > STAFF_IDS_MAX:
        raise ValueError(
            f"{text!r} names no staff; give {_ALL}, {_NONE}, or up to {STAFF_IDS_MAX} ids of staff"
            " at Shopify, each once, as in 70000000001,70000000002"
        )
    return StaffGroup(ids=ids)


def staff_text(group: StaffGroup) -> str:
    """Return the group as `parse_staff` reads it."""
    return _ALL if group.everybody else ",".join(group.ids) or _NONE
