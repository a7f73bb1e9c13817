"""What a member of the staff may add and remove in a day is counted exactly: on every engine."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest

from pointbook.clock import SystemClock
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant, Remove
from pointbook.domain.expiry import Days
from pointbook.domain.refusal import Code, Refusal
from pointbook.domain.staff import DailyLimit
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.store import keys
from pointbook.store.staff_limits import StaffLimits
from pointbook.store.table import Table
from pointbook.store.values import text_of
from tests.engines.counting import CountingClient
from tests.support import engine as engines
from tests.support.engine import MEMORY, SHOP, Engine, all_entries
from tests.support.examples import CUSTOMER, OTHER
from tests.support.ledgers import LedgerDriver

STAFF, COLLEAGUE = "70000000001", "70000000002"
TODAY, TOMORROW = date(2026, 11, 30), date(2026, 12, 1)
MOST = 1_000

isolated = pytest.mark.parametrize("engine", engines.ISOLATED, indirect=True)


def adjustment(
    points: int, key: str, day: date = TODAY, staff: str = STAFF, customer: str = CUSTOMER
) -> Instruction:
    limit = DailyLimit(staff, day, abs(points), MOST)
    command = Grant(points, Days(30)) if points > 0 else Remove(-points)
    return Instruction(
        SHOP,
        customer,
        command,
        Cause("manual", f"staff:{staff}"),
        identity=Identity("staff:adjust", key),
        content={"points": points},
        daily_limit=limit,
    )


class StaffLedger:
    """The ledger as the staff uses it, and what is counted."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.driver = LedgerDriver(engine)
        self.limits = StaffLimits(Table(engine.client, engine.table))

    def adjust(self, points: int, key: str, **more: object) -> Booked | Refusal:
        return self.driver.ledger.execute(adjustment(points, key, **more))  # type: ignore[arg-type]

    def moved(self, day: date = TODAY, staff: str = STAFF) -> int:
        return self.limits.points_moved(SHOP, staff, day)

    def version(self, customer_id: str = CUSTOMER) -> int:
        return len(all_entries(self.driver.store, customer_id))


@pytest.fixture
def ledger(engine: Engine) -> StaffLedger:
    return StaffLedger(engine)


def test_what_is_added_and_what_is_removed_counts_alike(ledger: StaffLedger) -> None:
    assert isinstance(ledger.adjust(600, "a"), Booked)
    assert isinstance(ledger.adjust(-300, "b"), Booked)
    assert ledger.moved() == 900
    assert ledger.driver.figures() == {"approved": 300, "total": 300, "lifetime": 600}


def test_up_to_the_limit_and_not_a_point_more(ledger: StaffLedger) -> None:
    ledger.adjust(600, "a")
    refused = ledger.adjust(401, "b")
    assert isinstance(refused, Refusal)
    assert refused.code is Code.DAILY_LIMIT_REACHED
    assert "400 more points" in refused.message
    assert (ledger.moved(), ledger.version()) == (600, 1)
    assert isinstance(ledger.adjust(400, "b"), Booked), "a refusal is not remembered"
    assert ledger.moved() == MOST


def test_a_repetition_is_not_counted_even_where_nothing_is_left(ledger: StaffLedger) -> None:
    first = ledger.adjust(MOST, "a")
    again = ledger.adjust(MOST, "a")
    assert isinstance(first, Booked)
    assert isinstance(again, Booked)
    assert (again.duplicate, again.entry_ids) == (True, first.entry_ids)
    assert (ledger.moved(), ledger.version()) == (MOST, 1)


def test_what_the_ledger_refuses_is_not_counted(ledger: StaffLedger) -> None:
    refused = ledger.adjust(-1, "a")
    assert isinstance(refused, Refusal)
    assert refused.code is Code.INSUFFICIENT_POINTS
    assert ledger.moved() == 0


def test_each_member_of_the_staff_has_a_limit_for_each_day_and_shop(ledger: StaffLedger) -> None:
    ledger.adjust(MOST, "a")
    assert isinstance(ledger.adjust(MOST, "b", staff=COLLEAGUE), Booked)
    assert isinstance(ledger.adjust(MOST, "c", day=TOMORROW), Booked)
    assert (ledger.moved(TOMORROW), ledger.moved(staff=COLLEAGUE)) == (MOST, MOST)
    assert ledger.limits.points_moved("other.myshopify.com", STAFF, TODAY) == 0


