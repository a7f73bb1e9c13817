import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any

import pytest

from pointbook.deadline import Deadline
from pointbook.http.calls import Call, CallTimedOut
from pointbook.http.transport import Transport
from tests.support.serving import QuietHandler, serving, url_of


def test_a_name_that_is_slow_to_look_up_costs_no_more_than_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No time-out of a socket's covers the look-up."""

    def slowly(*_: object, **__: object) -> Any:
        time.sleep(1)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    transport = Transport("test", workers=1, connect_seconds=1)
    begun = time.monotonic()
    with pytest.raises(CallTimedOut):
        transport.send(Call("GET", "http://shop.invalid/", {}), Deadline.after(0.2))
    assert time.monotonic() - begun < 0.6


def test_without_time_nothing_is_sent() -> None:
    transport = Transport("test", workers=1, connect_seconds=1)
    with pytest.raises(CallTimedOut):
        transport.send(Call("GET", "http://127.0.0.1:9/", {}), Deadline.after(0))


class Failing(QuietHandler, BaseHTTPRequestHandler):
    """A server that fails, and counts."""

    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        self.answer(503)


@pytest.fixture
def failing() -> Iterator[tuple[str, type[Failing]]]:
    handler = type("Counting", (Failing,), {})
    with serving(HTTPServer(("127.0.0.1", 0), handler)) as server:
        yield url_of(server), handler


@pytest.mark.parametrize(("repeatable", "requests"), [(True, 3), (False, 1)])
def test_only_a_call_that_may_be_repeated_is_retried(
    failing: tuple[str, type[Failing]], repeatable: bool, requests: int
) -> None:
    url, handler = failing
    before: list[Deadline] = []
    transport = Transport(
        "test", workers=1, connect_seconds=1, attempts=3, before_each=before.append
    )
    deadline = Deadline.after(10)
    answer = transport.send(Call("GET", url, {}, repeatable=repeatable), deadline)
    assert (answer.status, handler.requests) == (503, requests)
    assert before == [deadline] * requests, "every attempt counts"


def test_what_is_raised_before_an_attempt_keeps_it_from_being_sent(
    failing: tuple[str, type[Failing]],
) -> None:
    url, handler = failing

    def stop(_deadline: Deadline) -> None:
        raise PermissionError("not now")

    transport = Transport("test", workers=1, connect_seconds=1, attempts=3, before_each=stop)
    with pytest.raises(PermissionError):
        transport.send(Call("GET", url, {}), Deadline.after(10))
    assert handler.requests == 0


class Trickling(QuietHandler, BaseHTTPRequestHandler):
    """A server that sends byte after byte: of a body, or instead of a head."""

    has_head = True
    pause_seconds = 0.1

    def do_GET(self) -> None:
        pause_seconds = self.pause_seconds
        if self.has_head:
            self.send_response(200)
            self.send_header("Content-Length", "50")
            self.end_headers()
        with suppress(ConnectionError):
            for _ in range(50):
                self.wfile.write(b"H")
                time.sleep(pause_seconds)


@pytest.mark.slow
@pytest.mark.parametrize("has_head", [True, False])
def test_the_worker_of_a_call_whose_answer_trickles_is_free_at_the_deadline(has_head: bool) -> None:
    handler: type[Trickling] = type("Trickles", (Trickling,), {"has_head": has_head})
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        transport = Transport("test", workers=1, connect_seconds=1)
        call = Call("GET", url_of(server), {})
        with pytest.raises(CallTimedOut):
            transport.send(call, Deadline.after(0.2))
        handler.has_head, handler.pause_seconds = True, 0
        assert transport.send(call, Deadline.after(2)).status == 200
