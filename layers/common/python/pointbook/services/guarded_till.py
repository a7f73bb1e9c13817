"""The guarded till: circuit breaker, pauses and rate limit around every call to the till.

    till = container.till()            # share=0.5 for background work; None: there is no till
    till.member(number, deadline)      # a `Till`: raises `till.errors` as its adapter does, and
                                       # BreakerOpen or TillThrottled without any call

It keeps calls away from a till that fails (circuit breaker), that asked for a pause (429), or that
is called too often (pace). All instances share that state through the table (`store.till_state`),
and failures are logged and counted here, once. A success costs no write while all is well.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.ports import Clock
from pointbook.errors import LedgerUnavailable
from pointbook.services.till_pace import PaceReached
from pointbook.store.till_state import FAILURES_TO_OPEN, TillState, TillStates
from pointbook.till.errors import (
    AmbiguousMember,
    BreakerOpen,
    ChangeRefused,
    MemberNotRegistered,
    TillError,
    TillThrottled,
    TillTimeout,
    TillUnavailable,
)
from pointbook.till.member import Capabilities, Member, PointsChange, Till

FAIR_SECONDS = 3.0
"""A timeout counts only if the call had this long: my page's views do not open the
breaker of a till that answers in a second. Nor do calls that had to wait for our own pace."""

PAUSE_SECONDS_DEFAULT = 30
PAUSE_SECONDS_MAX = 600
"""The pause after a 429 without Retry-After, and the longest pause that is respected."""

SUCCESS_AGE = timedelta(minutes=5)
"""How old the last recorded success may be before a process records another one."""

PROBE_NUMBER = "0"
"""The member number of a probe that no view asked for: no customer has it, and that the till does
not know it is an answer."""

UNEXPECTED = "unexpected"

_ANSWERS = (MemberNotRegistered, AmbiguousMember, ChangeRefused)
"""Errors that are answers: the till works."""

_ADVICE = {
    "not_registered": "check sync",
    "ambiguous": "check sync: several members have this number",
    "auth": "check the till's credentials in the secret",
    "throttled": "calls pause; see TillCallsPerSecond",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """What a guarded till needs: the shared state, real time, and how long to wait.

    `announce` is called when the operator has something to know; it may fail without harm.
    `has_waited_since`: whether calls had to wait for our own pace since a monotonic time.
    """

    states: TillStates
    clock: Clock
    probe_seconds: float
    announce: Callable[[], None]
    has_waited_since: Callable[[float], bool]


class GuardedTill:
    """A `Till` behind breaker and pauses; its adapter asks the pace before each HTTP call."""

    def __init__(self, till: Till, guard: Guard) -> None:
        """Guard `till`."""
        self._till = till
        self._guard = guard
        self._recorded_at: datetime | None = None

    @property
    def capabilities(self) -> Capabilities:
        """See `Till.capabilities`."""
        return self._till.capabilities

    def member(self, member_number: str, deadline: Deadline, till_id: str | None = None) -> Member:
        """See `Till.member`."""
        return self._guarded(
            lambda: self._till.member(member_number, deadline, till_id), deadline, member_number
        )

    def add_points(self, change: PointsChange, deadline: Deadline) -> int:
        """See `Till.add_points`."""
        return self._guarded(
            lambda: self._till.add_points(change, deadline), deadline, change.member_number
        )

    def is_applied(self, change: PointsChange, deadline: Deadline) -> bool:
        """See `Till.is_applied`."""
        return self._guarded(
            lambda: self._till.is_applied(change, deadline), deadline, change.member_number
        )

    def _guarded[T](self, call: Callable[[], T], deadline: Deadline, member_number: str) -> T:
        """Call the till, unless it is to be left alone, and record how that went."""
        state = self._admitted()
        is_fair = deadline.allows(FAIR_SECONDS)
        began = time.monotonic()
        try:
            result = call()
        except PaceReached:
            raise
        except _ANSWERS as error:
            if member_number != PROBE_NUMBER:
                self._log(error.code, str(error), member_number)
            self._succeeded(state)
            raise
        except TillError as error:
            self._log(error.code, str(error), member_number)
            is_fair = is_fair and not self._guard.has_waited_since(began)
            if is_fair or not isinstance(error, TillTimeout):
                self._failed(state, error)
            raise
        except Exception as error:
            log.exception("till_failed", code=UNEXPECTED, advice="please report this error")
            log.metric("TillFailures", Code=UNEXPECTED)
            self._failed(state, None)
            raise TillUnavailable(f"the till's adapter failed: {type(error).__name__}") from error
        log.metric("TillMilliseconds", (time.monotonic() - began) * 1000, "Milliseconds")
        self._succeeded(state)
        return result

    def _admitted(self) -> TillState:
        """Return the till's state if it may be called, or raise."""
        guard = self._guard
        now = guard.clock.now()
        try:
            state = guard.states.read()
            if state.paused_until is not None and state.is_paused(now):
                left_seconds = int((state.paused_until - now).total_seconds()) + 1
                raise TillThrottled("the till asked for a pause", left_seconds)
            next_probe_at = now + timedelta(seconds=guard.probe_seconds)
            if state.is_open and not (
                state.probe_is_due(now) and guard.states.claim_probe(now, next_probe_at)
            ):
                raise BreakerOpen(f"the breaker is open ({state.kind}) until a probe succeeds")
        except LedgerUnavailable as error:
            raise TillUnavailable("the table with the till's state cannot be reached") from error
        return state

    def _succeeded(self, state: TillState) -> None:
        now = self._guard.clock.now()
        is_recent = any(
            at is not None and now - at < SUCCESS_AGE
            for at in (state.succeeded_at, self._recorded_at)
        )
        if is_recent and not state.failures and not state.is_open:
            return
        try:
            before = self._guard.states.succeeded(now)
        except LedgerUnavailable:
            log.exception("till_state_not_recorded")
            return
        self._recorded_at = now
        if before.is_open:
            log.warning("till_recovered", kind=before.kind, since=str(before.since))
            self._guard.announce()

    def _failed(self, before: TillState, error: TillError | None) -> None:
        """Count a failure, pause or open the breaker, and announce a new kind of failure."""
        states, now = self._guard.states, self._guard.clock.now()
        kind = error.code if error else UNEXPECTED
        try:
            if isinstance(error, TillThrottled):
                states.pause(now + timedelta(seconds=_pause_seconds(error)))
            state = states.failed(kind, now)
            opened = False
            if state.failures >= FAILURES_TO_OPEN and not state.is_open:
                opened = states.open(now, now + timedelta(seconds=self._guard.probe_seconds))
        except LedgerUnavailable:
            log.exception("till_state_not_recorded")
            return
        if opened:
            log.error("till_breaker_opened", kind=kind, since=str(state.since))
        if opened or (before.is_open and kind not in before.notified):
            self._guard.announce()

    @staticmethod
    def _log(code: str, reason: str, member_number: str) -> None:
        log.metric("TillFailures", Code=code)
        log.warning(
            "till_failed",
            code=code,
            reason=reason,
            member_number=member_number,
            advice=_ADVICE.get(code, "customers see what was last known"),
        )


def _pause_seconds(error: TillThrottled) -> int:
    seconds = error.retry_after_seconds
    if seconds is None:
        return PAUSE_SECONDS_DEFAULT
    return min(max(seconds, 1), PAUSE_SECONDS_MAX)
