"""The HTTP server under both stand-ins.

A service only says what a request is about and what the answer is; being slow, failing, hanging and
the log are the server's part.
"""

import json
import select
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol, override
from urllib.parse import parse_qsl

from local import incoming
from local.incoming import RequestRefused
from local.stand_ins.control import Behaviour, Control, Entry, Named

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
        """The body's JSON; raises ValueError."""
        try:
            decoded: object = json.loads(self.body)
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None
        return decoded


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `content` is sent as JSON."""

    status: int
    content: object
    headers: Mapping[str, str] = field(default_factory=dict)


class Service(Protocol):
    """What stands in for one real service."""

    def name(self, request: Request) -> Named:
        """What the request is about; must not fail on a malformed one."""
        ...

    def answer(self, request: Request, behaviour: Behaviour) -> Reply:
        """Do what was asked. Of the behaviour only `forget` is the service's to heed."""
        ...

    def failure(self, status: int) -> Reply:
        """How the real service words a failure with this status."""
        ...

    def throttled(self) -> Reply:
        """How the real service says that it was called too often."""
        ...

    def command(self, request: Request) -> Reply | None:
        """Answer a `/_...` path of this service's own; None when there is none such."""
        ...


class StandIn(ThreadingHTTPServer):
    """A service on 127.0.0.1, one thread a connection. Port 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        self.control = Control()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self.server_port}"


def run(service: Service, port: int, title: str) -> None:
    """Serve until interrupted."""
    with StandIn(service, port) as stand_in:
        print(f"{title} stand-in at {stand_in.url}", flush=True)
        try:
            stand_in.serve_forever()
        except KeyboardInterrupt:
            return


class _Handler(BaseHTTPRequestHandler):
    server: StandIn
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        """Serve a request without a body."""
        self._serve()

    def do_POST(self) -> None:
        """Serve a request that brings a body."""
        self._serve()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal quiet: `/_log` is the log."""

    def _serve(self) -> None:
        try:
            request = self._read()
        except RequestRefused as refused:
            self.close_connection = True  # what is left of the body is no request
            self._send(_refusal(refused))
            return
        if request.path.startswith("/_"):
            self._send(self._command(request))
        else:
            self._treat(request)

    def _read(self) -> Request:
        length = incoming.body_length_bytes(self.headers, _BODY_LIMIT_BYTES)
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
            incoming.refuse_strangers(self.headers, self.server.server_port)
        except RequestRefused as refused:
            return _refusal(refused)
        control = self.server.control
        match request.method, request.path:
            case "GET", "/_log":
                return Reply(HTTPStatus.OK, control.log())
            case "POST", "/_reset":
                control.reset()
                return Reply(HTTPStatus.OK, {})
            case "POST", "/_behave":
                return _behave(control, request)
        unknown = Reply(HTTPStatus.NOT_FOUND, {"message": f"no {request.path} here"})
        return self.server.service.command(request) or unknown

    def _treat(self, request: Request) -> None:
        named = self.server.service.name(request)
        entry, treatment = self.server.control.begin(named, request.path)
        behaviour = treatment.behaviour
        treatment.released.wait(behaviour.latency_ms / 1000)
        if behaviour.hang:
            self._hang(treatment.released)
            return
        reply = self._reply(request, behaviour)
        if behaviour.drop_reply:
            self.close_connection = True
            return
        self._send(reply, entry)

    def _reply(self, request: Request, behaviour: Behaviour) -> Reply:
        service = self.server.service
        if behaviour.fail_with is not None:
            return service.failure(behaviour.fail_with)
        if behaviour.throttle:
            return service.throttled()
        return service.answer(request, behaviour)

    def _hang(self, released: threading.Event) -> None:
        """Say nothing until the behaviours are cleared or the caller has gone."""
        self.close_connection = True
        while not released.wait(_HANG_LOOKS_EVERY_SECONDS):
            if _has_gone(self.connection):
                return

    def _send(self, reply: Reply, entry: Entry | None = None) -> None:
        # Half a surrogate pair that somebody sent goes back as JSON's own escape.
        body = json.dumps(reply.content, ensure_ascii=False).encode("utf-8", "backslashreplace")
        # Logged first: who has the answer in hand finds it in the log.
        if entry is not None:
            entry.status = reply.status
        try:
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json"} | dict(reply.headers)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
        except ConnectionError:
            # The caller did not wait; what was done is done.
            self.close_connection = True


def _refusal(refused: RequestRefused) -> Reply:
    content = incoming.problem(refused.status, refused.detail)
    return Reply(refused.status, content, {"Content-Type": "application/problem+json"})


def _behave(control: Control, request: Request) -> Reply:
    try:
        control.behave(request.json())
    except ValueError as error:
        return Reply(HTTPStatus.BAD_REQUEST, {"message": str(error)})
    return Reply(HTTPStatus.OK, {})


def _has_gone(connection: socket.socket) -> bool:
    """Whether the other side has closed: readable, and nothing there to read."""
    readable, _, _ = select.select([connection], [], [], 0)
    if not readable:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except ConnectionError:
        return True