def test_a_day_that_has_begun_is_not_ended_by_a_clock_that_is_behind(ledger: StaffLedger) -> None:
    ledger.adjust(MOST, "a", day=TOMORROW)
    refused = ledger.adjust(1, "b", day=TODAY)
    assert isinstance(refused, Refusal)
    assert ledger.moved(TOMORROW) == MOST


def test_a_limit_that_was_lowered_leaves_nothing_and_not_less(ledger: StaffLedger) -> None:
    ledger.adjust(900, "a")
    lowered = adjustment(1, "b")
    limit = DailyLimit(STAFF, TODAY, 1, points_max=500)
    refused = ledger.driver.ledger.execute(
        Instruction(SHOP, CUSTOMER, lowered.command, lowered.cause, daily_limit=limit)
    )
    assert isinstance(refused, Refusal)
    assert "add or remove 0 more points" in refused.message


@pytest.mark.parametrize("engine", [MEMORY], indirect=True)
def test_an_adjustment_costs_one_read_and_two_write_units_more(engine: Engine) -> None:
    client = CountingClient(engine.client)
    driver = LedgerDriver(engine, client)
    driver.grant(10)
    client.forget()
    driver.ledger.execute(adjustment(10, "a"))
    assert client.operations == ["batch_get_item", "get_item", "transact_write_items"]
    (item,) = [
        item
        for (_, sk), item in engine.client.items(engine.table).items()
        if sk.startswith(keys.STAFF)
    ]
    assert text_of(item["sk"]) == f"STAFF#{STAFF}"


# --- many at once ---------------------------------------------------------------------------------


def persistent(ledger: Ledger, instruction: Instruction) -> Booked | Refusal:
    """As a page does it: after a 503 it sends the same request again."""
    while True:
        try:
            return ledger.execute(instruction)
        except LedgerUnavailable:
            continue


def at_once(engine: Engine, instructions: list[Instruction]) -> list[Booked | Refusal]:
    start, ledger = Barrier(len(instructions)), Ledger(engine.store(), SystemClock())

    def call(instruction: Instruction) -> Booked | Refusal:
        start.wait()
        return persistent(ledger, instruction)

    with ThreadPoolExecutor(len(instructions)) as pool:
        return list(pool.map(call, instructions))


@isolated
@pytest.mark.parametrize("customers", [1, 20])
def test_of_twenty_at_once_as_many_are_booked_as_the_limit_allows(
    engine: Engine, customers: int
) -> None:
    """On one account, where the account's own condition helps, and on twenty, where none does."""
    numbers = [str(int(CUSTOMER) + number % customers) for number in range(20)]
    crowd = [
        adjustment(150, f"k{place}", customer=customer) for place, customer in enumerate(numbers)
    ]
    answers = at_once(engine, crowd)
    refused = [answer.code for answer in answers if isinstance(answer, Refusal)]
    assert refused == [Code.DAILY_LIMIT_REACHED] * 14, "6 x 150 is 900, and a seventh too many"
    ledger = StaffLedger(engine)
    assert ledger.moved() == 900
    assert sum(ledger.version(customer) for customer in set(numbers)) == 6


@isolated
def test_a_double_click_is_one_entry_even_where_it_takes_all_that_is_left(engine: Engine) -> None:
    answers = at_once(engine, [adjustment(MOST, "one click")] * 20)
    assert all(isinstance(answer, Booked) for answer in answers)
    assert len({answer.entry_ids for answer in answers if isinstance(answer, Booked)}) == 1
    ledger = StaffLedger(engine)
    assert (ledger.moved(), ledger.version()) == (MOST, 1)


@isolated
def test_customers_and_other_staff_are_not_held_up(engine: Engine) -> None:
    others = [adjustment(150, f"o{place}", staff=COLLEAGUE, customer=OTHER) for place in range(6)]
    answers = at_once(engine, [adjustment(150, f"k{place}") for place in range(6)] + others)
    assert all(isinstance(answer, Booked) for answer in answers)
    ledger = StaffLedger(engine)
    assert (ledger.moved(), ledger.moved(staff=COLLEAGUE)) == (900, 900)
