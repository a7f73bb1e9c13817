"""Square Loyalty, by Square's API.

A member's number is Square's customer id, or a phone number such as +819012345678 (E.164). Points
are adjusted with our id of the change as the idempotency key, and with a reason that names it: by
that a change whose answer was lost is found among the account's events.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from http import HTTPStatus
from urllib.parse import quote

from pointbook.deadline import Deadline
from pointbook.http.calls import Call
from pointbook.till.client import (
    Pace,
    TillClient,
    failures_as_till_errors,
    json_headers,
    unpaced,
)
from pointbook.till.errors import BadTillAnswer, ChangeRefused, MemberNotRegistered
from pointbook.till.fields import an_object, records, text
from pointbook.till.member import Capabilities, Member, PointsChange
from pointbook.till.square_answers import (
    carries_out,
    error_code,
    is_no_such_customer,
    read_balance,
    read_found,
)

_NUMBER = re.compile(r"[!-~]{1,191}")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_SEARCH_LIMIT = 30
_EVENTS_LIMIT = 30
"""The most that Square lists at once."""
_EVENT_PAGES_MAX = 10
_CLOCKS_APART = timedelta(seconds=60)
_POINTS_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class SquareConfig:
    """A seller's account at Square.

    `api_url` is https://connect.squareup.com or the sandbox's. `zone` is the seller's time zone, in
    which points expire at the end of a day. `read_only`: points are never changed.
    """

    access_token: str = field(repr=False)
    api_url: str
    zone: tzinfo
    read_only: bool = False


class SquareTill:
    """A `Till` at Square. Its access token does not expire; connections are persistent."""

    def __init__(self, config: SquareConfig, pace: Pace = unpaced) -> None:
        self._config = config
        self._client = TillClient("Square", pace)

    @property
    def capabilities(self) -> Capabilities:
        """See `Till.capabilities`."""
        return Capabilities(pushes=not self._config.read_only, expiry=True, lots=True, ranks=False)

    def member(
        self,
        member_number: str,
        deadline: Deadline,
        till_id: str | None = None,  # noqa: ARG002
    ) -> Member:
        """See `Till.member`. One search finds the account and its points; the id saves nothing."""
        if not _NUMBER.fullmatch(member_number):
            raise MemberNotRegistered(f"{member_number!r} cannot be a customer id at Square")
        with failures_as_till_errors():
            query: Mapping[str, object] = {"customer_ids": [member_number]}
            if _PHONE.fullmatch(member_number):
                query = {"mappings": [{"phone_number": member_number}]}
            call = self._post("accounts/search", {"query": query, "limit": _SEARCH_LIMIT})
            answer = self._client.send(call, deadline)
            if answer.status == HTTPStatus.BAD_REQUEST and is_no_such_customer(
                self._client.json(answer)
            ):
                raise MemberNotRegistered(f"Square cannot search for {member_number}")
            account = read_found(self._client.decoded(answer), member_number, self._config.zone)
        return Member(
            member_number=member_number,
            till_id=account.account_id,
            balance_points=account.balance_points,
            expires_on=account.lots[0][1] if account.lots else None,
            rank=None,
            as_of=datetime.now(UTC),
            lots=account.lots,
        )

    def add_points(self, change: PointsChange, deadline: Deadline) -> int:
        """See `Till.add_points`. The same change again has no further effect at Square."""
        self._require_writable(change)
        body = {
            "idempotency_key": change.change_id,
            "adjust_points": {"points": change.points, "reason": _reason(change)},
            "allow_negative_balance": False,
        }
        account = f"accounts/{quote(change.till_id, safe='')}"
        with failures_as_till_errors():
            adjust = self._post(f"{account}/adjust", body, repeatable=False)
            self._client.changed(adjust, deadline, error_code)
            reading = self._client.start(Call("GET", self._url(account), self._headers()), deadline)
            return read_balance(self._client.read(reading, deadline), change.till_id)

    def is_applied(self, change: PointsChange, deadline: Deadline) -> bool:
        """See `Till.is_applied`. An event with our id of the change is this change."""
        self._require_writable(change)
        since = (change.planned_at - _CLOCKS_APART).astimezone(UTC)
        body: dict[str, object] = {
            "query": {
                "filter": {
                    "loyalty_account_filter": {"loyalty_account_id": change.till_id},
                    "type_filter": {"types": ["ADJUST_POINTS"]},
                    "date_time_filter": {"created_at": {"start_at": since.isoformat()}},
                }
            },
            "limit": _EVENTS_LIMIT,
        }
        with failures_as_till_errors():
            for _ in range(_EVENT_PAGES_MAX):
                call = self._post("events/search", body)
                answer = an_object(self._client.decoded(self._client.send(call, deadline)))
                events = records(answer.get("events") or [])
                if any(carries_out(event, change, _reason(change)) for event in events):
                    return True
                if not answer.get("cursor"):
                    return False
                body["cursor"] = text(answer, "cursor")
        raise BadTillAnswer(f"more than {_EVENT_PAGES_MAX} pages of adjustments of one account")

    def _require_writable(self, change: PointsChange) -> None:
        if self._config.read_only:
            raise ChangeRefused("points at Square are only read (till.read_only)")
        if abs(change.points) > _POINTS_MAX:
            raise ChangeRefused(f"{change.points} points are more than Square allows")

    def _post(self, path: str, body: object, *, repeatable: bool = True) -> Call:
        content = json.dumps(body).encode()
        headers = self._headers()
        return Call("POST", self._url(path), headers, content=content, repeatable=repeatable)

    def _headers(self) -> Mapping[str, str]:
        return json_headers(Authorization=f"Bearer {self._config.access_token}")

    def _url(self, path: str) -> str:
        return f"{self._config.api_url}/v2/loyalty/{path}"


def _reason(change: PointsChange) -> str:
    """The reason of an adjustment, by which it is found again."""
    return f"Pointbook {change.change_id}"
