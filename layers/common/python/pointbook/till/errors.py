"""Errors of till adapters.

    TillError
    ├── MemberNotRegistered   the till does not know this number, or the member has left
    ├── AmbiguousMember       several members have this number; none of them may be shown
    ├── TillTimeout           no answer within the time given
    ├── ChangeRefused         the till will never accept this change of points
    └── TillUnavailable       the till cannot answer now
        ├── BreakerOpen       it failed too often; it is not called before the next probe
        ├── TillRefusedLogin  our credentials were refused, even with a new token
        ├── TillThrottled     too many calls; may say after how many seconds to retry
        └── BadTillAnswer     an answer that cannot be parsed

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
    """Several members have exactly this number; the shop has to correct that."""

    code = "ambiguous"


class TillTimeout(TillError):
    """The deadline passed before the till answered."""

    code = "timeout"
    shown_as = "timeout"


class ChangeRefused(TillError):
    """The till refuses a change of points, and would refuse it again: more than the member has."""

    code = "refused"


class TillUnavailable(TillError):
    """The till cannot be reached or fails."""


class BreakerOpen(TillUnavailable):
    """The till has failed too often lately, so that it was not called."""

    code = "breaker_open"


class TillRefusedLogin(TillUnavailable):
    """The till refuses our credentials or our scope."""

    code = "auth"


class TillThrottled(TillUnavailable):
    """The till throttles calls; `retry_after_seconds` is its own, None if it gave none."""

    code = "throttled"

    def __init__(self, message: str, retry_after_seconds: int | None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class BadTillAnswer(TillUnavailable):
    """The answer is not what the till's documentation describes."""

    code = "bad_answer"
