"""What the servers of the laptop check before they heed a request.

They listen on 127.0.0.1, and a developer's browser is there too, with pages of anybody in it. A
page can send a simple request to any address (Fetch, "CORS-safelisted"), and can give a name of
its own to 127.0.0.1 (DNS rebinding). A browser tells of both: the one by Origin, the other by Host.
"""

from email.message import Message
from http import HTTPStatus

_OWN_NAMES = ("127.0.0.1", "localhost")
_LENGTH_DIGITS_MAX = 20
"""Room for any length that can be meant; Python refuses to read numbers of over 4300 digits."""


class RequestRefused(Exception):
    """The request is answered with this status and this sentence, and nothing else is done."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(detail)


def refuse_strangers(headers: Message, port: int) -> None:
    """Return if the request was meant for this server by one of its own pages, or by no page.

    Raises RequestRefused (403) when Host names another machine than 127.0.0.1 or localhost, or
    Origin is there and is not this server's own on `port`.
    """
    hosts = headers.get_all("Host", [])
    if len(hosts) != 1 or hosts[0].strip().partition(":")[0].lower() not in _OWN_NAMES:
        raise RequestRefused(
            HTTPStatus.FORBIDDEN, "Ask for this address by the name 127.0.0.1 or localhost."
        )
    own_origins = {f"http://{name}:{port}" for name in _OWN_NAMES}
    if not own_origins.issuperset(headers.get_all("Origin", [])):
        raise RequestRefused(
            HTTPStatus.FORBIDDEN, "A page of another origin may not use this address."
        )


def body_length_bytes(headers: Message, limit_bytes: int) -> int:
    """Return the Content-Length, 0 without one. Raises RequestRefused: no number, or over it."""
    length = headers.get("Content-Length", "0")
    if not length.isascii() or not length.isdigit():
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "Content-Length is not a number.")
    if len(length) > _LENGTH_DIGITS_MAX or int(length) > limit_bytes:
        raise body_too_large(limit_bytes)
    return int(length)


def body_too_large(limit_bytes: int) -> RequestRefused:
    """Return the refusal of a body that is longer than `limit_bytes`."""
    megabytes = limit_bytes // 1_000_000
    return RequestRefused(HTTPStatus.CONTENT_TOO_LARGE, f"The body is over {megabytes} MB.")


def problem(status: HTTPStatus, detail: str) -> dict[str, object]:
    """Return the problem document (RFC 9457) of the laptop stack itself."""
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "code": "local_stack",
    }
