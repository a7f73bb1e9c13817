"""What is Smaregi's own: token, scopes, ids, lapsing points, answers of a scripted server.

What every till promises is in test_till_contract.py.
"""

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local import demo
from local.fakes.server import FakeServer
from local.fakes.till import Account, TillService
from pointbook.clock import SystemClock
from pointbook.deadline import Deadline
from pointbook.errors import StoreRefused, Unavailable
from pointbook.http.tokens import StoredToken
from pointbook.till.errors import (
    AmbiguousMember,
    BadTillAnswer,
    ChangeRefused,
    MemberNotRegistered,
    TillError,
    TillRefusedLogin,
    TillThrottled,
    TillTimeout,
    TillUnavailable,
)
from pointbook.till.member import Member, PointsChange, Till
from pointbook.till.smaregi import TOKEN_OWNER, SmaregiConfig, SmaregiTill
from tests.fakes.admin_api import START, MemoryTokenStore
from tests.support.serving import QuietHandler, serving, url_of

NUMBER = "8840734670934"
BUDGET_SECONDS = 0.7
# For tests that are not about time, so that a loaded machine fails none of them.
PLENTY_SECONDS = 10.0
# What a loaded machine may add to a time that is measured.
SLACK_SECONDS = 0.3


@pytest.fixture
def service() -> TillService:
    return TillService(Account())


@pytest.fixture
def fake(service: TillService) -> Iterator[FakeServer]:
    with serving(FakeServer(service, 0)) as server:
        yield server


@pytest.fixture
def config(fake: FakeServer) -> SmaregiConfig:
    account = Account()
    return SmaregiConfig(
        contract_id=account.contract_id,
        client_id=account.client_id,
        client_secret=account.client_secret,
        id_url=fake.url,
        api_url=fake.url,
    )


@pytest.fixture
def till(config: SmaregiConfig) -> Till:
    return started(config)


def started(config: SmaregiConfig, tokens: MemoryTokenStore | None = None) -> Till:
    """A till as an instance that has just started; without `tokens` it is the only one."""
    return SmaregiTill(config, tokens or MemoryTokenStore(), SystemClock())


def member_of(till: Till) -> Member:
    return till.member(NUMBER, Deadline.after(PLENTY_SECONDS))


def timed_failure(till: Till) -> tuple[TillError, float]:
    begun = time.monotonic()
    with pytest.raises(TillError) as caught:
        till.member(NUMBER, Deadline.after(BUDGET_SECONDS))
    return caught.value, time.monotonic() - begun


def operations(fake: FakeServer) -> list[object]:
    return [entry["operation"] for entry in fake.control.log()]


def put(service: TillService, **member: object) -> None:
    service.put({"member_number": NUMBER, "balance": 1, "rank": ""} | member)


def test_a_member_has_a_balance_a_day_and_a_rank(till: Till) -> None:
    member = member_of(till)
    assert member == Member(
        NUMBER, "1", 1250, date.fromisoformat(demo.last_day(12, 31)), "gold", member.as_of
    )
    assert datetime.now(UTC) - member.as_of < timedelta(seconds=5)


def test_the_shops_words_for_ranks_are_used(config: SmaregiConfig, service: TillService) -> None:
    put(service, rank="2")
    assert member_of(started(replace(config, ranks={"2": "gold"}))).rank == "gold"
    assert member_of(started(config)).rank == "2"


def test_one_token_is_for_all_instances(config: SmaregiConfig, fake: FakeServer) -> None:
    tokens = MemoryTokenStore()
    for _ in range(3):
        member_of(started(config, tokens))
    assert operations(fake).count("token") == 1


def test_instances_that_start_together_fetch_one_token(
    config: SmaregiConfig, fake: FakeServer
) -> None:
    tokens = MemoryTokenStore()
    fake.control.behave({"latency_ms": 100, "match": "token"})
    with ThreadPoolExecutor(8) as threads:
        members = list(threads.map(lambda _: member_of(started(config, tokens)), range(8)))
    assert [member.balance_points for member in members] == [1250] * 8
    assert operations(fake).count("token") == 1


