"""HTTP calls to other services under a deadline for the whole call.

A socket's own timeouts start anew with every byte, and a DNS lookup has none at all. So each call
runs on a worker thread, and the caller waits no longer than its deadline. The worker of a call that
timed out is free at the deadline too, because its connection is then closed (`timed_reads`).
Whether such a call had an effect is unknown.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import requests

from pointbook.deadline import Deadline, DeadlinePassed
from pointbook.http.calls import Answer, AnswerTooLong, Call, CallFailed, CallTimedOut
from pointbook.http.timed_reads import TimedAdapter, reads_until

_BODY_LIMIT_BYTES = 1_000_000
_CHUNK_BYTES = 65_536


class Transport:
    """Sends calls over persistent connections. Safe to use from several threads."""

    def __init__(
        self,
        name: str,
        *,
        workers: int,
        connect_seconds: float,
        attempts: int = 1,
        before_each: Callable[[Deadline], None] | None = None,
    ) -> None:
        """Retry failures and statuses of 5xx up to `attempts`, if the call is repeatable.

        `connect_seconds` limits one connection: a lost first packet leaves time for a retry.
        `before_each` is called before every attempt; what it raises ends the call.
        """
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._connect_seconds = connect_seconds
        self._attempts = attempts
        self._before_each = before_each
        self._of_this_thread = threading.local()

    def start(self, call: Call, deadline: Deadline) -> Future[Answer]:
        """Begin a call; several may run at the same time."""
        return self._workers.submit(self._send, call, deadline)

    def wait(self, started: Future[Answer], deadline: Deadline) -> Answer:
        """Return the answer. Raises CallError by the deadline at the latest."""
        try:
            return started.result(timeout=deadline.left_seconds())
        except TimeoutError:
            raise CallTimedOut("no answer in time") from None

    def send(self, call: Call, deadline: Deadline) -> Answer:
        """Begin a call and wait for its answer."""
        return self.wait(self.start(call, deadline), deadline)

    def _send(self, call: Call, deadline: Deadline) -> Answer:
        for _ in range(self._attempts - 1 if call.repeatable else 0):
            try:
                answer = self._send_once(call, deadline)
            except (CallTimedOut, CallFailed):
                continue
            if answer.status < 500:
                return answer
        return self._send_once(call, deadline)

    def _send_once(self, call: Call, deadline: Deadline) -> Answer:
        if self._before_each is not None:
            self._before_each(deadline)
        try:
            left = deadline.left_seconds()
            with (
                reads_until(deadline),
                self._session().request(
                    call.method,
                    call.url,
                    params=call.query,
                    data=call.form if call.content is None else call.content,
                    headers=call.headers,
                    timeout=(min(self._connect_seconds, left), left),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                body = _read_body(response)
                return Answer(response.status_code, response.headers, body)
        except (DeadlinePassed, requests.ReadTimeout) as error:
            raise CallTimedOut(f"{call.url} did not answer in time") from error
        except requests.RequestException as error:
            raise CallFailed(f"{call.url}: {type(error).__name__}") from error

    def _session(self) -> requests.Session:
        """Return the session of this thread; sessions are not thread-safe."""
        session: requests.Session | None = getattr(self._of_this_thread, "session", None)
        if session is None:
            session = requests.Session()
            # No proxies, .netrc or certificate paths from the environment.
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
            raise AnswerTooLong(f"the answer has more than {_BODY_LIMIT_BYTES} bytes")
    return bytes(body)
