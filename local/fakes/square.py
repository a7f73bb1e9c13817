"""A fake of Square's Loyalty API: accounts by customer id or phone, adjustments, events.

    python -m local.fakes.square --port 8085

`POST /_member` is as in till_members.py; a `member_number` that begins with + is a phone number,
any other a customer id. An adjustment by the API is an event; a change by `/_member` is not.
"""

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import override
from zoneinfo import ZoneInfo

from local import demo
from local.fakes.control import Behaviour, Call
from local.fakes.server import Reply, Request, Service, run
from local.fakes.till_members import MemberRecord, Members

ZONE = ZoneInfo("Asia/Tokyo")
"""The seller's time zone, in which points expire at the end of a day."""

_PROGRAM_ID = "d619f755-2d17-41f3-990d-c04ecedd64dd"
_ADJUST = re.compile(r"/v2/loyalty/accounts/([^/]+)/adjust")
_ACCOUNT = re.compile(r"/v2/loyalty/accounts/([^/]+)")
_SEARCH, _EVENTS = "/v2/loyalty/accounts/search", "/v2/loyalty/events/search"
_KEY_CHARS_MAX = 128
_REASON_CHARS_MAX = 3500
_EVENTS_MAX = 30
_CODES: Mapping[int, tuple[str, str]] = {
    400: ("INVALID_REQUEST_ERROR", "BAD_REQUEST"),
    401: ("AUTHENTICATION_ERROR", "UNAUTHORIZED"),
    403: ("AUTHENTICATION_ERROR", "FORBIDDEN"),
    404: ("INVALID_REQUEST_ERROR", "NOT_FOUND"),
    429: ("RATE_LIMIT_ERROR", "RATE_LIMITED"),
    503: ("API_ERROR", "SERVICE_UNAVAILABLE"),
}


