"""The action "report points": Flow is told the six figures once for each run that asks."""

from collections.abc import Callable
from typing import Any

import pytest

from pointbook.clock import MovedClock
from pointbook.services.publishing import reports as report
from pointbook.shopify.triggers import Trigger
from tests.fakes.dynamodb import throttle
from tests.fakes.flow import FakeFlow, dead, down, locked, reply_lost
from tests.functions.callbacks import callback
from tests.functions.moved import ClockFile
from tests.support.harness import CUSTOMER, Answer, Functions

REPORT = "flow_action_report"
FIGURES = {"approved": 950, "pending": 0, "total": 950, "lifetime": 1250, "spent": 300, "hold": 0}


@pytest.fixture
def flow() -> FakeFlow:
    return FakeFlow()


@pytest.fixture
def shop(flow: FakeFlow, clock: ClockFile) -> Functions:
    """A customer has 1,250 points and has used 300 of them."""
    functions = Functions(
        {"flow": lambda _: flow}, LOCAL_CLOCK_FILE=str(clock), PROGRAMME_FLOW_ENTRIES_PER_HOUR="5"
    )
    for function in ("flow_action_grant", "flow_action_consume"):
        assert functions.sample(function, "run").status == 200
    return functions


def run(shop: Functions, run_id: str, customer: object = CUSTOMER) -> Answer:
    """One run of the action."""
    return shop.flow("report", run_id, customer_id=customer)


@pytest.mark.parametrize(
    "case", ["run", "customer_as_digits", "customer_as_number", "base64_body", "previous_secret"]
)
def test_a_report_sends_flow_the_six_figures_and_returns_them(
    shop: Functions, flow: FakeFlow, case: str
) -> None:
    answer = shop.sample(REPORT, case)
    assert answer.status == 200
    assert answer.body["return_value"] == {
        "entry_id": f"{CUSTOMER}-000000000002",
        "duplicate": False,
        **FIGURES,
    }
    (trigger,) = flow.received
    assert trigger.handle == "points-balance"
    assert trigger.payload == {
        "customer_id": int(CUSTOMER),
        "Points Approved": 950,
        "Points Pending": 0,
        "Points Total": 950,
        "Points Lifetime": 1250,
        "Points Spent": 300,
        "Points Hold": 0,
        "Entry Id": f"{CUSTOMER}-000000000002",
        "Source": "flow",
    }


def test_the_same_run_is_sent_once_and_answered_the_same_whatever_happened_since(
    shop: Functions, flow: FakeFlow
) -> None:
    first = run(shop, "run-1").body["return_value"]
    shop.sample("flow_action_grant", "with_key")
    again = run(shop, "run-1").body["return_value"]
    assert again == first | {"duplicate": True}
    assert len(flow.received) == 1
    assert run(shop, "run-2").body["return_value"]["approved"] == 950 + 1250
    assert len(flow.received) == 2


def test_a_customer_without_points_has_no_entry_yet(shop: Functions, flow: FakeFlow) -> None:
    answer = run(shop, "run-1", customer=7001)
    assert answer.body["return_value"]["entry_id"] is None
    assert flow.received[0].payload["Entry Id"] == ""
    assert run(shop, "run-1", customer=7001).body["return_value"] == {
        **answer.body["return_value"],
        "duplicate": True,
    }


def test_lapsed_points_are_not_reported_before_they_are_written_down(
    shop: Functions, flow: FakeFlow, clock: ClockFile
) -> None:
    clock.move(days=400)
    assert run(shop, "run-1").body["return_value"]["approved"] == 0
    assert flow.received[0].payload["Points Approved"] == 0


def test_while_shopify_is_down_flow_retries_until_the_trigger_is_sent(
    shop: Functions, flow: FakeFlow
) -> None:
    flow.faults.append(down)
    answer = run(shop, "run-1")
    assert (answer.status, answer.body["code"]) == (503, "shopify_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert run(shop, "run-1").body["return_value"]["duplicate"] is False
    assert len(flow.received) == 1


def test_a_trigger_whose_reply_was_lost_is_sent_again_with_the_same_entry_id(
    shop: Functions, flow: FakeFlow
) -> None:
    flow.faults.append(reply_lost)
    assert run(shop, "run-1").status == 503
    assert run(shop, "run-1").status == 200
    first, second = flow.received
    assert first == second


def test_a_trigger_that_shopify_rejects_is_a_refusal_that_is_not_recorded(
    shop: Functions, flow: FakeFlow, capsys: pytest.CaptureFixture[str]
) -> None:
    flow.faults.append(dead)
    answer = run(shop, "run-1")
    assert "TriggersRefused" in capsys.readouterr().out, "for the alarm"
    assert (answer.status, answer.body["code"]) == (422, "trigger_refused")
    assert answer.body["message"].endswith("look at the log.")
    assert run(shop, "run-1").status == 200


def test_while_a_shop_takes_no_calls_at_all_flow_retries_until_it_does(
    shop: Functions, flow: FakeFlow
) -> None:
    """Its bill is not paid, or the app may not do this: somebody puts that right."""
    flow.faults.append(locked)
    answer = run(shop, "run-1")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "300")
    assert run(shop, "run-1").status == 200


