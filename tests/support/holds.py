"""One customer's holds on an in-memory table and a model of Shopify, on a clock that tests move.

Time passes while somebody waits, and what was to happen meanwhile happens then: a rival's attempt
during a call, a request that arrives late.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Final

from pointbook.domain.account import HoldRecord
from pointbook.domain.buckets import Figures
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import ExpiryRule, Never
from pointbook.domain.orders import Order
from pointbook.domain.ports import DueKind, ReadRequest
from pointbook.domain.programme import Programme, default_programme
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.services.holds import HoldService
from pointbook.services.message import Message
from pointbook.services.orders import OrderService
from pointbook.services.orphaned_codes import OrphanedCodeService
from pointbook.services.sweeps import Sweep, SweepResult, settling
from pointbook.shopify.admin import AdminApi
from pointbook.shopify.discount_code import derive_code, hold_id_of
from pointbook.shopify.discounts import Discounts
from pointbook.store import keys
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.hold_calls import HoldCallLimiter
from pointbook.store.orphaned_codes import OrphanedCodes
from pointbook.store.table import Table
from tests.fakes.admin_api import Tokens
from tests.fakes.customers import unused_customers
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import Fault, FaultyClient, Nothing, Plan, Request
from tests.fakes.faulty_shopify import FaultyTransport, Listed
from tests.fakes.shopify import ShopifyModel, StoredDiscount
from tests.support.hold_orders import order_payload
from tests.support.instants import instant
from tests.support.table import TABLE, create_table

SHOP: Final = "demo.myshopify.com"
CUSTOMER: Final = "7001"
OTHER: Final = "7002"
CODE_KEY: Final = b"the key of the codes of the bench"
NOON_MS: Final = 1_801_191_600_123
"""A little after noon in Tokyo, and not on a whole second."""

SWEEP_SECONDS: Final = 30.0


class PassingTime:
    """A clock that passes by waiting only; what was scheduled for a time happens then."""

    def __init__(self) -> None:
        self.now_ms = NOON_MS
        self._scheduled: list[tuple[int, int, Callable[[], object]]] = []
        self._numbers = count()

    def now(self) -> Any:
        """The time."""
        return instant(self.now_ms)

    def monotonic(self) -> float:
        """The same in seconds."""
        return self.now_ms / 1000

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        self.pause(round(seconds * 1000))

    def pause(self, wait_ms: int) -> None:
        """Wait."""
        until_ms = self.now_ms + wait_ms
        while self._scheduled and self._scheduled[0][0] <= until_ms:
            at_ms, _, call = heapq.heappop(self._scheduled)
            self.now_ms = max(self.now_ms, at_ms)
            call()
        self.now_ms = max(self.now_ms, until_ms)

    def later(self, after_ms: int, call: Callable[[], object]) -> None:
        """Schedule something."""
        heapq.heappush(self._scheduled, (self.now_ms + after_ms, next(self._numbers), call))


@dataclass(slots=True)
class Noting:
    """A witness that only notes the calls."""

    operations: list[str] = field(default_factory=list)

    def issued(self, operation: str) -> object:
        """Note it."""
        self.operations.append(operation)
        return None

    def suffered(self, fault: Fault) -> None: ...

    def committed(self, request: Request, stamp: object) -> None: ...

    def answered(self) -> None: ...


@dataclass(slots=True)
class Instance:
    """One instance of a function. `operations` are its calls to the table, `sent` to Shopify."""

    holds: HoldService
    orders: OrderService
    codes: OrphanedCodeService
    ledger: Ledger
    store: DynamoStore
    operations: list[str]
    transport: FaultyTransport


@dataclass(slots=True)
class Bench:
    """The table, Shopify, and the time in which they are."""

    programme: Programme = field(default_factory=default_programme)
    time: PassingTime = field(default_factory=PassingTime)
    engine: MemoryDynamoDB = field(default_factory=MemoryDynamoDB)
    shopify: ShopifyModel = field(init=False)
    code_key: bytes = CODE_KEY

    def __post_init__(self) -> None:
        create_table(self.engine)
        self.shopify = ShopifyModel(lambda: self.time.now_ms)

    def instance(
        self, *troubles: Any, plan: Plan | None = None, effect: Callable[[], object] = lambda: None
    ) -> Instance:
        """An instance whose calls to Shopify suffer these troubles, one after the other.

        `effect` is called whenever Shopify has carried out a request, before it answers.
        """
        witness = Noting()
        client: Any = FaultyClient(
            self.engine, self.engine, plan or Nothing(), self.time, Random(0), witness
        )
        transport = FaultyTransport(
            self.shopify, Listed(list(troubles)), self.time, Random(0), effect
        )
        store = DynamoStore(Table(client, TABLE))
        ledger = Ledger(store, self.time, random=lambda: 0.5)
        discounts = Discounts(AdminApi("https://shop", Tokens(), transport, self.time))
        return Instance(
            holds=HoldService(
                shop=SHOP,
                ledger=ledger,
                clock=self.time,
                programme=self.programme,
                discounts=discounts,
                call_limiter=HoldCallLimiter(Table(client, TABLE)),
                code_key=self.code_key,
            ),
            orders=OrderService(SHOP, ledger, self.time, self.programme, unused_customers),
            codes=OrphanedCodeService(
                OrphanedCodes(Table(client, TABLE)), self.time, lambda _: discounts
            ),
            ledger=ledger,
            store=store,
            operations=witness.operations,
            transport=transport,
        )

    # --- what is done ----------------------------------------------------------------------------

    def grant(self, points: int, expiry: ExpiryRule | None = None, who: str = CUSTOMER) -> None:
        """Points for a customer."""
        command = Grant(points, expiry or Never())
        key = Identity("bench", f"{self.engine.sequence}")
        answer = self.instance().ledger.execute(
            Instruction(SHOP, who, command, Cause("bench"), identity=key)
        )
        assert isinstance(answer, Booked), answer

    def order(
        self, code: str, used: int, order_id: str = "901", instance: Instance | None = None
    ) -> None:
        """The worker gets an order with a code; it was placed at noon, whenever it arrives."""
        payload = order_payload(order_id, code, used, CUSTOMER, NOON_MS)
        message = Message("orders/paid", SHOP, self.time.now(), "event", payload)
        (instance or self.instance()).orders.carry_out(message)

    def sweep(self, kind: DueKind, *troubles: Any) -> SweepResult:
        """One run of a sweep."""
        one = self.instance(*troubles)
        work = one.codes.deactivate if kind is DueKind.CODE else settling(one.ledger)
        return Sweep(one.store, self.time, work, lambda _: None).run(kind, SWEEP_SECONDS)

    # --- what there is ---------------------------------------------------------------------------

    def figures(self, who: str = CUSTOMER) -> Figures:
        """The six figures as of now."""
        return self.instance().ledger.read(SHOP, who).figures

    def state(self, who: str = CUSTOMER) -> str:
        """The state of the open hold as of now, "" where there is none."""
        hold = self.instance().ledger.read(SHOP, who).hold
        return str(hold.state) if hold else ""

    def busy(self) -> list[DueKind]:
        """The sweeps that have something to do, now or later."""
        account = self.instance().store.account(SHOP, CUSTOMER)
        holds = [DueKind.HOLD] if account is not None and account.hold is not None else []
        return holds + ([DueKind.CODE] if self.orphaned_code_count() else [])

    def orphaned_code_count(self) -> int:
        """How many codes are to be switched off."""
        return sum(sk == keys.ORPHANED_CODE for _, sk in self.engine.items(TABLE))

    def usable(self) -> list[StoredDiscount]:
        """The discounts that a checkout takes now."""
        return [one for one in self.shopify.discounts.values() if one.is_usable(self.time.now_ms)]

    def order_item(self, order_id: str = "901") -> Order | None:
        """The stored order."""
        request = ReadRequest(SHOP, None, order_id=order_id)
        return self.instance().store.load(request, fresh=True).order

    def record(self, key: str, who: str = CUSTOMER) -> HoldRecord | None:
        """The record of the hold of a request."""
        request = ReadRequest(SHOP, None, hold_id=hold_of(key, who))
        return self.instance().store.load(request, fresh=True).hold_record


def code_of(key: str, who: str = CUSTOMER) -> str:
    """The code of a request."""
    return derive_code(CODE_KEY, SHOP, who, key)


def hold_of(key: str, who: str = CUSTOMER) -> str:
    """The id of the hold of a request."""
    return hold_id_of(code_of(key, who))
