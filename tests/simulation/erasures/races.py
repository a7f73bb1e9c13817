"""A customer is erased before each call of whatever else is under way for them."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pointbook.domain.chain import milliseconds
from pointbook.domain.programme import default_programme
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.ledger import Ledger
from pointbook.services.orders import OrderService
from tests.fakes.customers import unused_customers
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import Crash
from tests.fakes.meanwhile import Meanwhile
from tests.fakes.privacy import MemoryBucket, PrivacyDriver, everything, naming
from tests.support.engine import MEMORY, SHOP, Engine, opened
from tests.support.examples import CUSTOMER, NOON, ORDER, OTHER
from tests.support.hold_orders import order_payload
from tests.support.ledgers import FLOW, LedgerDriver

CALLS = 12
"""More than the update of an order takes."""

_LEFT = {
    (f"SHOP#{SHOP}#CUSTOMER#{CUSTOMER}", "ACCOUNT"),
    (f"SHOP#{SHOP}", f"PRIVACY_REQUEST#customers/redact#{CUSTOMER}"),
}


def wrong_races() -> Iterator[tuple[str, str]]:
    """Everything that is wrong: which race it is, and what is wrong in words."""
    for name, race in (
        ("update of an order", wrong_order_races),
        ("later orders", wrong_later_orders),
        ("late files", wrong_late_files),
    ):
        yield from ((name, wrong) for wrong in race())


def wrong_order_races() -> Iterator[str]:
    """Who is still named after an order's update met the erasure of its merged customer.

    No entry leads to the order yet: the update adds the first one, in the survivor's account.
    """
    for at in range(CALLS):
        engine = opened(MEMORY, MemoryDynamoDB())
        driver, privacy_driver = LedgerDriver(engine), PrivacyDriver(engine)
        driver.grant(70)
        _deliver(engine, privacy_driver, _paid(0, NOON))
        driver.ledger.merge(SHOP, CUSTOMER, OTHER, FLOW)
        meanwhile = Meanwhile(engine, at, partial(privacy_driver.redact, CUSTOMER))
        update = _paid(300, NOON + timedelta(minutes=1))
        try:
            with suppress(LedgerUnavailable):  # the queue brings it again
                _deliver(engine, privacy_driver, update, meanwhile)
            _deliver(engine, privacy_driver, update)
        except LedgerUnavailable:
            yield f"erased before call {at}: the order's update fails for ever"
        privacy_driver.redact(CUSTOMER)
        if more := naming(engine, CUSTOMER) - _LEFT:
            yield f"erased before call {at}: {sorted(more)} name the customer"


def wrong_later_orders() -> Iterator[str]:
    """Who is still named by an order that only another redaction of the customer names.

    It comes while the first one is open, after it is done, and out of order.
    """
    for what, later_seconds in (("while it is open", 0), ("after it", 60), ("before it", -60)):
        engine = opened(MEMORY, MemoryDynamoDB())
        privacy_driver = PrivacyDriver(engine)
        _deliver(engine, privacy_driver, _paid(0, NOON))
        privacy_driver.bucket.down = 0 if later_seconds else 1
        privacy_driver.redact(CUSTOMER)
        privacy_driver.clock.pass_time(seconds=later_seconds)
        privacy_driver.redact(CUSTOMER, orders=(ORDER,))
        privacy_driver.watch()
        if more := naming(engine, CUSTOMER) - _LEFT:
            yield f"another redaction {what}: {sorted(more)} name the customer"
        first = everything(engine)
        privacy_driver.redact(CUSTOMER, orders=(ORDER,))
        if everything(engine) != first:
            yield f"another redaction {what}: the same webhook once more changes something"


def wrong_late_files() -> Iterator[str]:
    """Which files are left of a worker that paused while its customer was erased, and then ended.

    Files of another customer fill several pages, and stay.
    """
    engine = opened(MEMORY, MemoryDynamoDB())
    privacy_driver = PrivacyDriver(engine)
    for request in range(1, 4):
        privacy_driver.request_data(OTHER, request)
    privacy_driver.bucket = LateBucket(privacy_driver)
    with suppress(Crash):
        privacy_driver.request_data(CUSTOMER)
    for _ in range(2):
        privacy_driver.watch()
    left = {key.split("/")[2] for key in privacy_driver.bucket.objects}
    if left != {OTHER} or len(privacy_driver.bucket.objects) != 3:
        yield f"the files left are {sorted(privacy_driver.bucket.objects)}"


class LateBucket(MemoryBucket):
    """A bucket in which a file arrives after its customer was erased; then its worker ends."""

    def __init__(self, privacy_driver: PrivacyDriver) -> None:
        super().__init__()
        self.objects = privacy_driver.bucket.objects
        self._privacy_driver = privacy_driver
        self._is_late = False

    def put_object(self, **request: Any) -> None:
        if not self._is_late:
            self._is_late = True
            self._privacy_driver.redact(CUSTOMER)
            self._privacy_driver.watch()
            self._privacy_driver.watch()
        super().put_object(**request)
        raise Crash


def _paid(worth: int, at: datetime) -> dict[str, Any]:
    return order_payload(ORDER, "", 0, CUSTOMER, milliseconds(at), left=worth)


def _deliver(
    engine: Engine, privacy_driver: PrivacyDriver, payload: dict[str, Any], client: Any = None
) -> None:
    """As the order worker does it."""
    store = engine.store(client)
    ledger = Ledger(store, privacy_driver.clock, random=lambda: 0.5)
    orders = OrderService(SHOP, ledger, privacy_driver.clock, default_programme(), unused_customers)
    orders.carry_out(privacy_driver.message("orders/paid", payload))
