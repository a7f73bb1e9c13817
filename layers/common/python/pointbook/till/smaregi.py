"""Smaregi (スマレジ), by its Platform API.

Two reads make one member: the member is found by its code, the points are read by Smaregi's own
customer id. Once that id is cached both reads are sent together; a member that has moved to another
id meanwhile is read again.
"""

import re
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

from pointbook.deadline import Deadline
from pointbook.errors import MalformedBody
from pointbook.http.calls import Answer, AnswerTooLong, Call, CallError, CallTimedOut
from pointbook.http.transport import Transport
from pointbook.till.errors import (
    BadTillAnswer,
    ChangeRefused,
    TillRefusedLogin,
    TillThrottled,
    TillTimeout,
    TillUnavailable,
)
from pointbook.till.member import Capabilities, Member, PointsChange
from pointbook.till.smaregi_answers import read_customer, read_points
from pointbook.validation import json_value

_SCOPE = "pos.customers:read"
_WORKERS = 6
"""Two reads for one member run side by side; the others may be busy with calls that timed out."""
_CONNECT_SECONDS = 0.25
"""A host that accepts connections does so at once; a lost first packet leaves time for a retry."""
_ATTEMPTS = 2
"""Reads may be repeated: one retry after a failure, if there is time for it."""
_TOKEN_MARGIN_SECONDS = 60
"""How long before its end a token is replaced, so that no call is sent with one about to expire."""
_SEARCH_LIMIT = "100"
"""The search may find more than the exact code; the exact one is among the first."""
_CACHED_IDS_MAX = 10_000
_TOKEN = re.compile(r"[!-~]{1,8192}")
_TOKEN_SECONDS_LIMIT = 10**9
_RETRY_AFTER = re.compile(r"[0-9]{1,6}")
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True, slots=True)
class SmaregiConfig:
    """One contract with Smaregi, and the app registered for it.

    `id_url` gives tokens (https://id.smaregi.jp), `api_url` members and points
    (https://api.smaregi.jp). `ranks` turns Smaregi's rank code into the shop's word for
    it ("2" → "gold"); a code that is not listed is passed on as it is.
    """

    contract_id: str
    client_id: str
    client_secret: str = field(repr=False)
    id_url: str
    api_url: str
    ranks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    replace_at_seconds: float