@pytest.mark.slow
def test_while_another_instance_fetches_the_token_the_deadline_holds(
    config: SmaregiConfig, fake: FakeServer
) -> None:
    tokens = MemoryTokenStore()
    leased_until = datetime.now(UTC) + timedelta(seconds=10)
    tokens.by_shop[TOKEN_OWNER] = StoredToken("", START, 1, leased_until)
    error, seconds = timed_failure(started(config, tokens))
    assert isinstance(error, TillTimeout)
    assert seconds < BUDGET_SECONDS + SLACK_SECONDS
    assert operations(fake) == []


@pytest.mark.parametrize(
    "failure", [Unavailable(5, code="secrets_unavailable"), StoreRefused("AccessDenied", "no")]
)
def test_a_token_that_cannot_be_read_makes_the_till_unavailable(
    config: SmaregiConfig, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fails(_owner: str) -> StoredToken | None:
        raise failure

    tokens = MemoryTokenStore()
    monkeypatch.setattr(tokens, "read", fails)
    with pytest.raises(TillUnavailable, match="token"):
        member_of(started(config, tokens))


@pytest.mark.parametrize(
    ("read_only", "scope"),
    [
        (False, "pos.customers:read pos.customers:write pos.transactions:read"),
        (True, "pos.customers:read"),
    ],
)
def test_only_the_scopes_that_are_needed_are_requested(
    config: SmaregiConfig, fake: FakeServer, read_only: bool, scope: str
) -> None:
    member_of(started(replace(config, read_only=read_only)))
    (token,) = [one for one in fake.control.log() if one["operation"] == "token"]
    assert token["variables"] == {"grant_type": "client_credentials", "scope": scope}


def test_a_member_costs_two_calls_whether_or_not_its_id_is_known(
    till: Till, fake: FakeServer
) -> None:
    member = member_of(till)
    fake.control.reset()
    till.member(NUMBER, Deadline.after(PLENTY_SECONDS), member.till_id)
    assert sorted(map(str, operations(fake))) == ["customers", "points"]


@pytest.mark.parametrize("number", ["", "1" * 21, "会員", "1\n"])
def test_a_code_that_smaregi_cannot_have_is_not_searched_for(
    till: Till, fake: FakeServer, number: str
) -> None:
    with pytest.raises(MemberNotRegistered):
        till.member(number, Deadline.after(PLENTY_SECONDS))
    assert operations(fake) == []


def test_points_whose_day_has_passed_lapse_before_a_change(
    till: Till, service: TillService
) -> None:
    put(service, balance=1000, expires_on="2025-12-31", lapses=True)
    change = PointsChange("1", NUMBER, "1", -1, 1000, datetime.now(UTC))
    with pytest.raises(ChangeRefused, match="not enough"):
        till.add_points(change, Deadline.after(PLENTY_SECONDS))
    added = replace(change, change_id="2", points=30)
    assert till.add_points(added, Deadline.after(PLENTY_SECONDS)) == 30


def test_the_points_of_another_customer_are_no_answer_to_a_change(
    till: Till, fake: FakeServer
) -> None:
    fake.control.behave({"answer_with": '{"customerId": "2", "point": "5"}', "match": "add_points"})
    change = PointsChange("1", NUMBER, "1", 5, 1250, datetime.now(UTC))
    with pytest.raises(BadTillAnswer, match="another customer"):
        till.add_points(change, Deadline.after(PLENTY_SECONDS))


def test_transactions_are_looked_through_from_before_the_plan(till: Till, fake: FakeServer) -> None:
    """Smaregi's clock may be behind ours."""
    planned_at = datetime.now(UTC) - timedelta(minutes=5)
    change = PointsChange("1", NUMBER, "1", 5, 1250, planned_at)
    assert not till.is_applied(change, Deadline.after(PLENTY_SECONDS))
    (query,) = [
        one["variables"] for one in fake.control.log() if one["operation"] == "transactions"
    ]
    assert isinstance(query, Mapping)
    since, until = (
        datetime.fromisoformat(query[f"transaction_date_time-{end}"]) for end in ("from", "to")
    )
    assert timedelta(seconds=29) < planned_at - since < timedelta(seconds=32)
    assert until > datetime.now(UTC)


def test_more_transactions_than_are_listed_leave_a_change_unknown(
    till: Till, fake: FakeServer
) -> None:
    fake.control.behave({"answer_with": json.dumps([{}] * 1000), "match": "transactions"})
    change = PointsChange("1", NUMBER, "1", 5, 1250, datetime.now(UTC))
    with pytest.raises(BadTillAnswer, match="1000"):
        till.is_applied(change, Deadline.after(PLENTY_SECONDS))


def test_a_change_from_before_what_smaregi_lists_is_left_to_a_person(
    till: Till, fake: FakeServer
) -> None:
    planned_at = datetime.now(UTC) - timedelta(days=30, seconds=1)
    with pytest.raises(ChangeRefused, match="compare the balances"):
        till.is_applied(PointsChange("1", NUMBER, "1", 5, 0, planned_at), Deadline.after(5))
    assert operations(fake) == []


def test_a_forgotten_member_is_not_registered_and_comes_back(till: Till, fake: FakeServer) -> None:
    member_of(till)
    fake.control.behave({"forget": NUMBER})
    with pytest.raises(MemberNotRegistered):
        member_of(till)
    fake.control.reset()
    assert member_of(till).balance_points == 1250


def test_a_refused_token_is_replaced_once(
    till: Till, service: TillService, fake: FakeServer
) -> None:
    member_of(till)
    service.revoke_tokens()
    assert member_of(till).balance_points == 1250
    assert operations(fake).count("token") == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_till_that_keeps_refusing_is_given_up(till: Till, fake: FakeServer, status: int) -> None:
    fake.control.behave({"fail_with": status, "match": "customers"})
    with pytest.raises(TillRefusedLogin):
        member_of(till)
    assert operations(fake) == ["token", "customers", "token", "customers"]


def test_wrong_credentials_are_refused_at_once(config: SmaregiConfig, fake: FakeServer) -> None:
    with pytest.raises(TillRefusedLogin):
        member_of(started(replace(config, client_secret="wrong")))
    assert operations(fake) == ["token"]


def test_a_dying_token_is_not_used(
    till: Till, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.fakes.till.TOKEN_SECONDS", 60)
    member_of(till)
    member_of(till)
    assert operations(fake).count("token") == 2


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", [{"hang": True}, {"latency_ms": 5000}])
@pytest.mark.parametrize("operation", ["token", "customers", "points"])
def test_a_till_that_does_not_answer_costs_no_more_than_the_budget(
    till: Till, fake: FakeServer, behaviour: dict[str, object], operation: str
) -> None:
    fake.control.behave(behaviour | {"match": operation})
    error, seconds = timed_failure(till)
    assert isinstance(error, TillTimeout)
    assert BUDGET_SECONDS - 0.1 < seconds < BUDGET_SECONDS + SLACK_SECONDS


def test_every_failure_says_how_my_page_shows_it() -> None:
    assert MemberNotRegistered.shown_as == "not_registered"
    assert TillTimeout.shown_as == "timeout"
    shown = {
        error.shown_as
        for error in (
            AmbiguousMember,
            BadTillAnswer,
            TillRefusedLogin,
            TillThrottled,
            TillUnavailable,
        )
    }
    assert shown == {"unavailable"}


class _Scripted(QuietHandler, BaseHTTPRequestHandler):
    """A till that answers every request with the same bytes, in the given pieces."""

    token = b'{"access_token": "t", "expires_in": 3600}'
    status = 200
    headers_sent: tuple[tuple[str, str], ...] = ()
    head_comes_at_once = True
    pieces: tuple[bytes, ...] = ()
    pause_seconds = 0.0

    def do_POST(self) -> None:
        self._answer(200, (self.token,), 0)

    def do_GET(self) -> None:
        if self.head_comes_at_once:
            self._answer(self.status, self.pieces, self.pause_seconds)
        else:
            self._send(self.pieces, self.pause_seconds)

    def _answer(self, status: int, pieces: tuple[bytes, ...], pause_seconds: float) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(sum(map(len, pieces))))
        for name, value in self.headers_sent:
            self.send_header(name, value)
        self.end_headers()
        self._send(pieces, pause_seconds)

    def _send(self, pieces: tuple[bytes, ...], pause_seconds: float) -> None:
        for piece in pieces:
            time.sleep(pause_seconds)
            try:
                self.wfile.write(piece)
            except ConnectionError:
                return


@pytest.fixture
def scripted(config: SmaregiConfig) -> Iterator[tuple[Till, type[_Scripted]]]:
    script = type("Script", (_Scripted,), {})
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), script)) as server:
        url = url_of(server)
        yield started(replace(config, id_url=url, api_url=url)), script


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b'{"a": 1}', b"\xff\xfe", b'"' + b"x" * 1_100_000, b"[" * 200_000),
        *(b'[{"rank": "\\ud800"}]', b"[" + b"9" * 5000 + b"]"),
    ],
)
def test_an_answer_that_cannot_be_read_is_a_bad_answer(
    scripted: tuple[Till, type[_Scripted]], body: bytes
) -> None:
    till, script = scripted
    script.pieces = (body,)
    with pytest.raises(BadTillAnswer):
        member_of(till)


