"""A fake Smaregi: tokens, members by code, points by customer id, changes and transactions.

    python -m local.fakes.till --port 8085

`POST /_member` is as in till_members.py. A change of points by the API is recorded as a
transaction; one by `/_member` is not.
"""

import argparse
import re
import secrets
import threading
import time
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from http import HTTPStatus
from http.client import responses
from typing import Any, override
from urllib.parse import parse_qsl

from local import demo
from local.fakes.control import Behaviour, Call
from local.fakes.server import Reply, Request, Service, run
from local.fakes.till_members import POINTS_MAX, MemberRecord, Members

TOKEN_SECONDS = 3600

_READ, _WRITE = "pos.customers:read", "pos.customers:write"
_TRANSACTIONS = "pos.transactions:read"
_POINTS_ADDED, _POINTS_SUBTRACTED, _POINTS_LAPSED = "6", "7", "8"
_PERIOD_MAX = timedelta(days=31)
_JAPAN = timezone(timedelta(hours=9))
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Account:
    """The contract and the app's credentials that this till accepts."""

    contract_id: str = demo.TILL_CREDENTIALS["contract_id"]
    client_id: str = demo.TILL_CREDENTIALS["client_id"]
    client_secret: str = demo.TILL_CREDENTIALS["client_secret"]


class Refused(Exception):
    """A request that Smaregi answers with a problem."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class TillService(Service):
    """Answers as the Smaregi Platform API does: lists of objects, every number a string."""

    def __init__(self, account: Account) -> None:
        self._credentials = [f"{account.client_id}:{account.client_secret}"]
        self._lock = threading.Lock()
        self._members = Members()
        self._tokens: dict[str, tuple[float, frozenset[str]]] = {}
        self._transactions: list[dict[str, str]] = []
        contract = account.contract_id
        self._token_path = f"/app/{contract}/token"
        self._customers_path = f"/{contract}/pos/customers"
        self._points_path = f"/{contract}/pos/customers/point"
        self._transactions_path = f"/{contract}/pos/transactions"
        self._change_path = re.compile(f"/{re.escape(contract)}/pos/customers/([^/]+)/point(/add)?")

    @override
    def describe(self, request: Request) -> Call:
        if request.path == self._token_path:
            return Call("token", _form(request))
        if request.path == self._customers_path:
            return Call("customers", request.query, request.query.get("customer_code"))
        if request.path == self._transactions_path:
            return Call("transactions", request.query, request.query.get("customer_code"))
        if request.path == self._points_path:
            return Call("points", request.query, self._number_of(request.query.get("customer_id")))
        if change := self._change_path.fullmatch(request.path):
            operation = "add_points" if change[2] else "set_points"
            variables = {"customer_id": change[1], **_object(request)}
            return Call(operation, variables, self._number_of(change[1]))
        return Call(None, request.query)

    @override
    def answer(self, request: Request, behaviour: Behaviour) -> Reply:
        if (request.method, request.path) == ("POST", self._token_path):
            return self._issue_token(request)
        try:
            return Reply(HTTPStatus.OK, self._answer(request, behaviour.forget))
        except Refused as refused:
            return self._problem(refused.status, str(refused))

    def _answer(self, request: Request, forgotten: str | None) -> object:
        granted = self._scopes(request)
        route = request.method, request.path
        if route == ("GET", self._customers_path):
            _require(granted, _READ)
            return self._find(request.query.get("customer_code", ""), forgotten)
        if route == ("GET", self._points_path):
            _require(granted, _READ)
            return self._points(request.query.get("customer_id", ""), forgotten)
        if route == ("GET", self._transactions_path):
            _require(granted, _TRANSACTIONS)
            return self._listed(request.query)
        change = self._change_path.fullmatch(request.path)
        if change and request.method == ("POST" if change[2] else "PATCH"):
            _require(granted, _WRITE)
            record = self._members.by_id(change[1])
            if record is None or record.member_number == forgotten:
                raise Refused(HTTPStatus.NOT_FOUND, "there is no such customer")
            return self._change(record.customer_id, request, relative=change[2] is not None)
        raise Refused(HTTPStatus.NOT_FOUND, "there is no such address")

    @override
    def failure(self, status: int) -> Reply:
        return self._problem(status, responses.get(status, "Failure"))

    def _problem(self, status: int, detail: str) -> Reply:
        title = responses.get(status, "Failure")
        problem = {"type": "about:blank", "title": title, "detail": detail, "status": status}
        return Reply(status, problem, {"Content-Type": "application/problem+json"})

    @override
    def throttled(self) -> Reply:
        failure = self.failure(HTTPStatus.TOO_MANY_REQUESTS)
        return Reply(failure.status, failure.content, {**failure.headers, "Retry-After": "1"})

    @override
    def command(self, request: Request) -> Reply | None:
        if (request.method, request.path) == ("POST", "/_credentials"):
            return self._put_credentials(request)
        return self._members.command(request)

    def put(self, given: object) -> MemberRecord:
        """Add or change a member. Raises ValueError and changes nothing."""
        return self._members.put(given)

    def _put_credentials(self, request: Request) -> Reply:
        """Replace what the app may log in with, as a rotation does; tokens stay valid."""
        try:
            accepted: Any = request.json()
            given = [f"{one['client_id']}:{one['client_secret']}" for one in accepted]
        except (ValueError, TypeError, KeyError):
            message = 'the body must be [{"client_id": "...", "client_secret": "..."}, ...]'
            return Reply(HTTPStatus.BAD_REQUEST, {"message": message})
        self._credentials = given
        return Reply(HTTPStatus.OK, {"accepted": len(given)})

    def _issue_token(self, request: Request) -> Reply:
        if _basic(request) not in self._credentials:
            return self.failure(HTTPStatus.UNAUTHORIZED)
        form = _form(request)
        if form.get("grant_type") != "client_credentials":
            return self.failure(HTTPStatus.BAD_REQUEST)
        token = secrets.token_urlsafe(24)
        scopes = frozenset(form.get("scope", "").split())
        with self._lock:
            self._tokens[token] = time.monotonic() + TOKEN_SECONDS, scopes
        answer = {
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "access_token": token,
            "scope": form.get("scope", ""),
        }
        return Reply(HTTPStatus.OK, answer)

    def revoke_tokens(self) -> None:
        """Invalidate every token issued so far."""
        with self._lock:
            self._tokens.clear()

    def _scopes(self, request: Request) -> frozenset[str]:
        """Return the scopes of the request's token."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        until, scopes = self._tokens.get(token, (0.0, frozenset()))
        if until <= time.monotonic():
            raise Refused(HTTPStatus.UNAUTHORIZED, "the token is unknown or has expired")
        return scopes

    def _number_of(self, customer_id: str | None) -> str | None:
        record = self._members.by_id(customer_id or "")
        return record.member_number if record else None

    def _find(self, code: str, forgotten: str | None) -> object:
        """Return every member whose code begins with `code`, as Smaregi does."""
        return [
            {
                "customerId": record.customer_id,
                "customerCode": record.member_number,
                "rank": record.rank,
                "status": record.status,
                "pointExpireDate": record.expires_on,
            }
            for record in self._members.all()
            if record.member_number.startswith(code) and record.member_number != forgotten
        ]

    def _points(self, customer_id: str, forgotten: str | None) -> object:
        record = self._members.by_id(customer_id)
        if record is None or record.member_number == forgotten:
            return []
        return [_points_of(record)]

    def _change(self, customer_id: str, request: Request, *, relative: bool) -> object:
        """Set a member's points, or add to them; what has lapsed is taken away first."""
        given = str(_object(request).get("point", ""))
        if not _WHOLE_NUMBER.fullmatch(given):
            raise Refused(HTTPStatus.BAD_REQUEST, "point is not a whole number")
        with self._members.lock:
            record = self._members.by_id(customer_id)
            assert record is not None
            lapsed = record.lapsed_points
            before = record.balance - lapsed
            after = before + int(given) if relative else int(given)
            if not 0 <= after <= POINTS_MAX:
                raise Refused(HTTPStatus.BAD_REQUEST, "the points are not enough, or too many")
            made = [
                self._record(record, division, points)
                for division, points in (
                    (_POINTS_LAPSED, lapsed),
                    (_POINTS_ADDED, after - before),
                    (_POINTS_SUBTRACTED, before - after),
                )
                if points > 0
            ]
            changed = self._members.set_balance(customer_id, after)
        return {
            **_points_of(changed),
            "updDateTime": _now(),
            "transactionHeadIds": [one["transactionHeadId"] for one in made],
        }

    def _record(self, member: MemberRecord, division: str, points: int) -> dict[str, str]:
        added = division == _POINTS_ADDED
        transaction = {
            "transactionHeadId": str(len(self._transactions) + 1),
            "transactionDateTime": _now(),
            "transactionHeadDivision": division,
            "cancelDivision": "0",
            "newPoint": str(points if added else 0),
            "spendPoint": str(0 if added else points),
            "customerId": member.customer_id,
            "customerCode": member.member_number,
        }
        self._transactions.append(transaction)
        return transaction

    def _listed(self, query: Mapping[str, str]) -> object:
        """Return the transactions of a period of 31 days at most, newest first."""
        try:
            since, until = (
                datetime.fromisoformat(query[f"transaction_date_time-{end}"])
                for end in ("from", "to")
            )
            too_long = until - since > _PERIOD_MAX
        except (KeyError, ValueError, TypeError):
            too_long = True
        if too_long:
            raise Refused(HTTPStatus.BAD_REQUEST, "give transaction_date_time-from and -to")
        code = query.get("customer_code")
        found = [
            one
            for one in reversed(self._transactions)
            if since <= datetime.fromisoformat(one["transactionDateTime"]) <= until
            and code in (None, one["customerCode"])
        ]
        return found[: int(query.get("limit", "100"))]


