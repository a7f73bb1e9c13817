"""Expiring points have one reminder for each lot and its lead days, whatever fails between."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pointbook.container import Parts
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import Days
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.services.publishing import reminders
from pointbook.store.programmes import Deployment, Programmes
from pointbook.store.table import Table
from tests.fakes.dynamodb import throttle
from tests.fakes.flow import FakeFlow, dead, down, locked, reply_lost
from tests.functions.callbacks import callback
from tests.functions.moved import ClockFile, LateClock
from tests.support.harness import CUSTOMER, TABLE, Functions, event
from tests.support.logs import logged

OTHER = "8840734670935"
CURSOR = {"pk": {"S": f"SHOP#demo.myshopify.com#CUSTOMER#{CUSTOMER}"}, "sk": {"S": "OUTBOX"}}


class Shop:
    """A shop that reminds 30 and 7 days before; its clock can be moved by whole days."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self._clock = ClockFile(folder)
        self.flow = FakeFlow()
        self.wall_clock = LateClock()
        parts: Parts = {"flow": lambda _: self.flow, "wall_clock": self.wall_clock}
        self.functions = Functions(parts, LOCAL_CLOCK_FILE=str(self._clock), **variables)
        self._grants = 0

    def move(self, days: int) -> None:
        self._clock.move(days=days)

    def grant(self, days: int, points: int = 100, customer: str = CUSTOMER) -> None:
        """Points that can be spent through so many days after today."""
        self._grants += 1
        properties = {"customer_id": customer, "points": points, "reason": "Campaign"}
        run = f"run-{self._grants}"
        answer = self.functions.flow("grant", run, **properties, days_to_expire=days)
        assert answer.status == 200

    def remind(self, seconds: float = 60) -> dict[str, Any]:
        return self.functions.invoke("reminders", {}, seconds)

    def received(self) -> list[tuple[int, str]]:
        """Points and day of the reminders since the last call."""
        found = [
            (int(one.payload["Points Expiring"]), str(one.payload["Expires On"]))
            for one in self.flow.received
        ]
        self.flow.received.clear()
        return found

    def idempotency_record(self) -> Any:
        """The reminders recorded for the customer."""
        item = self.functions.table.get_item(TableName=TABLE, Key=CURSOR, ConsistentRead=True)
        return item.get("Item", {}).get("sent_reminders")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def day(shop: Shop, after: int) -> str:
    """The day so many days after today in Tokyo, as the ledger's clock has it."""
    today = shop.functions.container.clock.now().astimezone(ZoneInfo("Asia/Tokyo")).date()
    return str(today.fromordinal(today.toordinal() + after))


def test_a_reminder_is_sent_30_and_7_days_before_once_each(shop: Shop) -> None:
    shop.grant(days=40)
    last = day(shop, 40)
    received = {}
    for passed in range(42):
        shop.move(passed)
        for _ in range(2):
            shop.remind()
        if found := shop.received():
            received[40 - passed] = found
    assert received == {30: [(100, last)], 7: [(100, last)]}


def test_a_reminder_has_the_fields_that_the_trigger_declares(shop: Shop) -> None:
    shop.grant(days=30)
    answer = shop.remind()
    assert answer == {"due": 1, "sent": 1, "failed": 0, "complete": True}
    (trigger,) = shop.flow.received
    assert trigger.handle == "points-expiring"
    assert trigger.payload == {
        "customer_id": int(CUSTOMER),
        "Points Expiring": 100,
        "Expires On": day(shop, 30),
        "Entry Id": f"{CUSTOMER}-000000000001",
        "Source": "schedule",
    }


def test_no_reminder_is_sent_too_early(shop: Shop) -> None:
    shop.grant(days=31)
    assert shop.remind()["sent"] == 0
    assert shop.idempotency_record() is None


def test_a_lot_that_gets_more_points_has_no_second_reminder_for_the_same_lead_days(
    shop: Shop,
) -> None:
    shop.grant(days=30)
    shop.remind()
    shop.grant(days=30, points=50)
    shop.remind()
    assert shop.received() == [(100, day(shop, 30))]
    shop.move(23)
    shop.remind()
    assert shop.received() == [(150, day(shop, 7))]


def test_points_that_were_granted_for_a_few_days_only_have_one_reminder(shop: Shop) -> None:
    shop.grant(days=3)
    for _ in range(3):
        shop.remind()
    assert shop.received() == [(100, day(shop, 3))]


def test_every_lot_that_is_due_has_its_reminder_also_after_a_nearer_one(shop: Shop) -> None:
    shop.grant(days=5, points=10)
    shop.grant(days=20, points=20)
    shop.grant(days=35, points=30)
    shop.grant(days=20, points=40, customer=OTHER)
    shop.remind()
    assert sorted(shop.received()) == [(10, day(shop, 5)), (20, day(shop, 20)), (40, day(shop, 20))]
    shop.move(5)
    shop.remind()
    assert shop.received() == [(30, day(shop, 30))]


