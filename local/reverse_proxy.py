"""The laptop stack's reverse proxy: one address for my page, the API, function URLs and the clock.

    /api/...       the HTTP API
    /fn/<name>/    a function URL
    /_clock        GET, and POST {"offset_seconds"}: see local/clock.py
    /_login        POST {"customer_id"}: a session token for a demo customer, also as a cookie
    /_customers    GET: the demo customers
    /_staff        GET: the demo shop's staff; POST {"staff_id"}: a token of a member of the staff
    /_shopify      POST {"query", "variables"}: the Admin API, as the admin calls it for its staff
    /extensions/   the bundled extensions, for the staff's page
    /              my page: the bundle of local/page_bundle.py, the files of local/page/ and of web/

Paths that begin with `/_` reject requests from pages of another origin: see local/request_guard.py.

Requests are forwarded unchanged: method, path, headers and body, byte for byte. Only an encoded
slash in a path is encoded once more, because API Gateway decodes a path before it matches a route:
so `gid%3A%2F%2Fshopify%2FCustomer%2F1` is one segment of a path here.
"""

import gzip
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
from urllib.parse import unquote, urlsplit

from local import demo, request_guard, signing
from local.clock import Clock, ClockRefused
from local.options import ROOT
from local.request_guard import RequestRejected

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
"""Hop-by-hop headers (RFC 9110, section 7.6.1), and headers that the proxy sets itself."""


@dataclass(frozen=True, slots=True)
class Upstreams:
    """What the proxy forwards to.

    `function_url_ids` are by function name. A file is served from the first of `page_directories`
    that has it, a bundled extension from `extensions_directory`. `storefront_url` is where the
    shop's cart is, "" if nowhere.
    """

    emulator_port: int
    api_id: str
    function_url_ids: Mapping[str, str]
    page_directories: tuple[Path, ...]
    storefront_url: str = ""
    extensions_directory: Path = ROOT / ".local" / "extensions"


