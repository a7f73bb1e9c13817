"""HTTP to a till under a deadline that holds.

A socket's own time-outs start anew with every byte, and looking up a name has none at all. So
each call runs on a worker thread and the caller waits no longer than its deadline. A call that is
given up can change nothing, because tills are only read; it gives its worker back at the deadline
too, for then its connection is read no further and closed (`timed_reads`).
"""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass

import requests

from pointbook.till.deadline import Deadline
from pointbook.till.errors import BadTillAnswer, TillTimeout, TillUnavailable
from pointbook.till.timed_reads import TimedAdapter, reads_until

# Two reads of one question run side by side; the rest is room for calls that were given up.
_WORKERS = 6
# A host that accepts connections does so at once; a lost first packet is worth a second try.
_CONNECT_SECONDS = 0.25
_BODY_LIMIT_BYTES = 1_000_000
_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to a till."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str] | None = None
    form: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (any case) and body of a till's answer, whatever the status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Sends calls, keeps connections open between them. Safe to use from several threads."""

    def __init__(self) -> None:
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="till")
        self._of_this_thread = threading.local()

    def start(self, call: Call, deadline: Deadline) -> Future[Answer]:
        """Begin a call; several may be under way at the same time."""
        return self._workers.submit(self._send_retried, call, deadline)

    def wait(self, started: Future[Answer], deadline: Deadline) -> Answer:
        """The answer, or TillTimeout or TillUnavailable by the deadline at the latest."""
        try:
            return started.result(timeout=deadline.left_seconds())
        except FutureTimeout:
            raise TillTimeout("the till did not answer in time") from None

    def send(self, call: Call, deadline: Deadline) -> Answer:
        """Begin a call and wait for its answer."""
        return self.wait(self.start(call, deadline), deadline)

    def _send_retried(self, call: Call, deadline: Deadline) -> Answer:
        """Reads are safe to repeat: one more try after a failure, if there is time for it."""
        try:
            answer = self._send_once(call, deadline)
        except BadTillAnswer:
            raise
        except TillUnavailable:
            return self._send_once(call, deadline)
        if answer.status >= 500:
            return self._send_once(call, deadline)
        return answer

    def _send_once(self, call: Call, deadline: Deadline) -> Answer:
        left = deadline.left_seconds()
        try:
            with (
                reads_until(deadline),
                self._session().request(
                    call.method,
                    call.url,
                    params=call.query,
                    data=call.form,
                    headers=call.headers,
                    timeout=(min(_CONNECT_SECONDS, left), left),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                body = _read_body(response)
                return Answer(response.status_code, response.headers, body)
        except requests.ReadTimeout as error:
            raise TillTimeout(f"{call.url} did not answer in time") from error
        except requests.RequestException as error:
            raise TillUnavailable(f"{call.url}: {type(error).__name__}") from error

    def _session(self) -> requests.Session:
        """A session belongs to one thread: sessions are not made to be shared."""
        session: requests.Session | None = getattr(self._of_this_thread, "session", None)
        if session is None:
            session = requests.Session()
            # No proxies, .netrc or certificate paths from the environment: the till's address
            # and credentials come from the settings, and nothing else is looked up per call.
            session.trust_env = False
            for scheme in ("http://", "https://"):
                session.mount(scheme, TimedAdapter())
            self._of_this_thread.session = session
        return session


def _read_body(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > _BODY_LIMIT_BYTES:
            raise BadTillAnswer(f"an answer of more than {_BODY_LIMIT_BYTES} bytes")
    return bytes(body)