def _points_of(record: MemberRecord) -> dict[str, str]:
    return {
        "customerId": record.customer_id,
        "point": str(record.balance),
        "mile": "0",
        "pointExpireDate": record.expires_on,
    }


def _require(granted: frozenset[str], scope: str) -> None:
    if scope not in granted:
        raise Refused(HTTPStatus.FORBIDDEN, f"the token has no scope {scope}")


def _now() -> str:
    """The time as Smaregi writes it: Japan's, in whole seconds."""
    return datetime.now(UTC).astimezone(_JAPAN).isoformat(timespec="seconds")


def _object(request: Request) -> Mapping[str, object]:
    try:
        given = request.json()
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _form(request: Request) -> Mapping[str, str]:
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))


def _basic(request: Request) -> str:
    """Return the credentials of a Basic Authorization header; "" if there are none."""
    try:
        encoded = request.headers.get("authorization", "").removeprefix("Basic ")
        return b64decode(encoded, validate=True).decode()
    except ValueError:
        return ""


def main() -> None:
    """Read the command line and serve."""
    account = Account()
    parser = argparse.ArgumentParser(description="A fake Smaregi on 127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--contract", default=account.contract_id)
    parser.add_argument("--client-id", default=account.client_id)
    parser.add_argument("--client-secret", default=account.client_secret)
    given = parser.parse_args()
    account = Account(given.contract, given.client_id, given.client_secret)
    run(TillService(account), given.port, "Smaregi")


if __name__ == "__main__":
    main()
