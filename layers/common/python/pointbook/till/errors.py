"""What can go wrong when a till is asked.

    TillError
    ├── MemberNotRegistered   the till does not know this number, or the member has left
    ├── AmbiguousMember       several members carry this number; none of them may be shown
    ├── TillTimeout           no answer within the time given
    └── TillUnavailable       the till cannot answer now
        ├── TillRefusedLogin  our credentials were refused, also with a fresh token
        ├── TillThrottled     too many calls; may say after how many seconds to come back
        └── BadTillAnswer     an answer that cannot be read

Decide by class or by `code`, never by the message. `shown_as` is the `till.status` that my page
gets for it.
"""

from typing import Literal

from pointbook.errors import PointbookError

ShownAs = Literal["not_registered", "unavailable", "timeout"]


class TillError(PointbookError):
    """The till did not give a member's points."""

    code = "unavailable"
    shown_as: ShownAs = "unavailable"


class MemberNotRegistered(TillError):
    """The till does not know this number, or the member has withdrawn or was merged away."""

    code = "not_registered"
    shown_as = "not_registered"


class AmbiguousMember(TillError):
    """Several members carry exactly this number: a matter for the shop's operator."""

    code = "ambiguous"


class TillTimeout(TillError):
    """The time given ran out before the till had answered."""

    code = "timeout"
    shown_as = "timeout"


class TillUnavailable(TillError):
    """The till cannot be reached or fails."""


class TillRefusedLogin(TillUnavailable):
    """The till refuses our credentials or our rights."""

    code = "auth"


class TillThrottled(TillUnavailable):
    """The till asks for fewer calls; `retry_after_seconds` is its own wish, None when not said."""

    code = "throttled"

    def __init__(self, message: str, retry_after_seconds: int | None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class BadTillAnswer(TillUnavailable):
    """The till answered something that is not what its documentation promises."""

    code = "bad_answer"
