"""The one address of the laptop stack: my page, the API, the function URLs and the clock.

    /api/...       the HTTP API
    /fn/<name>/    a function URL
    /_clock        GET, and POST {"offset_seconds"}: see local/clock.py
    /_login        POST {"customer_id"}: a session token for a demo customer, also as a cookie
    /_customers    GET: the demo customers
    /              my page: the files of local/page/ and, beside them, of web/

What begins with `/_` heeds no page of another origin: see local/incoming.py.

Requests are passed on as they came: method, path, headers, body to the byte. Only a slash that is
encoded in a path is encoded once more, because API Gateway decodes a path before it looks for its
route: so `gid%3A%2F%2Fshopify%2FCustomer%2F1` is one part of a path here.
"""

import json
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPMethod, HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import override
from urllib.parse import unquote

from local import demo, incoming, signing
from local.clock import Clock, ClockRefused
from local.incoming import RequestRefused

_BODY_LIMIT_BYTES = 10_000_000  # API Gateway's own, rounded
_UPSTREAM_SECONDS = 120.0
_ENCODED_SLASH = re.compile("%(2F)", re.IGNORECASE)
_CONNECTION_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
    }
)
"""Headers about one connection (RFC 9110, section 7.6.1), and those that this door writes."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What lies behind the door.

    `function_url_ids` are by function name. A file is served from the first of `page_directories`
    that has it.
    """

    emulator_port: int
    api_id: str
    function_url_ids: Mapping[str, str]
    page_directories: tuple[Path, ...]


