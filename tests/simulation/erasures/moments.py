"""Erasures at moments that chance hardly ever hits, tried one after another.

A customer is erased between two calls of a request that writes for them: a request that had read
their account must not leave an idempotency record under their key, also where the points belong to
the survivor of a merge, whose account the erasure does not touch any more.

An erasure is interrupted at each of its calls, its customer is merged into another, and the erasure
goes on: no pseudonym that was drawn stays linked.

An erasure is interrupted at each of its calls, and another of the same person runs: no order and no
hold names a pseudonym that has no account yet.

An erasure is interrupted at each of its calls, the account of its customer's survivor moves before
it goes on, and it ends first: an order that only the survivor's account names still has its owner.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from functools import partial
from itertools import count
from typing import Final

from pointbook.domain.commands import PlaceHold, UpdateOrder
from pointbook.domain.orders import Goods, OrderUpdate
from pointbook.domain.ports import StoreUnavailable
from pointbook.errors import Unavailable
from pointbook.ledger.instruction import Booked
from pointbook.store import items, keys
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import POSSIBLE, At, Crash, Fault, Plan, faulty
from tests.fakes.meanwhile import Meanwhile
from tests.fakes.privacy import PrivacyDriver, everything
from tests.simulation.erasures.checker import must_leave_nothing
from tests.simulation.kernel.violation import Violation
from tests.support.engine import MEMORY, SHOP, Engine, opened
from tests.support.examples import ORDER
from tests.support.ledgers import FLOW, MONTH, ONE_FOR_A_HUNDRED, LedgerDriver

CHILD: Final = "7001001"
PARENT: Final = "7001002"
SURVIVOR: Final = "7001003"
PEOPLE: Final = (CHILD, PARENT, SURVIVOR)
CALLS_MAX: Final = 2_000
"""More than everything in one of these takes."""

type Act = Callable[[LedgerDriver, str], object]


def _order(driver: LedgerDriver, name: str, worth: int = 20_000) -> object:
    now = driver.clock.now()
    update = OrderUpdate(updated_at=now, goods=Goods(worth), confirmed_at=now)
    return driver.say(UpdateOrder(ORDER, update, ONE_FOR_A_HUNDRED, MONTH), customer_id=name)


ACTS: Final[dict[str, Act]] = {
    "order": _order,
    "grant": lambda driver, name: driver.grant(5, key="late", customer_id=name),
    "consume": lambda driver, name: driver.consume(5, key="late", customer_id=name),
}


def wrong_erasures() -> Iterator[str]:
    """Everything that is wrong at one of these moments."""
    with redirect_stdout(io.StringIO()):
        try:
            found = list(_wrong())
        except Crash:
            found = [f"it goes on after {CALLS_MAX} calls"]
    yield from found


def _wrong() -> Iterator[str]:
    for name, act in ACTS.items():
        for erased in (PARENT, SURVIVOR):
            yield from _erased_between_two_calls(name, act, erased)
    for fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
        yield from _merged_while_interrupted(fault)
        yield from _another_while_interrupted(fault)
    yield from _survivor_moves_while_interrupted()


def _erased_between_two_calls(name: str, act: Act, erased: str) -> Iterator[str]:
    """A request of a merged customer, with the erasure of one of the two before each call."""
    for at in count():
        engine = _people()
        _merge(engine, PARENT, SURVIVOR)
        privacy_driver = PrivacyDriver(engine)
        client = Meanwhile(engine, at, partial(privacy_driver.redact, erased))
        act(LedgerDriver(engine, client), PARENT)
        yield from _left(privacy_driver, f"{name}, {erased} is erased before call {at}")
        if client.calls <= at:
            return


def _merged_while_interrupted(fault: Fault) -> Iterator[str]:
    """The erasure of a merged-into customer ends at each call; then they are merged themselves."""
    for at in count():
        engine = _people()
        _merge(engine, CHILD, PARENT)
        privacy_driver, plan = PrivacyDriver(engine), At(at, fault)
        _interrupted(privacy_driver, PARENT, plan)
        _merge(engine, PARENT, SURVIVOR)
        privacy_driver.redact(PARENT)
        yield from _left(privacy_driver, f"{fault} at call {at}, and a merge before it goes on")
        if len(plan.seen) <= at:
            return


def _another_while_interrupted(fault: Fault) -> Iterator[str]:
    """The erasure of a survivor ends at each call; then one of the merged is erased alone."""
    for at in count():
        engine = _people()
        for source in (CHILD, PARENT):
            _merge(engine, source, SURVIVOR)
        privacy_driver, plan = PrivacyDriver(engine), At(at, fault)
        _interrupted(privacy_driver, SURVIVOR, plan)
        privacy_driver.redact(PARENT)
        when = f"{fault} at call {at} of the survivor's, and another erasure"
        yield from _without_account(engine, when)
        privacy_driver.redact(SURVIVOR)
        yield from _left(privacy_driver, when)
        if len(plan.seen) <= at:
            return


def _survivor_moves_while_interrupted() -> Iterator[str]:
    """The erasure of a merged customer ends at each call; then their survivor's account moves.

    The accounts that are scanned for their orders are others when it goes on, in another order.
    """
    for at in count():
        engine = _people()
        driver = LedgerDriver(engine)
        _order(driver, PARENT, worth=0)
        for source in (CHILD, PARENT):
            _merge(engine, source, SURVIVOR)
        driver.clock.pass_time(seconds=60)
        _order(driver, PARENT)
        privacy_driver, plan = PrivacyDriver(engine), At(at, Fault.CRASH_BEFORE)
        _interrupted(privacy_driver, PARENT, plan)
        _interrupted(privacy_driver, SURVIVOR, _Moved(engine))
        privacy_driver.redact(PARENT)
        when = f"interrupted at call {at}, and the survivor's account moves"
        yield from _left(privacy_driver, when)
        yield from _without_owner(engine, when)
        if len(plan.seen) <= at:
            return


def _interrupted(privacy_driver: PrivacyDriver, customer_id: str, plan: Plan) -> None:
    client = privacy_driver.engine.client
    with suppress(Crash, StoreUnavailable, Unavailable):
        privacy_driver.redact(customer_id, client=faulty(client, plan))


def _without_account(engine: Engine, when: str) -> Iterator[str]:
    """Orders and hold records that name a customer who has no account."""
    found = everything(engine)
    with_account = {
        item["pk"]["S"].rpartition("#")[2] for item in found if item["sk"]["S"] == "ACCOUNT"
    }
    for item in found:
        named = item.get("customer", {}).get("S")
        if item["sk"]["S"] in (keys.ORDER, keys.HOLD) and named and named not in with_account:
            yield f"{when}: {item['pk']['S']} names {named}, who has no account"


def _without_owner(engine: Engine, when: str) -> Iterator[str]:
    """The order, where it has points and names nobody."""
    order = LedgerDriver(engine).ledger.order(SHOP, ORDER)
    assert order is not None
    if order.has_points and order.customer_id is None:
        yield f"{when}: order {ORDER} has points and no owner"


def _people() -> Engine:
    engine = opened(MEMORY, _Limited())
    driver = LedgerDriver(engine)
    for name in PEOPLE:
        driver.grant(50, key="first", customer_id=name)
        hold = PlaceHold(5, f"hold of {name[::-1]}", 600)
        driver.say(hold, customer_id=name)
    return engine


def _merge(engine: Engine, source: str, target: str) -> bool:
    """Merge them; refused if the source is erased by now."""
    return isinstance(LedgerDriver(engine).ledger.merge(SHOP, source, target, FLOW), Booked)


def _left(privacy_driver: PrivacyDriver, when: str) -> Iterator[str]:
    for _ in range(3):
        privacy_driver.watch()
    found = everything(privacy_driver.engine)
    accounts = [items.account_of(item) for item in found if item["sk"] == {"S": "ACCOUNT"}]
    try:
        must_leave_nothing(found, {one.customer_id for one in accounts if one.erased})
    except Violation as violation:
        yield f"{when}: {violation}"


class _Limited(MemoryDynamoDB):
    """A table that answers `CALLS_MAX` calls: an endless loop ends as in a crash."""

    def __init__(self) -> None:
        super().__init__()
        self._calls = 0

    def __getattribute__(self, name: str) -> object:
        if name in POSSIBLE:
            self._calls += 1
            if self._calls > CALLS_MAX:
                raise Crash
        return super().__getattribute__(name)


class _Moved:
    """Ends a process as soon as the survivor's account has moved."""

    def __init__(self, engine: Engine) -> None:
        self._store = engine.store()

    def next(self, operation: str) -> Fault | None:
        account = self._store.account(SHOP, SURVIVOR)
        return Fault.CRASH_BEFORE if account is not None and account.erased else None
