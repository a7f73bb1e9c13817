"""HTTP calls of the till adapters: paced, retried if they only read, failures as till errors."""

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from http import HTTPStatus

from pointbook.deadline import Deadline, DeadlinePassed
from pointbook.errors import MalformedBody, StoreRefused, Unavailable
from pointbook.http.calls import Answer, AnswerTooLong, Call, CallError, CallTimedOut
from pointbook.http.transport import Transport
from pointbook.till.errors import (
    BadTillAnswer,
    ChangeRefused,
    MemberNotRegistered,
    TillRefusedLogin,
    TillThrottled,
    TillTimeout,
    TillUnavailable,
)
from pointbook.validation import json_value, shown

type Pace = Callable[[Deadline], None]
"""Called before every request, token calls and retries included; may wait, or raise TillThrottled.
"""

_WORKERS = 6
"""Two reads for one member run side by side; the others may be busy with calls that timed out."""
_CONNECT_SECONDS = 0.25
"""A host that accepts connections does so at once; a lost first packet leaves time for a retry."""
_ATTEMPTS = 2
"""A read is retried once after a failure, if there is time for it; a write never."""
_RETRY_AFTER = re.compile(r"[0-9]{1,6}")
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_CHANGE_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_CONTENT})


def unpaced(_deadline: Deadline) -> None:
    """Never wait: the pace of a till that nobody else calls."""


class TillClient:
    """The HTTP client of one adapter; `service` is the till's name in messages.

    Every method raises a TillError by the deadline.
    """

    def __init__(self, service: str, pace: Pace) -> None:
        self._service = service
        self._transport = Transport(
            "till",
            workers=_WORKERS,
            connect_seconds=_CONNECT_SECONDS,
            attempts=_ATTEMPTS,
            before_each=pace,
        )

    def start(self, call: Call, deadline: Deadline) -> Future[Answer]:
        """Begin a call; several may run at the same time."""
        return self._transport.start(call, deadline)

    def wait(self, started: Future[Answer], deadline: Deadline) -> Answer:
        """Return the answer, unless it is a refused login or throttling, whatever its status."""
        with failures_as_till_errors():
            answer = self._transport.wait(started, deadline)
        if answer.status in _REFUSED:
            raise TillRefusedLogin(f"{self._service} answered {answer.status}")
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise TillThrottled(f"{self._service} answered 429", _retry_after_seconds(answer))
        return answer

    def send(self, call: Call, deadline: Deadline) -> Answer:
        """Begin a call and wait for its answer."""
        return self.wait(self.start(call, deadline), deadline)

    def read(self, started: Future[Answer], deadline: Deadline) -> object:
        """Return the JSON of a read that was started."""
        return self.decoded(self.wait(started, deadline))

    def decoded(self, answer: Answer) -> object:
        """Return the JSON of a 200; any other status is TillUnavailable."""
        if answer.status != HTTPStatus.OK:
            raise TillUnavailable(f"{self._service} answered {answer.status}")
        return self.json(answer)

    def json(self, answer: Answer) -> object:
        """Return the JSON of an answer with any status."""
        try:
            return json_value(answer.body)
        except MalformedBody as error:
            raise BadTillAnswer(f"{self._service} answered something that is not JSON") from error

    def changed(self, call: Call, deadline: Deadline, why: Callable[[object], object]) -> object:
        """Send a change of points, once, and return the JSON of its answer.

        `why` finds the till's reason in the JSON of a refusal. Raises ChangeRefused if the till
        will never accept the change, MemberNotRegistered if there is no such member any more.
        """
        answer = self.send(call, deadline)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise MemberNotRegistered(f"{self._service} no longer has this member")
        if answer.status in _CHANGE_REFUSED:
            raise ChangeRefused(f"{self._service} refuses the change: {_reason(answer, why)}")
        return self.decoded(answer)


def json_headers(**more: str) -> Mapping[str, str]:
    """Return the headers of a request for JSON."""
    return {"Accept": "application/json", "Content-Type": "application/json", **more}


@contextmanager
def failures_as_till_errors() -> Iterator[None]:
    """Raise failures of a call, and of the store of shared tokens, as TillErrors."""
    try:
        yield
    except (CallTimedOut, DeadlinePassed) as error:
        raise TillTimeout("the till did not answer in time") from error
    except AnswerTooLong as error:
        raise BadTillAnswer(str(error)) from error
    except CallError as error:
        raise TillUnavailable(str(error)) from error
    except (Unavailable, StoreRefused) as error:
        raise TillUnavailable(f"the till's token cannot be read from the table: {error}") from error


def _reason(answer: Answer, why: Callable[[object], object]) -> str:
    try:
        return shown(why(json_value(answer.body)))
    except (MalformedBody, BadTillAnswer):
        return f"status {answer.status}"


def _retry_after_seconds(answer: Answer) -> int | None:
    text = answer.headers.get("Retry-After", "")
    return int(text) if _RETRY_AFTER.fullmatch(text) else None
