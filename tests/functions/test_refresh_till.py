"""Cached members are refreshed beside the views; failures are probed, and notified once."""

import json
from datetime import timedelta

import pytest

from pointbook.errors import Unavailable
from pointbook.till.errors import (
    MemberNotRegistered,
    TillError,
    TillRefusedLogin,
    TillThrottled,
    TillTimeout,
    TillUnavailable,
)
from tests.functions.till_shop import TillShop
from tests.support.harness import CUSTOMER, Functions, event
from tests.support.logs import logged
from tools.make_events_webhooks import sqs_event

DOWN = TillUnavailable("503")
LATE = TillTimeout("late")


@pytest.fixture
def shop() -> TillShop:
    return TillShop()


# --- refreshes ------------------------------------------------------------------------------------


def test_a_refresh_brings_what_the_till_says_now(shop: TillShop) -> None:
    assert shop.functions.invoke("refresh_till", event("refresh_till", "refresh")) == {
        "refreshed": 1,
        "failed": 0,
        "probed": False,
        "notices": 0,
    }
    cached = shop.cached()
    assert cached is not None
    assert cached.balance_points == 1250


def test_a_refresh_of_a_member_that_is_fresh_by_now_calls_nobody(shop: TillShop) -> None:
    shop.view()
    assert shop.refresh()["refreshed"] == 1
    assert len(shop.till.calls) == 1


def test_a_message_that_cannot_be_read_stops_no_other(shop: TillShop) -> None:
    given = sqs_event(
        "till_refreshes", "{}", "nonsense", json.dumps({"shop": 1, "customer_id": "1"})
    )
    given["Records"] += event("refresh_till", "refresh")["Records"]
    answer = shop.functions.invoke("refresh_till", given)
    assert (answer["refreshed"], answer["failed"]) == (1, 3)


def test_a_failed_refresh_leaves_what_is_kept(shop: TillShop) -> None:
    shop.view()
    before = shop.cached()
    shop.later(60)
    shop.till.error = DOWN
    assert shop.refresh()["failed"] == 1
    assert shop.cached() == before


def test_nothing_is_kept_of_an_erased_customer(shop: TillShop) -> None:
    shop.functions.sample("flow_action_grant", "run")
    shop.view()
    assert shop.has_item()
    shop.functions.erase()
    assert not shop.has_item()
    shop.refresh()
    shop.view("till_known")
    assert not shop.has_item()


def test_without_a_till_there_is_nothing_to_do() -> None:
    functions = Functions()
    nothing = {"refreshed": 0, "failed": 0, "probed": False, "notices": 0}
    assert functions.invoke("refresh_till", event("refresh_till", "schedule")) == nothing
    assert functions.table.items("points") == {}


# --- the breaker ----------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [DOWN, LATE, TillRefusedLogin("401"), RuntimeError("bug")])
def test_three_failures_in_a_row_open_the_breaker(shop: TillShop, error: Exception) -> None:
    shop.fail(error, times=2)
    before = shop.state
    shop.fail(error, times=1)
    assert (before.is_open, shop.state.is_open) == (False, True)
    shop.refresh()
    assert len(shop.till.calls) == 3


def test_a_success_between_failures_keeps_it_closed(shop: TillShop) -> None:
    for _ in range(3):
        shop.fail(DOWN, times=2)
        shop.till.error = None
        shop.later(60)
        shop.refresh()
    assert not shop.state.is_open
    assert shop.state.failures == 0


@pytest.mark.parametrize("error", [MemberNotRegistered("none"), TillError("other")])
def test_an_unknown_member_is_an_answer_but_another_error_is_not(
    shop: TillShop, error: TillError
) -> None:
    shop.fail(error, times=3)
    assert shop.state.is_open is not isinstance(error, MemberNotRegistered)


def test_while_it_is_open_one_call_in_five_seconds_probes_the_till(shop: TillShop) -> None:
    shop.fail(DOWN)
    for _ in range(10):
        shop.refresh()
    assert len(shop.till.calls) == 3
    shop.later(5)
    for _ in range(10):
        shop.refresh()
    assert len(shop.till.calls) == 4
    shop.later(4.9)
    shop.refresh()
    assert len(shop.till.calls) == 4


def test_a_probe_that_succeeds_closes_it(shop: TillShop) -> None:
    shop.fail(DOWN)
    shop.later(5)
    shop.till.error = None
    assert shop.refresh()["refreshed"] == 1
    assert not shop.state.is_open
    assert shop.refresh("9000")["refreshed"] == 1


