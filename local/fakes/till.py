"""A fake Smaregi: tokens, members by code, points by customer id.

    python -m local.fakes.till --port 8085

`POST /_member {"member_number", "balance", "expires_on", "rank"}` adds or changes a member;
optional are `status` (Smaregi's, "0" to "4") and `customer_id`, which allows two members with one
number.
"""

import argparse
import secrets
import threading
import time
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import responses
from typing import Any, override
from urllib.parse import parse_qsl

from local import demo
from local.fakes.control import Behaviour, Call
from local.fakes.server import Reply, Request, Service, run

TOKEN_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Account:
    """The contract and the app's credentials that this till accepts."""

    contract_id: str = demo.TILL_CREDENTIALS["contract_id"]
    client_id: str = demo.TILL_CREDENTIALS["client_id"]
    client_secret: str = demo.TILL_CREDENTIALS["client_secret"]


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A member as the till stores it; `expires_on` is returned as it was given."""

    customer_id: str
    member_number: str
    balance: int
    expires_on: str
    rank: str
    status: str = "0"


DEMO_MEMBER = MemberRecord("1", "8840734670934", 1250, "2025-12-31", "gold")


class TillService(Service):
    """Answers as the Smaregi Platform API does: lists of objects, every number a string."""

    def __init__(self, account: Account) -> None:
        self._credentials = [f"{account.client_id}:{account.client_secret}"]
        self._lock = threading.Lock()
        self._members = {DEMO_MEMBER.customer_id: DEMO_MEMBER}
        self._tokens: dict[str, float] = {}
        contract = account.contract_id
        self._token_path = f"/app/{contract}/token"
        self._customers_path = f"/{contract}/pos/customers"
        self._points_path = f"/{contract}/pos/customers/point"

    @override
    def describe(self, request: Request) -> Call:
        if request.path == self._token_path:
            return Call("token", _form(request))
        if request.path == self._customers_path:
            return Call("customers", request.query, request.query.get("customer_code"))
        if request.path == self._points_path:
            record = self._members.get(request.query.get("customer_id", ""))
            return Call("points", request.query, record.member_number if record else None)
        return Call(None, request.query)

    @override
    def answer(self, request: Request, behaviour: Behaviour) -> Reply:
        route = request.method, request.path
        if route == ("POST", self._token_path):
            return self._issue_token(request)
        if not self._is_authorized(request):
            return self.failure(HTTPStatus.UNAUTHORIZED)
        if route == ("GET", self._customers_path):
            return self._find(request.query.get("customer_code", ""), behaviour.forget)
        if route == ("GET", self._points_path):
            return self._points(request.query.get("customer_id", ""), behaviour.forget)
        return self.failure(HTTPStatus.NOT_FOUND)

    @override
    def failure(self, status: int) -> Reply:
        title = responses.get(status, "Failure")
        problem = {"type": "about:blank", "title": title, "detail": title, "status": status}
        return Reply(status, problem, {"Content-Type": "application/problem+json"})

    @override
    def throttled(self) -> Reply:
        failure = self.failure(HTTPStatus.TOO_MANY_REQUESTS)
        return Reply(failure.status, failure.content, {**failure.headers, "Retry-After": "1"})

    @override
    def command(self, request: Request) -> Reply | None:
        if (request.method, request.path) == ("POST", "/_credentials"):
            return self._put_credentials(request)
        if (request.method, request.path) != ("POST", "/_member"):
            return None
        try:
            record = self.put(request.json())
        except ValueError as error:
            return Reply(HTTPStatus.BAD_REQUEST, {"message": str(error)})
        return Reply(HTTPStatus.OK, {"customer_id": record.customer_id})

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
        with self._lock:
            self._tokens[token] = time.monotonic() + TOKEN_SECONDS
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

    def _is_authorized(self, request: Request) -> bool:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return self._tokens.get(token, 0) > time.monotonic()

    def _find(self, code: str, forgotten: str | None) -> Reply:
        """Return every member whose code begins with `code`, as Smaregi does."""
        found = [
            {
                "customerId": record.customer_id,
                "customerCode": record.member_number,
                "rank": record.rank,
                "status": record.status,
                "pointExpireDate": record.expires_on,
            }
            for record in list(self._members.values())
            if record.member_number.startswith(code) and record.member_number != forgotten
        ]
        return Reply(HTTPStatus.OK, found)

    def _points(self, customer_id: str, forgotten: str | None) -> Reply:
        record = self._members.get(customer_id)
        if record is None or record.member_number == forgotten:
            return Reply(HTTPStatus.OK, [])
        points = {
            "customerId": record.customer_id,
            "point": str(record.balance),
            "mile": "0",
            "pointExpireDate": record.expires_on,
        }
        return Reply(HTTPStatus.OK, [points])

    def put(self, given: object) -> MemberRecord:
        """Add or change a member. Raises ValueError and changes nothing."""
        if not isinstance(given, dict) or not given.get("member_number"):
            raise ValueError('give {"member_number", "balance", "expires_on", "rank"}')
        balance = given.get("balance", 0)
        if isinstance(balance, bool) or not isinstance(balance, int):
            raise ValueError(f"balance is {balance!r}, not a whole number")
        number = str(given["member_number"])
        with self._lock:
            record = MemberRecord(
                customer_id=str(given.get("customer_id") or self._id_of(number)),
                member_number=number,
                balance=balance,
                expires_on=str(given.get("expires_on") or ""),
                rank=str(given.get("rank") or ""),
                status=str(given.get("status", "0")),
            )
            self._members[record.customer_id] = record
        return record

    def _id_of(self, member_number: str) -> str:
        for record in self._members.values():
            if record.member_number == member_number:
                return record.customer_id
        return str(max((int(i) for i in self._members if i.isdigit()), default=0) + 1)


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