class ReverseProxy(ThreadingHTTPServer):
    """The server on 127.0.0.1, one thread per connection. It listens before `upstreams` are set."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, clock: Clock) -> None:
        self.clock = clock
        self.upstreams: Upstreams | None = None
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: ReverseProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 75

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the functions log their requests."""

    def handle_any(self) -> None:
        """Read the request and route it by its path."""
        try:
            body = self._read_body()
        except RequestRejected as rejected:
            self.send_error(rejected.status, rejected.detail)
            return
        path, _, query = self.path.partition("?")
        upstreams = self.server.upstreams
        if not (self.path.isascii() and self.path.isprintable()):
            self._problem(
                HTTPStatus.BAD_REQUEST,
                "The path has characters that are not ASCII; percent-encode them.",
            )
        elif path.startswith("/_"):
            self._serve_local(path, body)
        elif upstreams is None:
            self._problem(HTTPStatus.BAD_GATEWAY, "The local stack is still starting.")
        elif path == "/api" or path.startswith("/api/"):
            prefix = f"/_aws/execute-api/{upstreams.api_id}"
            api_path = _ENCODED_SLASH.sub(r"%25\1", path.removeprefix("/api"))
            self._forward(upstreams, prefix + api_path, query, body)
        elif path.startswith("/fn/"):
            name, _, rest = path.removeprefix("/fn/").partition("/")
            url_id = upstreams.function_url_ids.get(name)
            if url_id is None:
                self._problem(HTTPStatus.NOT_FOUND, f"No function {name!r} has a URL.")
            else:
                self._forward(upstreams, f"/_aws/lambda-url/{url_id}/{rest}", query, body)
        else:
            self._serve_page(upstreams, path)

    # http.server asks for a method of this name for each HTTP method.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815

    @override
    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Reject a request that was not read to its end, and close the connection."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._problem(status, message or status.description)

    def _read_body(self) -> bytes:
        """Return the body. Raises RequestRejected if it is too long or malformed."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        return self.rfile.read(request_guard.body_length_bytes(self.headers, _BODY_LIMIT_BYTES))

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            try:
                size = int(self.rfile.readline(64).partition(b";")[0].strip(), 16)
            except ValueError:
                raise RequestRejected(
                    HTTPStatus.BAD_REQUEST, "A chunk of the body has no valid size."
                ) from None
            if size < 0:
                raise RequestRejected(
                    HTTPStatus.BAD_REQUEST, "A chunk of the body has a negative size."
                )
            if len(body) + size > _BODY_LIMIT_BYTES:
                raise request_guard.body_too_large(_BODY_LIMIT_BYTES)
            body += self.rfile.read(size)
            self.rfile.readline(64)
            if size == 0:
                return bytes(body)

    def _forward(self, upstreams: Upstreams, path: str, query: str, body: bytes) -> None:
        target = f"{path}?{query}" if query else path
        connection = HTTPConnection("127.0.0.1", upstreams.emulator_port, timeout=_UPSTREAM_SECONDS)
        try:
            connection.putrequest(self.command, target, skip_host=True, skip_accept_encoding=True)
            self._put_headers(connection, upstreams, body)
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
        self._relay_response(response, content)

    def _put_headers(self, connection: HTTPConnection, upstreams: Upstreams, body: bytes) -> None:
        for name, value in self.headers.items():
            if name.lower() not in _CONNECTION_HEADERS:
                connection.putheader(name, value.encode("latin-1", "replace"))
        connection.putheader("Host", f"127.0.0.1:{upstreams.emulator_port}")
        connection.putheader("X-Forwarded-For", self.client_address[0])
        connection.putheader("X-Forwarded-Host", self.headers.get("Host", ""))
        connection.putheader("X-Forwarded-Port", str(self.server.server_port))
        connection.putheader("X-Forwarded-Proto", "http")
        if body or self.command in (HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH):
            connection.putheader("Content-Length", str(len(body)))

    def _relay_response(self, response: HTTPResponse, content: bytes) -> None:
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
            request_guard.check_host_and_origin(self.headers, self.server.server_port)
        except RequestRejected as rejected:
            self._problem(rejected.status, rejected.detail)
            return
        posts = {
            "/_clock": self._move_clock,
            "/_login": self._log_in,
            "/_staff": self._log_staff_in,
            "/_shopify": self._query_shopify,
        }
        if self.command == HTTPMethod.POST and path in posts:
            posts[path](body)
        elif self.command == HTTPMethod.GET and path == "/_clock":
            self._json({"offset_seconds": self.server.clock.offset_seconds})
        elif self.command == HTTPMethod.GET and path in _PEOPLE:
            self._json(_PEOPLE[path])
        elif path in posts or path in _PEOPLE:
            self._problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} does not accept {self.command}.")
        else:
            self._problem(HTTPStatus.NOT_FOUND, f"There is no {path} here.")

    def _move_clock(self, body: bytes) -> None:
        try:
            moved = self.server.clock.move(_member(body, "offset_seconds"))
        except ClockRefused as rejected:
            self._problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(rejected))
        else:
            self._json({"offset_seconds": moved})

    def _log_in(self, body: bytes) -> None:
        customer_id = _member(body, "customer_id")
        if not isinstance(customer_id, str) or customer_id not in demo.CUSTOMERS:
            ids = ", ".join(demo.CUSTOMERS)
            self._problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"customer_id must be one of {ids}.")
            return
        token, upstreams = signing.session_token(customer_id), self.server.upstreams
        cookie = f"sessionToken={token}; Path=/; Max-Age={signing.SESSION_SECONDS}; SameSite=Lax"
        self._json(
            {
                "customer_id": customer_id,
                "name": demo.CUSTOMERS[customer_id],
                "session_token": token,
                "expires_in_seconds": signing.SESSION_SECONDS,
                "storefront_url": upstreams.storefront_url if upstreams else "",
            },
            {"Set-Cookie": f"{cookie}; HttpOnly"},
        )

    def _log_staff_in(self, body: bytes) -> None:
        staff_id = _member(body, "staff_id")
        if not isinstance(staff_id, str) or staff_id not in demo.STAFF:
            ids = ", ".join(demo.STAFF)
            self._problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"staff_id must be one of {ids}.")
            return
        self._json(
            {
                "staff_id": staff_id,
                "name": demo.STAFF[staff_id],
                "session_token": signing.staff_token(staff_id),
                "expires_in_seconds": signing.SESSION_SECONDS,
            }
        )

    def _query_shopify(self, body: bytes) -> None:
        upstreams = self.server.upstreams
        if upstreams is None or not upstreams.storefront_url:
            self._problem(HTTPStatus.BAD_GATEWAY, "The fake Shopify is not running.")
            return
        port = urlsplit(upstreams.storefront_url).port
        connection = HTTPConnection("127.0.0.1", port or 80, timeout=_UPSTREAM_SECONDS)
        try:
            connection.request("POST", "/_graphql", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            self._relay_response(response, response.read())
        except (OSError, HTTPException):
            self._problem(HTTPStatus.BAD_GATEWAY, "The fake Shopify does not answer.")
        finally:
            connection.close()

    def _serve_page(self, upstreams: Upstreams, path: str) -> None:
        if path.startswith("/extensions/"):
            bundles = (upstreams.extensions_directory,)
            self._serve_file(bundles, path.removeprefix("/extensions"))
        else:
            self._serve_file(upstreams.page_directories, path)

    def _serve_file(self, directories: tuple[Path, ...], path: str) -> None:
        if self.command not in (HTTPMethod.GET, HTTPMethod.HEAD):
            self._problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} does not accept {self.command}.")
            return
        file = _file_in(directories, unquote(path))
        if file is None:
            self._problem(HTTPStatus.NOT_FOUND, f"There is no {path} here.")
            return
        content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        if content_type.startswith("text/") or content_type.endswith(("javascript", "json")):
            content_type += "; charset=utf-8"
        content, headers = file.read_bytes(), {"Cache-Control": "no-store"}
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content)
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        self._send(HTTPStatus.OK, content_type, content, headers)

    def _json(self, content: object, headers: Mapping[str, str] | None = None) -> None:
        self._send(HTTPStatus.OK, "application/json", json.dumps(content).encode(), headers or {})

    def _problem(self, status: HTTPStatus, detail: str) -> None:
        content = json.dumps(request_guard.problem(status, detail)).encode()
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


_PEOPLE: Mapping[str, Mapping[str, list[dict[str, str]]]] = {
    "/_customers": {
        "customers": [{"customer_id": one, "name": name} for one, name in demo.CUSTOMERS.items()]
    },
    "/_staff": {"staff": [{"staff_id": one, "name": name} for one, name in demo.STAFF.items()]},
}


def _file_in(directories: tuple[Path, ...], path: str) -> Path | None:
    """Return the file for a path from the first directory that has it; None if none has."""
    if "\0" in path:
        return None
    for directory in directories:
        try:
            file = (directory / path.lstrip("/")).resolve()
            if file.is_dir():
                file /= "index.html"
            if file.is_relative_to(directory) and file.is_file():
                return file
        except OSError:  # not a valid file name, such as one that is too long
            continue
    return None


def _member(body: bytes, name: str) -> object:
    """Return a member of the JSON object in a body; None if there is none."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content.get(name) if isinstance(content, dict) else None