def test_a_disabled_trigger_is_not_sent_and_the_figures_are_returned_all_the_same(
    shop: Functions, flow: FakeFlow
) -> None:
    nobody = callback(flow_trigger_definition_id="points-balance", has_enabled_flow=False)
    assert shop.request("flow_lifecycle", nobody).body == {"status": "noted"}
    assert run(shop, "run-1").body["return_value"]["approved"] == 950
    assert flow.calls == 0


def test_another_disabled_trigger_stops_no_report(shop: Functions, flow: FakeFlow) -> None:
    nobody = callback(flow_trigger_definition_id="points-changed", has_enabled_flow=False)
    assert shop.request("flow_lifecycle", nobody).body == {"status": "noted"}
    assert run(shop, "run-1").status == 200
    assert len(flow.received) == 1


def test_reports_that_cause_reports_are_refused_within_the_hour_for_that_customer_only(
    shop: Functions, flow: FakeFlow, clock: ClockFile
) -> None:
    answers = [run(shop, f"run-{number}") for number in range(7)]
    assert [answer.status for answer in answers] == [200] * 5 + [422] * 2
    assert answers[5].body == {
        "code": "loop_refused",
        "message": (
            "This customer's points were reported 5 times within an hour:"
            " look for a workflow that begins with Points reported and reports again."
        ),
    }
    assert run(shop, "run-4").body["return_value"]["duplicate"] is True
    assert run(shop, "other", customer=7001).status == 200
    clock.move(hours=1)
    assert run(shop, "run-5").status == 200
    assert len(flow.received) == 7


def test_a_sent_report_that_could_not_be_recorded_is_not_retried(
    shop: Functions, flow: FakeFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    throttled = throttle(
        monkeypatch,
        shop.table,
        "transact_write_items",
        lambda one: "REQUEST#" in repr(next(act for act in one["TransactItems"] if "Put" in act)),
    )
    assert run(shop, "run-1").status == 200
    assert throttled
    assert len(flow.received) == 1


def test_two_of_one_run_at_the_same_time_are_answered_the_same(
    shop: Functions, flow: FakeFlow
) -> None:
    """The second is remembered while the first is being sent."""
    meanwhile: list[Answer] = []

    def rival(_: FakeFlow) -> str | None:
        meanwhile.append(run(shop, "run-1"))
        shop.sample("flow_action_grant", "with_key")
        return None

    flow.faults.append(rival)
    assert run(shop, "run-1").body == meanwhile[0].body


def test_what_the_table_took_is_taken_off_the_time_for_shopify(
    shop: Functions, flow: FakeFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flow waits 10 s."""
    passed = [0.0]
    monkeypatch.setattr(MovedClock, "monotonic", lambda _: passed[0])
    given: list[float] = []
    query, send = shop.table.query, FakeFlow.send

    def slow(**request: Any) -> object:
        passed[0] += 3.0
        return query(**request)

    def noted(self: FakeFlow, trigger: Trigger, seconds: float) -> str | None:
        given.append(seconds)
        return send(self, trigger, seconds)

    monkeypatch.setattr(shop.table, "query", slow)
    monkeypatch.setattr(FakeFlow, "send", noted)
    assert run(shop, "run-1").status == 200
    assert given == [report.ANSWER_SECONDS - 3.0]


def test_a_report_costs_no_more_requests_to_the_table_than_needed(
    shop: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flow waits for all of it."""
    requested: list[str] = []

    def noted(name: str) -> Callable[..., object]:
        call = getattr(shop.table, name)

        def request_and_count(**request: Any) -> object:
            requested.append(name)
            return call(**request)

        return request_and_count

    for name in ("get_item", "query", "update_item"):
        monkeypatch.setattr(shop.table, name, noted(name))
    run(shop, "run-1")
    requested.clear()
    run(shop, "run-2")
    assert requested == ["get_item", "get_item", "update_item", "query"]
