"""The comparison of members' points: the ledger's approved points and the till's balance.

    account ── push under way? ── till ── equal: done
                                    └─ not equal: account again ── unchanged: it differs
                                                                └─ changed: compare again later

A difference counts only if nothing was under way on our side: otherwise the two were read at
different moments. Points that have fallen due are under way until they have an entry. What the till
says is cached for my page, too.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pointbook import log
from pointbook.deadline import Deadline, DeadlinePassed
from pointbook.domain.ports import Clock
from pointbook.domain.programme_rules import TillPush
from pointbook.errors import PointbookError
from pointbook.ledger.ledger import Ledger
from pointbook.ledger.read_only import View
from pointbook.services.cached_members import cached_member, cached_refusal, cached_till_id
from pointbook.services.member_numbers import NumberOf
from pointbook.store.till_comparisons import Totals
from pointbook.store.till_members import TillMembers
from pointbook.store.till_pushes import TillPushes
from pointbook.till.errors import (
    AmbiguousMember,
    BreakerOpen,
    MemberNotRegistered,
    TillError,
    TillRefusedLogin,
    TillThrottled,
)
from pointbook.till.member import Capabilities, Member, Till

CALL_SECONDS = 10.0
"""A member is given more time than on my page: nobody waits."""

PAUSE_SECONDS = 1
"""The pause after a 429 without Retry-After."""

STREAM_LAG = timedelta(minutes=5)
"""How long an entry may take from the table's stream to the outbox to the till."""

ADVICE = "check sync"
"""What to do about members whom the till does not know: the sync of members does not reach them."""


class Kind(StrEnum):
    """What comparing a member came to."""

    EQUAL = "equal"
    DIFFERS = "differs"
    NOT_REGISTERED = "not_registered"
    AMBIGUOUS = "ambiguous"
    NOT_COMPARED = "not_compared"


class Why(StrEnum):
    """Why a member was not compared; other reasons are the codes of the till's errors."""

    CHANGING = "changing"
    PUSHING = "push_under_way"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Row:
    """One member. `why` says more about a kind.

    `version` is that of the account's last entry. `member` is what the till said, None where it
    gave no figures.
    """

    customer_id: str
    member_number: str
    ledger_points: int
    kind: Kind
    version: int
    why: str = ""
    member: Member | None = None

    @property
    def till_points(self) -> int | None:
        """The till's balance."""
        return self.member.balance_points if self.member else None

    @property
    def difference(self) -> int:
        """The till's points less the ledger's; 0 unless they differ."""
        if self.member is None or self.kind is not Kind.DIFFERS:
            return 0
        return self.member.balance_points - self.ledger_points

    @property
    def totals(self) -> Totals:
        """This row's part of the totals."""
        match self.kind:
            case Kind.EQUAL:
                return Totals(compared=1, equal=1)
            case Kind.DIFFERS if self.difference < 0:
                return Totals(compared=1, till_less=1, till_less_points=-self.difference)
            case Kind.DIFFERS:
                return Totals(compared=1, till_more=1, till_more_points=self.difference)
            case Kind.NOT_REGISTERED if self.ledger_points:
                return Totals(not_registered=1)
            case Kind.NOT_REGISTERED:
                return Totals(not_registered_without_points=1)
            case Kind.AMBIGUOUS:
                return Totals(ambiguous=1)
            case Kind.NOT_COMPARED:
                return Totals(not_compared=1)

    def answer(self, capabilities: Capabilities) -> dict[str, Any]:
        """The row as JSON has it; of the till's figures those that this till has."""
        member = self.member
        row = {
            "customer_id": self.customer_id,
            "member_number": self.member_number,
            "ledger": self.ledger_points,
            "till": self.till_points,
            "difference": self.difference,
            "kind": self.kind,
            "why": self.why,
            "version": self.version,
        }
        if capabilities.expiry:
            day = member.expires_on if member else None
            row["expires_on"] = day.isoformat() if day else None
        if capabilities.ranks:
            row["rank"] = member.rank if member else None
        return row


type Pushing = Callable[[str, str, int], bool]
"""Shop, customer and version: whether entries up to it may still be on their way to the till."""


@dataclass(frozen=True, slots=True)
class PushesUnderWay:
    """Whether entries of an account are on their way to the till; see `Pushing`.

    `mode` is what a shop's programme says of pushes, `clock` the ledger's. Entries that nobody has
    taken up for `STREAM_LAG` are lost pushes, and no reason to wait.
    """

    pushes: TillPushes
    ledger: Ledger
    mode: Callable[[str], TillPush]
    clock: Clock

    def __call__(self, shop: str, customer_id: str, version: int) -> bool:
        """See `Pushing`."""
        if self.mode(shop) is TillPush.NO:
            return False
        cursor = self.pushes.find(shop, customer_id)
        if cursor is not None and (not cursor.is_idle or cursor.published >= version):
            return not cursor.is_idle
        booked = self.ledger.entry(shop, customer_id, version)
        return booked is not None and self.clock.now() - booked.entry.recorded_at < STREAM_LAG


