"""A fake of ReCORE's co-api: members by code, with their points.

    python -m local.fakes.recore --port 8085

`POST /_member` is as in till_members.py.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.client import responses
from typing import override
from zoneinfo import ZoneInfo

from local import demo
from local.fakes.control import Behaviour, Call
from local.fakes.server import Reply, Request, Service, run
from local.fakes.till_members import MemberRecord, Members

ZONE = ZoneInfo("Asia/Tokyo")
_PATH = "/members"


@dataclass(frozen=True, slots=True)
class Account:
    """The company whose key is accepted."""

    api_key: str = demo.RECORE_CREDENTIALS["api_key"]


class RecoreService(Service):
    """Answers as ReCORE does: a list of members, numbers as numbers, times in seconds."""

    def __init__(self, account: Account) -> None:
        self._key = account.api_key
        self._members = Members()

    @override
    def describe(self, request: Request) -> Call:
        operation = "members" if request.path == _PATH else None
        return Call(operation, request.query, request.query.get("codes"))

    @override
    def answer(self, request: Request, behaviour: Behaviour) -> Reply:
        if request.headers.get("x-identification") != self._key:
            return self.failure(HTTPStatus.UNAUTHORIZED)
        if (request.method, request.path) != ("GET", _PATH):
            return self.failure(HTTPStatus.NOT_FOUND)
        codes = request.query.get("codes", "").split(",")
        return Reply(
            HTTPStatus.OK,
            [
                _member(record)
                for record in self._members.all()
                if record.member_number in codes and record.member_number != behaviour.forget
            ],
        )

    @override
    def failure(self, status: int) -> Reply:
        title = responses.get(status, "Failure")
        code = title.upper().replace(" ", "_")
        return Reply(status, {"error": {"code": code, "message": title, "detail": {}}})

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


def _member(record: MemberRecord) -> Mapping[str, object]:
    ends = _end_of(record.expires_on) if record.expires_on else None
    expiring = record.balance if record.expires_on else 0
    kind = {"type": "DEFAULT", "title": "通常P", "total": record.balance}
    return {
        "id": int(record.customer_id),
        "code": record.member_number,
        "alias_code": None,
        "rank": {"id": 1, "name": record.rank} if record.rank else None,
        "status": "WITHDRAWN" if record.has_left else "ACTIVE",
        "point": {
            "total": record.balance,
            "expires_amount": expiring,
            "expires_at": ends,
            "details": [{**kind, "expires_amount": expiring, "expires_at": ends}],
        },
    }


def _end_of(day: str) -> int:
    """The last second of a day."""
    return int(datetime.fromisoformat(f"{day}T23:59:59").replace(tzinfo=ZONE).timestamp())


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A fake ReCORE on 127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    run(RecoreService(Account()), given.port, "ReCORE")


if __name__ == "__main__":
    main()
