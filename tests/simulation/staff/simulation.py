"""Whatever fails and whoever is first: what the staff moves is counted, once, and never beyond.

Requests of two members of the staff for three customers, each sent several times. Between any two
calls to the table another request may run, or a write may arrive whose sender has given up.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date
from random import Random

from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant, Remove
from pointbook.domain.expiry import Days
from pointbook.domain.reconcile import reconcile
from pointbook.domain.refusal import Code, Refusal
from pointbook.domain.staff import DailyLimit
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.staff_limits import StaffLimits
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import Crash, Fault, FaultyClient, Seeded, Unwatched
from tests.simulation.kernel.reports import Report
from tests.simulation.kernel.violation import Violation, must
from tests.support.engine import SHOP, all_entries
from tests.support.ledgers import SetClock
from tests.support.table import TABLE, create_table

STAFF, CUSTOMERS = ("70000000001", "70000000002"), ("7001", "7002", "7003")
TODAY, MOST = date(2026, 11, 30), 1_000
REQUESTS, ATTEMPTS, DEPTH_MAX = 14, 60, 2

RATES = {
    Fault.REPLY_LOST: 0.06,
    Fault.LATE_COMMIT: 0.06,
    Fault.CRASH_AFTER: 0.04,
    Fault.CRASH_BEFORE: 0.02,
    Fault.SERVER_ERROR_AFTER: 0.03,
    Fault.CONFLICT: 0.04,
    Fault.FEWER_REASONS: 0.1,
    Fault.STALE: 0.1,
    Fault.TORN: 0.1,
}


class Day:
    """One day of a shop under a seed. It is the time of the faulty client: others act meanwhile."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.memory = MemoryDynamoDB()
        create_table(self.memory)
        self.plan = Seeded(self.random, RATES)
        self.depth = 0
        self.late: list[Callable[[], object]] = []
        self.requests = [self._drawn(number) for number in range(REQUESTS)]
        self.booked: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        self.refused: set[str] = set()
        self.answers = Counter[str]()

    def _drawn(self, number: int) -> Instruction:
        staff, points = self.random.choice(STAFF), self.random.choice((100, 200, 300, 400, 700))
        removes = self.random.random() < 0.25
        return Instruction(
            SHOP,
            self.random.choice(CUSTOMERS),
            Remove(points) if removes else Grant(points, Days(30)),
            Cause("manual", f"staff:{staff}"),
            reason=f"request {number}",
            identity=Identity("staff:adjust", f"{number}"),
            content={"points": -points if removes else points},
            daily_limit=DailyLimit(staff, TODAY, points, MOST),
        )

    # --- the time of the faulty client ------------------------------------------------------------

    def pause(self, wait_ms: int) -> None:
        """Let others act."""
        if self.late and self.random.random() < 0.15:
            self.late.pop(self.random.randrange(len(self.late)))()
        if self.depth < DEPTH_MAX and self.random.random() < 0.3:
            self.attempt(self.random.choice(self.requests))

    def later(self, after_ms: int, call: Callable[[], object]) -> None:
        """Keep a write that arrives when nobody waits for it any more."""
        self.late.append(call)

    # --- requests ---------------------------------------------------------------------------------

    def attempt(self, request: Instruction, *, faulty: bool = True) -> Booked | Refusal | None:
        """Send a request; None: no answer."""
        client = FaultyClient(self.memory, self.memory, self.plan, self, self.random, Unwatched())
        store = DynamoStore(Table(client if faulty else self.memory, TABLE))
        self.depth += 1
        try:
            answer = Ledger(store, SetClock(), random=self.random.random).execute(request)
        except (LedgerUnavailable, Crash):
            return None
        finally:
            self.depth -= 1
        self._note(request, answer)
        return answer

    def _note(self, request: Instruction, answer: Booked | Refusal) -> None:
        if isinstance(answer, Booked):
            must("refusals last", request.reason not in self.refused, f"{request.reason} is booked")
            self.booked[request.reason].add(answer.entry_ids)
            self.answers["repeated" if answer.duplicate else "booked"] += 1
        else:
            self.answers[answer.code] += 1
            if answer.code is Code.DAILY_LIMIT_REACHED:
                must(
                    "answers last", not self.booked[request.reason], f"{request.reason} is refused"
                )
                self.refused.add(request.reason)

    def run(self) -> None:
        """The whole day, and then every request once more without a fault."""
        for _ in range(ATTEMPTS):
            self.attempt(self.random.choice(self.requests))
        for call in self.late:
            call()
        for request in self.requests:
            must("verdict", self.attempt(request, faulty=False), f"none for {request.reason}")

    def check(self) -> None:
        """Entries, counters and answers agree."""
        store, limits = DynamoStore(Table(self.memory, TABLE)), StaffLimits(self._table())
        moved, by_request = Counter[str](), Counter[str]()
        for customer_id in CUSTOMERS:
            entries = all_entries(store, customer_id)
            for one in entries:
                assert one.text is not None, "every request has a reason"
                moved[one.cause.actor] += abs(one.entry.approved_delta)
                by_request[one.text.reason] += 1
            account = store.account(SHOP, customer_id)
            must("sound", account is None or not reconcile(account, entries), customer_id)
        for staff_id in STAFF:
            counted = limits.points_moved(SHOP, staff_id, TODAY)
            booked = moved[f"staff:{staff_id}"]
            must("counted", counted == booked, f"{counted} points are counted, {booked} moved")
            must("limit", booked <= MOST, f"{booked} points are moved of {MOST}")
        must("once", set(by_request.values()) <= {1}, f"{by_request}")
        answered = {reason for reason, ids in self.booked.items() if ids}
        must("answers", answered == set(by_request), f"{answered ^ set(by_request)} differ")
        must("one answer", all(len(ids) <= 1 for ids in self.booked.values()), f"{self.booked}")

    def _table(self) -> Table:
        return Table(self.memory, TABLE)


def run_staff(seed: int) -> Report:
    """The report on one day."""
    day = Day(seed)
    try:
        day.run()
        day.check()
    except Violation as violation:
        return Report(seed, str(violation), day.answers)
    return Report(seed, "", day.answers)
