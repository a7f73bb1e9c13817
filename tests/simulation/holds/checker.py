"""What must hold in a shop whose customers use their points at the checkout, and what it came to.

one wish     at most one discount, of exactly what was held, for the one who held it;
             every answer to a wish that was granted is the same
loose        no code is usable without held points, unless it is on the list of loose codes
released     whoever was told that a hold is released has no usable code, then or later
failed       whoever was told that nothing is held holds nothing
stuck        when all is quiet no hold is open, and no code is on the list
spent        each order took exactly what it used of its hold, once
pace         in no minute are more calls counted than the programme allows, for all or for one
             customer; a limit is told only as long as its minute lasts
alarm        every order but a hold's first raises one
"""

from collections import Counter
from dataclasses import dataclass, field

from pointbook.domain.ports import ReadRequest
from pointbook.domain.reconcile import reconcile
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import RateLimited
from pointbook.services.holds import HoldResult
from pointbook.shopify.discount_code import derive_code, hold_id_of
from pointbook.store import keys
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.table import Table
from tests.fakes.dynamodb import LATEST, MemoryDynamoDB
from tests.fakes.shopify import ShopifyModel, StoredDiscount
from tests.simulation.checker.oracle import Oracle
from tests.simulation.holds.process import CODE_KEY, SHOP, SKEW_MS
from tests.simulation.kernel.requests import Who
from tests.simulation.kernel.scheduler import Scheduler
from tests.simulation.kernel.violation import must
from tests.support.instants import milliseconds
from tests.support.table import TABLE

GID = "gid://shopify/Customer/"
SECOND_ORDER = "code_used_again"
MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Bought:
    """An order that used so many points' worth of a code."""

    order_id: str
    points: int


@dataclass(slots=True)
class HoldRequest:
    """One wish of a customer for points, however often it is sent, and what came of it."""

    customer_id: str
    points: int
    key: str
    told: HoldResult | None = None
    given_up: bool = False
    released: bool = False
    orders: list[Bought] = field(default_factory=list)

    @property
    def code(self) -> str:
        """The code that its discount has."""
        return derive_code(CODE_KEY, SHOP, self.customer_id, self.key)

    @property
    def hold_id(self) -> str:
        """The id that its hold has."""
        return hold_id_of(self.code)


@dataclass(slots=True)
class HoldsReport:
    """What a run came to. `orphaned_ms`: the longest that a code was usable without held points."""

    seed: int
    wishes: int = 0
    requests: int = 0
    discounts: int = 0
    orders: int = 0
    orphaned_ms: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    violation: str = ""


