"""A customer sees their own points, whatever the way in; nobody sees another's."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from local import demo
from pointbook.container import Parts
from pointbook.deadline import Deadline
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.read_only import ReadOnlyLedger
from pointbook.services.till_views import START_SECONDS_MAX, TILL_BUDGET_SECONDS
from pointbook.settings import Secrets, Stage
from pointbook.till.errors import MemberNotRegistered
from pointbook.till.smaregi import SmaregiTill
from tests.support.harness import SECRETS, Functions, event
from tests.support.logs import logged

POINTS = "get_points"


@pytest.mark.parametrize("case", ["by_header", "by_cookie", "by_cookie_header", "by_gid"])
def test_every_way_of_proving_who_one_is_shows_the_figures(functions: Functions, case: str) -> None:
    functions.sample("flow_action_grant", "run")
    functions.sample("flow_action_consume", "run")
    answer = functions.sample(POINTS, case)
    assert answer.status == 200
    assert answer.body["figures"] == {
        "approved": 950,
        "pending": 0,
        "total": 950,
        "lifetime": 1250,
        "spent": 300,
        "hold": 0,
    }
    assert [lot["points"] for lot in answer.body["expiring"]] == [950]
    assert answer.body["hold"] is None
    assert answer.body["till"]["status"] == "disabled"
    assert answer.body["display"]["balance"] == "950"


@pytest.mark.parametrize(
    ("requested", "end"), [(None, "日"), ("fr", "日"), ("en", "7"), ("ja", "日")]
)
def test_without_a_supported_language_the_programmes_locale_is_used(
    requested: str | None, end: str
) -> None:
    functions = Functions(PROGRAMME_LOCALE="ja", PROGRAMME_EXPIRY="date:2097-12-07")
    functions.sample("flow_action_grant", "run")
    payload = event(POINTS, "by_header")
    payload["headers"].pop("accept-language", None)
    if requested is not None:
        payload["headers"]["accept-language"] = requested
    assert functions.request(POINTS, payload).body["display"]["expiry"][-1] == end


def test_points_are_worth_money_and_are_earned_by_orders(functions: Functions) -> None:
    functions.sample("flow_action_grant", "run")
    answer = functions.sample(POINTS, "by_header").body
    assert answer["worth"] == {"amount": "1250", "point_amount": "1", "currency": "JPY"}
    assert answer["earning"] == {
        "points": 1,
        "for_amount": "100",
        "currency": "JPY",
        "pending_days": 0,
    }
    assert (answer["time_zone"], answer["points_master"]) == ("Asia/Tokyo", "ledger")


def test_cents_are_written_as_money_and_a_shop_whose_orders_earn_nothing_promises_nothing() -> None:
    functions = Functions(
        PROGRAMME_CURRENCY="USD", PROGRAMME_POINT_WORTH_MINOR="2", PROGRAMME_POINTS_PER_UNIT="0"
    )
    functions.sample("flow_action_grant", "run")
    answer = functions.sample(POINTS, "by_header").body
    assert answer["worth"] == {"amount": "25.00", "point_amount": "0.02", "currency": "USD"}
    assert answer["earning"] is None


def test_how_long_a_code_works_is_the_programmes_word() -> None:
    assert Functions().sample(POINTS, "by_header").body["hold_seconds"] == 600
    shop = Functions(PROGRAMME_HOLD_SECONDS="1800")
    assert shop.sample(POINTS, "by_header").body["hold_seconds"] == 1800


def test_a_customer_without_points_sees_zeros(functions: Functions) -> None:
    answer = functions.sample(POINTS, "by_header")
    assert set(answer.body["figures"].values()) == {0}
    assert answer.body["display"]["balance"] == "0"


def test_every_answer_says_where_the_time_went(functions: Functions) -> None:
    header = functions.sample(POINTS, "by_header").headers["Server-Timing"]
    assert [part.split(";")[0] for part in header.split(", ")] == [
        "token",
        "ledger",
        "till",
        "display",
    ]


@pytest.fixture
def shop() -> Functions:
    """A stack of a shop that has a till."""
    secrets = {**SECRETS, "till": demo.TILL_CREDENTIALS}
    return Functions(TILL_PROVIDER="smaregi", LOCAL_SECRETS=json.dumps(secrets))


def test_a_till_without_credentials_spoils_only_its_own_part() -> None:
    shop = Functions(TILL_PROVIDER="smaregi")
    answer = shop.sample(POINTS, "by_header")
    assert (answer.status, answer.body["till"]["status"]) == (200, "unavailable")
    assert shop.sample("points_history", "by_header").status == 200


class StackSecret:
    """The stack's secret, which changes, and the clock of whoever caches it."""

    def __init__(self) -> None:
        self.members: dict[str, object] = {**SECRETS, "till": demo.TILL_CREDENTIALS}
        self.passed_seconds = 0.0

    def read(self) -> Secrets:
        return Secrets.from_json(json.dumps(self.members), Stage.LOCAL)

    def functions(self, **variables: str) -> Functions:
        """Functions that read this secret."""
        parts: Parts = {"read_secrets": self.read, "monotonic": lambda: self.passed_seconds}
        return Functions(parts, **variables)


