"""Checks a shop whose customers use points at the checkout.

The promises, by the name under which a violation is reported:

one hold     a request has at most one discount, of exactly the held amount, for its customer;
             every answer to a request that was granted is the same
orphaned     no code is usable without held points, unless it is listed as orphaned
released     after a hold was answered to be released, its code is not usable, then or later
failed       after a hold was answered to have failed, nothing is held
stuck        when all is quiet no hold is open, and no code is listed
spent        each order took exactly what it used of its hold, once
pace         in no minute are more calls counted than the programme allows, for all or for one
             customer; a caller waits at most until that minute, or the next one, is over
alarm        every order but a hold's first raises one
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Self, override

from pointbook.domain.ports import ReadRequest
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import RateLimited
from pointbook.services.holds import HoldResult
from pointbook.shopify.discount_code import derive_code, hold_id_of
from pointbook.store import keys
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.shopify import ShopifyModel, StoredDiscount
from tests.simulation.checker.accounts import check_entries
from tests.simulation.checker.oracle import Oracle
from tests.simulation.holds.process import CODE_KEY, SHOP, SKEW_MS
from tests.simulation.kernel.reports import Report
from tests.simulation.kernel.requests import Who
from tests.simulation.kernel.scheduler import Scheduler
from tests.simulation.kernel.violation import must
from tests.support.instants import milliseconds
from tests.support.table import TABLE
from tests.support.verified import faults_in

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
    """One request to hold points, however often it is sent, and what came of it."""

    customer_id: str
    points: int
    key: str
    result: HoldResult | None = None
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
class HoldsReport(Report):
    """What a run came to. `orphaned_ms`: the longest that a code was usable without held points."""

    holds: int = 0
    requests: int = 0
    discounts: int = 0
    orders: int = 0
    orphaned_ms: int = 0
    alarms: Counter[str] = field(default_factory=Counter)

    @override
    def add(self, other: Self) -> Self:
        longest_ms = max(self.orphaned_ms, other.orphaned_ms)
        Report.add(self, other)
        self.orphaned_ms = longest_ms
        return self


class HoldsChecker:
    """Compares the shop's table, Shopify and the answers that customers got."""

    def __init__(
        self,
        engine: MemoryDynamoDB,
        oracle: Oracle,
        shopify: ShopifyModel,
        scheduler: Scheduler,
        report: HoldsReport,
    ) -> None:
        self.requests: dict[str, HoldRequest] = {}
        self._engine = engine
        self._oracle = oracle
        self._shopify = shopify
        self._scheduler = scheduler
        self._report = report
        self._orphaned_since: dict[str, int] = {}
        self.calls_per_minute = 0

    # --- whenever something has happened ---------------------------------------------------------

    def look(self) -> None:
        """No code is usable without held points, unless it is listed; then time is measured."""
        self._check_pace()
        open_holds = self.open_holds()
        for discount in self._shopify.created:
            hold_id, now_ms = hold_id_of(discount.code), self._scheduler.now_ms
            must("one hold", hold_id in self.requests, f"{discount.code} belongs to no request")
            must(
                "one hold",
                self._shopify.discount(discount.code) is discount,
                f"{discount.code} twice",
            )
            if hold_id in open_holds or not discount.is_usable(now_ms + SKEW_MS):
                since = self._orphaned_since.pop(discount.code, now_ms)
                self._report.orphaned_ms = max(self._report.orphaned_ms, now_ms - since)
                continue
            key = self.requests[hold_id].key
            must("orphaned", self._is_listed(hold_id), f"{key}: a usable code without held points")
            self._orphaned_since.setdefault(discount.code, now_ms)

    # --- answers to customers --------------------------------------------------------------------

    def created(
        self, request: HoldRequest, answer: HoldResult | Refusal, *, given_up: bool
    ) -> None:
        """A request is answered; `given_up`: before it was sent, its customer was releasing it."""
        key = request.key
        if isinstance(answer, Refusal):
            over = answer.code is not Code.HOLD_ENDED or self._state(request) != "ready"
            must("one hold", over, f"{key} is ready, and answered to have ended")
            return
        must("released", not given_up, f"{key} is issued while it is released")
        found = self._discount(answer)
        facts = (answer.hold_id, answer.points, answer.amount, found.amount)
        amount = str(request.points)
        expected = (request.hold_id, request.points, amount, amount)
        must("one hold", facts == expected, f"{key} is answered {facts}, must be {expected}")
        (named,) = found.customers
        holder, owner = self.owner(named.removeprefix(GID)), self.owner(request.customer_id)
        must("one hold", holder == owner, f"{key} is for {named}")
        right = found.ends_ms <= milliseconds(answer.ends_at)
        must("one hold", right, f"{key}: the code outlives its hold")
        same = request.result is None or _body(answer) == _body(request.result)
        must("one hold", same, f"{answer}, before {request.result}")

    def create_failed(self, request: HoldRequest) -> None:
        """A request is answered to have failed: nothing is held."""
        state = self._state(request)
        must("failed", state in ("", "releasing"), f"{request.key} failed, and is {state}")

    def rate_limited(self, limited: RateLimited) -> None:
        """A request is answered to come later: when the minute, or the one after it, is over."""
        wait_seconds = limited.retry_after_seconds
        must("pace", 1 <= wait_seconds <= 2 * MINUTE_SECONDS, f"wait for {wait_seconds} s")

    def released(self, request: HoldRequest, answer: object) -> None:
        """A release is answered: the hold is over, or was used."""
        if isinstance(answer, Refusal):
            captured = answer.code is Code.HOLD_CAPTURED and request.orders
            never_held = answer.code is Code.HOLD_NOT_FOUND and request.result is None
            must("released", captured or never_held, f"{request.key}: {answer}")
            return
        if self._is_listed(request.hold_id):  # it ended in another way: merged, or undone
            return
        found = self._shopify.discount(request.code)
        usable = found is not None and found.is_usable(self._scheduler.now_ms + SKEW_MS)
        must("released", not usable, f"{request.key} is released, and its code is usable")
        request.released = True

    def used(self, request: HoldRequest, bought: Bought) -> None:
        """A checkout has taken the code."""
        assert request.result is not None
        ends_ms, now_ms = milliseconds(request.result.ends_at), self._scheduler.now_ms
        must("one hold", now_ms < ends_ms, f"{request.key} is used after its end")
        allowed = not request.released or now_ms + SKEW_MS >= ends_ms - 1_000
        must("released", allowed, f"{request.key} is used after its release")
        request.orders.append(bought)

    # --- when all is quiet -----------------------------------------------------------------------

    def check_the_end(self) -> None:
        """Nothing is stuck, and every order took what it used."""
        self._oracle.check_quiet(self._scheduler.now_ms)
        self._report.discounts = len(self._shopify.created)
        must("stuck", not self.open_holds(), f"still open: {self.open_holds()}")
        must("stuck", not self.listed(), f"still listed: {self.listed()}")
        spent, store = Counter[Who](), DynamoStore(Table(self._engine, TABLE))
        for request in self.requests.values():
            for bought in request.orders:
                _check_order(store, request, bought)
                spent[self.owner(request.customer_id)] += bought.points
        for who, stored in self._oracle.writes.accounts.items():
            if stored.revision:
                must("spent", stored.balances["spent"] == spent[who], f"{who} spent {spent[who]}")
                check_entries("spent", store, who)
        again = sum(max(0, len(request.orders) - 1) for request in self.requests.values())
        alarms = self._report.alarms[SECOND_ORDER]
        must("alarm", alarms == again, f"{alarms} alarms for {again} codes used again")
        must("verify", not (wrong := faults_in(self._engine)), f"verify finds {wrong}")

    # --- the state now ---------------------------------------------------------------------------

    def open_holds(self) -> set[str]:
        """The ids of the open holds."""
        customers = (history.latest for history in self._oracle.writes.shops.customers.values())
        return {one.hold.hold_id for one in customers if one.hold}

    def listed(self) -> list[str]:
        """The keys of the orphaned codes."""
        versions = self._engine._tables[TABLE].versions
        return [
            pk
            for (pk, sk), states in versions.items()
            if sk == keys.ORPHANED_CODE and not states[-1].is_gone
        ]

    def owner(self, customer_id: str) -> Who:
        """The customer to whom the points belong by now."""
        return self._oracle.writes.shops.latest_owner((SHOP, customer_id))

    def _check_pace(self) -> None:
        """Counted calls stay within the limit; each customer has a quarter of it, rounded up."""
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

    def _state(self, request: HoldRequest) -> str:
        """The state of a hold that is not over by any clock; "" if there is none."""
        over_ms = self._scheduler.now_ms + SKEW_MS
        for history in self._oracle.writes.shops.customers.values():
            hold = history.latest.hold
            if hold is not None and hold.hold_id == request.hold_id:
                return str(hold.state) if milliseconds(hold.ends_at) > over_ms else ""
        return ""

    def _is_listed(self, hold_id: str) -> bool:
        key = keys.orphaned_code(SHOP, hold_id)
        return "Item" in self._engine.get_item(TableName=TABLE, Key=key, ConsistentRead=True)

    def _discount(self, result: HoldResult) -> StoredDiscount:
        found = self._shopify.discount(result.code)
        must("one hold", found is not None, f"{result.code} was issued, and does not exist")
        assert found is not None
        return found


def _body(result: HoldResult) -> tuple[object, ...]:
    """The part of an answer that is the same at every repetition."""
    return (
        result.hold_id,
        result.points,
        result.code,
        result.amount,
        result.ends_at,
        result.figures,
    )


def _check_order(store: DynamoStore, request: HoldRequest, bought: Bought) -> None:
    read = ReadRequest(SHOP, None, order_id=bought.order_id, hold_id=request.hold_id)
    loaded = store.load(read, fresh=True)
    assert loaded.order is not None
    assert loaded.hold_record is not None
    taken = [one.points for one in loaded.order.spendings if one.spending_id == request.hold_id]
    must("spent", taken == [bought.points], f"{bought} took {taken}")
    times = loaded.hold_record.orders.count(bought.order_id)
    must("spent", times == 1, f"{bought} is {times} times in its hold record")
