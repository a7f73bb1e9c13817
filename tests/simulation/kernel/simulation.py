"""One run of the ledger under one seed: requests, faults, and the oracle that checks everything.

    scheduler  runs requests one step at a time and moves the clock
    workload   draws requests; some are sent again, at once, soon, after 700 s, after a day
    faults     are injected between the store and the in-memory DynamoDB
    oracle     sees every call, write and answer, and stops the run at the first broken promise

After the last request faults end, what is in doubt is retried until it is answered, everything due
is swept, and the table is compared with all that was written.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from random import Random
from typing import Any, Final

from pointbook.domain.commands import Settle
from pointbook.domain.ports import DUE_SHARDS, DueKind, ReadRequest, StoreUnavailable
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked
from pointbook.ledger.ledger import Ledger
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import Crash, Fault, FaultyClient, Nothing, Plan, Seeded, Unwatched
from tests.simulation.checker.accounts import check_entries
from tests.simulation.checker.oracle import Oracle
from tests.simulation.checker.raw_items import plain
from tests.simulation.kernel.reports import Report
from tests.simulation.kernel.requests import Attempt, Request
from tests.simulation.kernel.scheduler import Scheduler, SkewedClock
from tests.simulation.kernel.violation import Violation, must
from tests.simulation.kernel.workload import TIME_ZONES, Workload, drawn_profile
from tests.support.instants import milliseconds
from tests.support.table import TABLE, create_table

REQUESTS: Final = 90
START_MS: Final = 1_801_234_200_000
"""29 January 2027, 23:50 in Tokyo, just before ten in the morning in New York."""

SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000
TRIES_WITHOUT_FAULTS: Final = 20
"""By then every request in doubt has its answer, since nothing fails any more."""

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
class LedgerReport(Report):
    """What a run came to: different requests, attempts at them, and what these did."""

    requests: int = 0
    attempts: int = 0
    commits: int = 0
    calls: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)

    @property
    def entries(self) -> int:
        """The entries written."""
        return self.topics.total()


def run(seed: int, *, requests: int = REQUESTS, trace: bool = False) -> LedgerReport:
    """Run one seed to its end, or to its first violation."""
    simulation = Simulation(seed, trace=trace)
    try:
        simulation.run(requests)
    except Violation as violation:
        simulation.report.violation = f"{violation}"
    except AssertionError as error:
        simulation.report.violation = f"error: an assertion failed: {error}"
    simulation.report.topics = simulation.oracle.writes.topics
    return simulation.report


class Simulation:
    """The shops of one seed."""

    def __init__(self, seed: int, *, trace: bool = False) -> None:
        self.random = Random(seed)
        self.report = LedgerReport(seed)
        self.engine = MemoryDynamoDB(page_items=self.random.choice((1, 3, 1000)))
        create_table(self.engine)
        start_ms = START_MS + self.random.choice((0, self.random.randrange(600) * SECOND))
        self.scheduler = Scheduler(self.random, start_ms)
        self.oracle = Oracle(TIME_ZONES)
        self.workload = Workload(
            self.random, drawn_profile(self.random), lambda: self.scheduler.now_ms
        )
        self.plan: Plan = Seeded(self.random, self._rates())
        self.in_doubt: list[Request] = []
        self._trace = trace

    def _rates(self) -> dict[Fault, float]:
        """Some faults are left out, and some runs have more faults than others."""
        scale = self.random.choice((0.3, 1.0, 1.0, 2.0))
        return {fault: rate * scale for fault, rate in RATES.items() if self.random.random() < 0.8}

    # --- a run -----------------------------------------------------------------------------------

    def run(self, requests: int) -> None:
        """Send requests while calls fail, then finish."""
        self.scheduler.spawn(0, lambda: self._send_all(requests))
        self.scheduler.run()
        self.finish()

    def send_at(self, after_ms: int, request: Request) -> None:
        """Send one request in so many milliseconds."""
        self.scheduler.spawn(after_ms, partial(self._attempt, request))

    def finish(self) -> None:
        """End all faults, retry what is in doubt, sweep, and compare the table."""
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

    def _send_all(self, requests: int) -> None:
        if self.workload.profile.many_lots:
            for after_ms, request in self.workload.life_of_many_days():
                self._send(request, after_ms + self.random.randrange(20 * SECOND))
        for _ in range(requests):
            self.scheduler.pause(self._gap_ms())
            if self.random.random() < 0.12:
                self.scheduler.pause(self._until_something_is_due_ms())
            drawn = self.random.random()
            if drawn < 0.08:
                self._send(self.workload.read())
            elif drawn < 0.11:
                self.scheduler.spawn(0, self._sweep)
            else:
                self._send(self.workload.draw())

    def _gap_ms(self) -> int:
        drawn = self.random.random()
        if drawn < 0.62:
            return self.random.randint(0, 30)
        if drawn < 0.84:
            return self.random.randint(30, 4 * SECOND)
        if drawn < 0.96:
            return self.random.randint(5 * SECOND, 700 * SECOND)
        days = 40 if self.workload.profile.many_lots else 2
        return self.random.randint(HOUR, days * DAY)

    def _until_something_is_due_ms(self) -> int:
        """Until just before, exactly or just after a hold, an order or the day ends."""
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

    def _send(self, request: Request, in_ms: int = 0) -> None:
        """Send a request, and perhaps the same again, as networks and callers do."""
        self.report.requests += 1
        self.report.commands[request.name] += 1
        self.scheduler.spawn(in_ms, lambda: self._attempt(request))
        for after_ms in (0, 30, 5 * SECOND, 700 * SECOND, DAY):
            if self.random.random() < 0.09:
                self.scheduler.spawn(in_ms + after_ms, lambda: self._attempt(request))
        for after_ms, later in self.workload.follow_ups(request):
            self._send(later, in_ms + after_ms)
        if request.identity is not None and self.random.random() < 0.04:
            other = self.workload.other_content(request)
            after_ms = self.random.choice((0, 20, SECOND, 700 * SECOND))
            self.scheduler.spawn(after_ms, lambda: self._attempt(other))

    # --- requests --------------------------------------------------------------------------------

    def _attempt(self, request: Request) -> None:
        """Send a request to a Lambda with a clock of its own."""
        self.report.attempts += 1
        attempt = Attempt(request, SkewedClock(self.scheduler, self.random.randint(-200, 200)))
        ledger = self._ledger(attempt)
        self.oracle.called(attempt, self.engine.sequence)
        self._log(attempt, "requests", request)
        try:
            answer = self._carry_out(attempt, ledger)
        except (LedgerUnavailable, StoreUnavailable, Crash) as end:
            self._log(attempt, "ends in doubt:", type(end).__name__)
            self.report.answers[type(end).__name__] += 1
            self.oracle.failed(attempt, self.engine.sequence)
            self._retry(request)
        except (AssertionError, Violation):
            raise
        except Exception as error:
            raise Violation("error", f"{request.name}: {error!r}") from error
        else:
            self._log(attempt, "is answered", answer)

    def _carry_out(self, attempt: Attempt, ledger: Ledger) -> object:
        request, (shop, customer_id) = attempt.request, attempt.request.who
        if request.name == "read":
            view = ledger.read(shop, customer_id)
            self.oracle.seen(attempt, view, self.engine.sequence)
            return view
        if request.name == "history":
            history = ledger.history(shop, customer_id, limit=3)
            entry_ids = [booked.entry.entry_id for booked in history]
            self.oracle.history_seen(attempt, entry_ids, 3, self.engine.sequence)
            return entry_ids
        if request.merge_into is not None:
            reply = ledger.merge(
                shop, customer_id, request.merge_into, request.cause, TIME_ZONES[shop]
            )
        else:
            reply = ledger.execute(request.instruction(TIME_ZONES[shop]))
        kind = reply.code if not isinstance(reply, Booked) else "booked"
        if isinstance(reply, Booked) and reply.duplicate:
            kind = "duplicate"
        self.report.answers[kind] += 1
        self._log(attempt, "gets", reply)
        self.oracle.replied(attempt, reply, self.engine.sequence)
        return "done"

    def _retry(self, request: Request) -> None:
        """Retry a request in doubt, soon or at the very end."""
        if request.reads:
            return
        if self.random.random() < 0.6:
            after_ms = self.random.choice((10, SECOND, 10 * SECOND, 60 * SECOND))
            self.scheduler.spawn(after_ms, partial(self._attempt, request))
        else:
            self.in_doubt.append(request)

    def _sweep(self) -> None:
        """Settle what the indexes say is due, by a clock of its own."""
        for kind in (DueKind.HOLD, DueKind.LOT, DueKind.PENDING):
            clock = SkewedClock(self.scheduler, self.random.randint(-200, 200))
            sweeper = Attempt(Request(0, ("tokyo", "0"), "sweep"), clock)
            store = DynamoStore(Table(self._client(sweeper), TABLE))
            try:
                due = (store.due(kind, shard, clock.now()) for shard in range(DUE_SHARDS))
                for shop, found, _ in chain.from_iterable(due):
                    self._attempt(self._due_request(store, kind, shop, found))
            except (StoreUnavailable, Crash):
                self._log(sweeper, "is cut short")

    def _due_request(self, store: DynamoStore, kind: DueKind, shop: str, found: str) -> Request:
        """What a sweep requests: to settle an account, or to approve an order's pending points."""
        if kind is not DueKind.PENDING:
            return self.workload.numbered((shop, found), "settle", {"command": Settle()})
        order = store.load(ReadRequest(shop, None, order_id=found), fresh=True).order
        assert order is not None, "an order on the index is in the table"
        return self.workload.approve_pending(shop, order)

    def _ledger(self, attempt: Attempt) -> Ledger:
        return Ledger(
            DynamoStore(Table(self._client(attempt), TABLE)),
            attempt.clock,
            self.random.random,
        )

    def _client(self, attempt: Attempt) -> FaultyClient:
        witness = _Witness(self, attempt)
        return FaultyClient(
            self.engine, self.engine, self.plan, self.scheduler, self.random, witness
        )

    def _log(self, attempt: Attempt, *words: object) -> None:
        if self._trace:
            now = attempt.clock.now().isoformat(timespec="milliseconds")
            self.report.trace.append(
                " ".join(map(str, (now, f"#{attempt.request.number}", *words)))
            )

    # --- the table at the end --------------------------------------------------------------------

    def _check_table(self) -> None:
        """All that was written is there and nothing else, and the product's own check agrees."""
        versions = self.engine._tables[TABLE].versions
        strange = versions.keys() ^ self.oracle.writes.keys
        must("entries", not strange, f"in the table, yet not written: {strange}")
        store = DynamoStore(Table(self.engine, TABLE))
        for (shop, customer_id), stored in self.oracle.writes.accounts.items():
            if not stored.revision:
                continue
            check_entries("entries", store, (shop, customer_id))


