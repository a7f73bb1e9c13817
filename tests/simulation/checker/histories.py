"""What the reference model says of every customer and order, after each write: its whole past."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from tests.reference import model
from tests.reference.model import Answer, Customer
from tests.reference.order_items import Code, OrderItems, OrderRecord
from tests.simulation.kernel.requests import Ask, Who


class Past[Thing]:
    """A thing in all its states, each from a write on. States are never changed."""

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
    """Customers, orders and codes of all shops, as the model knows them."""

    def __init__(self, time_zones: dict[str, str]) -> None:
        self._time_zones = time_zones
        self.customers: dict[Who, Past[Customer]] = {}
        self.versions: dict[Who, Past[int]] = {}
        self.orders: dict[tuple[str, str], Past[OrderRecord | None]] = {}
        self.codes: dict[tuple[str, str], Past[Code | None]] = {}

    def customer(self, who: Who) -> Past[Customer]:
        """A customer's past; whoever is unknown has none."""
        if who not in self.customers:
            self.customers[who] = Past(Customer(who[1], self._time_zones[who[0]]))
            self.versions[who] = Past(0)
        return self.customers[who]

    def owner(self, who: Who, sequence: int) -> Who:
        """Whose points they were at that time: the end of the tombstones."""
        while (heir := self.customer(who).at(sequence).merged_into) is not None:
            who = (who[0], heir)
        return who

    def latest_owner(self, who: Who) -> Who:
        """Whose points they are now."""
        return list(self._chain(who))[-1]

    def order_items(self, ask: Ask, sequence: int) -> OrderItems:
        """What was known at that time of the order and the code that an ask is about."""
        found = OrderItems()
        order_id, code = ask.order_id, ask.hold_id
        if order_id and (order := self._order(ask.who[0], order_id).at(sequence)):
            found.orders[order_id] = order.copy()
        if code and (known := self._code(ask.who[0], code).at(sequence)):
            found.codes[code] = replace(known, orders=list(known.orders))
        return found

    def decide(self, ask: Ask, sequence: int, now: datetime) -> tuple[Customer, OrderItems, Answer]:
        """What would have come of an ask at that time, and what would be known after it."""
        customer = self.customer(self.owner(ask.who, sequence)).at(sequence).copy()
        order_items = self.order_items(ask, sequence)
        assert ask.command is not None, f"{ask} has no command"
        answer = model.decide(customer, order_items, ask.command, now, ask.who[1])
        return customer, order_items, answer

    def keep(self, sequence: int, who: Who, customer: Customer, entries: int) -> None:
        """A write has made this of a customer."""
        self.customer(who).add(sequence, customer)
        self.versions[who].add(sequence, self.versions[who].latest + entries)

    def keep_order_items(self, sequence: int, ask: Ask, order_items: OrderItems) -> None:
        """A write has made this known."""
        for order_id, order in order_items.orders.items():
            self._order(ask.who[0], order_id).add(sequence, order)
        for code, known in order_items.codes.items():
            self._code(ask.who[0], code).add(sequence, known)

    def moments(self, ask: Ask, after: int, until: int) -> list[int]:
        """The start, and every later write that changed what an ask depends on."""
        return sorted({after, *self._relevant(ask, after, until)})

    def _relevant(self, ask: Ask, after: int, until: int) -> Iterator[int]:
        names = [*self._chain(ask.who)]
        if ask.merge_into is not None:
            names += self._chain((ask.who[0], ask.merge_into))
        for who in names:
            yield from self.customer(who).changes(after, until)
        if ask.order_id:
            yield from self._order(ask.who[0], ask.order_id).changes(after, until)
        if ask.hold_id:
            yield from self._code(ask.who[0], ask.hold_id).changes(after, until)

    def _chain(self, who: Who) -> Iterator[Who]:
        """A customer and all those whom the points went on to."""
        yield who
        while (heir := self.customer(who).latest.merged_into) is not None:
            who = (who[0], heir)
            yield who

    def _order(self, shop: str, order_id: str) -> Past[OrderRecord | None]:
        return self.orders.setdefault((shop, order_id), Past(None))

    def _code(self, shop: str, code: str) -> Past[Code | None]:
        return self.codes.setdefault((shop, code), Past(None))
