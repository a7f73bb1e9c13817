"""A customer is erased before one call after another of whatever else is under way for them."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pointbook.domain.chain import milliseconds
from pointbook.domain.programme import usual_programme
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.ledger import Ledger
from pointbook.services.orders import OrderService
from tests.fakes.customers import nobody_is_asked
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import Crash
from tests.fakes.meanwhile import Meanwhile
from tests.fakes.privacy import MemoryBucket, Office, everything, naming
from tests.support.engine import MEMORY, SHOP, Engine, opened
from tests.support.examples import CUSTOMER, NOON, ORDER, OTHER
from tests.support.hold_orders import order_payload
from tests.support.ledgers import FLOW, Desk

CALLS = 12
"""More than the news of an order takes."""

_KEPT = {
    (f"SHOP#{SHOP}#CUSTOMER#{CUSTOMER}", "ACCOUNT"),
    (f"SHOP#{SHOP}", f"PRIVACY_REQUEST#customers/redact#{CUSTOMER}"),
}


def wrong_races() -> Iterator[tuple[str, str]]:
    """Everything that is wrong: which race it is, and what is wrong in words."""
    for name, race in (
        ("news of an order", wrong_order_races),
        ("later orders", wrong_later_orders),
        ("late files", wrong_late_files),
    ):
        yield from ((name, wrong) for wrong in race())


def wrong_order_races() -> Iterator[str]:
    """Who is still named after an order's news met the erasure of its merged customer.

    No entry leads to the order yet: the news adds the first one, in the survivor's account.
    """
    for at in range(CALLS):
        engine = opened(MEMORY, MemoryDynamoDB())
        desk, office = Desk(engine), Office(engine)
        desk.grant(70)
        _tell(engine, office, _paid(0, NOON))
        desk.ledger.merge(SHOP, CUSTOMER, OTHER, FLOW)
        meanwhile = Meanwhile(engine, at, partial(office.redact, CUSTOMER))
        news = _paid(300, NOON + timedelta(minutes=1))
        try:
            with suppress(LedgerUnavailable):  # the queue brings it again
                _tell(engine, office, news, meanwhile)
            _tell(engine, office, news)
        except LedgerUnavailable:
            yield f"erased before call {at}: the order's news fails for ever"
        office.redact(CUSTOMER)
        if more := naming(engine, CUSTOMER) - _KEPT:
            yield f"erased before call {at}: {sorted(more)} name the customer"


def wrong_later_orders() -> Iterator[str]:
    """Who is still named by an order that only another redaction of the customer names.

    It comes while the first one is open, after it is done, and out of order.
    """
    for what, later_seconds in (("while it is open", 0), ("after it", 60), ("before it", -60)):
        engine = opened(MEMORY, MemoryDynamoDB())
        office = Office(engine)
        _tell(engine, office, _paid(0, NOON))
        office.bucket.down = 0 if later_seconds else 1
        office.redact(CUSTOMER)
        office.clock.pass_time(seconds=later_seconds)
        office.redact(CUSTOMER, orders=(ORDER,))
        office.watch()
        if more := naming(engine, CUSTOMER) - _KEPT:
            yield f"another redaction {what}: {sorted(more)} name the customer"
        first = everything(engine)
        office.redact(CUSTOMER, orders=(ORDER,))
        if everything(engine) != first:
            yield f"another redaction {what}: the same webhook once more changes something"


def wrong_late_files() -> Iterator[str]:
    """Which files are left of a worker that stood still while its customer was erased, and ended.

    Files of another customer fill several pages, and stay.
    """
    engine = opened(MEMORY, MemoryDynamoDB())
    office = Office(engine)
    for request in range(1, 4):
        office.ask_for_data(OTHER, request)
    office.bucket = LateBucket(office)
    with suppress(Crash):
        office.ask_for_data(CUSTOMER)
    for _ in range(2):
        office.watch()
    left = {key.split("/")[2] for key in office.bucket.objects}
    if left != {OTHER} or len(office.bucket.objects) != 3:
        yield f"the files left are {sorted(office.bucket.objects)}"


class LateBucket(MemoryBucket):
    """A bucket in which a file arrives after its customer was erased; then its worker ends."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.objects = office.bucket.objects
        self._office = office
        self._is_late = False

    def put_object(self, **request: Any) -> None:
        if not self._is_late:
            self._is_late = True
            self._office.redact(CUSTOMER)
            self._office.watch()
            self._office.watch()
        super().put_object(**request)
        raise Crash


def _paid(worth: int, at: datetime) -> dict[str, Any]:
    payload = order_payload(ORDER, "", 0, CUSTOMER, milliseconds(at), left=worth)
    payload["line_items"][0]["discount_allocations"] = []
    return payload | {"discount_applications": [], "discount_codes": []}


def _tell(engine: Engine, office: Office, payload: dict[str, Any], client: Any = None) -> None:
    """As the order worker does it."""
    store = engine.store(client)
    ledger = Ledger(store, office.clock, random=lambda: 0.5)
    orders = OrderService(SHOP, ledger, office.clock, usual_programme(), nobody_is_asked)
    orders.carry_out(office.message("orders/paid", payload))
