"""Judges a run: is told every call, every write and every answer, and says what must not be.

It replays each write, in the order in which the table took it, on the reference model, and reads
the table's items with eyes of its own (`plainly`). From the product it takes what was asked and the
words of answers. The promises, by the name under which a violation is reported:

    effect      a write is exactly what the model makes of one ask at that time
    once        an identity has one effect, and the same answer for ever
    answer      a success is in the table; figures and entry ids are those of its effect
    refusal     it left no effect, was right at some instant of the call, and nothing that was under
                way before the call has an effect after it
    nothing     "nothing to do" was right at some instant of the call
    content     an identity with another content is refused, and nothing else is refused for that
    read        a reader sees one state of the call, settled; never an older one
    entries     gapless, chained, sealed; sums, figures and causes right
    time        a write is dated by its writer's clock at that very attempt, never back
    error       nothing but LedgerUnavailable comes out, and in time
    due         nothing that has fallen due is left when all is quiet

Since effects and answers lie between call and answer, they keep the order of real time too: what
was answered before another call began comes before it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pointbook.domain.refusal import Refusal
from pointbook.ledger.instruction import Booked, View
from tests.reference.order_items import OrderRecord
from tests.simulation.checker.answers import Answers
from tests.simulation.checker.writes import Writes
from tests.simulation.kernel.requests import Attempt
from tests.simulation.kernel.violation import must
from tests.support.instants import milliseconds


class Oracle:
    """The judge of one run. `sequence` is how many writes had happened; all raise `Violation`."""

    def __init__(self, time_zones: dict[str, str]) -> None:
        self.writes = Writes(time_zones)
        self._answers = Answers(self.writes)

    def called(self, attempt: Attempt, sequence: int) -> None:
        """A request begins."""
        attempt.called_at, attempt.began_ms = sequence, attempt.clock.true_ms
        self._answers.looked(attempt, sequence)

    def looked(self, attempt: Attempt, sequence: int) -> None:
        """A request can have learnt something now."""
        self._answers.looked(attempt, sequence)

    def committed(
        self, sequence: int, attempt: Attempt, puts: Iterable[Mapping[str, Any]], wall_ms: int
    ) -> None:
        """The table took a write that was issued when the writer's clock showed `wall_ms`."""
        self.writes.committed(sequence, attempt, puts, wall_ms)

    def replied(self, attempt: Attempt, reply: Booked | Refusal, sequence: int) -> None:
        """A request has its answer."""
        self._answers.replied(attempt, reply, sequence)

    def failed(self, attempt: Attempt, sequence: int) -> None:
        """A request ended without an answer."""
        self._answers.failed(attempt, sequence)

    def seen(self, attempt: Attempt, view: View, sequence: int) -> None:
        """A reader was shown this."""
        self._answers.seen(attempt, view, sequence)

    def told_history(
        self, attempt: Attempt, entry_ids: list[str], limit: int, sequence: int
    ) -> None:
        """A reader was shown the latest entries."""
        self._answers.told_history(attempt, entry_ids, limit, sequence)

    def check_quiet(self, now_ms: int) -> None:
        """All is done and swept: nothing due is left."""
        for who, past in self.writes.shops.customers.items():
            self.writes.book(who).check_quiet(who, past.latest, now_ms)
        for (shop, order_id), paper in self.writes.shops.orders.items():
            if paper.latest is not None:
                self._check_order(shop, order_id, paper.latest, now_ms)

    def _check_order(self, shop: str, order_id: str, order: OrderRecord, now_ms: int) -> None:
        """Its points are approved."""
        is_late = order.due_at is not None and milliseconds(order.due_at) <= now_ms
        must("due", not is_late, f"{shop}/{order_id} still has points pending")