@dataclass(frozen=True, slots=True)
class TillComparison:
    """The comparison of one shop's members. `till` is paced; `clock` is real time."""

    shop: str
    till: Till
    ledger: Ledger
    members: TillMembers
    number: NumberOf
    pushing: Pushing
    clock: Clock

    def rows(self, customer_ids: Iterable[str], deadline: Deadline) -> Iterator[Row]:
        """Compare customers one by one; whoever has been merged or erased by now is left out.

        Raises DeadlinePassed, LedgerUnavailable, and those errors of the till that are not about
        one member (`is_general`): then it makes no sense to go on.
        """
        for customer_id in customer_ids:
            deadline.check()
            if row := self._row_or_failure(customer_id, deadline):
                yield row

    def _row_or_failure(self, customer_id: str, deadline: Deadline) -> Row | None:
        try:
            return self._row(customer_id, deadline)
        except (PointbookError, DeadlinePassed):
            raise
        except Exception:  # noqa: BLE001 -- one damaged account must not stop the others
            log.exception("till_comparison_failed", shop=self.shop, customer_id=customer_id)
            return Row(customer_id, "", 0, Kind.NOT_COMPARED, 0, Why.UNREADABLE)

    def _row(self, customer_id: str, deadline: Deadline) -> Row | None:
        before = self.ledger.read(self.shop, customer_id)
        if before.erased or before.customer_id != customer_id:
            return None
        pushing, number = self.pushing(self.shop, customer_id, before.version), ""
        try:
            number = self.number(self.shop, customer_id, deadline)
            member = self._member(customer_id, number, deadline)
        except TillError as error:
            if is_general(error):
                raise
            if number and (refusal := cached_refusal(number, error, self.clock.now())):
                self.members.save(self.shop, customer_id, refusal)
            kind, why = _OF_ONE_MEMBER.get(type(error), (Kind.NOT_COMPARED, error.code))
            return _row(before, number, kind, why)
        self.members.save(self.shop, customer_id, cached_member(member))
        return self._compared(before, member, pushing=pushing)

    def _compared(self, before: View, member: Member, *, pushing: bool) -> Row:
        """The row of a member whom the till knows."""
        number = member.member_number
        if is_same(before.figures.approved, member.balance_points):
            return _row(before, number, Kind.EQUAL, member=member)
        if pushing:
            return _row(before, number, Kind.NOT_COMPARED, Why.PUSHING, member)
        after = self.ledger.read(self.shop, before.customer_id)
        if before.is_due or (after.version, after.figures) != (before.version, before.figures):
            return _row(after, number, Kind.NOT_COMPARED, Why.CHANGING, member)
        return _row(before, number, Kind.DIFFERS, member=member)

    def _member(self, customer_id: str, number: str, deadline: Deadline) -> Member:
        """Ask the till, and wait where it is asked too often."""
        till_id = cached_till_id(self.members.read(self.shop, customer_id), number)
        while True:
            left = deadline.at_seconds - self.clock.monotonic()
            call = Deadline.after(min(CALL_SECONDS, left), self.clock.monotonic)
            try:
                return self.till.member(number, call, till_id)
            except TillThrottled as error:
                seconds = error.retry_after_seconds or PAUSE_SECONDS
                if not deadline.allows(seconds):
                    raise
                self.clock.sleep(seconds)


_OF_ONE_MEMBER: dict[type[TillError], tuple[Kind, str]] = {
    MemberNotRegistered: (Kind.NOT_REGISTERED, ADVICE),
    AmbiguousMember: (Kind.AMBIGUOUS, ADVICE),
}


def is_same(ledger_points: int, till_points: int) -> bool:
    """Whether ledger and till agree: a till has no debts, so it has 0 where the ledger has less."""
    return till_points in (ledger_points, max(0, ledger_points))


def is_general(error: TillError) -> bool:
    """Whether an error is about the till as a whole, so that no other member is worth a call."""
    return isinstance(error, BreakerOpen | TillRefusedLogin | TillThrottled)


def _row(view: View, number: str, kind: Kind, why: str = "", member: Member | None = None) -> Row:
    return Row(view.customer_id, number, view.figures.approved, kind, view.version, why, member)
