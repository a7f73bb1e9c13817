"""HTTP calls to the outside: what is sent, what is answered, and what can go wrong.

CallError
├── CallTimedOut     no answer by the deadline
├── CallFailed       no connection, or one that broke off
└── AnswerTooLong    more bytes than are read
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pointbook.deadline import Deadline


class CallError(Exception):
    """A call came to nothing; whether it had an effect is unknown."""


class CallTimedOut(CallError):
    """The deadline passed before the answer was there."""


class CallFailed(CallError):
    """No connection, or one that broke off."""


class AnswerTooLong(CallError):
    """An answer of more bytes than are read."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. Its body is `content`, or the fields of a `form`."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str] | None = None
    form: Mapping[str, str] | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (any case) and body of an answer, whatever the status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Sends(Protocol):
    """What sends a call and waits for its answer."""

    def send(self, call: Call, deadline: Deadline) -> Answer:
        """The answer, or a CallError by the deadline at the latest."""
        ...