class SmaregiTill:
    """A `Till` that reads Smaregi. Caches its token, its connections and the customer ids."""

    def __init__(self, config: SmaregiConfig) -> None:
        self._config = config
        self._transport = Transport(
            "till", workers=_WORKERS, connect_seconds=_CONNECT_SECONDS, attempts=_ATTEMPTS
        )
        self._token: _Token | None = None
        self._customer_ids: dict[str, str] = {}

    @property
    def capabilities(self) -> Capabilities:
        """See `Till.capabilities`."""
        return Capabilities(pushes=False, expiry=True, lots=False, ranks=True)

    def add_points(self, change: PointsChange, deadline: Deadline) -> int:
        """See `Till.add_points`."""
        deadline.check()
        raise ChangeRefused(f"points of {change.member_number} cannot be changed")

    def is_applied(self, change: PointsChange, deadline: Deadline) -> bool:
        """See `Till.is_applied`."""
        deadline.check()
        raise ChangeRefused(f"points of {change.member_number} cannot be changed")

    def member(self, member_number: str, deadline: Deadline, till_id: str | None = None) -> Member:
        """See `Till.member`. A refused token is replaced once, within the same time."""
        if till_id is not None:
            self._cache_id(member_number, till_id)
        with _call_errors_as_till_errors():
            token = self._current_token(deadline)
            try:
                return self._member(member_number, token, deadline)
            except TillRefusedLogin:
                self._token = None
                return self._member(member_number, self._current_token(deadline), deadline)

    def _member(self, member_number: str, token: str, deadline: Deadline) -> Member:
        finding = self._start_finding(member_number, token, deadline)
        cached_id = self._customer_ids.get(member_number)
        reading = self._start_reading(cached_id, token, deadline) if cached_id else None
        customer = read_customer(self._decoded(finding, deadline), member_number)
        if reading is None or customer.customer_id != cached_id:
            self._cache_id(member_number, customer.customer_id)
            reading = self._start_reading(customer.customer_id, token, deadline)
        points = read_points(self._decoded(reading, deadline), customer.customer_id)
        code = customer.rank_code
        return Member(
            member_number=member_number,
            till_id=customer.customer_id,
            balance_points=points.balance_points,
            expires_on=points.expires_on,
            rank=None if code is None else self._config.ranks.get(code, code),
            as_of=datetime.now(UTC),
        )

    def _cache_id(self, member_number: str, customer_id: str) -> None:
        if len(self._customer_ids) >= _CACHED_IDS_MAX:
            self._customer_ids.clear()
        self._customer_ids[member_number] = customer_id

    def _start_finding(self, member_number: str, token: str, deadline: Deadline) -> Future[Answer]:
        query = {"customer_code": member_number, "limit": _SEARCH_LIMIT}
        return self._start_get("customers", query, token, deadline)

    def _start_reading(self, customer_id: str, token: str, deadline: Deadline) -> Future[Answer]:
        return self._start_get("customers/point", {"customer_id": customer_id}, token, deadline)

    def _start_get(
        self, path: str, query: Mapping[str, str], token: str, deadline: Deadline
    ) -> Future[Answer]:
        url = f"{self._config.api_url}/{self._config.contract_id}/pos/{path}"
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        return self._transport.start(Call("GET", url, headers, query=query), deadline)

    def _decoded(self, started: Future[Answer], deadline: Deadline) -> object:
        return _decode(self._transport.wait(started, deadline))

    def _current_token(self, deadline: Deadline) -> str:
        token = self._token
        if token is None or time.monotonic() >= token.replace_at_seconds:
            token = self._fetch_token(deadline)
            self._token = token
        return token.value

    def _fetch_token(self, deadline: Deadline) -> _Token:
        config = self._config
        credentials = f"{config.client_id}:{config.client_secret}".encode()
        call = Call(
            "POST",
            f"{config.id_url}/app/{config.contract_id}/token",
            {"Authorization": f"Basic {b64encode(credentials).decode()}"},
            form={"grant_type": "client_credentials", "scope": _SCOPE},
        )
        answer = self._transport.send(call, deadline)
        if answer.status == HTTPStatus.BAD_REQUEST:
            raise TillRefusedLogin("Smaregi refuses the client id, its secret or the scope")
        return _read_token(_decode(answer))


@contextmanager
def _call_errors_as_till_errors() -> Iterator[None]:
    try:
        yield
    except CallTimedOut as error:
        raise TillTimeout("the till did not answer in time") from error
    except AnswerTooLong as error:
        raise BadTillAnswer(str(error)) from error
    except CallError as error:
        raise TillUnavailable(str(error)) from error


def _read_token(answer: object) -> _Token:
    if not isinstance(answer, dict):
        raise BadTillAnswer("expected an object with an access token")
    value, seconds = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise BadTillAnswer("expected access_token as text of printable ASCII")
    if type(seconds) is not int or not 0 < seconds < _TOKEN_SECONDS_LIMIT:
        raise BadTillAnswer("expected expires_in as a number of seconds")
    return _Token(value, time.monotonic() + seconds - _TOKEN_MARGIN_SECONDS)


def _decode(answer: Answer) -> object:
    """Return the JSON of a 200; raise any other status as its TillError."""
    if answer.status in _REFUSED:
        raise TillRefusedLogin(f"Smaregi answered {answer.status}")
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise TillThrottled("Smaregi answered 429", _retry_after_seconds(answer))
    if answer.status != HTTPStatus.OK:
        raise TillUnavailable(f"Smaregi answered {answer.status}")
    try:
        return json_value(answer.body)
    except MalformedBody as error:
        raise BadTillAnswer("Smaregi answered something that is not JSON") from error


def _retry_after_seconds(answer: Answer) -> int | None:
    text = answer.headers.get("Retry-After", "")
    return int(text) if _RETRY_AFTER.fullmatch(text) else None
