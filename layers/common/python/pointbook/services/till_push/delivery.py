"""Pushes changes of approved points to the till, in order for each customer, each of them once.

    acquire lease ──► outcome of the last push unknown? ──► ask the till, never send it blindly
         │
    read the entries that were not pushed ──► read the member ──► plan, and save the plan
         │                                                            │
    save the new state, release lease ◄── known outcome ◄── change the member's points

Leases, the retry queue and their backoff are those of the outbox to Shopify Flow
(`services.publishing`). The rules, in particular what is not pushed: `domain.till_pushes`. Several
entries are pushed as one change, their sum. Interrupted at any point, the account is in the retry
queue or will be requested again by the stream, and a plan says what may have happened.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from pointbook import log
from pointbook.deadline import Deadline, DeadlinePassed
from pointbook.domain.ports import Clock
from pointbook.domain.programme_rules import TillPush
from pointbook.domain.till_pushes import Batch, Planned, Push, plan
from pointbook.errors import LedgerUnavailable
from pointbook.services.cached_members import cached_member, cached_refusal, cached_till_id
from pointbook.services.member_numbers import NumberOf
from pointbook.services.till_pace import PaceReached
from pointbook.services.till_push.progress import PAGE_ENTRIES, Progress
from pointbook.store.outbox import LeaseLost
from pointbook.store.till_members import CachedMember, TillMembers
from pointbook.store.till_pushes import Plan, TillPushes
from pointbook.till.errors import (
    AmbiguousMember,
    BreakerOpen,
    ChangeRefused,
    MemberNotRegistered,
    TillError,
    TillRefusedLogin,
    TillThrottled,
)
from pointbook.till.member import Member, PointsChange, Till

CALL_SECONDS = 5.0
CALL_SECONDS_LEAST = 2.0
"""How long a call to the till may take, and with how little time left none is begun."""

SETTLING = timedelta(seconds=10)
"""How long after an attempt of unknown outcome the till is asked what came of it."""

BACKOFF_INITIAL_SECONDS = 5.0
BACKOFF_MAX_SECONDS = 600.0
PAUSE_SECONDS = 15.0
"""The pause of an account while the till is not called: the breaker is open, or it throttles."""

PACE_SECONDS = 5.0
"""The same while our own limit on calls left none for this account."""

REFUSALS_MAX = 2
"""A member's points may change between reading and writing, but hardly twice in a row."""


class _RunOver(Exception):
    """This run pushes nothing more."""


class _StillSettling(Exception):
    """The last attempt is too fresh to ask what came of it."""

    def __init__(self, left: timedelta) -> None:
        super().__init__()
        self.seconds = left.total_seconds()


class _EntriesMissing(Exception):
    """A version was requested, but the entries up to it are missing."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What every delivery needs. `clock` is the wall clock: leases bind other machines.

    `till_name` tells the stack's till from one that it had before; "" if that is not known.
    """

    pushes: TillPushes
    members: TillMembers
    number: NumberOf
    clock: Clock
    random: Callable[[], float]
    till_name: Callable[[], str] = lambda: ""


class Run(Protocol):
    """The run that a delivery belongs to."""

    stopped: bool
    parts: Parts

    @property
    def mode(self) -> TillPush:
        """What is pushed."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether nothing more is pushed."""
        ...

    @property
    def left_seconds(self) -> float:
        """How much of the run's time is left."""
        ...

    def note_waiting(self, seconds: float) -> None:
        """Record how long an account has been waiting."""
        ...


