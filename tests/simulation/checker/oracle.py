"""Checks a run: sees every call, every write and every answer, and reports broken promises.

It replays each write on the reference model, in the order in which the table took it, and reads the
table's items without the product's code (`raw_items`). From the product it takes the requests and
the words of answers. The promises, by the name under which a violation is reported:

    effect      a write is exactly what the model makes of one request at that time
    once        an identity has one effect, and the same answer for ever
    answer      a success is in the table; figures and entry ids are those of its effect
    refusal     it left no effect, was right at some instant of the call, and no attempt that began
                before the call has an effect after it
    nothing     "nothing to do" was right at some instant of the call
    content     an identity with other content is refused, and nothing else is refused for that
    read        a reader sees one state of the call, settled; never an older one
    entries     gapless, chained by hashes; sums, figures and causes right
    time        a write is dated by its writer's clock at that very attempt, never back
    error       nothing but LedgerUnavailable is raised, and in time
    due         nothing that has fallen due is left when all is quiet

Effects and answers lie between call and answer, so real-time order holds too: what was answered
before another call began comes before it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.simulation.checker.answers import Answers
from tests.simulation.checker.writes import Writes
from tests.simulation.kernel.requests import Attempt
from tests.simulation.kernel.violation import must
from tests.support.instants import milliseconds


class Oracle(Answers):
    """The checker of one run. `sequence` is how many writes had happened; all raise `Violation`."""

    def __init__(self, time_zones: dict[str, str]) -> None:
        super().__init__(Writes(time_zones))

    def called(self, attempt: Attempt, sequence: int) -> None:
        """An attempt begins."""
        attempt.called_at, attempt.began_ms = sequence, attempt.clock.true_ms
        self.looked(attempt, sequence)

    def committed(
        self, sequence: int, attempt: Attempt, puts: Iterable[Mapping[str, Any]], wall_ms: int
    ) -> None:
        """The table took a write that was issued when the writer's clock showed `wall_ms`."""
        self.writes.committed(sequence, attempt, puts, wall_ms)

    def check_quiet(self, now_ms: int) -> None:
        """All is done and swept: nothing that is due is left."""
        for who, history in self.writes.shops.customers.items():
            self.writes.account(who).check_quiet(who, history.latest, now_ms)
        for (shop, order_id), orders in self.writes.shops.orders.items():
            due_at = orders.latest.due_at if orders.latest else None
            late = due_at is not None and milliseconds(due_at) <= now_ms
            must("due", not late, f"{shop}/{order_id} still has points pending")