class _Witness(Unwatched):
    """Shows the oracle what one attempt does to the table."""

    def __init__(self, simulation: Simulation, attempt: Attempt) -> None:
        self._simulation = simulation
        self._attempt = attempt

    def issued(self, operation: str) -> object:
        self._simulation.report.calls += 1
        self._simulation._log(self._attempt, operation)
        return self._attempt.clock.wall_ms

    def suffered(self, fault: Fault) -> None:
        self._simulation.report.faults[fault] += 1
        self._simulation._log(self._attempt, "suffers:", fault)

    def committed(self, request: dict[str, Any], stamp: object) -> None:
        simulation = self._simulation
        simulation.report.commits += 1
        puts = [action["Put"] for action in request["TransactItems"] if "Put" in action]
        simulation._log(self._attempt, "writes", *(_words(put) for put in puts))
        assert isinstance(stamp, int)
        simulation.oracle.committed(simulation.engine.sequence, self._attempt, puts, stamp)

    def answered(self) -> None:
        self._simulation.oracle.looked(self._attempt, self._simulation.engine.sequence)


def _words(put: dict[str, Any]) -> str:
    """A put in a few words, for the trace."""
    item = plain(put["Item"])
    named = ("topic", "moves", "revision", "version", "at", "as_of", "hold", "lots", "figures")
    return f"{item['pk']} {item['sk'][:14]} { {n: item[n] for n in named if n in item} }"
