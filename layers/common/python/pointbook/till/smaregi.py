"""Smaregi (スマレジ), by its Platform API.

Two reads make one member: the member is found by its code, the points are read by Smaregi's own
customer id. Where that id is known both reads are sent together. The member record is read every
time all the same: it alone shows that a member has left, was merged or has another rank.

Points are changed by a relative addition, which has no idempotency key. So a change whose answer
was lost is looked for among the member's transactions.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import quote

from pointbook.deadline import Deadline
from pointbook.domain.ports import Clock
from pointbook.http.calls import Answer, Call
from pointbook.http.tokens import SharedToken, TokenStore
from pointbook.till.client import (
    Pace,
    TillClient,
    failures_as_till_errors,
    json_headers,
    unpaced,
)
from pointbook.till.errors import (
    BadTillAnswer,
    ChangeRefused,
    MemberNotRegistered,
    TillRefusedLogin,
    TillTimeout,
)
from pointbook.till.fields import an_object, number, records, text
from pointbook.till.member import Capabilities, Member, PointsChange
from pointbook.till.smaregi_answers import (
    CLOCKS_APART,
    carried_out_by,
    read_customer,
    read_points,
    read_transactions,
)

TOKEN_OWNER = "till"  # noqa: S105 - a name
"""The owner of the token in the store of shared tokens."""

_SCOPE_READ = "pos.customers:read"
_SCOPE_WRITE = "pos.customers:read pos.customers:write pos.transactions:read"
_TOKEN_MARGIN = timedelta(seconds=60)
"""How long before its end a token is replaced, so that no call is sent with one about to expire."""
_SEARCH_LIMIT = "100"
"""The search may find more than the exact code; the exact one is among the first."""
_NUMBER = re.compile(r"[ -~]{1,20}")
"""What a member's code can be, by Smaregi's documentation."""
_POINTS_MAX = 999_999_999
_TRANSACTIONS_LIMIT = 1000
_TRANSACTIONS_PERIOD = timedelta(days=30)
"""Smaregi lists transactions of 31 days at most."""
_CHANGES_REMEMBERED = 10_000
_TOKEN = re.compile(r"[!-~]{1,8192}")
_TOKEN_SECONDS_LIMIT = 10**9


@dataclass(frozen=True, slots=True)
class SmaregiConfig:
    """One contract with Smaregi, and the app registered for it.

    `id_url` gives tokens (https://id.smaregi.jp), `api_url` members and points
    (https://api.smaregi.jp). `ranks` turns Smaregi's rank code into the shop's word for
    it ("2" → "gold"); a code that is not listed is passed on as it is. `read_only`: the app may
    not change points.
    """

    contract_id: str
    client_id: str
    client_secret: str = field(repr=False)
    id_url: str
    api_url: str
    ranks: Mapping[str, str] = field(default_factory=dict)
    read_only: bool = False


class SmaregiTill:
    """A `Till` at Smaregi. Its token is shared by all instances; connections are persistent."""

    def __init__(
        self, config: SmaregiConfig, tokens: TokenStore, clock: Clock, pace: Pace = unpaced
    ) -> None:
        """`clock` is the wall clock, never a moved one."""
        self._config = config
        self._clock = clock
        self._client = TillClient("Smaregi", pace)
        source = _TokenSource(config, self._client)
        self._shared = SharedToken(TOKEN_OWNER, source, tokens, clock, _TOKEN_MARGIN)
        self._changes: dict[str, str] = {}
        """Ids of transactions that carried out changes, as far as this instance has seen them."""

    @property
    def capabilities(self) -> Capabilities:
        """See `Till.capabilities`."""
        return Capabilities(pushes=not self._config.read_only, expiry=True, lots=False, ranks=True)

    def member(self, member_number: str, deadline: Deadline, till_id: str | None = None) -> Member:
        """See `Till.member`."""
        if not _NUMBER.fullmatch(member_number):
            raise MemberNotRegistered(f"{member_number!r} cannot be a member's code at Smaregi")
        return self._authorized(
            deadline, lambda token: self._member(member_number, till_id, token, deadline)
        )

    def add_points(self, change: PointsChange, deadline: Deadline) -> int:
        """See `Till.add_points`."""
        self._require_writable(change)
        return self._authorized(deadline, lambda token: self._add(change, token, deadline))

    def is_applied(self, change: PointsChange, deadline: Deadline) -> bool:
        """See `Till.is_applied`.

        A change of the same points at the counter, after this one was planned, is taken for it.
        """
        self._require_writable(change)
        if self._clock.now() - change.planned_at > _TRANSACTIONS_PERIOD:
            raise ChangeRefused(
                f"change {change.change_id} is older than the transactions that Smaregi lists;"
                " compare the balances"
            )
        return self._authorized(deadline, lambda token: self._is_applied(change, token, deadline))

    def _member(self, number: str, till_id: str | None, token: str, deadline: Deadline) -> Member:
        finding = self._start_get(
            "customers", {"customer_code": number, "limit": _SEARCH_LIMIT}, token, deadline
        )
        reading = self._start_points(till_id, token, deadline) if till_id else None
        customer = read_customer(self._client.read(finding, deadline), number)
        if reading is None or customer.customer_id != till_id:
            reading = self._start_points(customer.customer_id, token, deadline)
        points = read_points(self._client.read(reading, deadline), customer.customer_id)
        code = customer.rank_code
        return Member(
            member_number=number,
            till_id=customer.customer_id,
            balance_points=points.balance_points,
            expires_on=points.expires_on,
            rank=None if code is None else self._config.ranks.get(code, code),
            as_of=datetime.now(UTC),
        )

    def _require_writable(self, change: PointsChange) -> None:
        if self._config.read_only:
            raise ChangeRefused("the app may only read at Smaregi (till.read_only)")
        if abs(change.points) > _POINTS_MAX:
            raise ChangeRefused(f"{change.points} points are more than Smaregi allows")

    def _add(self, change: PointsChange, token: str, deadline: Deadline) -> int:
        call = Call(
            "POST",
            f"{self._url('customers')}/{quote(change.till_id, safe='')}/point/add",
            json_headers(Authorization=f"Bearer {token}"),
            content=json.dumps({"point": str(change.points)}).encode(),
            repeatable=False,
        )
        answer = an_object(self._client.changed(call, deadline, _problem))
        if text(answer, "customerId") != change.till_id:
            raise BadTillAnswer("Smaregi answered with another customer's points")
        balance = number(answer, "point")
        ids = answer.get("transactionHeadIds")
        for transaction_id in ids if isinstance(ids, list) else []:
            self._remember(str(transaction_id), change)
        return balance

    def _is_applied(self, change: PointsChange, token: str, deadline: Deadline) -> bool:
        now = self._clock.now()
        query = {
            "customer_code": change.member_number,
            "transaction_date_time-from": _written(change.planned_at - CLOCKS_APART),
            "transaction_date_time-to": _written(now + CLOCKS_APART),
            "sort": "transactionDateTime:desc",
            "limit": str(_TRANSACTIONS_LIMIT),
        }
        listing = self._start_get("transactions", query, token, deadline)
        reading = self._start_points(change.till_id, token, deadline)
        listed = records(self._client.read(listing, deadline))
        if len(listed) >= _TRANSACTIONS_LIMIT:
            raise BadTillAnswer(f"more than {_TRANSACTIONS_LIMIT} transactions of one member")
        points = read_points(self._client.read(reading, deadline), change.till_id)
        others = {one for one, by in self._changes.items() if by != change.change_id}
        found = carried_out_by(
            change,
            read_transactions(listed, change.till_id),
            points.balance_points,
            others,
        )
        if found is not None:
            self._remember(found, change)
        return found is not None

    def _remember(self, transaction_id: str, change: PointsChange) -> None:
        if len(self._changes) >= _CHANGES_REMEMBERED:
            self._changes.clear()
        self._changes[transaction_id] = change.change_id

    def _authorized[T](self, deadline: Deadline, act: Callable[[str], T]) -> T:
        """Return the result of `act` with a token; a refused token is replaced once."""
        with failures_as_till_errors():
            token = self._shared.token(deadline)
            try:
                return act(token)
            except TillRefusedLogin:
                return act(self._shared.token(deadline, refused=token))

    def _start_points(self, customer_id: str, token: str, deadline: Deadline) -> Future[Answer]:
        return self._start_get("customers/point", {"customer_id": customer_id}, token, deadline)

    def _start_get(
        self, path: str, query: Mapping[str, str], token: str, deadline: Deadline
    ) -> Future[Answer]:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        return self._client.start(Call("GET", self._url(path), headers, query=query), deadline)

    def _url(self, path: str) -> str:
        return f"{self._config.api_url}/{self._config.contract_id}/pos/{path}"


class _TokenSource:
    """Smaregi's token endpoint: the client-credentials grant."""

    def __init__(self, config: SmaregiConfig, client: TillClient) -> None:
        self._config = config
        self._client = client

    def fetch(self, deadline: Deadline) -> tuple[str, timedelta]:
        """See `TokenSource.fetch`."""
        config = self._config
        credentials = f"{config.client_id}:{config.client_secret}".encode()
        scope = _SCOPE_READ if config.read_only else _SCOPE_WRITE
        call = Call(
            "POST",
            f"{config.id_url}/app/{config.contract_id}/token",
            {"Authorization": f"Basic {b64encode(credentials).decode()}"},
            form={"grant_type": "client_credentials", "scope": scope},
        )
        answer = self._client.send(call, deadline)
        if answer.status == HTTPStatus.BAD_REQUEST:
            raise TillRefusedLogin("Smaregi refuses the client id, its secret or the scope")
        return _read_token(self._client.decoded(answer))

    def gave_up(self) -> TillTimeout:
        """See `TokenSource.gave_up`."""
        return TillTimeout("another instance is still fetching the till's token")


def _read_token(answer: object) -> tuple[str, timedelta]:
    found = an_object(answer)
    value, seconds = found.get("access_token"), found.get("expires_in")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise BadTillAnswer("expected access_token as text of printable ASCII")
    if type(seconds) is not int or not 0 < seconds < _TOKEN_SECONDS_LIMIT:
        raise BadTillAnswer("expected expires_in as a number of seconds")
    return value, timedelta(seconds=seconds)


def _problem(answer: object) -> object:
    return an_object(answer).get("detail")


def _written(at: datetime) -> str:
    """Write a time as Smaregi reads it: in whole seconds, with its offset."""
    return at.astimezone(UTC).isoformat(timespec="seconds")
