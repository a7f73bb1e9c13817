"""Accounts as operators read them: now, or as of a past instant, with holds, orders and merges."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import Account
from pointbook.domain.chain import Cause
from pointbook.domain.erase import tombstone
from pointbook.domain.expiry import Days, FixedDate, Never
from pointbook.domain.orders import EarningRule, Goods, OrderUpdate
from pointbook.domain.ports import AccountWrite, Write
from pointbook.errors import InvalidRequest
from pointbook.services.account_reads import AccountReads
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support.engine import MEMORY, SHOP, all_entries, opened
from tests.support.examples import CUSTOMER, HOLD_ID, NOON, ORDER, OTHER
from tests.support.ledgers import LedgerDriver

THIRD = "7003"
LAST_DAY = NOON.date() + timedelta(days=30)
NO_POINTS = dict.fromkeys(("approved", "pending", "total", "lifetime", "spent", "hold"), 0)
PENDING = EarningRule(unit_minor=100, pending_days=14)


class Books(LedgerDriver):
    """A ledger in memory, and who reads it."""

    def __init__(self) -> None:
        super().__init__(opened(MEMORY, MemoryDynamoDB()))
        self.reads = AccountReads(self.ledger, self.clock)

    def shown(self, customer_id: str = CUSTOMER, at: datetime | None = None) -> dict[str, Any]:
        return self.reads.account(SHOP, customer_id, at)

    def order(self, order_id: str, minor: int, customer_id: str = CUSTOMER, **more: Any) -> None:
        """An order that is paid now, its points pending for two weeks."""
        now = self.clock.now()
        update = OrderUpdate(now, Goods(minor), confirmed_at=now, **more)
        self.say(c.UpdateOrder(order_id, update, PENDING, Days(30)), customer_id=customer_id)

    def merge(self, source: str, target: str) -> None:
        self.ledger.merge(SHOP, source, target, Cause("order"))


@pytest.fixture
def books() -> Books:
    return Books()


def test_an_account_has_its_figures_lots_and_hold(books: Books) -> None:
    books.grant(100)
    books.grant(50, expiry=Never())
    books.hold(30)
    shown = books.shown()
    assert shown["figures"] == NO_POINTS | {
        "approved": 120,
        "total": 120,
        "lifetime": 150,
        "hold": 30,
    }
    assert shown["lots"] == [
        {"points": 70, "expires_on": LAST_DAY.isoformat()},
        {"points": 50, "expires_on": None},
    ]
    assert (shown["hold"]["hold_id"], shown["hold"]["points"]) == (HOLD_ID, 30)
    assert (shown["version"], shown["merged_into"], shown["erased"]) == (3, None, False)
    assert shown["as_of"] == NOON.isoformat(timespec="milliseconds")


def test_a_customer_without_an_account_has_nothing_and_gets_none(books: Books) -> None:
    for at in (None, NOON):
        shown = books.shown("8001", at)
        assert (shown["figures"], shown["lots"], shown["version"]) == (NO_POINTS, [], 0)
    assert books.store.account(SHOP, "8001") is None


def test_what_has_fallen_due_is_settled_without_being_written(books: Books) -> None:
    books.grant(100)
    books.clock.pass_time(days=40)
    shown = books.shown()
    assert (shown["figures"]["approved"], shown["version"]) == (0, 1)
    newest, oldest = books.reads.history(SHOP, CUSTOMER, 20, 999)["entries"]
    assert (newest["topic"], newest["hash"], newest["recorded_at"]) == (
        "points/sub/expire",
        None,
        None,
    )
    assert oldest["hash"] == all_entries(books.store, CUSTOMER)[0].entry_hash


def test_a_past_account_is_as_it_was_at_that_instant(books: Books) -> None:
    books.grant(100)
    books.clock.pass_time(hours=1)
    books.consume(40)
    books.clock.pass_time(hours=1)
    assert books.shown(at=NOON - timedelta(seconds=1))["figures"] == NO_POINTS
    assert books.shown(at=NOON)["figures"]["approved"] == 100
    assert books.shown(at=NOON + timedelta(minutes=59))["figures"]["approved"] == 100
    shown = books.shown(at=NOON + timedelta(hours=1))
    assert (shown["figures"]["approved"], shown["figures"]["spent"]) == (60, 40)
    assert (shown["version"], shown["lots"][0]["points"]) == (2, 60)


def test_a_time_to_come_is_refused(books: Books) -> None:
    with pytest.raises(InvalidRequest, match="still to come"):
        books.shown(at=NOON + timedelta(seconds=1))


def test_pending_orders_are_named_with_the_day_on_which_their_points_come(books: Books) -> None:
    books.order(ORDER, 10_000)
    books.order("9002", 5_000)
    books.order("9003", 3_000)
    books.clock.pass_time(hours=1)
    before = books.clock.now()
    books.clock.pass_time(hours=1)
    books.order("9002", 5_000, cancelled=True)
    comes_on = (NOON.date() + timedelta(days=14)).isoformat()
    assert books.shown()["pending_orders"] == [
        {"order_id": ORDER, "order_name": None, "points": 100, "comes_on": comes_on},
        {"order_id": "9003", "order_name": None, "points": 30, "comes_on": comes_on},
    ]
    assert books.shown(at=before)["pending_orders"] == [
        {"order_id": ORDER, "order_name": None, "points": 100, "comes_on": None},
        {"order_id": "9002", "order_name": None, "points": 50, "comes_on": None},
        {"order_id": "9003", "order_name": None, "points": 30, "comes_on": None},
    ]


def test_a_merged_customers_points_are_the_survivors_and_were_their_own_until_then(
    books: Books,
) -> None:
    books.grant(100)
    books.grant(7, customer_id=OTHER)
    books.order(ORDER, 10_000)
    books.clock.pass_time(hours=1)
    books.merge(CUSTOMER, OTHER)
    books.clock.pass_time(hours=1)
    books.merge(OTHER, THIRD)
    shown = books.shown()
    assert (shown["customer_id"], shown["merged_into"]) == (CUSTOMER, THIRD)
    assert (shown["figures"]["approved"], shown["figures"]["pending"]) == (107, 100)
    assert [one["order_id"] for one in shown["pending_orders"]] == [ORDER]
    alone = books.shown(at=NOON)
    assert (alone["figures"]["approved"], alone["merged_into"]) == (100, None)
    between = books.shown(at=NOON + timedelta(hours=1))
    assert (between["figures"]["approved"], between["merged_into"]) == (107, OTHER)
    assert [one["order_id"] for one in between["pending_orders"]] == [ORDER]
    assert books.shown(THIRD, NOON + timedelta(hours=1))["figures"] == NO_POINTS


def test_an_erased_customer_is_said_to_be(books: Books) -> None:
    gone = tombstone(CUSTOMER, None)
    books.store.commit(Write(SHOP, (AccountWrite(gone, ()),)))
    shown = books.shown()
    assert (shown["erased"], shown["figures"]) == (True, NO_POINTS)


def test_history_says_who_why_from_which_lots_and_by_which_rule(books: Books) -> None:
    cause = Cause("manual", "user/hanako", "7001-000000000009", 1)
    books.grant(100, cause=cause, reason="Sorry")
    books.order(ORDER, 10_000)
    pending, granted = books.reads.history(SHOP, CUSTOMER, 20, 999)["entries"]
    assert granted["moves"] == {"issued": -100, "approved": 100}
    assert granted["lots"] == [{"points": 100, "expires_on": LAST_DAY.isoformat()}]
    assert (granted["source"], granted["actor"], granted["reason"]) == (
        "manual",
        "user/hanako",
        "Sorry",
    )
    assert granted["cause"] == "7001-000000000009"
    assert (granted["about"], granted["programme_version"]) == (None, None)
    assert (pending["about"], pending["programme_version"]) == (ORDER, 1)
    hashes = [booked.entry_hash for booked in all_entries(books.store, CUSTOMER)]
    assert [granted["hash"], pending["hash"]] == hashes


def test_history_comes_in_pages_of_which_none_misses_or_repeats_an_entry(books: Books) -> None:
    for _ in range(7):
        books.grant(1)
    seen, cursor = [], 999
    while cursor:
        page = books.reads.history(SHOP, CUSTOMER, 3, cursor)
        seen += [one["version"] for one in page["entries"]]
        cursor = int(page["next_cursor"] or 0)
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_a_merged_customers_own_entries_can_be_asked_for(books: Books) -> None:
    books.grant(100)
    books.merge(CUSTOMER, OTHER)

    def topics(*, own: bool) -> list[str]:
        entries = books.reads.history(SHOP, CUSTOMER, 20, 999, own=own)["entries"]
        return [one["topic"] for one in entries]

    assert topics(own=False) == ["points/add/merge"]
    assert topics(own=True) == ["points/sub/merge", "points/add/flow"]


def test_more_entries_than_one_page_are_followed_to_the_instant(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointbook.services.account_reads.PAGE_ENTRIES", 2)
    for _ in range(9):
        books.grant(10)
        books.clock.pass_time(hours=1)
    assert books.shown(at=NOON + timedelta(hours=2))["figures"]["approved"] == 30


def comparable(shown: dict[str, Any]) -> dict[str, Any]:
    """What is known of the past as well."""
    hold = shown["hold"]
    return {
        **{name: shown[name] for name in ("figures", "lots", "merged_into", "erased")},
        "hold": (hold["hold_id"], hold["points"]) if hold else None,
        "pending": {one["order_id"]: one["points"] for one in shown["pending_orders"]},
    }


@pytest.mark.parametrize("seed", range(8))
def test_every_past_instant_of_a_random_life_reads_as_it_did_then(seed: int) -> None:
    """What was read at the time is what the entries say later; merges included."""
    books, random = Books(), Random(seed)
    customers = (CUSTOMER, OTHER, THIRD)
    seen: dict[tuple[str, datetime], dict[str, Any]] = {}
    for customer in customers:  # one who never had a point leaves no entry of the merge
        books.grant(1, customer_id=customer)
    for number in range(40):
        act(books, random, customers, number)
        for customer in customers:
            seen[customer, books.clock.now()] = comparable(books.shown(customer))
        books.clock.pass_time(seconds=random.choice((1, 60, 700, 90_000, 900_000)))
    for (customer, at), then in seen.items():
        assert comparable(books.shown(customer, at)) == then, (customer, at)


def act(books: Books, random: Random, customers: tuple[str, ...], number: int) -> None:
    """Anything that may happen to a customer; refusals are as good as anything."""
    who = random.choice(customers)
    account = books.store.account(SHOP, who) or Account(who)
    day = books.clock.now().date() + timedelta(days=random.randint(1, 40))
    commands: list[c.Command] = [
        c.Grant(random.randint(1, 30), FixedDate(day)),
        c.Consume(random.randint(1, 20)),
        c.PlaceHold(random.randint(1, 20), f"h{number}", 600),
    ]
    if account.hold:
        commands.append(c.CaptureHold(random.randint(1, 5), account.hold.hold_id, f"80{number}"))
    if account.lots:
        old_day = account.lots[0].valid_through
        commands.append(c.ExtendExpiry(old_day, old_day + timedelta(days=9)))
    drawn = random.random()
    if drawn < 0.05:
        books.merge(*random.sample(customers, 2))
    elif drawn < 0.25:
        minor, cancelled = random.choice((1_000, 2_500, 4_000)), random.random() < 0.3
        books.order(f"90{random.randint(0, 5):02}", minor, who, cancelled=cancelled)
    else:
        books.say(random.choice(commands), customer_id=who)


def test_instants_are_written_in_utc_whatever_offset_they_were_asked_in(books: Books) -> None:
    books.grant(100)
    asked = datetime.fromisoformat("2026-11-21T12:00:00+09:00")
    assert asked == NOON.astimezone(UTC)
    assert books.shown(at=asked)["as_of"] == "2026-11-21T03:00:00.000+00:00"