class Delivery:
    """The delivery of one account's changes, under its lease."""

    def __init__(self, run: Run, till: Till, progress: Progress) -> None:
        """Push what `progress` says was not pushed to `till`."""
        self._run = run
        self._till = till
        self._parts = run.parts
        self._clock = run.parts.clock
        self._progress = progress
        self._seen: CachedMember | None = None
        self._refusals = 0

    def run(self) -> None:
        """Push everything. Raises LedgerUnavailable if the state cannot be recorded."""
        try:
            self._push_all()
        except LeaseLost:
            log.warning("till_push_lease_lost", **self._progress.log_fields())
        except (_RunOver, DeadlinePassed):
            self._progress.reschedule(0.0)
        except _StillSettling as error:
            self._progress.reschedule(error.seconds)
        except PaceReached as error:
            self._wait(error, PACE_SECONDS)
        except (BreakerOpen, TillThrottled, TillRefusedLogin) as error:
            self._run.stopped = True
            seconds = error.retry_after_seconds if isinstance(error, TillThrottled) else None
            self._wait(error, min(seconds or PAUSE_SECONDS, BACKOFF_MAX_SECONDS))
        except TillError as error:
            self._wait(error)
        except Exception:  # noqa: BLE001 - one failing account must not stop the others
            log.exception("till_push_failed", **self._progress.log_fields())
            self._back_off()

    def _push_all(self) -> None:
        progress = self._progress
        if progress.is_of_another_till:
            self._begin_at_this_till()
        if progress.plan is not None:
            self._resolve(progress.plan)
        was_empty = False
        while True:
            entries = progress.entries()
            if entries:
                self._push(Batch.of(entries))
            elif progress.set_balance:
                self._push_balance_only()
            if len(entries) < PAGE_ENTRIES and progress.release():
                return
            if not entries and was_empty:
                raise _EntriesMissing
            was_empty = not entries
            progress.save()

    def _begin_at_this_till(self) -> None:
        """Forget the till of before, once this one answers: credentials may just be mistyped.

        What was planned there is no member's of this till, or worse, another one's.
        """
        with suppress(MemberNotRegistered, AmbiguousMember):
            self._member()
        self._progress.begin_at_this_till()

    def _push_balance_only(self) -> None:
        last = self._progress.last_entry()
        if last is None:
            raise _EntriesMissing
        self._push(Batch(last.entry.version, last.entry.figures.approved))

    def _push(self, batch: Batch) -> None:
        """Push a batch, and note it as pushed."""
        progress = self._progress
        try:
            while True:
                member_state, set_balance = progress.member_state, progress.set_balance
                if not batch.needs_contact(member_state, self._run.mode, set_balance=set_balance):
                    progress.advance(batch.version, member_state.reported(batch.reported_points))
                    return
                if self._change(batch, self._member(is_merged=batch.is_merged)):
                    return
        except (MemberNotRegistered, AmbiguousMember) as error:
            self._not_known(error, batch.version)

    def _change(self, batch: Batch, member: Member) -> bool:
        """Change a member's points. False: the till refused, so plan again."""
        progress, now, balance = self._progress, self._clock.now(), member.balance_points
        progress.meet(member.member_number)
        before = progress.member_state
        planned = plan(
            batch, before, balance, self._run.mode, now, set_balance=progress.set_balance
        )
        if planned.remainder_points < min(0, before.remainder_points):
            log.warning("till_push_remainder", **progress.log_fields())
            log.metric("TillPushesNotCarried", Code="remainder")
        if planned.points == 0:
            progress.advance(batch.version, before.contacted(now, planned, 0, balance))
            self._keep(balance, member.as_of)
            return True
        made = Plan(
            change_id=f"pb-{secrets.token_hex(16)}",
            member_number=member.member_number,
            till_id=member.till_id,
            points=planned.points,
            balance_points=balance,
            version=batch.version,
            remainder_points=planned.remainder_points,
            expected_points=planned.expected_points,
            planned_at=now,
            attempted_at=now,
        )
        progress.save_plan(made)
        return self._attempt(made)

    def _attempt(self, made: Plan, *, again: bool = False) -> bool:
        """Send a planned change. False: the till refused, so it has not happened."""
        try:
            balance_points = self._till.add_points(_points_change(made), self._deadline())
        except ChangeRefused as error:
            if again and self._till.is_applied(_points_change(made), self._deadline()):
                self._settle(made, None)
                return True
            log.warning("till_push_refused", reason=str(error), **self._progress.log_fields())
            self._progress.clear_plan()
            self._refusals += 1
            if self._refusals >= REFUSALS_MAX:
                raise
            return False
        self._settle(made, balance_points)
        return True

    def _resolve(self, made: Plan) -> None:
        """Find out whether a planned change has happened; if not, send it again."""
        left = made.attempted_at + SETTLING - self._clock.now()
        if left > timedelta():
            raise _StillSettling(left)
        try:
            if self._is_applied(made):
                self._settle(made, None)
            elif self._progress.plan is not None:
                again = replace(made, attempted_at=self._clock.now())
                self._progress.save_plan(again)
                self._attempt(again, again=True)
        except (MemberNotRegistered, AmbiguousMember) as error:
            self._not_known(error, made.version)

    def _is_applied(self, made: Plan) -> bool:
        """Whether a planned change has happened; no plan is left where that is never found out."""
        try:
            return self._till.is_applied(_points_change(made), self._deadline())
        except ChangeRefused as error:
            log.error("till_push_given_up", reason=str(error), **self._progress.log_fields())
            log.metric("TillPushesNotCarried", Code="unknown_outcome")
            self._progress.advance(made.version, self._progress.member_state.forgotten())
            return False

    def _settle(self, made: Plan, balance_points: int | None) -> None:
        """Note a change as done; `balance_points` after it is None if the answer was lost."""
        now = self._clock.now()
        push = Push(made.points, balance_points, made.version, now)
        planned = Planned(made.points, made.remainder_points, made.expected_points)
        after = made.balance_points + made.points if balance_points is None else balance_points
        self._refusals = 0
        self._progress.advance(
            made.version, self._progress.member_state.after(push, planned, after), push
        )
        log.info("till_pushed", change_id=made.change_id, **self._progress.log_fields())
        self._keep(after, now)

    def _not_known(self, error: TillError, version: int) -> None:
        """Nothing can be pushed to a member that the till does not know, or knows twice."""
        progress = self._progress
        log.warning("till_push_not_carried", code=error.code, **progress.log_fields())
        log.metric("TillPushesNotCarried", Code=error.code)
        progress.advance(version, progress.member_state.forgotten())

    def _member(self, *, is_merged: bool = False) -> Member:
        """The member as the till has it now."""
        shop, customer_id = self._progress.shop, self._progress.customer_id
        cached = self._parts.members.read(shop, customer_id)
        try:
            number = self._parts.number(shop, customer_id, self._deadline())
        except MemberNotRegistered:
            # Shopify keeps neither a customer who was merged nor the metafield with the number.
            if not (is_merged and cached and cached.member_number):
                raise
            number = cached.member_number
        till_id = cached_till_id(cached, number)
        try:
            member = self._till.member(number, self._deadline(), till_id)
        except TillError as error:
            if refusal := cached_refusal(number, error, self._clock.now()):
                self._save_cached(refusal)
            raise
        self._seen = cached_member(member)
        return member

    def _keep(self, balance_points: int, now: datetime) -> None:
        """Keep what the till has now for my page."""
        if self._seen is not None:
            self._save_cached(replace(self._seen, balance_points=balance_points, as_of=now))

    def _save_cached(self, cached: CachedMember) -> None:
        try:
            self._parts.members.save(self._progress.shop, self._progress.customer_id, cached)
        except LedgerUnavailable:  # my page shows what was cached before, and refreshes it
            log.warning("till_member_not_cached", **self._progress.log_fields())

    def _deadline(self) -> Deadline:
        """The deadline of the next call: within the run's time, and within the lease."""
        self._progress.keep_lease()
        if self._run.is_over:
            raise _RunOver
        seconds = min(CALL_SECONDS, self._run.left_seconds)
        return Deadline.after(seconds, self._clock.monotonic)

    def _wait(self, error: TillError, seconds: float | None = None) -> None:
        """Retry after `seconds`, or after the backoff."""
        log.warning("till_push_failed", code=error.code, **self._progress.log_fields())
        if seconds is None:
            self._back_off()
        else:
            self._run.note_waiting(self._progress.waited_seconds())
            self._progress.reschedule(seconds)

    def _back_off(self) -> None:
        """Reschedule with exponential backoff and jitter."""
        self._run.note_waiting(self._progress.waited_seconds())
        doublings = min(self._progress.attempts, 20)
        longest = min(BACKOFF_MAX_SECONDS, BACKOFF_INITIAL_SECONDS * 2**doublings)
        self._progress.reschedule(longest * (0.5 + self._parts.random() / 2), failed=True)


def _points_change(made: Plan) -> PointsChange:
    return PointsChange(
        change_id=made.change_id,
        member_number=made.member_number,
        till_id=made.till_id,
        points=made.points,
        balance_before=made.balance_points,
        planned_at=made.planned_at,
    )
