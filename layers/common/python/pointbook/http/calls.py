"""HTTP calls to other services: requests, answers and errors.

CallError
├── CallTimedOut     no answer by the deadline
├── CallFailed       no connection, or a broken one
└── AnswerTooLong    more bytes than the limit
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pointbook.deadline import Deadline


class CallError(Exception):
    """A call has failed; whether it had an effect is unknown."""


class CallTimedOut(CallError):
    """The deadline passed before the answer arrived."""


class CallFailed(CallError):
    """No connection, or a broken one."""


class AnswerTooLong(CallError):
    """The answer has more bytes than the limit."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. Its body is `content`, or the fields of a `form`.

    `repeatable`: sent twice it does no harm, so that it may be retried.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str] | None = None
    form: Mapping[str, str] | None = None
    content: bytes | None = None
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (in any case) and body of an answer with any status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient(Protocol):
    """Sends a call and waits for its answer."""

    def send(self, call: Call, deadline: Deadline) -> Answer:
        """Return the answer. Raises CallError by the deadline at the latest."""
        ...
