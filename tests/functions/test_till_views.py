"""My page answers from what the till last said, and never waits for it twice."""

import json
import subprocess
import sys
import threading
import time

import pytest

from pointbook.errors import LedgerUnavailable, Unavailable
from pointbook.store.till_members import Membership, TillMembers
from pointbook.till.errors import (
    AmbiguousMember,
    BadTillAnswer,
    TillRefusedLogin,
    TillThrottled,
    TillTimeout,
    TillUnavailable,
)
from tests.functions.till_shop import SHOP, TillShop
from tests.support.harness import CUSTOMER
from tests.support.logs import logged

FAILURES = [
    (TillTimeout("late"), "timeout", "Please try again", "もう一度お試しください"),
    (
        TillUnavailable("503"),
        "unavailable",
        "Temporarily unavailable",
        "一時的にご利用いただけません",
    ),
    (
        TillRefusedLogin("401"),
        "unavailable",
        "Temporarily unavailable",
        "一時的にご利用いただけません",
    ),
    (BadTillAnswer("?"), "unavailable", "Temporarily unavailable", "一時的にご利用いただけません"),
    (
        TillThrottled("429", 7),
        "unavailable",
        "Temporarily unavailable",
        "一時的にご利用いただけません",
    ),
]


@pytest.fixture
def shop() -> TillShop:
    return TillShop()


# --- cached members -------------------------------------------------------------------------------


def test_a_member_never_seen_is_read_at_once_and_kept(shop: TillShop) -> None:
    till = shop.view_till()
    assert (till["status"], till["balance"], till["stale"]) == ("ok", 1250, False)
    cached = shop.cached()
    assert cached is not None
    assert (cached.membership, cached.balance_points, cached.rank, cached.till_id) == (
        Membership.MEMBER,
        1250,
        "gold",
        "77",
    )
    assert shop.asked() == []


def test_a_fresh_member_is_answered_without_the_till(shop: TillShop) -> None:
    first = shop.view_till()
    shop.later(59)
    assert shop.view_till() == first
    assert len(shop.till.calls) == 1
    assert shop.asked() == []


VIEW_OF_A_KEPT_MEMBER = """
import sys
from pointbook.store.till_members import CachedMember, Membership
from tests.functions.till_shop import NOW, SHOP, TillShop
from tests.support.harness import CUSTOMER
shop = TillShop()
cached = CachedMember(Membership.MEMBER, CUSTOMER, NOW, "77", 1250, None, "gold")
shop.functions.container.till_members().save(SHOP, CUSTOMER, cached)
assert shop.view_till()["balance"] == 1250
print(*sys.modules, sep="\\n", file=sys.stderr)
"""


def test_a_view_of_a_kept_member_loads_neither_the_tills_adapter_nor_its_http_client() -> None:
    done = subprocess.run(
        [sys.executable, "-c", VIEW_OF_A_KEPT_MEMBER], capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.splitlines())
    assert "pointbook.services.till_views" in loaded
    others = {"pointbook.http.transport", "pointbook.services.guarded_till"}
    assert loaded & (others | {"pointbook.till.providers", "pointbook.till.smaregi"}) == set()


def test_an_older_member_is_answered_at_once_with_its_time_while_one_refresh_is_asked_for(
    shop: TillShop,
) -> None:
    shop.view()
    shop.till.put(CUSTOMER, 900, shop.clock.at)
    shop.later(60)
    for _ in range(5):
        answer = shop.view()
        till, display = answer.body["till"], answer.body["display"]
        assert (till["status"], till["balance"], till["stale"]) == ("ok", 1250, True)
        assert (display["balance"], display["message"], display["action"]) == ("1,250", None, None)
        assert display["note"] == "As of November 30, 2026, 12:00"
    assert len(shop.till.calls) == 1
    (text,) = shop.functions.queues.sent
    assert json.loads(text[1]) == {"shop": SHOP, "customer_id": CUSTOMER}
    assert shop.work() == {"refreshed": 1, "failed": 0, "probed": False, "notices": 0}
    till = shop.view_till()
    assert (till["balance"], till["stale"]) == (900, False)
    assert shop.till.calls[-1] == (CUSTOMER, "77"), "the till's own id saves a call"