@pytest.mark.parametrize(
    "token",
    [
        '{"access_token": "トークン", "expires_in": 3600}',
        '{"access_token": "", "expires_in": 3600}',
        '{"access_token": "t\\r\\nX: y", "expires_in": 3600}',
        '{"access_token": "t", "expires_in": true}',
        '{"access_token": "t", "expires_in": 0}',
        f'{{"access_token": "t", "expires_in": {"9" * 400}}}',
    ],
)
def test_a_token_that_cannot_be_used_is_a_bad_answer(
    scripted: tuple[Till, type[_Scripted]], token: str
) -> None:
    till, script = scripted
    script.token = token.encode()
    with pytest.raises(BadTillAnswer):
        member_of(till)


@pytest.mark.parametrize("retry_after", ["9" * 5000, "1234567", "soon", "-1", "²"])
def test_an_unreadable_retry_after_is_none(
    scripted: tuple[Till, type[_Scripted]], retry_after: str
) -> None:
    till, script = scripted
    script.status = 429
    script.headers_sent = (("Retry-After", retry_after),)
    with pytest.raises(TillThrottled) as caught:
        member_of(till)
    assert caught.value.retry_after_seconds is None


@pytest.mark.slow
def test_a_till_that_trickles_costs_no_more_than_the_budget(
    scripted: tuple[Till, type[_Scripted]],
) -> None:
    till, script = scripted
    script.pieces = (b" ",) * 30
    script.pause_seconds = 0.1
    error, seconds = timed_failure(till)
    assert isinstance(error, TillTimeout)
    assert seconds < BUDGET_SECONDS + SLACK_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("head_comes_at_once", [True, False])
def test_a_till_that_trickled_is_used_again_as_soon_as_it_answers(
    scripted: tuple[Till, type[_Scripted]], head_comes_at_once: bool
) -> None:
    till, script = scripted
    script.head_comes_at_once = head_comes_at_once
    script.pieces = (b"H",) * 50
    script.pause_seconds = 0.1
    # More questions than the transport has workers.
    for _ in range(8):
        with pytest.raises(TillTimeout):
            till.member(NUMBER, Deadline.after(0.2))
    script.head_comes_at_once = True
    script.pieces = (b"[]",)
    script.pause_seconds = 0
    with pytest.raises(MemberNotRegistered):
        till.member(NUMBER, Deadline.after(BUDGET_SECONDS))