def test_what_is_over_is_forgotten(shop: Shop) -> None:
    shop.grant(days=5)
    shop.grant(days=20)
    shop.remind()
    assert len(shop.idempotency_record()["M"]) == 2
    shop.move(13)
    shop.remind()
    assert len(shop.idempotency_record()["M"]) == 1


def test_while_shopify_is_down_nothing_is_recorded_and_the_next_run_sends(shop: Shop) -> None:
    shop.grant(days=30)
    shop.flow.faults.append(down)
    assert shop.remind() == {"due": 1, "sent": 0, "failed": 1, "complete": False}
    assert shop.idempotency_record() == {"M": {}}
    assert shop.remind()["sent"] == 1
    assert shop.remind()["sent"] == 0
    assert len(shop.received()) == 1


def test_a_shop_that_failed_is_not_called_again_in_the_same_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "SENDERS", 1)
    for number in range(20):
        shop.grant(days=30, customer=str(8840734670900 + number))
    shop.flow.faults.extend([down])
    answer = shop.remind()
    assert (answer["sent"], answer["failed"], answer["complete"]) == (0, 1, False)
    assert shop.flow.calls == 1
    assert shop.remind()["sent"] == 20


def test_only_where_an_answer_is_lost_it_comes_twice_and_as_the_same(shop: Shop) -> None:
    shop.grant(days=30)
    shop.flow.faults.append(reply_lost)
    shop.remind()
    shop.remind()
    shop.remind()
    first, second = shop.flow.received
    assert first == second


def test_a_reminder_that_flow_rejects_is_not_retried(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.grant(days=30)
    shop.flow.faults.append(dead)
    assert shop.remind() == {"due": 1, "sent": 0, "failed": 0, "complete": True}
    counted = logged(capsys, "TriggersRefused")
    assert sorted("Handle" in line for line in counted) == [False, True], "one for the alarm"
    assert shop.remind()["sent"] == 0
    assert shop.flow.calls == 1


def test_a_shop_that_takes_no_calls_at_all_is_tried_again_by_the_next_run(shop: Shop) -> None:
    shop.grant(days=30)
    shop.flow.faults.append(locked)
    assert shop.remind()["complete"] is False
    assert shop.remind()["sent"] == 1


def test_a_disabled_trigger_is_neither_sent_nor_recorded(shop: Shop) -> None:
    shop.grant(days=30)
    trigger = {"flow_trigger_definition_id": "points-expiring"}
    off = callback(**trigger, has_enabled_flow=False, timestamp="2026-11-22T03:00:00Z")
    assert shop.functions.request("flow_lifecycle", off).status == 200
    assert shop.remind() == {"due": 0, "sent": 0, "failed": 0, "complete": True}
    assert shop.idempotency_record() is None
    shop.functions.request("flow_lifecycle", callback(**trigger))
    assert shop.remind()["sent"] == 1


def test_another_disabled_trigger_stops_no_reminder(shop: Shop) -> None:
    shop.grant(days=30)
    trigger = {"flow_trigger_definition_id": "points-changed"}
    shop.functions.request("flow_lifecycle", callback(**trigger, has_enabled_flow=False))
    assert shop.remind()["sent"] == 1


def test_a_programme_without_reminders_sends_none(tmp_path: Path) -> None:
    shop = Shop(tmp_path, PROGRAMME_REMINDER_DAYS="none")
    shop.grant(days=30)
    assert shop.remind() == {"due": 0, "sent": 0, "failed": 0, "complete": True}


def test_points_that_never_expire_have_no_reminder(tmp_path: Path) -> None:
    shop = Shop(tmp_path, PROGRAMME_EXPIRY="never")
    assert shop.functions.sample("flow_action_grant", "run").status == 200
    shop.grant(days=30, points=5)
    shop.remind()
    assert shop.received() == [(5, day(shop, 30))]


def test_points_that_were_spent_meanwhile_have_no_reminder(shop: Shop) -> None:
    shop.grant(days=40, points=300)
    assert shop.functions.sample("flow_action_consume", "run").status == 200
    shop.move(10)
    assert shop.remind()["sent"] == 0


def test_two_concurrent_runs_send_one_reminder(shop: Shop) -> None:
    shop.grant(days=30)

    def also_runs(_: FakeFlow) -> str | None:
        assert shop.remind()["sent"] == 0
        return None

    shop.flow.faults.append(also_runs)
    assert shop.remind()["sent"] == 1
    assert len(shop.received()) == 1


def test_a_run_that_was_cut_off_is_made_good_when_its_claim_is_over(shop: Shop) -> None:
    shop.grant(days=30)
    now = shop.wall_clock.now()
    driver = shop.functions.container.reminder_sender()
    driver.reminders.claim("demo.myshopify.com", CUSTOMER, now, now + reminders.CLAIM)
    assert shop.remind()["sent"] == 0
    shop.wall_clock.late = reminders.CLAIM
    assert shop.remind()["sent"] == 1


def test_one_damaged_account_stops_no_other(shop: Shop) -> None:
    for customer in (CUSTOMER, OTHER):
        shop.grant(days=30, customer=customer)
    shop.functions.damage()
    assert shop.remind() == {"due": 2, "sent": 1, "failed": 1, "complete": True}


def test_a_table_that_throttles_leaves_the_rest_to_the_next_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        shop.grant(days=30, customer=str(8840734670900 + number))
    with monkeypatch.context() as patch:
        throttle(patch, shop.functions.table, "query", lambda one: "DUE#lot#3" in repr(one))
        first = shop.remind()
    assert (first["failed"], first["complete"]) == (1, False)
    assert 0 < first["sent"] < 30
    assert shop.remind()["sent"] == 30 - first["sent"]


def test_a_part_that_a_read_leaves_out_is_read_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.grant(days=30)
    read, requests = shop.functions.table.batch_get_item, []

    def left_out(**request: Any) -> object:
        requests.append(request)
        if len(requests) == 1:
            return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}
        return read(**request)

    monkeypatch.setattr(shop.functions.table, "batch_get_item", left_out)
    assert shop.remind()["sent"] == 1
    assert len(requests) == 2