def test_a_tills_new_credentials_are_used_within_a_minute() -> None:
    secret = StackSecret()
    container = secret.functions(TILL_PROVIDER="smaregi").container
    before = container.till()
    secret.members["till"] = {**demo.TILL_CREDENTIALS, "client_secret": "new"}
    assert container.till() is before
    secret.passed_seconds = 61.0
    assert container.till() is not before


def test_whatever_the_till_does_spoils_only_its_own_part(
    shop: Functions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> object:
        raise RecursionError("deep")

    monkeypatch.setattr(SmaregiTill, "member", broken)
    answer = shop.sample(POINTS, "by_header")
    assert (answer.status, answer.body["till"]["status"]) == (200, "unavailable")
    (line,) = logged(capsys, "exception_name")
    assert line["exception_name"] == "RecursionError"


@dataclass
class EndlessTill:
    """A till that keeps none of its promises about time, until it is released."""

    given_seconds: list[float] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def member(self, _: object, deadline: Deadline, __: object) -> object:
        self.given_seconds.append(deadline.left_seconds())
        self.released.wait(10)
        raise MemberNotRegistered("released")


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Iterator[EndlessTill]:
    """The shop's till does not come to an end."""
    till = EndlessTill()
    monkeypatch.setattr(SmaregiTill, "member", lambda _, *requested: till.member(*requested))
    yield till
    till.released.set()


@pytest.mark.slow
@pytest.mark.parametrize("ledger_seconds", [0, 0.5])
def test_the_tills_time_budget_begins_with_its_request(
    shop: Functions, monkeypatch: pytest.MonkeyPatch, endless: EndlessTill, ledger_seconds: float
) -> None:
    read = ReadOnlyLedger.read

    def slow(*requested: Any) -> object:
        time.sleep(ledger_seconds)
        return read(*requested)

    monkeypatch.setattr(ReadOnlyLedger, "read", slow)
    payload = event(POINTS, "by_header")
    # Also when questions of pages before take all workers.
    for _ in range(5):
        started = time.monotonic()
        answer = shop.request(POINTS, payload)
        assert time.monotonic() - started < TILL_BUDGET_SECONDS + 0.3
        assert (answer.status, answer.body["till"]["status"]) == (200, "timeout")
    assert all(seconds <= TILL_BUDGET_SECONDS for seconds in endless.given_seconds)


def test_a_question_to_the_till_that_is_under_way_does_not_hold_up_the_next_page(
    shop: Functions, monkeypatch: pytest.MonkeyPatch, endless: EndlessTill
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ReadOnlyLedger, "read", _unavailable)
        assert shop.sample(POINTS, "by_header").status == 503
    shop.sample(POINTS, "by_header")
    assert len(endless.given_seconds) == 2
    assert endless.given_seconds[1] > TILL_BUDGET_SECONDS - 0.2


def test_the_first_view_of_a_process_waits_less_since_the_start_took_its_time(
    shop: Functions, endless: EndlessTill
) -> None:
    answer = shop.sample(POINTS, "by_header")
    assert answer.body["till"]["status"] == "timeout"
    (given,) = endless.given_seconds
    assert given <= TILL_BUDGET_SECONDS - START_SECONDS_MAX


def test_a_question_that_has_not_begun_ends_with_a_page_that_fails(
    shop: Functions, monkeypatch: pytest.MonkeyPatch, endless: EndlessTill
) -> None:
    payload = event(POINTS, "by_header")
    with monkeypatch.context() as patch:
        patch.setattr(ReadOnlyLedger, "read", _unavailable)
        for _ in range(5):
            assert shop.request(POINTS, payload).status == 503
    endless.released.set()
    assert shop.request(POINTS, payload).body["till"]["status"] == "not_registered"
    assert len(endless.given_seconds) <= 3 + 1, "one for each worker, and the last page's"


def _unavailable(*_: object) -> object:
    time.sleep(0.05)  # the till is asked meanwhile
    raise LedgerUnavailable(1)
