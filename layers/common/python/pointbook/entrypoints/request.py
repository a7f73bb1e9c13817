"""HTTP requests from API Gateway (payload version 2.0), function URLs, sam local and MiniStack.

They differ in the case of header names, in where cookies are (in a list or in the header), and in
the encoding of bodies (text or base64). `Request` hides the differences.
"""

import base64
import binascii
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from pointbook.errors import BodyTooLarge, InvalidRequest, MalformedBody
from pointbook.validation import json_object, shown, whole_number

BODY_BYTES_MAX = 64 * 1024
IDEMPOTENCY_KEY_LENGTH_MAX = 255
QUERY_FIELDS_MAX = 100
HISTORY_ENTRIES_DEFAULT = 20
HISTORY_ENTRIES_MAX = 200
VERSION_MAX = 999_999_999_999

AUTHORIZATION_HEADER = "authorization"
CONTENT_TYPE_HEADER = "content-type"
COOKIE_HEADER = "cookie"
IDEMPOTENCY_KEY_HEADER = "idempotency-key"
ORIGIN_HEADER = "origin"

IDEMPOTENCY_KEY_MEMBER = "idempotency_key"

type Event = Mapping[str, Any]


@dataclass(slots=True)
class Timing:
    """The duration of the named steps of a request, in milliseconds."""

    steps_ms: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the duration of the block to `step`, also when it raises."""
        started = time.perf_counter()
        try:
            yield
        finally:
            elapsed_ms = (time.perf_counter() - started) * 1000
            self.steps_ms[step] = self.steps_ms.get(step, 0.0) + elapsed_ms


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are lower-case, `query` and `path_parameters` are decoded.

    `body` is the raw bytes as they were sent, which signatures cover. `iam` is API Gateway's
    description of the caller on routes with IAM authorization; no client can send it.
    """

    method: str
    path_parameters: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str] = field(repr=False)
    cookies: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    iam: Mapping[str, Any] = field(default_factory=dict, repr=False)
    timing: Timing = field(default_factory=Timing, repr=False)

    def header(self, name: str) -> str | None:
        """Return the value of a header (in any case), or None."""
        return self.headers.get(name.lower())

    def cookie_values(self, name: str) -> tuple[str, ...]:
        """Return all values of a cookie: a browser may send several."""
        return tuple(value for cookie, value in self.cookies if cookie == name)

    def query_value(self, name: str) -> str | None:
        """Return the value of a query parameter, or None. Raises InvalidRequest if given twice."""
        values = [value for parameter, value in self.query if parameter == name]
        if len(values) > 1:
            raise InvalidRequest(name, f"{name} is given {len(values)} times; send it once.")
        return values[0] if values else None

    def query_number(self, name: str, default: int, low: int, high: int) -> int:
        """Return a query parameter as an integer, or `default`.

        Raises InvalidRequest for anything but an integer from `low` to `high`.
        """
        value = self.query_value(name)
        return default if value is None else whole_number(value, name, low, high)

    def history_page(self) -> tuple[int, int]:
        """Return the query's `limit` and `cursor`: how many entries, below which version.

        Raises InvalidRequest.
        """
        limit = self.query_number("limit", HISTORY_ENTRIES_DEFAULT, 1, HISTORY_ENTRIES_MAX)
        return limit, self.query_number("cursor", VERSION_MAX, 1, VERSION_MAX)

    def json_object(self) -> dict[str, Any]:
        """Return the JSON object in the body. Raises MalformedBody."""
        return json_object(self.body)

    def idempotency_key(self) -> str:
        """Return the header `Idempotency-Key`: 1 to 255 characters, not all blank.

        Raises InvalidRequest with the code `idempotency_key_missing`, or if it is too long.
        """
        return self._checked_key(self.header(IDEMPOTENCY_KEY_HEADER))

    def idempotency_key_or_member(self, body: Mapping[str, Any]) -> str:
        """Return the key of the header, else the member `idempotency_key` of the JSON `body`.

        An app proxy may drop the header. No page of another origin can send the header without
        being asked, but a form of its can send such a body: where nothing but what the browser adds
        by itself says who asks, the member counts only in a body that is declared as JSON. Raises
        InvalidRequest, also if header and member differ.
        """
        header, member = self.header(IDEMPOTENCY_KEY_HEADER), body.get(IDEMPOTENCY_KEY_MEMBER)
        if member is None:
            return self._checked_key(header)
        if not isinstance(member, str):
            raise InvalidRequest(
                IDEMPOTENCY_KEY_MEMBER,
                f"{IDEMPOTENCY_KEY_MEMBER} is {shown(member)}, but must be a text.",
            )
        if header is not None and header != member:
            raise InvalidRequest(
                IDEMPOTENCY_KEY_MEMBER,
                f"The header Idempotency-Key and the member {IDEMPOTENCY_KEY_MEMBER} differ;"
                " send one of them.",
            )
        if self.header(AUTHORIZATION_HEADER) is None and not self._is_declared_json():
            raise InvalidRequest(
                CONTENT_TYPE_HEADER,
                f"Send Content-Type: application/json with the member {IDEMPOTENCY_KEY_MEMBER}.",
            )
        return self._checked_key(member)

    def _is_declared_json(self) -> bool:
        media_type = (self.header(CONTENT_TYPE_HEADER) or "").partition(";")[0]
        return media_type.strip().lower() == "application/json"

    @staticmethod
    def _checked_key(key: str | None) -> str:
        if key is None or not key.strip():
            raise InvalidRequest(
                IDEMPOTENCY_KEY_HEADER,
                "Idempotency-Key header is required; use a new key for each new request.",
                code="idempotency_key_missing",
            )
        if len(key) > IDEMPOTENCY_KEY_LENGTH_MAX:
            raise InvalidRequest(
                IDEMPOTENCY_KEY_HEADER,
                f"Idempotency-Key has {len(key)} characters, but at most"
                f" {IDEMPOTENCY_KEY_LENGTH_MAX} are allowed.",
            )
        return key


