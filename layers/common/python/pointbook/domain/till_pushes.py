"""Which of an account's changes are pushed to the till, and what the till knows already.

Three numbers decide, of one member:

    balance      the till's balance after our last contact
    expected    the balance that the till would have if it had told us of all that it took; it is
                 above `balance` by what was taken at the counter and not reported yet
    remainder    points, below zero, that the till could not be made to give up: it had too few

A movement whose cause says that it happened at the till (`Cause.is_at_till`) is never pushed. A
consume of Shopify Flow's without such a cause is not pushed either if the till lacks its points
already: then it is most likely the report of what the counter took. Both lower `expected`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from pointbook.domain.chain import BookedEntry
from pointbook.domain.entry import Topic
from pointbook.domain.programme_rules import TillPush

UNREPORTED_FOR = timedelta(days=1)
"""How long points that are missing at the till may still be reported."""

PUSHES_MAX = 50
PUSHES_FOR = timedelta(days=2)
"""How long a push is remembered, as its report may come back: Flow retries for 36 hours."""


@dataclass(frozen=True, slots=True)
class Push:
    """A change of points that was made at the till.

    `balance_points` is the member's balance after it, None if the till's answer was lost. `version`
    is that of the last entry it pushed. `echo` identifies the request that reported it back to us,
    "" as long as there was none.
    """

    points: int
    balance_points: int | None
    version: int
    at: datetime
    echo: str = ""


@dataclass(frozen=True, slots=True)
class MemberState:
    """What is known of a member at the till since the last contact; `at` is None before the first.

    `balance_points`, `expected_points` and `remainder_points`: see above.
    """

    at: datetime | None = None
    balance_points: int = 0
    expected_points: int = 0
    remainder_points: int = 0
    pushes: tuple[Push, ...] = ()

    def forgotten(self) -> Self:
        """The state of a member that the till does not know: the next contact is the first."""
        return replace(self, at=None, balance_points=0, expected_points=0, remainder_points=0)

    def reported(self, points: int) -> Self:
        """After reports of so many points that were taken at the till."""
        expected = self.expected_points - points
        balance = min(self.balance_points, expected)
        return replace(self, expected_points=expected, balance_points=balance)

    def after(self, push: Push, planned: "Planned", balance_points: int) -> Self:
        """After a push that left the till with this balance."""
        return replace(
            self.contacted(push.at, planned, push.points, balance_points),
            pushes=(*self._recent(push.at), push)[-PUSHES_MAX:],
        )

    def contacted(self, at: datetime, planned: "Planned", points: int, balance_points: int) -> Self:
        """After a contact that left the till with this balance, `points` of it ours."""
        return replace(
            self,
            at=at,
            balance_points=balance_points,
            expected_points=max(planned.expected_points + points, balance_points),
            remainder_points=planned.remainder_points,
        )

    def _recent(self, now: datetime) -> tuple[Push, ...]:
        return tuple(push for push in self.pushes if now - push.at <= PUSHES_FOR)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some entries of an account, in their order, as far as the till is concerned.

    `pushed_points` is what they change by themselves, `reported_points` what was taken at the till
    as they report. `consumes` are the points of each consume of Flow's that does not say where it
    happened; they are part of `pushed_points`. `approved_points` is the balance after them.
    `is_merged`: with them the account became part of another one.
    """

    version: int
    approved_points: int
    pushed_points: int = 0
    reported_points: int = 0
    consumes: tuple[int, ...] = ()
    changes_approved: bool = False
    is_merged: bool = False

    @classmethod
    def of(cls, entries: Sequence[BookedEntry]) -> Self:
        """Summarize entries, at least one."""
        own = [booked.entry.approved_delta for booked in entries if not booked.cause.is_at_till]
        of_till = [booked.entry.approved_delta for booked in entries if booked.cause.is_at_till]
        last = entries[-1].entry
        return cls(
            version=last.version,
            approved_points=last.figures.approved,
            pushed_points=sum(own),
            reported_points=-sum(delta for delta in of_till if delta < 0),
            consumes=tuple(_consumes(entries)),
            changes_approved=any([*own, *of_till]),
            is_merged=last.topic is Topic.SUB_MERGE,
        )

    def needs_contact(
        self, member_state: MemberState, mode: TillPush, *, set_balance: bool
    ) -> bool:
        """Whether the till has to be called for these entries; `set_balance` as in `plan`."""
        is_first = member_state.at is None and mode is TillPush.BALANCE and self.changes_approved
        return set_balance or is_first or self.pushed_points != 0 or bool(self.consumes)


@dataclass(frozen=True, slots=True)
class Planned:
    """What to change at the till (0: nothing), and what the till's state is with it.

    `expected_points` is that before the change. `remainder_points` is what will still be owed.
    """

    points: int
    remainder_points: int
    expected_points: int


def plan(
    batch: Batch,
    member_state: MemberState,
    balance_points: int,
    mode: TillPush,
    now: datetime,
    *,
    set_balance: bool,
) -> Planned:
    """Plan the change for a member who has `balance_points` at the till now.

    With `set_balance`, and at the first contact if the programme says so, the till gets the
    ledger's balance, whatever it has. Otherwise changes are added. No more is taken than the till
    has.
    """
    if set_balance or (member_state.at is None and mode is TillPush.BALANCE):
        return _limited(batch.approved_points - balance_points, balance_points, balance_points)
    expected = balance_points
    if member_state.at is not None:
        is_recent = now - member_state.at <= UNREPORTED_FOR
        expected = member_state.expected_points if is_recent else member_state.balance_points
        expected -= batch.reported_points
    missing, absorbed = max(0, expected - balance_points), 0
    for points in batch.consumes:
        if points <= missing - absorbed:
            absorbed += points
    wanted = member_state.remainder_points + batch.pushed_points + absorbed
    return _limited(wanted, balance_points, max(expected - absorbed, balance_points))


def _limited(wanted_points: int, balance_points: int, expected_points: int) -> Planned:
    points = max(wanted_points, -max(0, balance_points))
    return Planned(points, wanted_points - points, expected_points)


def _consumes(entries: Iterable[BookedEntry]) -> Iterable[int]:
    for booked in entries:
        if booked.entry.topic is Topic.SUB_FLOW and not booked.cause.is_at_till:
            yield -booked.entry.approved_delta
