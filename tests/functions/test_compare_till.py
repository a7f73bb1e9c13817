"""Members' points in the ledger are compared with the till's: what differs is found, once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from pointbook.clock import SystemClock
from pointbook.container import Parts
from pointbook.deadline import Deadline
from pointbook.domain.commands import Grant, Remove, SpendOnOrder
from pointbook.domain.expiry import Days, Never
from pointbook.entrypoints.schedule import MARGIN_SECONDS
from pointbook.errors import LedgerUnavailable
from pointbook.services.till_comparison_runs import BATCH_MEMBERS, PAUSES_SECONDS
from pointbook.store.table import Table
from pointbook.store.till_comparisons import Totals
from pointbook.store.till_pushes import TillCursor, TillPushes
from pointbook.till.errors import (
    AmbiguousMember,
    BadTillAnswer,
    BreakerOpen,
    MemberNotRegistered,
    TillError,
    TillThrottled,
    TillUnavailable,
)
from pointbook.till.member import Capabilities, Member
from tests.fakes.till import FakeTill
from tests.functions.test_privacy_events import redact
from tests.support.harness import TABLE, Functions, event, message
from tests.support.logs import logged, metric_sums
from tests.support.payloads import merge_payload
from tools import shopify_payloads as payloads

SHOP = payloads.SHOP
FIRST = 8_840_734_600_000
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Crash(BaseException):
    """The process ends."""


class FastClock(SystemClock):
    """The machine's clock, on which waiting takes no time but passes it."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.slept: list[float] = []

    def now(self) -> Any:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead.total_seconds()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ahead += timedelta(seconds=seconds)


class Till(FakeTill):
    """A till in memory; `before` is called before each answer with the member's number."""

    before: Callable[[str], None] = staticmethod(lambda _: None)

    def member(self, member_number: str, deadline: Deadline, till_id: str | None = None) -> Member:
        self.before(member_number)
        return FakeTill.member(self, member_number, deadline, till_id)


class Scenario:
    """A shop with members whom the till knows with the same points, and what alters them."""

    def __init__(self, **variables: str) -> None:
        self.clock, self.till = FastClock(), Till()
        parts: Any = {
            "clock": self.clock,
            "wall_clock": self.clock,
            "monotonic": self.clock.monotonic,
            "till": lambda share=1.0: self.till if share else None,
        }
        self.functions = Functions(parts, **variables)
        self.comparisons = self.functions.container.till_comparisons()

    def add(self, members: int, points: int = 100) -> list[str]:
        """Add members with points that ledger and till have."""
        known = len(self.till.members)
        ids = [str(FIRST + known + place) for place in range(members)]
        for customer_id in ids:
            self.grant(customer_id, points)
            self.at_till(customer_id, points)
        return ids

    def grant(self, customer_id: str, points: int) -> None:
        self.functions.execute(Grant(points, Never()), customer_id)

    def at_till(self, customer_id: str, points: int) -> None:
        self.till.put(customer_id, points, self.clock.now(), till_id=customer_id[-4:])

    def run(self, seconds: float = 600, **given: Any) -> dict[str, Any]:
        return self.functions.invoke("compare_till", given, seconds)

    def page(self, **given: Any) -> dict[str, Any]:
        return self.functions.invoke("compare_till", {"shop": SHOP, **given}, 600)

    def totals(self) -> Totals:
        """Those of the last finished comparison."""
        last = self.comparisons.read(SHOP).last
        assert last is not None, "no comparison was finished"
        return last.totals

    def asked(self) -> list[str]:
        """The members whom the till was asked for since the last call."""
        numbers, self.till.calls = [number for number, _ in self.till.calls], []
        return numbers


@pytest.fixture
def scenario() -> Scenario:
    return Scenario()


def found(capsys: pytest.CaptureFixture[str], message: str) -> dict[str, dict[str, Any]]:
    """The log lines with this message, by customer."""
    return {
        one["customer_id"]: one for one in logged(capsys, "message") if one["message"] == message
    }