def read_request(
    event: Event, *, body_bytes_max: int = BODY_BYTES_MAX, timing: Timing | None = None
) -> Request:
    """Return the request in a Lambda `event` of payload version 2.0.

    Raises BodyTooLarge before anything else is read, MalformedBody for a body that is not valid
    base64 although the event says so, InvalidRequest for a query with too many fields.
    """
    body = _body(event, body_bytes_max)
    headers = _headers(event)
    http = _context(event).get("http") or {}
    return Request(
        method=str(http.get("method", "")).upper(),
        path_parameters=event.get("pathParameters") or {},
        query=_query(event),
        headers=headers,
        cookies=_cookies(event, headers),
        body=body,
        iam=(_context(event).get("authorizer") or {}).get("iam") or {},
        timing=timing or Timing(),
    )


def origin(event: Event) -> str | None:
    """Return the header `Origin`, also of an event that is refused before it is read."""
    return _headers(event).get(ORIGIN_HEADER)


def request_id(event: Event) -> str:
    """Return the gateway's request id, or a new one if there is none."""
    return str(_context(event).get("requestId") or os.urandom(16).hex())


def _context(event: Event) -> Mapping[str, Any]:
    return event.get("requestContext") or {}


def _body(event: Event, limit_bytes: int) -> bytes:
    body = event.get("body") or ""
    encoded = bool(event.get("isBase64Encoded"))
    if len(body) > (limit_bytes + 2) // 3 * 4 if encoded else len(body) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    raw = _base64(body) if encoded else body.encode("utf-8", "surrogatepass")
    if len(raw) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    return raw


def _base64(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedBody("The body is not valid base64.") from error


def _headers(event: Event) -> dict[str, str]:
    """Return the headers with lower-case names; duplicates are joined by a comma."""
    headers: dict[str, str] = {}
    for name, value in (event.get("headers") or {}).items():
        lower = name.lower()
        headers[lower] = f"{headers[lower]},{value}" if lower in headers else str(value)
    return headers


def _query(event: Event) -> tuple[tuple[str, str], ...]:
    raw = event.get("rawQueryString") or ""
    try:
        return tuple(parse_qsl(raw, keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX))
    except ValueError as error:
        raise InvalidRequest("query", "The query has too many fields.") from error


def _cookies(event: Event, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the cookies of the event's list and of the header: some gateways fill only one."""
    listed = [*(event.get("cookies") or []), *headers.get(COOKIE_HEADER, "").split(";")]
    pairs = (cookie.strip().partition("=") for cookie in listed)
    return tuple(
        dict.fromkeys((name, value.strip('"')) for name, separator, value in pairs if separator)
    )
