"""The request guard of the laptop's servers: checks of Host, Origin and body length.

The servers listen on 127.0.0.1, where a developer's browser runs too, with anybody's pages in it. A
page can send a simple request to any address (Fetch, "CORS-safelisted") and can point a domain of
its own to 127.0.0.1 (DNS rebinding). Origin reveals the first, Host the second.
"""

from email.message import Message
from http import HTTPStatus

_OWN_NAMES = ("127.0.0.1", "localhost")
_LENGTH_DIGITS_MAX = 20
"""Enough for any real length; Python refuses to parse numbers of over 4300 digits."""


class RequestRejected(Exception):
    """The request is answered with this status and detail; nothing else is done."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(detail)


def check_host_and_origin(headers: Message, port: int) -> None:
    """Reject a request that a page of another origin may have sent.

    Raises RequestRejected (403) if Host is not 127.0.0.1 or localhost, or if there is an Origin and
    it is not this server's own on `port`.
    """
    hosts = headers.get_all("Host", [])
    if len(hosts) != 1 or hosts[0].strip().partition(":")[0].lower() not in _OWN_NAMES:
        raise RequestRejected(HTTPStatus.FORBIDDEN, "Host must be 127.0.0.1 or localhost.")
    own_origins = {f"http://{name}:{port}" for name in _OWN_NAMES}
    if not own_origins.issuperset(headers.get_all("Origin", [])):
        raise RequestRejected(
            HTTPStatus.FORBIDDEN, "Pages of another origin may not use this address."
        )


def body_length_bytes(headers: Message, limit_bytes: int) -> int:
    """Return the Content-Length, by default 0. Raises RequestRejected if it is bad or too big."""
    length = headers.get("Content-Length", "0")
    if not length.isascii() or not length.isdigit():
        raise RequestRejected(HTTPStatus.BAD_REQUEST, "Content-Length is not a number.")
    if len(length) > _LENGTH_DIGITS_MAX or int(length) > limit_bytes:
        raise body_too_large(limit_bytes)
    return int(length)


def body_too_large(limit_bytes: int) -> RequestRejected:
    """Return the rejection of a body that is longer than `limit_bytes`."""
    megabytes = limit_bytes // 1_000_000
    return RequestRejected(HTTPStatus.CONTENT_TOO_LARGE, f"The body is larger than {megabytes} MB.")


def problem(status: HTTPStatus, detail: str) -> dict[str, object]:
    """Return a problem document (RFC 9457) of the laptop stack itself."""
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "code": "local_stack",
    }