def test_a_sent_reminder_whose_record_fails_at_first_is_recorded(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.grant(days=30)
    claims = [1, 1]
    throttle(
        monkeypatch,
        shop.functions.table,
        "update_item",
        lambda one: "REMOVE reminders_claimed_until" in repr(one) and bool(claims and claims.pop()),
    )
    assert shop.remind()["failed"] == 0
    assert shop.remind()["sent"] == 0


def test_a_run_without_time_says_that_it_is_not_complete(shop: Shop) -> None:
    shop.grant(days=30)
    assert shop.remind(seconds=5.5)["complete"] is False
    assert shop.remind()["sent"] == 1


def test_erased_customers_have_no_reminder(shop: Shop) -> None:
    shop.grant(days=30)
    shop.functions.erase()
    assert shop.remind() == {"due": 0, "sent": 0, "failed": 0, "complete": True}


# --- hours of the day -----------------------------------------------------------------------------

SECOND_SHOP = "second.myshopify.com"
HALF_PAST_NINE_IN_TOKYO = datetime(2027, 3, 1, 0, 30, tzinfo=UTC)


class OpenAt(Shop):
    """A shop whose clock is put at an instant; its points expire in 30 days."""

    def put_clock(self, at: datetime) -> None:
        """Put the ledger's clock at an instant."""
        self._clock.move(seconds=(at - datetime.now(UTC)).total_seconds() + 1)

    def remind_on_schedule(self) -> int:
        """How many reminders a run sends that the schedule starts."""
        found: int = self.functions.invoke("reminders", event("reminders", "schedule"))["sent"]
        return found


def test_the_schedule_reminds_from_ten_to_seven_by_the_shops_own_clocks(tmp_path: Path) -> None:
    shop = OpenAt(tmp_path)
    shop.put_clock(HALF_PAST_NINE_IN_TOKYO)
    sent = []
    for hour in range(24):
        shop.put_clock(HALF_PAST_NINE_IN_TOKYO + timedelta(hours=hour))
        shop.grant(days=20, points=10 + hour, customer=str(8840734670900 + hour))
        sent.append(shop.remind_on_schedule())
    nobody_yet, all_day, evening = sent[0], sent[1:10], sent[10:]
    assert nobody_yet == 0
    assert all_day == [2, 1, 1, 1, 1, 1, 1, 1, 1], "two wait at 10:30; the last run is at 18:30"
    assert evening == [0] * 14


def test_each_shop_of_a_stack_keeps_its_own_hours(tmp_path: Path) -> None:
    shops = f"demo.myshopify.com,{SECOND_SHOP}"
    shop = OpenAt(tmp_path, SHOP_DOMAIN=shops)
    container = shop.functions.container
    programmes = Programmes(
        Table(shop.functions.table, TABLE), container.clock, Deployment(container.default_programme)
    )
    programmes.set(SECOND_SHOP, {"time_zone": "America/New_York"}, "test", 0)
    shop.put_clock(HALF_PAST_NINE_IN_TOKYO + timedelta(hours=2))
    shop.grant(days=20)
    grant = Grant(50, Days(20), Topic.ADD_MANUAL)
    instruction = Instruction(
        SECOND_SHOP, OTHER, grant, Cause("test"), time_zone="America/New_York"
    )
    assert isinstance(shop.functions.ledger.execute(instruction), Booked)
    assert shop.remind_on_schedule() == 1
    assert [points for points, _ in shop.received()] == [100], "it is 21:30 in New York"
    shop.put_clock(HALF_PAST_NINE_IN_TOKYO + timedelta(hours=15))
    assert shop.remind_on_schedule() == 1
    assert [points for points, _ in shop.received()] == [50], (
        "it is 10:30 there, and half past midnight here"
    )


@pytest.mark.parametrize("hours_later", [14, 15])
def test_a_call_by_hand_reminds_at_any_hour(tmp_path: Path, hours_later: int) -> None:
    """Also at 23:30 and at 00:30."""
    shop = OpenAt(tmp_path)
    shop.put_clock(HALF_PAST_NINE_IN_TOKYO + timedelta(hours=hours_later))
    shop.grant(days=20)
    assert shop.functions.invoke("reminders", event("reminders", "at_once"))["sent"] == 1
