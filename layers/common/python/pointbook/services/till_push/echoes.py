"""Recognizes a push to the till that comes back as the till's own report of a movement.

A till that reports every change of a member's points (Omni Hub's trigger "Point Changed on POS")
reports ours as well. Booking that would count it twice, and pushing it again would never end. So an
action of Flow that reports the till (`origin`) is compared with the pushes of the last two days:

    the balance that it names is the one after a push of as many points   ──► that push's report
    it names no balance, and nothing else has happened at the till since  ──► likewise
    otherwise                                                             ──► a movement

Each push has one report. A repetition of the same request gets the same answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pointbook.deadline import Deadline
from pointbook.domain.entry import entry_id
from pointbook.domain.ports import Clock
from pointbook.domain.refusal import Code, Refusal
from pointbook.domain.till_pushes import PUSHES_FOR, Push
from pointbook.errors import Unavailable
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.services.member_numbers import NumberOf
from pointbook.store.till_pushes import TillCursor, TillPushes
from pointbook.till.errors import AmbiguousMember, MemberNotRegistered, TillError
from pointbook.till.member import Till

READ_SECONDS = 3.0
"""How long reading the member may take; Flow waits 10 s for the whole action."""

RETRY_AFTER_SECONDS = 15


class TillReportUndecided(Unavailable):
    """Whether a report of the till is that of a push is not known yet: Flow has to repeat it."""

    code = "till_report_undecided"
    text = "A change of this customer's points at the till is under way. Please try again."

    def __init__(self) -> None:
        super().__init__(RETRY_AFTER_SECONDS)


@dataclass(frozen=True, slots=True)
class TillEchoes:
    """Compares what Flow reports of the till with what was pushed there. `clock` is real time."""

    pushes: TillPushes
    ledger: Ledger
    till: Callable[[], Till | None]
    clock: Clock
    number: NumberOf

    def answer(
        self, instruction: Instruction, points: int, balance_points: int | None
    ) -> Booked | Refusal | None:
        """Return the answer to a report that is not to be booked; None: it is a movement.

        `points` are below zero if the till took them; `balance_points` is the member's balance
        after it, None if the report does not say. Raises TillReportUndecided and LedgerUnavailable;
        repeating is safe.
        """
        shop, customer_id = instruction.shop, instruction.customer_id
        assert instruction.identity is not None, "a report has an identity"
        cursor = self.pushes.find(shop, customer_id)
        if cursor is None:
            return None
        key, pushes = instruction.identity.key_hash, cursor.member_state.pushes
        if echoed := next((push for push in pushes if push.echo == key), None):
            return self._echo(instruction, echoed)
        candidates = [push for push in pushes if self._may_be(push, points)]
        is_planned = cursor.plan is not None and cursor.plan.points == points
        if not candidates and not is_planned:
            return None
        if booked := self._booked_before(instruction):
            return booked
        if cursor.plan is not None:
            raise TillReportUndecided
        echoed = self._chosen(cursor, candidates, balance_points, instruction)
        if echoed is None:
            return None
        if not self.pushes.record_echo(shop, customer_id, cursor, replace(echoed, echo=key)):
            raise TillReportUndecided
        return self._echo(instruction, echoed)

    def _may_be(self, push: Push, points: int) -> bool:
        is_recent = self.clock.now() - push.at <= PUSHES_FOR
        return push.points == points and not push.echo and is_recent

    def _booked_before(self, instruction: Instruction) -> Booked | Refusal | None:
        """The answer to a request that was booked as a movement before."""
        result = self.ledger.preview(instruction)
        if isinstance(result, Refusal):
            return result if result.code is Code.IDEMPOTENCY_MISMATCH else None
        return result if result.duplicate else None

    def _chosen(
        self,
        cursor: TillCursor,
        candidates: list[Push],
        balance_points: int | None,
        instruction: Instruction,
    ) -> Push | None:
        if balance_points is not None:
            matching = [push for push in candidates if push.balance_points == balance_points]
            if matching:
                return matching[0]
            candidates = [push for push in candidates if push.balance_points is None]
        if not candidates:
            return None
        changed = self._changed_since(cursor, instruction)
        points = candidates[0].points
        is_movement = changed * points > 0 and abs(changed) >= abs(points)
        return None if is_movement else candidates[0]

    def _changed_since(self, cursor: TillCursor, instruction: Instruction) -> int:
        """By how much the till's balance differs from that after our last contact."""
        till = self.till()
        if till is None:
            return 0
        deadline = Deadline.after(READ_SECONDS, self.clock.monotonic)
        try:
            number = self.number(instruction.shop, instruction.customer_id, deadline)
            member = till.member(number, deadline)
        except (MemberNotRegistered, AmbiguousMember):
            return 0
        except TillError as error:
            raise TillReportUndecided from error
        return member.balance_points - cursor.member_state.balance_points

    def _echo(self, instruction: Instruction, push: Push) -> Booked:
        shop, customer_id = instruction.shop, instruction.customer_id
        booked = self.ledger.entry(shop, customer_id, push.version)
        figures = booked.entry.figures if booked else self.ledger.read(shop, customer_id).figures
        return Booked((entry_id(customer_id, push.version),), figures, duplicate=True)