class HoldsChecker:
    """Holds the shop's table, Shopify and what customers were told against each other."""

    def __init__(
        self,
        engine: MemoryDynamoDB,
        oracle: Oracle,
        shopify: ShopifyModel,
        scheduler: Scheduler,
        report: HoldsReport,
    ) -> None:
        self.wishes: dict[str, HoldRequest] = {}
        self._engine = engine
        self._oracle = oracle
        self._shopify = shopify
        self._scheduler = scheduler
        self._report = report
        self._orphaned_since: dict[str, int] = {}
        self.calls_per_minute = 0

    # --- whenever something has happened ---------------------------------------------------------

    def look(self) -> None:
        """No code is usable without held points, unless it is listed; then the time is taken."""
        self._check_pace()
        open_holds = self.open_holds()
        for kept in self._shopify.created:
            hold_id, now_ms = hold_id_of(kept.code), self._scheduler.now_ms
            must("one wish", hold_id in self.wishes, f"{kept.code} is of no wish")
            must("one wish", self._shopify.discount(kept.code) is kept, f"{kept.code} twice")
            if hold_id in open_holds or not kept.is_usable(now_ms + SKEW_MS):
                since = self._orphaned_since.pop(kept.code, now_ms)
                self._report.orphaned_ms = max(self._report.orphaned_ms, now_ms - since)
                continue
            key = self.wishes[hold_id].key
            must("loose", self._is_listed(hold_id), f"{key}: a usable code without held points")
            self._orphaned_since.setdefault(kept.code, now_ms)

    # --- what customers are told -----------------------------------------------------------------

    def told(
        self, hold_request: HoldRequest, answer: HoldResult | Refusal, *, given_up: bool
    ) -> None:
        """A wish is answered; `given_up`: before it was sent, its customer was releasing it."""
        if isinstance(answer, Refusal):
            over = answer.code is not Code.HOLD_ENDED or self._state(hold_request) != "ready"
            must("one wish", over, f"{hold_request.key} is ready, and is said to have ended")
            return
        must("released", not given_up, f"{hold_request.key} is given out while it is released")
        found = self._discount(answer)
        facts = (answer.hold_id, answer.points, answer.amount, found.amount)
        amount = str(hold_request.points)
        expected = (hold_request.hold_id, hold_request.points, amount, amount)
        must(
            "one wish", facts == expected, f"{hold_request.key} is told {facts}, must be {expected}"
        )
        (named,) = found.customers
        holder = self.owner(named.removeprefix(GID))
        must(
            "one wish",
            holder == self.owner(hold_request.customer_id),
            f"{hold_request.key} is for {named}",
        )
        right = found.ends_ms <= milliseconds(answer.ends_at)
        must("one wish", right, f"{hold_request.key}: the code outlives its hold")
        if hold_request.told is not None:
            must(
                "one wish",
                _body(answer) == _body(hold_request.told),
                f"{answer}, before {hold_request.told}",
            )

    def told_failed(self, hold_request: HoldRequest) -> None:
        """A customer is told that nothing is held."""
        state = self._state(hold_request)
        must(
            "failed",
            state in ("", "releasing"),
            f"{hold_request.key} is {state}, and said not to be",
        )

    def told_limited(self, limited: RateLimited) -> None:
        """A customer is told to wait: until the minute, or the one after it, is over."""
        wait_seconds = limited.retry_after_seconds
        must("pace", 1 <= wait_seconds <= 2 * MINUTE_SECONDS, f"wait for {wait_seconds} s")

    def told_released(self, hold_request: HoldRequest, answer: object) -> None:
        """A customer is told that a hold is over, or was used."""
        if isinstance(answer, Refusal):
            captured = answer.code is Code.HOLD_CAPTURED and hold_request.orders
            disabled_handles = answer.code is Code.HOLD_NOT_FOUND and hold_request.told is None
            must("released", captured or disabled_handles, f"{hold_request.key}: {answer}")
            return
        if self._is_listed(
            hold_request.hold_id
        ):  # it ended in another way: a merge, or it was undone
            return
        found = self._shopify.discount(hold_request.code)
        usable = found is not None and found.is_usable(self._scheduler.now_ms + SKEW_MS)
        must("released", not usable, f"{hold_request.key} is released, and its code is usable")
        hold_request.released = True

    def used(self, hold_request: HoldRequest, bought: Bought) -> None:
        """A checkout has taken the code."""
        assert hold_request.told is not None
        ends_ms = milliseconds(hold_request.told.ends_at)
        in_time = self._scheduler.now_ms < ends_ms
        must("one wish", in_time, f"{hold_request.key} is used after its end")
        at_the_end = self._scheduler.now_ms + SKEW_MS >= ends_ms - 1_000
        must(
            "released",
            at_the_end or not hold_request.released,
            f"{hold_request.key} is used after its release",
        )
        hold_request.orders.append(bought)

    # --- when all is quiet -----------------------------------------------------------------------

    def check_the_end(self) -> None:
        """Nothing is stuck, and every order took what it used."""
        self._oracle.check_quiet(self._scheduler.now_ms)
        self._report.discounts = len(self._shopify.created)
        must("stuck", not self.open_holds(), f"still open: {self.open_holds()}")
        must("stuck", not self.listed(), f"still listed: {self.listed()}")
        spent, store = Counter[Who](), DynamoStore(Table(self._engine, TABLE))
        for hold_request in self.wishes.values():
            for bought in hold_request.orders:
                _check_order(store, hold_request, bought)
                spent[self.owner(hold_request.customer_id)] += bought.points
        for who, book in self._oracle.writes.books.items():
            if book.revision:
                must("spent", book.balances["spent"] == spent[who], f"{who} spent {spent[who]}")
                _check_book(store, who)
        again = sum(max(0, len(hold_request.orders) - 1) for hold_request in self.wishes.values())
        alarms = self._report.alarms[SECOND_ORDER]
        must("alarm", alarms == again, f"{alarms} alarms for {again} codes used again")

    # --- what is known ---------------------------------------------------------------------------

    def open_holds(self) -> set[str]:
        """The holds that are open by what was written."""
        customers = (past.latest for past in self._oracle.writes.shops.customers.values())
        return {one.hold.hold_id for one in customers if one.hold}

    def listed(self) -> list[str]:
        """What is on the list of loose codes."""
        versions = self._engine._tables[TABLE].versions
        return [
            pk
            for (pk, sk), states in versions.items()
            if sk == keys.ORPHANED_CODE and not states[-1].is_gone
        ]

    def owner(self, customer_id: str) -> Who:
        """Whose points a customer's are by now."""
        return self._oracle.writes.shops.latest_owner((SHOP, customer_id))

    def _check_pace(self) -> None:
        """What is counted stays within the pace; a quarter of it, rounded up, is for each."""
        key = {"pk": {"S": keys.shop(SHOP)}, "sk": {"S": keys.HOLD_CALLS}}
        found = self._engine.get_item(TableName=TABLE, Key=key, ConsistentRead=True)
        counted = {
            name: int(value["N"]) for name, value in found.get("Item", {}).items() if "N" in value
        }
        each = [count for name, count in counted.items() if name.startswith("by_")]
        calls, most = counted.get("calls", 0), self.calls_per_minute
        must("pace", calls <= most, f"{calls} calls in a minute of {most}")
        must("pace", max(each, default=0) <= (most + 3) // 4, f"{each} calls of {most} for one")
        must("pace", sum(each) == calls, f"{calls} calls, and {each} of single customers")

    def _state(self, hold_request: HoldRequest) -> str:
        """The state of a hold whose time is not over for anybody; "" where there is none."""
        over_ms = self._scheduler.now_ms + SKEW_MS
        for past in self._oracle.writes.shops.customers.values():
            hold = past.latest.hold
            if hold is not None and hold.hold_id == hold_request.hold_id:
                return str(hold.state) if milliseconds(hold.ends_at) > over_ms else ""
        return ""

    def _is_listed(self, hold_id: str) -> bool:
        key = keys.orphaned_code(SHOP, hold_id)
        return "Item" in self._engine.get_item(TableName=TABLE, Key=key, ConsistentRead=True)

    def _discount(self, told: HoldResult) -> StoredDiscount:
        found = self._shopify.discount(told.code)
        must("one wish", found is not None, f"{told.code} was given out, and is not there")
        assert found is not None
        return found


def _body(told: HoldResult) -> tuple[object, ...]:
    """What a customer reads, at every repetition the same."""
    return (told.hold_id, told.points, told.code, told.amount, told.ends_at, told.figures)


def _check_order(store: DynamoStore, hold_request: HoldRequest, bought: Bought) -> None:
    wanted = ReadRequest(SHOP, None, order_id=bought.order_id, hold_id=hold_request.hold_id)
    loaded = store.load(wanted, fresh=True)
    assert loaded.order is not None
    assert loaded.hold_record is not None
    taken = [
        one.points for one in loaded.order.spendings if one.spending_id == hold_request.hold_id
    ]
    must("spent", taken == [bought.points], f"{bought} took {taken}")
    times = loaded.hold_record.orders.count(bought.order_id)
    must("spent", times == 1, f"{bought} stands {times} times on its hold")


def _check_book(store: DynamoStore, who: Who) -> None:
    account = store.account(*who)
    assert account is not None
    entries = store.entries(*who, before_version=LATEST, limit=LATEST)
    findings = reconcile(account, reversed(entries))
    must("spent", not findings, f"{who}: {findings}")
