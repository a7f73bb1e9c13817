"""The state of every customer and order in the reference model after each write."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from tests.reference import model
from tests.reference.model import Answer, Customer
from tests.reference.order_items import Code, OrderItems, OrderRecord
from tests.simulation.kernel.requests import Request, Who


class History[Thing]:
    """All states of one thing, each from a write on. States are never changed."""

    def __init__(self, first: Thing) -> None:
        self._since = [0]
        self._states = [first]

    @property
    def latest(self) -> Thing:
        """The state now."""
        return self._states[-1]

    def at(self, sequence: int) -> Thing:
        """The state once that many writes had happened."""
        return self._states[bisect_right(self._since, sequence) - 1]

    def add(self, sequence: int, state: Thing) -> None:
        """The state from this write on."""
        self._since.append(sequence)
        self._states.append(state)

    def changes(self, after: int, until: int) -> Iterator[int]:
        """The writes after one and up to another that changed this."""
        for sequence in self._since[bisect_right(self._since, after) :]:
            if sequence > until:
                return
            yield sequence


class Shops:
    """Customers, orders and codes of all shops in the model."""

    def __init__(self, time_zones: dict[str, str]) -> None:
        self._time_zones = time_zones
        self.customers: dict[Who, History[Customer]] = {}
        self.versions: dict[Who, History[int]] = {}
        self.orders: dict[tuple[str, str], History[OrderRecord | None]] = {}
        self.codes: dict[tuple[str, str], History[Code | None]] = {}

    def customer(self, who: Who) -> History[Customer]:
        """A customer's history; empty if nothing happened yet."""
        if who not in self.customers:
            self.customers[who] = History(Customer(who[1], self._time_zones[who[0]]))
            self.versions[who] = History(0)
        return self.customers[who]

    def owner(self, who: Who, sequence: int) -> Who:
        """Whose points they were at that time: the end of the tombstones."""
        while (heir := self.customer(who).at(sequence).merged_into) is not None:
            who = (who[0], heir)
        return who

    def latest_owner(self, who: Who) -> Who:
        """Whose points they are now."""
        return list(self._chain(who))[-1]

    def order_items(self, request: Request, sequence: int) -> OrderItems:
        """The order and the code that a request is about, as they were at that time."""
        found = OrderItems()
        order_id, code = request.order_id, request.hold_id
        if order_id and (order := self._order(request.who[0], order_id).at(sequence)):
            found.orders[order_id] = order.copy()
        if code and (found_code := self._code(request.who[0], code).at(sequence)):
            found.codes[code] = replace(found_code, orders=list(found_code.orders))
        return found

    def decide(
        self, request: Request, sequence: int, now: datetime
    ) -> tuple[Customer, OrderItems, Answer]:
        """Decide a request at that time: the customer, the order and code after it, the answer."""
        customer = self.customer(self.owner(request.who, sequence)).at(sequence).copy()
        order_items = self.order_items(request, sequence)
        assert request.command is not None, f"{request} has no command"
        answer = model.decide(customer, order_items, request.command, now, request.who[1])
        return customer, order_items, answer

    def keep(self, sequence: int, who: Who, customer: Customer, entries: int) -> None:
        """Note a customer after a write."""
        self.customer(who).add(sequence, customer)
        self.versions[who].add(sequence, self.versions[who].latest + entries)

    def keep_order_items(self, sequence: int, request: Request, order_items: OrderItems) -> None:
        """Note order and code after a write."""
        for order_id, order in order_items.orders.items():
            self._order(request.who[0], order_id).add(sequence, order)
        for code, found_code in order_items.codes.items():
            self._code(request.who[0], code).add(sequence, found_code)

    def moments(self, request: Request, after: int, until: int) -> list[int]:
        """The start, and every later write that changed what a request depends on."""
        return sorted({after, *self._relevant(request, after, until)})

    def _relevant(self, request: Request, after: int, until: int) -> Iterator[int]:
        names = [*self._chain(request.who)]
        if request.merge_into is not None:
            names += self._chain((request.who[0], request.merge_into))
        for who in names:
            yield from self.customer(who).changes(after, until)
        if request.order_id:
            yield from self._order(request.who[0], request.order_id).changes(after, until)
        if request.hold_id:
            yield from self._code(request.who[0], request.hold_id).changes(after, until)

    def _chain(self, who: Who) -> Iterator[Who]:
        """A customer and all those into whom they were merged."""
        yield who
        while (heir := self.customer(who).latest.merged_into) is not None:
            who = (who[0], heir)
            yield who

    def _order(self, shop: str, order_id: str) -> History[OrderRecord | None]:
        return self.orders.setdefault((shop, order_id), History(None))

    def _code(self, shop: str, code: str) -> History[Code | None]:
        return self.codes.setdefault((shop, code), History(None))
