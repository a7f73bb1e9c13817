"""A raw HTTP client for malformed requests."""

import json
import socket
from http.client import HTTPResponse
from typing import Any, NamedTuple

_WAIT_SECONDS = 5.0


class Answer(NamedTuple):
    """What came back; `content` is the body's JSON."""

    status: int
    content_type: str
    content: Any


def send(port: int, request: bytes) -> Answer:
    """Send these bytes on a connection of their own. Fails when they get no answer."""
    with socket.create_connection(("127.0.0.1", port), _WAIT_SECONDS) as connection:
        connection.sendall(request)
        response = HTTPResponse(connection)
        response.begin()
        body = response.read()
    return Answer(response.status, response.getheader("Content-Type", ""), json.loads(body))


def get(path: bytes, *headers: str, host: str | None = "127.0.0.1") -> bytes:
    """Return a GET request."""
    return _request(b"GET", path, headers, host, b"")


def post(path: bytes, body: bytes, *headers: str, host: str | None = "127.0.0.1") -> bytes:
    """Return a POST request, by default as a client without a browser sends it."""
    return _request(b"POST", path, (*headers, f"Content-Length: {len(body)}"), host, body)


def _request(
    method: bytes, path: bytes, headers: tuple[str, ...], host: str | None, body: bytes
) -> bytes:
    named = headers if host is None else (f"Host: {host}", *headers)
    lines = "".join(f"{line}\r\n" for line in named).encode("latin-1")
    return method + b" " + path + b" HTTP/1.1\r\n" + lines + b"\r\n" + body


def assert_problem(answer: Answer, status: int) -> None:
    """Fail unless this is a problem document with this status and a sentence."""
    assert answer.status == status
    assert answer.content_type == "application/problem+json"
    assert answer.content["status"] == status
    assert answer.content["detail"]