class Refused(Exception):
    """A request that Square answers with an error; the message is its detail."""

    def __init__(self, status: int, detail: str, code: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Account:
    """The seller whose access token is accepted."""

    access_token: str = demo.SQUARE_CREDENTIALS["access_token"]


class SquareService(Service):
    """Answers as Square does: objects, and numbers as numbers."""

    def __init__(self, account: Account) -> None:
        self._token = account.access_token
        self._members = Members(lambda n: f"loyalty-account-{n}")
        self._events: list[dict[str, object]] = []
        self._by_key: dict[str, tuple[object, dict[str, object]]] = {}

    @override
    def describe(self, request: Request) -> Call:
        body = _body(request)
        if request.path == _SEARCH:
            return Call("accounts", body, next(iter(_searched(body)), None))
        if request.path == _EVENTS:
            return Call("events", body)
        if change := _ADJUST.fullmatch(request.path):
            return Call("adjust", {"account_id": change[1], **body}, self._number_of(change[1]))
        if account := _ACCOUNT.fullmatch(request.path):
            return Call("account", {"account_id": account[1]}, self._number_of(account[1]))
        return Call(None, body)

    @override
    def answer(self, request: Request, behaviour: Behaviour) -> Reply:
        try:
            return Reply(HTTPStatus.OK, self._answer(request, behaviour.forget))
        except Refused as refused:
            return self._error(refused.status, str(refused), refused.code)

    @override
    def failure(self, status: int) -> Reply:
        return self._error(status, "as the test wants it", "")

    @override
    def throttled(self) -> Reply:
        failure = self.failure(HTTPStatus.TOO_MANY_REQUESTS)
        return Reply(failure.status, failure.content, {"Retry-After": "1"})

    @override
    def command(self, request: Request) -> Reply | None:
        return self._members.command(request)

    def put(self, given: object) -> MemberRecord:
        """Add or change a member. Raises ValueError and changes nothing."""
        return self._members.put(given)

    def _answer(self, request: Request, forgotten: str | None) -> object:
        if request.headers.get("authorization") != f"Bearer {self._token}":
            raise Refused(HTTPStatus.UNAUTHORIZED, "This request could not be authorized.")
        body = _body(request)
        if (request.method, request.path) == ("POST", _SEARCH):
            return self._search(body, forgotten)
        if (request.method, request.path) == ("POST", _EVENTS):
            return self._search_events(body)
        change = _ADJUST.fullmatch(request.path)
        account = change or _ACCOUNT.fullmatch(request.path)
        record = self._members.by_id(account[1]) if account else None
        if record is None or record.member_number == forgotten or record.has_left:
            raise Refused(HTTPStatus.NOT_FOUND, "Resource not found.")
        if change and request.method == "POST":
            return {"event": self._adjust(record.customer_id, body)}
        if not change and request.method == "GET":
            return {"loyalty_account": _loyalty_account(record)}
        raise Refused(HTTPStatus.NOT_FOUND, "Resource not found.")

    def _search(self, body: Mapping[str, object], forgotten: str | None) -> object:
        wanted = _searched(body)
        if not wanted:
            raise Refused(HTTPStatus.BAD_REQUEST, "Give one of mappings and customer_ids.")
        if any(number.startswith("+") and not number[1:].isdigit() for number in wanted):
            detail = "Expected phone_number to be a valid phone number."
            raise Refused(HTTPStatus.BAD_REQUEST, detail, "INVALID_PHONE_NUMBER")
        found = [
            _loyalty_account(record)
            for record in self._members.all()
            if record.member_number in wanted
            and record.member_number != forgotten
            and not record.has_left
        ]
        return {"loyalty_accounts": found} if found else {}

    def _adjust(self, account_id: str, body: Mapping[str, object]) -> object:
        key, adjust = body.get("idempotency_key"), body.get("adjust_points")
        if not isinstance(key, str) or not 1 <= len(key) <= _KEY_CHARS_MAX:
            raise Refused(HTTPStatus.BAD_REQUEST, "idempotency_key is missing or too long.")
        points = adjust.get("points") if isinstance(adjust, dict) else None
        reason = adjust.get("reason", "") if isinstance(adjust, dict) else ""
        if type(points) is not int or not points or len(str(reason)) > _REASON_CHARS_MAX:
            raise Refused(HTTPStatus.BAD_REQUEST, "adjust_points is not valid.")
        with self._members.lock:
            content = (account_id, points, reason)
            if key in self._by_key:
                before, event = self._by_key[key]
                if before != content:
                    detail = "The idempotency key was used for another request."
                    raise Refused(HTTPStatus.BAD_REQUEST, detail, "IDEMPOTENCY_KEY_REUSED")
                return event
            record = self._members.by_id(account_id)
            assert record is not None
            after = record.balance + points
            if after < 0 and points < 0 and body.get("allow_negative_balance") is not True:
                raise Refused(HTTPStatus.BAD_REQUEST, "The balance would be negative.")
            event = self._new_event(account_id, points, str(reason))
            self._by_key[key] = (content, event)
            self._members.set_balance(account_id, after)
            return event

    def _new_event(self, account_id: str, points: int, reason: str) -> dict[str, object]:
        event: dict[str, object] = {
            "id": f"event-{len(self._events) + 1}",
            "type": "ADJUST_POINTS",
            "created_at": _written(datetime.now(UTC)),
            "adjust_points": {
                "loyalty_program_id": _PROGRAM_ID,
                "points": points,
                "reason": reason,
            },
            "loyalty_account_id": account_id,
            "source": "LOYALTY_API",
        }
        self._events.append(event)
        return event

    def _search_events(self, body: Mapping[str, object]) -> object:
        """Return a page of events, newest first; the cursor is the index of the next one."""
        query = _inner(_inner(body, "query"), "filter")
        account = _inner(query, "loyalty_account_filter").get("loyalty_account_id")
        types = _inner(query, "type_filter").get("types")
        since = _inner(_inner(query, "date_time_filter"), "created_at").get("start_at")
        limit, cursor = body.get("limit", _EVENTS_MAX), body.get("cursor") or "0"
        if type(limit) is not int or not 1 <= limit <= _EVENTS_MAX or not str(cursor).isdigit():
            raise Refused(HTTPStatus.BAD_REQUEST, "limit or cursor is not valid.")
        found = [
            event
            for event in reversed(self._events)
            if account in (None, event["loyalty_account_id"])
            and (not isinstance(types, list) or event["type"] in types)
            and (since is None or _instant(event["created_at"]) >= _instant(since))
        ]
        begin = int(str(cursor))
        page = {"events": found[begin : begin + limit]}
        return page | ({"cursor": str(begin + limit)} if len(found) > begin + limit else {})

    def _number_of(self, account_id: str) -> str | None:
        record = self._members.by_id(account_id)
        return record.member_number if record else None

    def _error(self, status: int, detail: str, code: str) -> Reply:
        category, default = _CODES.get(status, ("API_ERROR", "INTERNAL_SERVER_ERROR"))
        error = {"category": category, "code": code or default, "detail": detail}
        return Reply(status, {"errors": [error]})


def _loyalty_account(record: MemberRecord) -> Mapping[str, object]:
    is_phone = record.member_number.startswith("+")
    lots = record.lots or (((record.balance, record.expires_on),) if record.expires_on else ())
    return {
        "id": record.customer_id,
        "program_id": _PROGRAM_ID,
        "balance": record.balance,
        "lifetime_points": max(record.balance, 0),
        "customer_id": f"customer-{record.customer_id}" if is_phone else record.member_number,
        "mapping": {"phone_number": record.member_number if is_phone else "+819000000000"},
        "expiring_point_deadlines": [
            {"points": points, "expires_at": _end_of(day)} for points, day in lots
        ],
    }


def _end_of(day: str) -> str:
    """The first instant after a day."""
    after = date.fromisoformat(day) + timedelta(days=1)
    return _written(datetime(after.year, after.month, after.day, tzinfo=ZONE))


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _instant(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text)).replace(microsecond=0)
    except ValueError:
        raise Refused(HTTPStatus.BAD_REQUEST, "A time is not valid.", "INVALID_TIME") from None


def _body(request: Request) -> Mapping[str, object]:
    try:
        body = request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _inner(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _searched(body: Mapping[str, object]) -> list[str]:
    """Return the customer ids or phone numbers of a search; none if it has both or neither."""
    query = _inner(body, "query")
    ids, mappings = query.get("customer_ids"), query.get("mappings")
    if isinstance(ids, list) and mappings is None:
        return [str(one) for one in ids]
    if isinstance(mappings, list) and ids is None:
        return [str(one.get("phone_number")) for one in mappings if isinstance(one, dict)]
    return []


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A fake Square on 127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    run(SquareService(Account()), given.port, "Square")


if __name__ == "__main__":
    main()