def test_a_refresh_that_was_lost_is_asked_for_again_when_its_claim_is_over(
    shop: TillShop,
) -> None:
    shop.view()
    shop.later(60)
    shop.view()
    assert len(shop.asked()) == 1
    shop.later(9.9)
    shop.view()
    assert shop.asked() == []
    shop.later(0.1)
    shop.view()
    assert len(shop.asked()) == 1


def test_for_how_long_a_member_is_fresh_is_a_parameter() -> None:
    shop = TillShop(TILL_FRESH_SECONDS="5")
    shop.view()
    shop.later(5)
    assert shop.view_till()["stale"] is True


@pytest.mark.parametrize(("ranks", "percent"), [("Gold=150,silver=120", 150), ("silver=120", None)])
def test_a_rank_of_the_till_says_what_its_orders_earn_if_the_programme_knows_it(
    ranks: str, percent: int | None
) -> None:
    answer = TillShop(PROGRAMME_RANK_MULTIPLIERS=ranks).view().body
    assert (answer["till"]["rank"], answer["rank_percent"]) == ("gold", percent)


def test_what_is_kept_of_an_unknown_member_is_not_asked_again_while_it_is_fresh(
    shop: TillShop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.till.members.clear()
    for _ in range(3):
        answer = shop.view()
        assert answer.body["till"]["status"] == "not_registered"
        assert answer.body["display"]["message"] == "Not registered at store"
        assert answer.body["display"]["balance"] is None
    assert len(shop.till.calls) == 1
    (line,) = [line for line in logged(capsys, "message") if line["message"] == "till_failed"]
    assert (line["code"], line["advice"]) == ("not_registered", "check sync")


def test_what_is_counted_beside_a_view_has_its_stage_and_its_request(
    shop: TillShop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.till.error = TillUnavailable("503")
    shop.view()
    lines = logged(capsys)
    assert [line["Stage"] for line in lines if "TillFailures" in line] == ["local"]
    (failed,) = [line for line in lines if line.get("message") == "till_failed"]
    assert failed["request_id"] == "00000000-0000-4000-8000-000000000001"


def test_a_member_who_registers_is_found_by_the_next_refresh(shop: TillShop) -> None:
    shop.till.members.clear()
    shop.view()
    shop.till.put(CUSTOMER, 10, shop.clock.at)
    shop.later(60)
    till = shop.view_till()
    assert (till["status"], till["balance"], till["stale"]) == ("not_registered", None, True)
    shop.work()
    assert shop.view_till()["balance"] == 10


def test_two_members_of_one_number_show_none_of_them(shop: TillShop) -> None:
    shop.till.error = AmbiguousMember("2 members")
    for _ in range(2):
        answer = shop.view()
        assert (answer.body["till"]["status"], answer.body["till"]["balance"]) == (
            "unavailable",
            None,
        )
        assert answer.body["display"]["message"] == "Temporarily unavailable"
    assert len(shop.till.calls) == 1
    assert not shop.state.failures, "the till works"


# --- without waiting ------------------------------------------------------------------------------


def test_a_view_that_does_not_wait_is_pending_until_something_is_known(shop: TillShop) -> None:
    for _ in range(2):
        answer = shop.view("till_known")
        assert answer.body["till"]["status"] == "pending"
        assert set(answer.body["display"].values()) == {None}
        assert set(answer.body["figures"].values()) == {0}
    assert shop.till.calls == []
    assert shop.work()["refreshed"] == 1
    assert shop.view_till("till_known")["balance"] == 1250


def test_a_view_that_does_not_wait_gets_what_is_kept(shop: TillShop) -> None:
    shop.view()
    shop.later(3600)
    till = shop.view_till("till_known")
    assert (till["status"], till["balance"], till["stale"]) == ("ok", 1250, True)


def test_a_view_waits_for_a_refresh_under_way_instead_of_reading_the_till_itself(
    shop: TillShop,
) -> None:
    shop.view("till_known")
    shop.clock.instead = lambda: len(shop.clock.slept_seconds) == 3 and shop.work()
    assert shop.view_till()["balance"] == 1250
    assert len(shop.clock.slept_seconds) == 3, "the refresh has brought it"
    assert len(shop.till.calls) == 1


# --- failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "status", "english", "japanese"), FAILURES)
def test_a_failure_without_a_kept_member_has_its_text_in_both_languages(
    shop: TillShop, error: Exception, status: str, english: str, japanese: str
) -> None:
    shop.functions.sample("flow_action_grant", "run")
    shop.till.error = error
    answer = shop.view()
    assert answer.body["till"]["status"] == status
    assert answer.body["display"] == {
        "balance": "Currently unavailable",
        "expiry": None,
        "rank": None,
        "message": english,
        "action": "reload",
        "note": "*Can also verify at store",
    }
    assert answer.body["figures"]["approved"] == 1250
    shop.clock.at = shop.clock.at.replace(hour=4)
    assert shop.view("in_japanese").body["display"] == {
        "balance": "現在ご利用いただけません",
        "expiry": None,
        "rank": None,
        "message": japanese,
        "action": "reload",
        "note": "※店舗でもご確認いただけます",
    }


@pytest.mark.parametrize(("error", "status", "_english", "_japanese"), FAILURES)
def test_a_failure_leaves_the_kept_member_with_its_time_and_the_failures_status(
    shop: TillShop, error: Exception, status: str, _english: str, _japanese: str
) -> None:
    shop.view()
    shop.later(60)
    shop.fail(error)
    for case, note in (
        ("by_header", "As of November 30, 2026, 12:00"),
        ("in_japanese", "2026年11月30日 12:00時点"),
    ):
        answer = shop.view(case)
        till, display = answer.body["till"], answer.body["display"]
        assert (till["status"], till["balance"], till["stale"]) == (status, 1250, True)
        assert (display["balance"], display["action"]) == ("1,250", "reload")
        assert (display["message"], display["note"]) == (None, note)


def test_a_view_that_was_too_slow_asks_for_a_refresh(shop: TillShop) -> None:
    shop.till.error = TillTimeout("late")
    assert shop.view_till()["status"] == "timeout"
    shop.till.error = None
    assert shop.work()["refreshed"] == 1
    assert shop.view_till()["balance"] == 1250


def test_a_slow_view_is_no_failure_of_the_till(shop: TillShop) -> None:
    """It has 700 ms, and a till that answers in 800 ms works."""
    for _ in range(4):
        shop.till.error = TillTimeout("late")
        shop.view()
        shop.later(11)
    assert shop.state.failures == 0


def test_a_breaker_that_is_open_keeps_views_from_the_till(shop: TillShop) -> None:
    shop.fail(TillUnavailable("503"))
    calls = len(shop.till.calls)
    for _ in range(20):
        assert shop.view_till()["status"] == "unavailable"
        assert shop.view_till("till_known")["status"] == "unavailable"
    assert len(shop.till.calls) == calls
    assert [text for text in shop.asked() if "customer_id" in text] == []


def test_a_breaker_that_is_open_keeps_refreshes_from_being_asked_for(shop: TillShop) -> None:
    shop.view()
    shop.later(60)
    shop.fail(TillUnavailable("503"))
    shop.asked()
    assert shop.view_till()["stale"] is True
    assert shop.asked() == []


def test_a_view_after_the_time_of_a_probe_has_the_till_probed(shop: TillShop) -> None:
    shop.fail(TillUnavailable("503"))
    shop.work()
    shop.later(5)
    shop.till.error = None
    assert shop.view_till()["status"] == "unavailable", "it does not wait for the probe"
    assert shop.work()["refreshed"] == 1
    assert shop.view_till()["status"] == "ok"
    assert not shop.state.is_open


def test_a_queue_out_of_reach_spoils_no_view(shop: TillShop) -> None:
    shop.functions.queues.error = Unavailable(10, code="queue_unavailable", message="away")
    shop.view()
    shop.later(60)
    assert shop.view_till()["balance"] == 1250


def test_a_queue_that_hangs_holds_no_view_up(
    shop: TillShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.view()
    shop.later(60)
    answers = threading.Event()
    monkeypatch.setattr(shop.functions.queues, "send_message", lambda **_: answers.wait(20))
    began = time.monotonic()
    assert shop.view_till()["balance"] == 1250
    assert time.monotonic() - began < 1
    answers.set()


def test_a_member_that_cannot_be_looked_up_spoils_only_the_tills_part(
    shop: TillShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> object:
        raise LedgerUnavailable(1)

    monkeypatch.setattr(TillMembers, "look_up", away)
    answer = shop.view()
    assert (answer.status, answer.body["till"]["status"]) == (200, "unavailable")


def test_a_member_that_cannot_be_kept_is_shown_all_the_same(
    shop: TillShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> object:
        raise LedgerUnavailable(1)

    monkeypatch.setattr(TillMembers, "save", away)
    assert shop.view_till()["balance"] == 1250
