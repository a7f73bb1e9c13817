"""The shop's till (POS): one interface, one adapter per make of till.

`Till` and `Member` say what every adapter offers, `errors` what can go wrong. An adapter
brings its HTTP library along, so it is imported by its own name, and only where a till is
configured: `from pointbook.till.smaregi import SmaregiTill`.
"""

from pointbook.till.errors import (
    AmbiguousMember,
    BadTillAnswer,
    MemberNotRegistered,
    TillError,
    TillRefusedLogin,
    TillThrottled,
    TillTimeout,
    TillUnavailable,
)
from pointbook.till.member import Member, Till

__all__ = [
    "AmbiguousMember",
    "BadTillAnswer",
    "Member",
    "MemberNotRegistered",
    "Till",
    "TillError",
    "TillRefusedLogin",
    "TillThrottled",
    "TillTimeout",
    "TillUnavailable",
]
