"""The HTTP server of all fakes.

A service describes and answers requests; latency, failures, hanging and the log are the server's.
"""

import json
import select
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol, override
from urllib.parse import parse_qsl

from local import request_guard
from local.fakes.control import Behaviour, Call, Control, Entry
from local.request_guard import RequestRejected

_BODY_LIMIT_BYTES = 2_000_000
_HANG_LOOKS_EVERY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are lower-case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """Return the body's JSON. Raises ValueError."""
        try:
            decoded: object = json.loads(self.body)
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None
        return decoded


@dataclass(frozen=True, slots=True)
class Html:
    """A page."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A response; `content` is sent as JSON, a page or a `text` as it is."""

    status: int
    content: object
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None


class Service(Protocol):
    """A fake of one real service."""

    def describe(self, request: Request) -> Call:
        """Return the operation of a request; must not fail on a malformed one."""
        ...

    def answer(self, request: Request, behaviour: Behaviour) -> Reply:
        """Carry out the request. Of the behaviour only `forget` concerns the service."""
        ...

    def failure(self, status: int) -> Reply:
        """Return a failure with this status in the real service's form."""
        ...

    def throttled(self) -> Reply:
        """Return the real service's response to a throttled call."""
        ...

    def command(self, request: Request) -> Reply | None:
        """Answer a `/_...` path of this service's control API; None if there is no such path."""
        ...


class FakeServer(ThreadingHTTPServer):
    """A service on 127.0.0.1, one thread per connection. Port 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        self.control = Control()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Its URL, without a trailing slash."""
        return f"http://127.0.0.1:{self.server_port}"


def run(service: Service, port: int, title: str) -> None:
    """Serve until interrupted."""
    with FakeServer(service, port) as fake:
        print(f"{title} fake at {fake.url}", flush=True)
        try:
            fake.serve_forever()
        except KeyboardInterrupt:
            return


class _Handler(BaseHTTPRequestHandler):
    server: FakeServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        """Serve a GET request."""
        self._serve()

    def do_POST(self) -> None:
        """Serve a POST request."""
        self._serve()

    def do_PATCH(self) -> None:
        """Serve a PATCH request."""
        self._serve()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: `/_log` is the log."""

    def _serve(self) -> None:
        try:
            request = self._read()
        except RequestRejected as rejected:
            self.close_connection = True  # the rest of the body must not be read as a request
            self._send(_rejection(rejected))
            return
        if request.path.startswith("/_"):
            self._send(self._command(request))
        else:
            self._treat(request)

    def _read(self) -> Request:
        length = request_guard.body_length_bytes(self.headers, _BODY_LIMIT_BYTES)
        path, _, query = self.path.partition("?")
        return Request(
            method=self.command,
            path=path,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )

    def _command(self, request: Request) -> Reply:
        try:
            request_guard.check_host_and_origin(self.headers, self.server.server_port)
        except RequestRejected as rejected:
            return _rejection(rejected)
        control = self.server.control
        match request.method, request.path:
            case "GET", "/_log":
                return Reply(HTTPStatus.OK, control.log())
            case "POST", "/_reset":
                control.reset()
                return Reply(HTTPStatus.OK, {})
            case "POST", "/_behave":
                return _behave(control, request)
        unknown = Reply(HTTPStatus.NOT_FOUND, {"message": f"there is no {request.path}"})
        return self.server.service.command(request) or unknown

    def _treat(self, request: Request) -> None:
        call = self.server.service.describe(request)
        entry, treatment = self.server.control.begin(call, request.path)
        behaviour = treatment.behaviour
        treatment.released.wait(behaviour.latency_ms / 1000)
        if behaviour.hang:
            self._hang(treatment.released)
            return
        reply = self._reply(request, behaviour)
        if behaviour.drop_reply:
            self.close_connection = True
            return
        self._send(reply, entry, behaviour.trickle_ms / 1000)

    def _reply(self, request: Request, behaviour: Behaviour) -> Reply:
        service = self.server.service
        if behaviour.answer_with is not None:
            status = behaviour.fail_with or HTTPStatus.OK
            return Reply(status, None, text=behaviour.answer_with)
        if behaviour.fail_with is not None:
            return service.failure(behaviour.fail_with)
        if behaviour.throttle:
            return service.throttled()
        return service.answer(request, behaviour)

    def _hang(self, released: threading.Event) -> None:
        """Send nothing until the behaviours are cleared or the client has disconnected."""
        self.close_connection = True
        while not released.wait(_HANG_LOOKS_EVERY_SECONDS):
            if _has_gone(self.connection):
                return

    def _send(self, reply: Reply, entry: Entry | None = None, pause_seconds: float = 0.0) -> None:
        content = reply.content
        content_type = "text/html; charset=utf-8"
        if isinstance(content, Html):
            body = content.text.encode("utf-8", "xmlcharrefreplace")
        else:
            content_type = "application/json"
            # A lone surrogate from a request is sent back as a JSON escape.
            text = json.dumps(content, ensure_ascii=False) if reply.text is None else reply.text
            body = text.encode("utf-8", "backslashreplace")
        # Logged first, so that a client that has the answer finds it in the log.
        if entry is not None:
            entry.status = reply.status
        try:
            self.send_response(reply.status)
            headers = {"Content-Type": content_type} | dict(reply.headers)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for piece in _pieces(body, pause_seconds):
                self.wfile.write(piece)
                self.wfile.flush()
        except ConnectionError:
            # The client did not wait; the request has been carried out all the same.
            self.close_connection = True


def _pieces(body: bytes, pause_seconds: float) -> Iterator[bytes]:
    """Yield the body, byte by byte if there is to be a pause before each."""
    if not pause_seconds:
        yield body
        return
    for byte in body:
        time.sleep(pause_seconds)
        yield bytes([byte])


def _rejection(rejected: RequestRejected) -> Reply:
    content = request_guard.problem(rejected.status, rejected.detail)
    return Reply(rejected.status, content, {"Content-Type": "application/problem+json"})


def _behave(control: Control, request: Request) -> Reply:
    try:
        control.behave(request.json())
    except ValueError as error:
        return Reply(HTTPStatus.BAD_REQUEST, {"message": str(error)})
    return Reply(HTTPStatus.OK, {})


def _has_gone(connection: socket.socket) -> bool:
    """Whether the client has disconnected: readable, with nothing to read."""
    readable, _, _ = select.select([connection], [], [], 0)
    if not readable:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except ConnectionError:
        return True