def test_the_time_between_probes_is_a_parameter() -> None:
    shop = TillShop(TILL_PROBE_SECONDS="60")
    shop.fail(DOWN)
    shop.later(59)
    shop.refresh()
    assert len(shop.till.calls) == 3
    shop.later(1)
    shop.refresh()
    assert len(shop.till.calls) == 4


def test_the_schedule_probes_though_nobody_views(shop: TillShop) -> None:
    shop.fail(DOWN)
    assert shop.watch()["probed"] is False, "not due yet"
    shop.later(60)
    assert shop.watch()["probed"] is True
    assert shop.state.is_open
    shop.later(60)
    shop.till.error = None
    assert shop.watch()["probed"] is True
    assert not shop.state.is_open


def test_a_success_costs_no_write_while_all_is_well(
    shop: TillShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.refresh()
    assert shop.state.succeeded_at == shop.clock.at
    writes: list[str] = []
    write = shop.functions.table.update_item

    def counted(**request: object) -> object:
        writes.append(str(request["Key"]))
        return write(**request)

    monkeypatch.setattr(shop.functions.table, "update_item", counted)
    shop.later(60)
    shop.refresh()
    assert [key for key in writes if "STATE" in key] == []
    shop.later(240)
    shop.refresh()
    assert len([key for key in writes if "STATE" in key]) == 1, "its time, every five minutes"


# --- pauses and the pace --------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "waited"), [(7, 7), (None, 30), (0, 1), (10**6, 600)])
def test_a_till_that_asks_for_a_pause_is_not_called_for_as_long(
    shop: TillShop, asked: int | None, waited: int
) -> None:
    shop.till.error = TillThrottled("429", asked)
    shop.refresh()
    shop.till.error = None
    shop.later(waited - 0.001)
    shop.refresh()
    assert shop.view_till()["status"] == "unavailable"
    assert len(shop.till.calls) == 1
    shop.later(0.001)
    assert shop.refresh()["refreshed"] == 1


def test_a_probe_waits_for_the_end_of_a_pause(shop: TillShop) -> None:
    shop.fail(DOWN, times=2)
    shop.fail(TillThrottled("429", 60), times=1)
    shop.later(59)
    assert shop.watch()["probed"] is False
    shop.later(1)
    assert shop.watch()["probed"] is True


def test_all_functions_together_call_no_faster_than_the_pace() -> None:
    shop = TillShop(TILL_CALLS_PER_SECOND="2")
    for number in range(2):
        shop.refresh(str(9000 + number))
    slept = shop.clock.slept_seconds
    shop.clock.instead = lambda: setattr(shop.clock, "at", shop.clock.at + timedelta(seconds=1))
    shop.refresh()
    assert len(slept) == 1
    assert 1 <= slept[0] <= 1.2, "until the next second, and not all at once"
    assert len(shop.till.calls) == 3


def test_a_call_without_time_to_wait_is_refused_and_is_no_failure(shop: TillShop) -> None:
    for number in range(5):
        shop.refresh(str(9000 + number))
    assert shop.view_till()["status"] == "timeout", "it has 700 ms and would wait a second"
    assert len(shop.till.calls) == 5
    assert shop.state.failures == 0
    assert len(shop.asked()) == 1, "and the next view has it"


def test_a_call_that_waited_for_our_own_pace_and_then_ran_late_is_no_failure() -> None:
    """Otherwise a backlog of our own would open the breaker of a till that works."""
    shop = TillShop(TILL_CALLS_PER_SECOND="2")
    shop.clock.instead = lambda: setattr(shop.clock, "at", shop.clock.at + timedelta(seconds=1))
    for number in range(2):
        shop.refresh(str(9000 + number))
    shop.till.error = LATE
    shop.refresh()
    assert (len(shop.clock.slept_seconds), shop.state.failures) == (1, 0)
    shop.refresh()
    assert (len(shop.clock.slept_seconds), shop.state.failures) == (1, 1), "it did not wait"


def test_background_work_leaves_room_for_views() -> None:
    shop = TillShop(TILL_CALLS_PER_SECOND="4")
    container = shop.functions.container
    assert container.till() is container.till()
    assert container.till(0.5) is not container.till()


# --- notices --------------------------------------------------------------------------------------


def test_the_operator_is_notified_once_of_an_outage_and_once_of_its_end(
    shop: TillShop,
) -> None:
    shop.view()
    shop.later(60)
    shop.fail(DOWN)
    for _ in range(20):
        shop.view()
        shop.work()
        shop.watch()
    (notice,) = shop.operator.messages
    assert "has been failing since 2026-11-30 03:01:00 UTC: it cannot be reached" in notice
    shop.later(300)
    shop.till.error = None
    for _ in range(3):
        shop.view()
        shop.work()
        shop.watch()
    assert len(shop.operator.messages) == 2
    assert "has been answering again since 2026-11-30 03:06:00 UTC" in shop.operator.messages[1]
    assert "had been failing since 2026-11-30 03:01:00 UTC" in shop.operator.messages[1]


def test_another_kind_of_failure_in_the_same_outage_is_told_once_more(shop: TillShop) -> None:
    shop.fail(DOWN)
    shop.work()
    shop.till.error = TillRefusedLogin("401")
    for _ in range(5):
        shop.later(60)
        shop.watch()
    assert len(shop.operator.messages) == 2
    assert "refuses our credentials" in shop.operator.messages[1]
    shop.till.error = DOWN
    shop.later(60)
    shop.watch()
    assert len(shop.operator.messages) == 2, "they know of that kind"
    shop.till.error = None
    shop.later(60)
    shop.watch()
    assert len(shop.operator.messages) == 3


def test_another_kind_of_failure_is_told_at_once_not_by_the_schedule(shop: TillShop) -> None:
    shop.fail(DOWN)
    shop.work()
    shop.later(5)
    shop.fail(TillRefusedLogin("401"), times=1)
    assert shop.work()["notices"] == 1


def test_the_schedule_sends_what_no_message_asked_for(shop: TillShop) -> None:
    shop.fail(DOWN)
    shop.asked()
    shop.watch()
    assert len(shop.operator.messages) == 1


def test_a_notice_that_cannot_be_sent_is_sent_later(
    shop: TillShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: str) -> None:
        raise Unavailable(60, code="topic_unavailable", message="away")

    shop.fail(DOWN)
    with monkeypatch.context() as patch:
        patch.setattr(shop.operator, "notify", away)
        shop.work()
        shop.watch()
    assert shop.operator.messages == []
    shop.watch()
    assert len(shop.operator.messages) == 1


def test_who_sends_just_now_is_not_joined_by_another(shop: TillShop) -> None:
    shop.fail(DOWN)
    now = shop.clock.at
    assert shop.functions.container.till_states().claim_notice(now, now + timedelta(seconds=60))
    shop.watch()
    assert shop.operator.messages == []
    shop.later(60)
    shop.watch()
    assert len(shop.operator.messages) == 1, "it died before it could record"


def test_a_till_that_fails_and_answers_by_turns_is_told_of_once(shop: TillShop) -> None:
    for _ in range(5):
        shop.fail(DOWN)
        shop.work()
        shop.watch()
        shop.later(5)
        shop.till.error = None
        shop.refresh()
        shop.work()
    assert len(shop.operator.messages) == 2, "it failed, and was back"


def test_a_failure_that_lasts_is_told_of_soon_after_the_last_notice_too(shop: TillShop) -> None:
    for _ in range(2):
        shop.fail(DOWN)
        shop.watch()
        shop.later(60)
        shop.watch()
        shop.later(5)
        shop.till.error = None
        shop.watch()
    assert len(shop.operator.messages) == 4


def test_a_till_that_recovers_before_its_notice_is_sent_is_not_told_of(shop: TillShop) -> None:
    shop.fail(DOWN)
    shop.later(5)
    shop.till.error = None
    shop.refresh()
    shop.work()
    shop.watch()
    assert shop.operator.messages == []


# --- metrics --------------------------------------------------------------------------------------


def test_views_and_calls_to_the_till_are_timed(
    shop: TillShop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.view()
    shop.view()
    names = [line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0] for line in logged(capsys, "_aws")]
    timed = [one["Name"] for one in names if one["Unit"] == "Milliseconds"]
    assert sorted(timed) == ["TillMilliseconds", "ViewMilliseconds", "ViewMilliseconds"]


def test_a_failure_is_counted_by_its_kind_and_logged_with_what_to_do(
    shop: TillShop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.till.error = TillRefusedLogin("401")
    shop.refresh(CUSTOMER)
    lines = logged(capsys)
    (failed,) = [line for line in lines if line.get("message") == "till_failed"]
    assert (failed["code"], failed["member_number"]) == ("auth", CUSTOMER)
    assert failed["advice"] == "check the till's credentials in the secret"
    assert [line["Code"] for line in lines if "TillFailures" in line] == ["auth"]