class FrontDoor(ThreadingHTTPServer):
    """The door on 127.0.0.1, one thread a connection. It opens before the rooms are ready."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, clock: Clock) -> None:
        self.clock = clock
        self.rooms: Dependencies | None = None
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: FrontDoor
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 75

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal quiet: the functions log what was asked."""

    def handle_any(self) -> None:
        """Read the request and pass it to where its path leads."""
        try:
            body = self._read_body()
        except RequestRefused as refused:
            self.send_error(refused.status, refused.detail)
            return
        path, _, query = self.path.partition("?")
        rooms = self.server.rooms
        if not (self.path.isascii() and self.path.isprintable()):
            self._problem(HTTPStatus.BAD_REQUEST, "Percent-encode what is not ASCII in a path.")
        elif path.startswith("/_"):
            self._serve_local(path, body)
        elif rooms is None:
            self._problem(HTTPStatus.BAD_GATEWAY, "The local stack is still starting.")
        elif path == "/api" or path.startswith("/api/"):
            prefix = f"/_aws/execute-api/{rooms.api_id}"
            api_path = _ENCODED_SLASH.sub(r"%25\1", path.removeprefix("/api"))
            self._pass_on(rooms, prefix + api_path, query, body)
        elif path.startswith("/fn/"):
            name, _, rest = path.removeprefix("/fn/").partition("/")
            url_id = rooms.function_url_ids.get(name)
            if url_id is None:
                self._problem(HTTPStatus.NOT_FOUND, f"No function {name!r} has a URL.")
            else:
                self._pass_on(rooms, f"/_aws/lambda-url/{url_id}/{rest}", query, body)
        else:
            self._serve_file(rooms.page_directories, path)

    # http.server asks for a method of this name for each HTTP method.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815

    @override
    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request that was not read to its end: what is left of it is no request."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._problem(status, message or status.description)

    def _read_body(self) -> bytes:
        """The body to the byte. Raises RequestRefused when it is too long or not to be read."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        return self.rfile.read(incoming.body_length_bytes(self.headers, _BODY_LIMIT_BYTES))

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            try:
                size = int(self.rfile.readline(64).partition(b";")[0].strip(), 16)
            except ValueError:
                raise RequestRefused(HTTPStatus.BAD_REQUEST, "A chunk has no size.") from None
            if size < 0:
                raise RequestRefused(HTTPStatus.BAD_REQUEST, "A chunk has a size below zero.")
            if len(body) + size > _BODY_LIMIT_BYTES:
                raise incoming.body_too_large(_BODY_LIMIT_BYTES)
            body += self.rfile.read(size)
            self.rfile.readline(64)
            if size == 0:
                return bytes(body)

    def _pass_on(self, rooms: Dependencies, path: str, query: str, body: bytes) -> None:
        target = f"{path}?{query}" if query else path
        connection = HTTPConnection("127.0.0.1", rooms.emulator_port, timeout=_UPSTREAM_SECONDS)
        try:
            connection.putrequest(self.command, target, skip_host=True, skip_accept_encoding=True)
            self._put_headers(connection, rooms, body)
            connection.endheaders(body)
            response = connection.getresponse()
            content = response.read()
        except TimeoutError:
            self._problem(HTTPStatus.GATEWAY_TIMEOUT, "The local stack did not answer in time.")
            return
        except (OSError, HTTPException):
            self._problem(HTTPStatus.BAD_GATEWAY, "The local stack does not answer.")
            return
        finally:
            connection.close()
        self._answer_as(response, content)

    def _put_headers(self, connection: HTTPConnection, rooms: Dependencies, body: bytes) -> None:
        for name, value in self.headers.items():
            if name.lower() not in _CONNECTION_HEADERS:
                connection.putheader(name, value.encode("latin-1", "replace"))
        connection.putheader("Host", f"127.0.0.1:{rooms.emulator_port}")
        connection.putheader("X-Forwarded-For", self.client_address[0])
        connection.putheader("X-Forwarded-Host", self.headers.get("Host", ""))
        connection.putheader("X-Forwarded-Port", str(self.server.server_port))
        connection.putheader("X-Forwarded-Proto", "http")
        if body or self.command in (HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH):
            connection.putheader("Content-Length", str(len(body)))

    def _answer_as(self, response: HTTPResponse, content: bytes) -> None:
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in _CONNECTION_HEADERS:
                self.send_header(name, value)
        if response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != HTTPMethod.HEAD:
            self.wfile.write(content)

    def _serve_local(self, path: str, body: bytes) -> None:
        try:
            incoming.refuse_strangers(self.headers, self.server.server_port)
        except RequestRefused as refused:
            self._problem(refused.status, refused.detail)
            return
        match self.command, path:
            case HTTPMethod.GET, "/_clock":
                self._json({"offset_seconds": self.server.clock.offset_seconds})
            case HTTPMethod.POST, "/_clock":
                self._move_clock(body)
            case HTTPMethod.POST, "/_login":
                self._log_in(body)
            case HTTPMethod.GET, "/_customers":
                customers = [{"customer_id": id_, "name": n} for id_, n in demo.CUSTOMERS.items()]
                self._json({"customers": customers})
            case _, "/_clock" | "/_login" | "/_customers":
                self._problem(
                    HTTPStatus.METHOD_NOT_ALLOWED, f"{path} does not take {self.command}."
                )
            case _:
                self._problem(HTTPStatus.NOT_FOUND, f"There is no {path} here.")

    def _move_clock(self, body: bytes) -> None:
        try:
            moved = self.server.clock.move(_member(body, "offset_seconds"))
        except ClockRefused as refused:
            self._problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(refused))
        else:
            self._json({"offset_seconds": moved})

    def _log_in(self, body: bytes) -> None:
        customer_id = _member(body, "customer_id")
        if not isinstance(customer_id, str) or customer_id not in demo.CUSTOMERS:
            known = ", ".join(demo.CUSTOMERS)
            self._problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"customer_id must be one of {known}.")
            return
        token = signing.session_token(customer_id)
        cookie = f"sessionToken={token}; Path=/; Max-Age={signing.SESSION_SECONDS}; SameSite=Lax"
        self._json(
            {
                "customer_id": customer_id,
                "name": demo.CUSTOMERS[customer_id],
                "session_token": token,
                "expires_in_seconds": signing.SESSION_SECONDS,
            },
            {"Set-Cookie": f"{cookie}; HttpOnly"},
        )

    def _serve_file(self, directories: tuple[Path, ...], path: str) -> None:
        if self.command not in (HTTPMethod.GET, HTTPMethod.HEAD):
            self._problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} does not take {self.command}.")
            return
        file = _file_in(directories, unquote(path))
        if file is None:
            self._problem(HTTPStatus.NOT_FOUND, f"There is no {path} here.")
            return
        content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        if content_type.startswith("text/") or content_type.endswith(("javascript", "json")):
            content_type += "; charset=utf-8"
        self._send(HTTPStatus.OK, content_type, file.read_bytes(), {"Cache-Control": "no-store"})

    def _json(self, content: object, headers: Mapping[str, str] | None = None) -> None:
        self._send(HTTPStatus.OK, "application/json", json.dumps(content).encode(), headers or {})

    def _problem(self, status: HTTPStatus, detail: str) -> None:
        content = json.dumps(incoming.problem(status, detail)).encode()
        self._send(status, "application/problem+json", content, {})

    def _send(
        self, status: HTTPStatus, content_type: str, content: bytes, headers: Mapping[str, str]
    ) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != HTTPMethod.HEAD:
            self.wfile.write(content)


def _file_in(directories: tuple[Path, ...], path: str) -> Path | None:
    """The file that a path names in the first of the folders that has it, and in no other place."""
    if "\0" in path:
        return None
    for directory in directories:
        try:
            file = (directory / path.lstrip("/")).resolve()
            if file.is_dir():
                file /= "index.html"
            if file.is_relative_to(directory) and file.is_file():
                return file
        except OSError:  # the system knows no such name, such as one that is too long
            continue
    return None


def _member(body: bytes, name: str) -> object:
    """One member of the JSON object in a body; None when there is no such thing."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content.get(name) if isinstance(content, dict) else None