# --- what is found --------------------------------------------------------------------------------


def test_exactly_the_members_who_differ_are_found_with_their_amounts(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = scenario.add(60)
    altered = {one: 100 + (7 if place % 2 else -3) for place, one in enumerate(ids[::2])}
    for customer_id, points in altered.items():
        scenario.at_till(customer_id, points)
    capsys.readouterr()
    result = scenario.run()
    assert (result["compared"], result["differing"], result["complete"]) == (60, 30, True)
    lines = found(capsys, "till_differs")
    assert {one: (line["ledger"], line["till"]) for one, line in lines.items()} == {
        one: (100, points) for one, points in altered.items()
    }
    assert {line["difference"] for line in lines.values()} == {7, -3}
    assert scenario.totals() == Totals(
        compared=60, equal=30, till_less=15, till_less_points=45, till_more=15, till_more_points=105
    )


@pytest.mark.parametrize(("rule", "value"), [("balance", 1), ("changes", None), ("no", None)])
def test_the_number_of_those_who_differ_is_a_metric_where_the_till_follows_the_ledger(
    rule: str, value: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = Scenario(PROGRAMME_TILL_PUSH=rule)
    scenario.at_till(scenario.add(3)[0], 99)
    scenario.clock.ahead += HOUR  # nothing is on its way to the till by now
    capsys.readouterr()
    assert scenario.run()["differing"] == 1
    assert metric_sums(capsys).get("TillDrift") == value


def test_members_whom_the_till_does_not_know_are_named_if_they_have_points(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = scenario.add(3)
    del scenario.till.members[ids[0]], scenario.till.members[ids[1]]
    scenario.functions.execute(Remove(100), ids[1])
    capsys.readouterr()
    scenario.run()
    lines = found(capsys, "till_not_registered")
    assert {one: (line["ledger"], line["advice"]) for one, line in lines.items()} == {
        ids[0]: (100, "check sync")
    }
    assert scenario.totals() == Totals(
        compared=1, equal=1, not_registered=1, not_registered_without_points=1
    )


def test_a_damaged_account_does_not_keep_the_others_from_being_compared(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged, *others = scenario.add(3)
    scenario.functions.damage(damaged)
    scenario.at_till(others[1], 99)
    capsys.readouterr()
    result = scenario.run()
    assert (result["compared"], result["not_compared"], result["complete"]) == (2, 1, True)
    assert set(found(capsys, "till_differs")) == {others[1]}


@pytest.mark.parametrize(
    ("error", "kind", "why"),
    [
        (MemberNotRegistered("none"), "not_registered", "check sync"),
        (TillUnavailable("Shopify does not say"), "not_compared", "unavailable"),
    ],
)
def test_a_customer_whose_member_number_is_not_known_is_not_asked_for(
    scenario: Scenario, error: TillError, kind: str, why: str
) -> None:
    (customer_id,) = scenario.add(1)

    def fail(_shop: str, _customer_id: str, _deadline: Deadline) -> str:
        raise error

    comparison = replace(scenario.functions.container.till_comparison(SHOP), number=fail)
    (row,) = comparison.rows([customer_id], Deadline.after(9, scenario.clock.monotonic))
    assert (row.kind, row.why, row.member_number, scenario.asked()) == (kind, why, "", [])


def test_several_members_of_one_number_are_no_difference(scenario: Scenario) -> None:
    ids = scenario.add(2)

    def ambiguous(number: str) -> None:
        if number == ids[0]:
            raise AmbiguousMember(number)

    scenario.till.before = ambiguous
    result = scenario.run()
    assert (result["ambiguous"], result["differing"]) == (1, 0)
    (row,) = scenario.page(customers=[ids[0]])["rows"]
    assert (row["kind"], row["till"], row["difference"]) == ("ambiguous", None, 0)


def test_the_erased_and_the_merged_are_not_compared(scenario: Scenario) -> None:
    gone, survivor, erased = scenario.add(3)
    work = scenario.functions.work
    assert (
        work("customer_events", message("customers_merge", **merge_payload(gone, survivor))) == []
    )
    assert work("privacy_events", redact(int(erased))) == []
    scenario.run()
    assert scenario.asked() == [survivor]
    assert [one["customer_id"] for one in scenario.page()["rows"]] == [survivor]
    assert scenario.page(customers=[gone])["rows"] == []
    assert scenario.comparisons.count(SHOP) == 1


def test_what_the_till_said_is_kept_for_my_page(scenario: Scenario) -> None:
    (customer_id,) = scenario.add(1)
    scenario.at_till(customer_id, 70)
    scenario.run()
    cached = scenario.functions.container.till_members().read(SHOP, customer_id)
    assert cached is not None
    assert (cached.balance_points, cached.till_id) == (70, customer_id[-4:])
    scenario.run()
    assert scenario.till.calls[-1] == (customer_id, customer_id[-4:]), "found by the till's own id"


def test_a_debt_agrees_with_a_till_that_has_nothing(scenario: Scenario) -> None:
    """A till does not go below zero."""
    (customer_id,) = scenario.add(1)
    order = SpendOnOrder(130, "1", "till")
    scenario.functions.execute(order, customer_id)
    assert scenario.functions.approved(customer_id) == -30
    for points, kind in ((0, "equal"), (-30, "equal"), (5, "differs"), (-5, "differs")):
        scenario.at_till(customer_id, points)
        (row,) = scenario.page()["rows"]
        assert (row["kind"], row["ledger"]) == (kind, -30)


def test_operators_see_the_last_comparison_and_whether_one_is_under_way(
    scenario: Scenario,
) -> None:
    def seen() -> dict[str, Any]:
        answer = scenario.functions.sample("till_status", "get")
        assert answer.status == 200
        comparison: dict[str, Any] = answer.body["comparisons"][SHOP]
        return comparison

    assert seen() == {"finished_at": None, "running_since": None, "totals": None}
    scenario.at_till(scenario.add(2)[0], 70)
    scenario.run()
    finished = seen()
    assert finished["running_since"] is None
    assert datetime.fromisoformat(finished["finished_at"]) <= scenario.clock.now()
    assert finished["totals"]["differing"] == finished["totals"]["till_less"] == 1
    assert finished["totals"]["till_less_points"] == 30
    scenario.till.before = lambda _: (_ for _ in ()).throw(BreakerOpen("it fails"))
    scenario.run()
    assert seen() == finished | {"running_since": seen()["running_since"]}
    assert seen()["running_since"] is not None


# --- a difference counts if it holds --------------------------------------------------------------


def test_a_member_who_changes_meanwhile_is_compared_again_later(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    changing, other = scenario.add(2)
    asked: list[str] = []

    def change(number: str) -> None:
        """Ledger and till change between the first reading of the one and of the other."""
        if number == changing and changing not in asked:
            scenario.grant(changing, 50)
            scenario.at_till(changing, 150)
        asked.append(number)

    scenario.till.before = change
    capsys.readouterr()
    result = scenario.run()
    assert (result["differing"], result["not_compared"], result["compared"]) == (0, 0, 2)
    assert (asked.count(changing), asked.count(other)) == (2, 1)
    assert found(capsys, "till_differs") == {}
    assert scenario.clock.slept == [PAUSES_SECONDS[0]]


def test_a_member_who_changes_all_the_time_is_said_not_to_be_compared(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    (changing,) = scenario.add(1)
    scenario.at_till(changing, 90)
    scenario.till.before = lambda number: scenario.grant(number, 1)
    capsys.readouterr()
    result = scenario.run()
    assert (result["differing"], result["not_compared"], result["complete"]) == (0, 1, True)
    assert set(found(capsys, "till_not_compared")) == {changing}
    assert scenario.comparisons.read(SHOP).running is None
    (row,) = scenario.page()["rows"]
    assert (row["kind"], row["why"], row["difference"]) == ("not_compared", "changing", 0)


def test_points_that_have_just_expired_are_no_difference_before_they_are_booked(
    scenario: Scenario,
) -> None:
    (customer_id,) = scenario.add(1)
    scenario.functions.execute(Grant(50, Days(1)), customer_id)
    scenario.at_till(customer_id, 150)
    scenario.clock.ahead += 3 * DAY
    assert scenario.page()["rows"][0]["why"] == "changing"
    scenario.functions.invoke("expiry", event("expiry", "schedule"))
    assert scenario.page()["rows"][0]["difference"] == 50


def test_a_failure_about_one_member_stops_nobody_else(scenario: Scenario) -> None:
    ids = scenario.add(3)

    def fail(number: str) -> None:
        if number == ids[1]:
            raise BadTillAnswer("no points")

    scenario.till.before = fail
    result = scenario.run()
    assert (result["compared"], result["not_compared"], result["stopped"]) == (2, 1, "")


# --- runs that end early --------------------------------------------------------------------------


@pytest.mark.parametrize("error", [BreakerOpen("it fails"), TillThrottled("a pause", 3600)])
def test_while_the_till_is_not_called_a_run_stops_says_so_and_is_continued(
    scenario: Scenario, error: TillError, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = scenario.add(BATCH_MEMBERS * 3)
    scenario.at_till(ids[-1], 1)

    def fail(number: str) -> None:
        if number == ids[BATCH_MEMBERS + 5]:
            raise error

    scenario.till.before = fail
    result = scenario.run()
    assert (result["stopped"], result["complete"]) == (error.code, False)
    assert error.code in str(logged(capsys, "message"))
    assert scenario.asked() == ids[: BATCH_MEMBERS + 5]
    scenario.till.before = lambda _: None
    result = scenario.run()
    assert scenario.asked() == ids[BATCH_MEMBERS:]
    assert (result["compared"], result["differing"], result["complete"]) == (len(ids), 1, True)


def test_a_till_that_fails_is_not_asked_for_the_next_shop(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """There is one till for all shops; what is about one shop alone does not stop the others."""
    scenario = Scenario(SHOP_DOMAIN=f"{SHOP},second.myshopify.com")
    (first,) = scenario.add(1)
    second = str(FIRST + 500)
    scenario.functions.execute(Grant(5, Never()), second, "second.myshopify.com")
    scenario.at_till(second, 5)

    def fail(number: str) -> None:
        if number == first:
            raise errors.pop()

    errors: list[Exception] = [LedgerUnavailable(), BreakerOpen("it fails")]
    scenario.till.before = fail
    assert scenario.run()["stopped"] == "breaker_open"
    assert second not in scenario.asked()
    assert scenario.run()["stopped"] == "ledger_unavailable"
    assert scenario.asked() == [second]
    capsys.readouterr()


def test_a_till_that_asks_for_a_pause_gets_it(scenario: Scenario) -> None:
    scenario.add(2)
    pauses = [TillThrottled("too many calls", 7)]

    def throttle(_: str) -> None:
        if pauses:
            raise pauses.pop()

    scenario.till.before = throttle
    assert scenario.run()["compared"] == 2
    assert scenario.clock.slept == [7]


@pytest.mark.parametrize("place", [1, BATCH_MEMBERS - 1, BATCH_MEMBERS, 2 * BATCH_MEMBERS + 1])
def test_a_run_that_is_killed_is_continued_and_counts_nobody_twice(
    scenario: Scenario, place: int
) -> None:
    ids = scenario.add(BATCH_MEMBERS * 3)
    for customer_id in ids[::2]:
        scenario.at_till(customer_id, 90)

    def crash(number: str) -> None:
        if number == ids[place]:
            raise Crash

    scenario.till.before = crash
    with pytest.raises(Crash):
        scenario.run()
    scenario.till.before = lambda _: None
    result = scenario.run()
    assert (result["compared"], result["differing"]) == (len(ids), len(ids) // 2)


def test_a_run_ends_in_time_and_the_next_one_continues(scenario: Scenario) -> None:
    ids = scenario.add(BATCH_MEMBERS * 2)
    scenario.till.before = lambda _: scenario.clock.sleep(1)
    assert not scenario.run(seconds=BATCH_MEMBERS + 3 + MARGIN_SECONDS)["complete"]
    scenario.asked()
    assert scenario.run()["complete"]
    assert scenario.asked() == ids[BATCH_MEMBERS:]


def test_the_schedule_begins_once_a_day_and_continues_every_hour(scenario: Scenario) -> None:
    scenario.add(1)
    hourly = event("compare_till", "schedule")
    runs = []
    for _ in range(26):
        scenario.functions.invoke("compare_till", hourly, 600)
        runs.append(len(scenario.asked()))
        scenario.clock.ahead += HOUR
    assert runs == [1, *[0] * 23, 1, 0]
    scenario.till.before = lambda _: (_ for _ in ()).throw(BreakerOpen("it fails"))
    scenario.run()
    scenario.till.before = lambda _: None
    scenario.functions.invoke("compare_till", hourly, 600)
    assert scenario.asked(), "one that is not finished is not left until the next day"


def test_by_hand_a_comparison_begins_at_once(scenario: Scenario) -> None:
    scenario.add(1)
    for _ in range(2):
        assert scenario.functions.invoke("compare_till", event("compare_till", "at_once"), 600)
    assert len(scenario.asked()) == 2


def test_while_the_table_cannot_be_reached_a_run_says_so_and_nothing_is_lost(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario.add(2)
    scenario.till.before = lambda _: (_ for _ in ()).throw(LedgerUnavailable())
    result = scenario.run()
    assert (result["stopped"], result["complete"]) == ("ledger_unavailable", False)
    scenario.till.before = lambda _: None
    assert scenario.run()["compared"] == 2


def test_a_till_that_fails_opens_the_breaker_and_the_run_calls_it_no_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the breaker that all functions share."""
    clock, till = FastClock(), FakeTill()
    parts: Parts = {
        "clock": clock,
        "wall_clock": clock,
        "monotonic": clock.monotonic,
        "till_adapter": lambda _, __: till,
    }
    functions = Functions(parts, TILL_PROVIDER="smaregi")
    for number in range(BATCH_MEMBERS):
        functions.execute(Grant(100, Never()), str(FIRST + number))
        till.put(str(FIRST + number), 100, clock.now())
    till.error = TillUnavailable("503")
    result = functions.invoke("compare_till", {}, 600)
    assert (result["stopped"], len(till.calls)) == ("breaker_open", 3)
    till.error = None
    assert functions.invoke("compare_till", {}, 600)["stopped"] == "breaker_open"
    clock.ahead += timedelta(minutes=1)
    result = functions.invoke("compare_till", {}, 600)
    assert (result["compared"], result["complete"]) == (BATCH_MEMBERS, True)
    capsys.readouterr()


# --- single pages ---------------------------------------------------------------------------------


def test_pages_show_every_account_once(scenario: Scenario) -> None:
    ids = scenario.add(BATCH_MEMBERS * 2 + 3)
    position, pages = None, []
    while True:
        page = scenario.page(position=position)
        pages.append([row["customer_id"] for row in page["rows"]])
        position = page["position"]
        if position is None:
            break
    assert sorted(one for page in pages for one in page) == sorted(ids)
    assert max(map(len, pages)) == BATCH_MEMBERS


def test_a_page_that_ends_early_says_why_and_where_it_goes_on(scenario: Scenario) -> None:
    ids = scenario.add(6)

    def fail(number: str) -> None:
        if number == ids[4]:
            raise BreakerOpen("it fails")

    scenario.till.before = fail
    page = scenario.page()
    assert [row["customer_id"] for row in page["rows"]] == ids[:4]
    assert page["stopped"] == {"code": "breaker_open", "message": "it fails", "left": ids[4:]}
    scenario.till.before = lambda _: None
    assert [row["customer_id"] for row in scenario.page(position=page["position"])["rows"]] == ids[
        4:
    ]


def test_a_page_has_the_columns_that_the_till_can_fill(scenario: Scenario) -> None:
    (customer_id,) = scenario.add(1)
    (row,) = scenario.page()["rows"]
    assert row == {
        "customer_id": customer_id,
        "member_number": customer_id,
        "ledger": 100,
        "till": 100,
        "difference": 0,
        "kind": "equal",
        "why": "",
        "version": 1,
        "expires_on": "2025-12-31",
        "rank": "gold",
    }
    scenario.till.capabilities = Capabilities(pushes=True, expiry=False, lots=False, ranks=False)
    page = scenario.page()
    assert page["till"] == {"pushes": True, "expiry": False, "lots": False, "ranks": False}
    assert page["rows"][0].keys() == row.keys() - {"expires_on", "rank"}


@pytest.mark.parametrize(
    ("given", "code", "named"),
    [
        ({"shop": "other.myshopify.com"}, "unknown_shop", "other.myshopify.com"),
        ({"position": "begin"}, "invalid_request", "position"),
        ({"position": ["a"]}, "invalid_request", "position"),
        ({"customers": "1"}, "invalid_request", "customers"),
        ({"customers": ["Taro"]}, "invalid_request", "customers"),
        ({"customers": ["1"] * (BATCH_MEMBERS + 1)}, "invalid_request", "customers"),
    ],
)
def test_a_page_that_cannot_be_is_refused(
    scenario: Scenario, given: dict[str, Any], code: str, named: str
) -> None:
    answer = scenario.page(**given)
    assert (answer["code"], answer["retry"]) == (code, False)
    assert named in answer["message"]
    assert scenario.asked() == []


def test_hours_that_are_no_number_are_refused(scenario: Scenario) -> None:
    scenario.add(1)
    assert scenario.run(every_hours="daily")["code"] == "invalid_request"
    assert scenario.asked() == []


def test_a_stack_without_a_till_says_so() -> None:
    for given in ({}, {"shop": SHOP}):
        assert Functions().invoke("compare_till", given)["code"] == "no_till"


# --- pushes ---------------------------------------------------------------------------------------

PUSHED = {"PROGRAMME_TILL_PUSH": "changes"}


@pytest.fixture
def pushing() -> Scenario:
    """A shop whose changes are pushed to the till, which can be written."""
    scenario = Scenario(**PUSHED)
    scenario.till.capabilities = Capabilities(pushes=True, expiry=False, lots=False, ranks=False)
    return scenario


def repair(*members: tuple[str, int, int], **changes: Any) -> dict[str, Any]:
    names = ("customer_id", "ledger", "till")
    push = [dict(zip(names, one, strict=True)) for one in members]
    return event("compare_till", "repair") | {"push": push} | changes


def cursor(scenario: Scenario, customer_id: str) -> TillCursor | None:
    pushes = TillPushes(Table(scenario.functions.table, TABLE))
    return pushes.find(SHOP, customer_id)


def test_while_a_change_is_on_its_way_to_the_till_nothing_differs(pushing: Scenario) -> None:
    """Not taken up by the outbox yet; in its queue; and given up."""
    (customer_id,) = pushing.add(1)
    pushing.at_till(customer_id, 0)
    (row,) = pushing.page()["rows"]
    assert (row["kind"], row["why"]) == ("not_compared", "push_under_way")
    TillPushes(Table(pushing.functions.table, TABLE)).request_balance(
        SHOP, customer_id, 1, pushing.clock.now()
    )
    pushing.clock.ahead += HOUR
    (row,) = pushing.page()["rows"]
    assert (row["kind"], row["why"]) == ("not_compared", "push_under_way")
    TillPushes(Table(pushing.functions.table, TABLE)).drop(SHOP, customer_id)
    (row,) = pushing.page()["rows"]
    assert (row["kind"], row["difference"]) == ("differs", -100), "a lost push is a difference"


def test_a_repair_has_the_ledgers_points_carried_to_the_till(
    pushing: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    (customer_id,) = pushing.add(1)
    pushing.at_till(customer_id, 70)
    pushing.clock.ahead += HOUR
    capsys.readouterr()
    answer = pushing.functions.invoke("compare_till", repair((customer_id, 100, 70)), 60)
    assert answer == {"outcomes": {customer_id: "queued"}}
    (line,) = found(capsys, "till_repair_requested").values()
    assert (line["by"], line["reason"], line["points"]) == ("Hanako", "The till was restored", 30)
    stored = cursor(pushing, customer_id)
    assert stored is not None
    assert stored.set_balance
    again = pushing.functions.invoke("compare_till", repair((customer_id, 100, 70)), 60)
    assert again == {"outcomes": {customer_id: "not_compared"}}, "it is under way"


def test_a_repair_leaves_members_alone_whose_figures_are_not_those_of_the_report(
    pushing: Scenario,
) -> None:
    same, ledger_moved, till_moved, unknown = pushing.add(4)
    pushing.grant(ledger_moved, 5)
    pushing.at_till(till_moved, 60)
    del pushing.till.members[unknown]
    pushing.clock.ahead += HOUR
    wanted = [(one, 100, 70) for one in (same, ledger_moved, till_moved, unknown)]
    answer = pushing.functions.invoke("compare_till", repair(*wanted), 60)
    assert answer["outcomes"] == {
        same: "agrees",
        ledger_moved: "changed",
        till_moved: "changed",
        unknown: "changed",
    }
    assert [cursor(pushing, one[0]) for one in wanted] == [None] * 4


def test_a_repair_that_the_till_stops_says_whom_it_has_reached(pushing: Scenario) -> None:
    ids = pushing.add(3)
    for customer_id in ids:
        pushing.at_till(customer_id, 70)
    pushing.clock.ahead += HOUR

    def fail(number: str) -> None:
        if number == ids[1]:
            raise BreakerOpen("it fails")

    pushing.till.before = fail
    wanted = [(one, 100, 70) for one in ids]
    answer = pushing.functions.invoke("compare_till", repair(*wanted), 60)
    assert answer["outcomes"] == {ids[0]: "queued"}


@pytest.mark.parametrize("rule", ["no", "changes"])
def test_nothing_is_pushed_where_the_programme_or_the_till_does_not_allow_it(rule: str) -> None:
    scenario = Scenario(PROGRAMME_TILL_PUSH=rule)
    (customer_id,) = scenario.add(1)
    can_push = rule == "no"  # with the other rule it is the till that cannot
    scenario.till.capabilities = Capabilities(
        pushes=can_push, expiry=False, lots=False, ranks=False
    )
    answer = scenario.functions.invoke("compare_till", repair((customer_id, 100, 70)), 60)
    assert (answer["code"], answer["retry"]) == ("push_is_off", False)
    assert scenario.asked() == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"push": []}, "push"),
        ({"push": {}}, "push"),
        ({"push": ["1"]}, "push"),
        ({"push": [{"customer_id": "1", "ledger": "1", "till": 1}]}, "ledger"),
        ({"push": [{"customer_id": "1", "ledger": 1, "till": True}]}, "till"),
        ({"push": [{"customer_id": "Taro", "ledger": 1, "till": 1}]}, "customer_id"),
        ({"push": [{"customer_id": "1", "ledger": 1, "till": 1}] * 21}, "push"),
        ({"run": ""}, "run"),
        ({"reason": None}, "reason"),
        ({"by": "H" * 65}, "by"),
    ],
)
def test_a_repair_that_cannot_be_is_refused(
    pushing: Scenario, changes: dict[str, Any], named: str
) -> None:
    answer = pushing.functions.invoke("compare_till", repair(("1", 1, 2)) | changes, 60)
    assert answer["code"] == "invalid_request"
    assert named in answer["message"]
    assert pushing.asked() == []
