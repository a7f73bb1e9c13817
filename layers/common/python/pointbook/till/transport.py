"""HTTP to a till, with its failures as the till's errors. Tills are only read."""

from concurrent.futures import Future

from pointbook.deadline import Deadline
from pointbook.http import transport
from pointbook.http.calls import Answer, AnswerTooLong, Call, CallError, CallTimedOut
from pointbook.till.errors import BadTillAnswer, TillTimeout, TillUnavailable

# Two reads of one question run side by side; the rest is room for calls that were given up.
_WORKERS = 6
# A host that accepts connections does so at once; a lost first packet is worth a second try.
_CONNECT_SECONDS = 0.25
# Reads are safe to repeat: one more try after a failure, if there is time for it.
_TRIES = 2


class Transport:
    """Sends calls, keeps connections open between them. Safe to use from several threads."""

    def __init__(self) -> None:
        self._calls = transport.Transport(
            "till", workers=_WORKERS, connect_seconds=_CONNECT_SECONDS, tries=_TRIES
        )

    def start(self, call: Call, deadline: Deadline) -> Future[Answer]:
        """Begin a call; several may be under way at the same time."""
        return self._calls.start(call, deadline)

    def wait(self, started: Future[Answer], deadline: Deadline) -> Answer:
        """The answer, or TillTimeout or TillUnavailable by the deadline at the latest."""
        try:
            return self._calls.wait(started, deadline)
        except CallTimedOut as error:
            raise TillTimeout("the till did not answer in time") from error
        except AnswerTooLong as error:
            raise BadTillAnswer(str(error)) from error
        except CallError as error:
            raise TillUnavailable(str(error)) from error

    def send(self, call: Call, deadline: Deadline) -> Answer:
        """Begin a call and wait for its answer."""
        return self.wait(self.start(call, deadline), deadline)
