"""One run of the ledger under one seed: who asks when, what fails, and what the oracle says of it.

    wheel     runs requests one step at a time and moves the clock
    workload  makes requests; some are sent again, at once, soon, after 700 s, after a day
    faults    stand between the store and the in-memory DynamoDB
    oracle    is told everything, and stops the run at the first thing that must not be

When the last request is made, faults end, what is in doubt is asked again until it is answered,
everything due is swept, and the table is compared with all that was written.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Final

from pointbook.domain.commands import Settle
from pointbook.domain.ports import DUE_SHARDS, DueKind, ReadRequest, StoreUnavailable
from pointbook.domain.reconcile import reconcile
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked
from pointbook.ledger.ledger import Ledger
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.table import Table
from tests.fakes.dynamodb import LATEST, MemoryDynamoDB
from tests.fakes.faulty_dynamodb import Crash, Fault, FaultyClient, Nothing, Plan, Request, Seeded
from tests.simulation.checker.oracle import Oracle
from tests.simulation.checker.raw_items import plain
from tests.simulation.kernel.requests import Ask, Attempt, Who
from tests.simulation.kernel.scheduler import Scheduler, SkewedClock
from tests.simulation.kernel.violation import Violation
from tests.simulation.kernel.workload import TIME_ZONES, Workload, lean
from tests.support.instants import milliseconds
from tests.support.table import TABLE, create_table

ASKS: Final = 90
START_MS: Final = 1_801_234_200_000
"""29 January 2027, 23:50 in Tokyo, just before ten in the morning in New York."""

SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000
TRIES_WITHOUT_FAULTS: Final = 20
"""By then whatever is in doubt has its verdict, for nothing fails any more."""

RATES: Final = {
    Fault.THROTTLED: 0.03,
    Fault.THROTTLED_IN_PART: 0.02,
    Fault.CONFLICT: 0.04,
    Fault.IN_PROGRESS: 0.01,
    Fault.SERVER_ERROR: 0.01,
    Fault.SERVER_ERROR_AFTER: 0.02,
    Fault.REQUEST_LOST: 0.01,
    Fault.REPLY_LOST: 0.03,
    Fault.LATE_COMMIT: 0.02,
    Fault.STALE: 0.12,
    Fault.TORN: 0.08,
    Fault.LAG: 0.02,
    Fault.FEWER_REASONS: 0.1,
    Fault.CRASH_BEFORE: 0.01,
    Fault.CRASH_AFTER: 0.02,
}


@dataclass(slots=True)
class Report:
    """What a run came to."""

    seed: int
    asks: int = 0
    attempts: int = 0
    commits: int = 0
    calls: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    violation: str = ""
    trace: list[str] = field(default_factory=list)

    @property
    def entries(self) -> int:
        """The entries written."""
        return self.topics.total()


def run(seed: int, *, asks: int = ASKS, trace: bool = False) -> Report:
    """Run one seed to its end, or to its first violation."""
    world = World(seed, trace=trace)
    try:
        world.live(asks)
    except Violation as violation:
        world.report.violation = f"{violation}"
    except AssertionError as error:
        world.report.violation = f"error: an assertion failed: {error}"
    world.report.topics = world.oracle.writes.topics
    return world.report


class World:
    """The shops of one seed."""

    def __init__(self, seed: int, *, trace: bool = False) -> None:
        self.random = Random(seed)
        self.report = Report(seed)
        self.engine = MemoryDynamoDB(page_items=self.random.choice((1, 3, 1000)))
        create_table(self.engine)
        start_ms = START_MS + self.random.choice((0, self.random.randrange(600) * SECOND))
        self.scheduler = Scheduler(self.random, start_ms)
        self.oracle = Oracle(TIME_ZONES)
        self.workload = Workload(self.random, lean(self.random), lambda: self.scheduler.now_ms)
        self.plan: Plan = Seeded(self.random, self._rates())
        self.in_doubt: list[Ask] = []
        self.ledger_class = Ledger
        self._trace = trace

    def _rates(self) -> dict[Fault, float]:
        """Some faults are left out, and some runs are stormy, others calm."""
        scale = self.random.choice((0.3, 1.0, 1.0, 2.0))
        return {fault: rate * scale for fault, rate in RATES.items() if self.random.random() < 0.8}

    # --- a life ----------------------------------------------------------------------------------

    def live(self, asks: int) -> None:
        """Ask, fail, calm down, and look at what is left."""
        self.scheduler.spawn(0, lambda: self._ask_around(asks))
        self.scheduler.run()
        self.calm_down()

    def send_at(self, after_ms: int, ask: Ask) -> None:
        """Have one request sent in so many milliseconds."""
        self.scheduler.spawn(after_ms, lambda: self._attempt(ask))

    def calm_down(self) -> None:
        """No more faults: ask again whatever is in doubt, sweep, and compare the table."""
        self.plan = Nothing()
        rounds_left = TRIES_WITHOUT_FAULTS * len(self.in_doubt)
        while self.in_doubt:
            if rounds_left == 0:
                raise Violation("no verdict", f"without faults, for {self.in_doubt[-1].name}")
            rounds_left -= 1
            self.send_at(1, self.in_doubt.pop())
            self.scheduler.run()
        over_ms = self.scheduler.now_ms
        self.scheduler.spawn(SECOND, self._sweep)  # by then the slowest clock sees it too
        self.scheduler.run()
        self.oracle.check_quiet(over_ms)
        self._check_table()

    def _ask_around(self, asks: int) -> None:
        if self.workload.lean.many_lots:
            for after_ms, ask in self.workload.life_of_many_days():
                self._send(ask, after_ms + self.random.randrange(20 * SECOND))
        for _ in range(asks):
            self.scheduler.pause(self._gap_ms())
            if self.random.random() < 0.12:
                self.scheduler.pause(self._until_something_is_due_ms())
            drawn = self.random.random()
            if drawn < 0.08:
                self._send(self.workload.read())
            elif drawn < 0.11:
                self.scheduler.spawn(0, self._sweep)
            else:
                self._send(self.workload.ask())

    def _gap_ms(self) -> int:
        drawn = self.random.random()
        if drawn < 0.62:
            return self.random.randint(0, 30)
        if drawn < 0.84:
            return self.random.randint(30, 4 * SECOND)
        if drawn < 0.96:
            return self.random.randint(5 * SECOND, 700 * SECOND)
        days = 40 if self.workload.lean.many_lots else 2
        return self.random.randint(HOUR, days * DAY)

    def _until_something_is_due_ms(self) -> int:
        """To just before, exactly, or just after something due: a hold, an order, a day's end."""
        ends = [
            milliseconds(past.latest.hold.ends_at)
            for past in self.oracle.writes.shops.customers.values()
            if past.latest.hold is not None
        ]
        ends += [
            milliseconds(past.latest.due_at)
            for past in self.oracle.writes.shops.orders.values()
            if past.latest is not None and past.latest.due_at is not None
        ]
        day_end = DAY - (self.scheduler.now_ms + 9 * HOUR) % DAY  # midnight in Tokyo
        ends.append(self.scheduler.now_ms + day_end)
        end = self.random.choice(ends)
        around = self.random.choice((-100, -30, -10, -6, -4, -3, -2, -1, 0, 1, 100))
        return max(0, end - self.scheduler.now_ms + around)

    def _send(self, ask: Ask, in_ms: int = 0) -> None:
        """Send a request, and perhaps the same again: nobody knows why, it just comes twice."""
        self.report.asks += 1
        self.report.commands[ask.name] += 1
        self.scheduler.spawn(in_ms, lambda: self._attempt(ask))
        for after_ms in (0, 30, 5 * SECOND, 700 * SECOND, DAY):
            if self.random.random() < 0.09:
                self.scheduler.spawn(in_ms + after_ms, lambda: self._attempt(ask))
        for after_ms, later in self.workload.follow_ups(ask):
            self._send(later, in_ms + after_ms)
        if ask.identity is not None and self.random.random() < 0.04:
            other = self.workload.other_content(ask)
            after_ms = self.random.choice((0, 20, SECOND, 700 * SECOND))
            self.scheduler.spawn(after_ms, lambda: self._attempt(other))

    # --- requests --------------------------------------------------------------------------------

    def _attempt(self, ask: Ask) -> None:
        """One request in a Lambda of its own, with a clock of its own."""
        self.report.attempts += 1
        attempt = Attempt(ask, SkewedClock(self.scheduler, self.random.randint(-200, 200)))
        ledger = self._ledger(attempt)
        self.oracle.called(attempt, self.engine.sequence)
        self._tell(attempt, "asks", ask)
        try:
            answer = self._carry_out(attempt, ledger)
        except (LedgerUnavailable, StoreUnavailable, Crash) as end:
            self._tell(attempt, "ends in doubt:", type(end).__name__)
            self.report.answers[type(end).__name__] += 1
            self.oracle.failed(attempt, self.engine.sequence)
            self._ask_again(ask)
        except (AssertionError, Violation):
            raise
        except Exception as error:
            raise Violation("error", f"{ask.name}: {error!r}") from error
        else:
            self._tell(attempt, "is answered", answer)

    def _carry_out(self, attempt: Attempt, ledger: Ledger) -> object:
        ask, (shop, customer_id) = attempt.ask, attempt.ask.who
        if ask.name == "read":
            view = ledger.read(shop, customer_id)
            self.oracle.seen(attempt, view, self.engine.sequence)
            return view
        if ask.name == "history":
            history = ledger.history(shop, customer_id, limit=3)
            entry_ids = [booked.entry.entry_id for booked in history]
            self.oracle.told_history(attempt, entry_ids, 3, self.engine.sequence)
            return entry_ids
        if ask.merge_into is not None:
            reply = ledger.merge(shop, customer_id, ask.merge_into, ask.cause, TIME_ZONES[shop])
        else:
            reply = ledger.execute(ask.instruction(TIME_ZONES[shop]))
        kind = reply.code if not isinstance(reply, Booked) else "booked"
        if isinstance(reply, Booked) and reply.duplicate:
            kind = "duplicate"
        self.report.answers[kind] += 1
        self._tell(attempt, "hears", reply)
        self.oracle.replied(attempt, reply, self.engine.sequence)
        return "done"

    def _ask_again(self, ask: Ask) -> None:
        """Whoever is in doubt asks again, soon or at the very end."""
        if ask.reads:
            return
        if self.random.random() < 0.6:
            after_ms = self.random.choice((10, SECOND, 10 * SECOND, 60 * SECOND))
            self.scheduler.spawn(after_ms, lambda: self._attempt(ask))
        else:
            self.in_doubt.append(ask)

    def _sweep(self) -> None:
        """Do whatever an index says is due, on a clock of its own."""
        for kind in (DueKind.HOLD, DueKind.LOT, DueKind.PENDING):
            sweeper = Attempt(
                Ask(0, ("tokyo", "0"), "sweep"),
                SkewedClock(self.scheduler, self.random.randint(-200, 200)),
            )
            store = DynamoStore(Table(self._client(sweeper), TABLE))
            try:
                for shop, found in self._due(store, kind, sweeper.clock.now()):
                    self._attempt(self._due_ask(store, kind, shop, found))
            except (StoreUnavailable, Crash):
                self._tell(sweeper, "is cut short")

    def _due_ask(self, store: DynamoStore, kind: DueKind, shop: str, found: str) -> Ask:
        """What a sweep asks: to settle a book, or to approve what an order has pending."""
        if kind is not DueKind.PENDING:
            return self.workload.numbered((shop, found), "settle", {"command": Settle()})
        order = store.load(ReadRequest(shop, None, order_id=found), fresh=True).order
        assert order is not None, "an order on the index is in the table"
        return self.workload.approve_pending(shop, order)

    @staticmethod
    def _due(store: DynamoStore, kind: DueKind, now: datetime) -> Iterator[Who]:
        for shard in range(DUE_SHARDS):
            yield from store.due(kind, shard, now)

    def _ledger(self, attempt: Attempt) -> Ledger:
        return self.ledger_class(
            DynamoStore(Table(self._client(attempt), TABLE)),
            attempt.clock,
            self.random.random,
        )

    def _client(self, attempt: Attempt) -> FaultyClient:
        witness = _Witness(self, attempt)
        return FaultyClient(
            self.engine, self.engine, self.plan, self.scheduler, self.random, witness
        )

    def _tell(self, attempt: Attempt, *words: object) -> None:
        if self._trace:
            told = " ".join(str(word) for word in words)
            now = attempt.clock.now().isoformat(timespec="milliseconds")
            self.report.trace.append(f"{now} #{attempt.ask.number} {told}")

    # --- the table at the end --------------------------------------------------------------------

    def _check_table(self) -> None:
        """All that was written is there and nothing else, and the product's own check agrees."""
        versions = self.engine._tables[TABLE].versions
        keys = set(versions)
        if keys != self.oracle.writes.keys:
            raise Violation(
                "entries", f"in the table, yet not written: {keys ^ self.oracle.writes.keys}"
            )
        store = DynamoStore(Table(self.engine, TABLE))
        for (shop, customer_id), book in self.oracle.writes.books.items():
            if not book.revision:
                continue
            account = store.account(shop, customer_id)
            if account is None:
                raise Violation("entries", f"{customer_id} is gone")
            entries = store.entries(shop, customer_id, before_version=LATEST, limit=LATEST)
            findings = reconcile(account, reversed(entries))
            if findings:
                raise Violation("entries", f"{customer_id}: {findings}")


class _Witness:
    """Tells the oracle what one request does."""

    def __init__(self, world: World, attempt: Attempt) -> None:
        self._world = world
        self._attempt = attempt

    def issued(self, operation: str) -> object:
        self._world.report.calls += 1
        self._world._tell(self._attempt, operation)
        return self._attempt.clock.wall_ms

    def suffered(self, fault: Fault) -> None:
        self._world.report.faults[fault] += 1
        self._world._tell(self._attempt, "suffers:", fault)

    def committed(self, request: Request, stamp: object) -> None:
        world = self._world
        world.report.commits += 1
        puts = [action["Put"] for action in request["TransactItems"] if "Put" in action]
        world._tell(self._attempt, "writes", *(_words(put) for put in puts))
        assert isinstance(stamp, int)
        world.oracle.committed(world.engine.sequence, self._attempt, puts, stamp)

    def answered(self) -> None:
        self._world.oracle.looked(self._attempt, self._world.engine.sequence)


def _words(put: Request) -> str:
    """A put in a few words, for the trace."""
    item = plain(put["Item"])
    named = ("topic", "moves", "revision", "version", "at", "as_of", "hold", "lots", "figures")
    return f"{item['pk']} {item['sk'][:14]} { {n: item[n] for n in named if n in item} }"
