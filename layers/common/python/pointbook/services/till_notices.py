"""Notices to the operator about the till: when it begins to fail, and when it is back.

One for each kind of failure of an outage, never one for each view. Exactly once, but for a crash
between sending and recording. Whatever is due and could not be sent is sent by the next run.
"""

from datetime import timedelta
from typing import Protocol

from pointbook import log
from pointbook.domain.ports import Clock
from pointbook.errors import PointbookError
from pointbook.store.till_state import TillState, TillStates

CLAIM_SECONDS = 60.0
"""For how long nobody else sends notices: longer than sending two takes with its retries."""

QUIET = timedelta(minutes=10)
STEADY = timedelta(minutes=1)
"""Within `QUIET` of a notice, a new outage is notified only once it has lasted `STEADY`, so that a
till that fails and answers by turns does not send a mail every minute."""

_WHAT = {
    "timeout": "it does not answer in time",
    "unavailable": "it cannot be reached, or answers with an error",
    "auth": "it refuses our credentials",
    "throttled": "it refuses calls because there are too many",
    "bad_answer": "its answers are not what its documentation describes",
    "unexpected": "our own adapter fails",
}
_TO_DO = {
    "timeout": "Ask the till's provider whether it is slow or down.",
    "unavailable": "Look at the till's status page, and ask its provider.",
    "auth": "Compare the secret's credentials with the provider's (`pointbook secret set till`), or"
    " renew the app's permission there.",
    "throttled": "Lower TillCallsPerSecond, and see what else calls under the same contract.",
    "bad_answer": "See till_failed in the log of refresh_till, and report the answer as an issue.",
    "unexpected": "See till_failed in the log of refresh_till, and report it as an issue.",
}


class Operator(Protocol):
    """The person who is responsible for the shop's points."""

    def notify(self, subject: str, message: str) -> None:
        """Send a message. Raises Unavailable."""
        ...


class TillNotices:
    """Sends what is due by the till's state. `provider` is the till's name in the notices."""

    def __init__(self, states: TillStates, operator: Operator, clock: Clock, provider: str) -> None:
        """`clock` is real time."""
        self._states = states
        self._operator = operator
        self._clock = clock
        self._provider = provider

    def send_due(self) -> int:
        """Send the notices that are due; how many there were. What fails is tried again later."""
        if not self._due(self._states.read()):
            return 0
        now = self._clock.now()
        if not self._states.claim_notice(now, now + timedelta(seconds=CLAIM_SECONDS)):
            return 0
        sent = 0
        try:
            sent = self._send(self._states.read())
        except PointbookError:
            log.exception("till_notice_not_sent")
        self._states.release_notice()
        return sent

    def _due(self, state: TillState) -> bool:
        return state.recovered_at is not None or self._failure_is_due(state)

    def _failure_is_due(self, state: TillState) -> bool:
        if state.open_since is None or state.kind in state.notified:
            return False
        now = self._clock.now()
        is_quiet = state.notified_at is not None and now - state.notified_at < QUIET
        if is_quiet and not state.notified:
            return now - state.open_since >= STEADY
        return True

    def _send(self, state: TillState) -> int:
        sent = 0
        if state.recovered_at is not None:
            self._operator.notify(
                f"Pointbook: the till ({self._provider}) answers again",
                f"The till has been answering again since {_time(state.recovered_at)}. It had been"
                f" failing since {_time(state.outage_since or state.recovered_at)}.\n"
                "My page shows its current values again. There is nothing to do.",
            )
            self._states.notified_recovery(state, self._clock.now())
            sent += 1
        if self._failure_is_due(state):
            since = state.since or state.open_since or self._clock.now()
            self._operator.notify(
                f"Pointbook: the till ({self._provider}) fails: {state.kind}",
                f"The till has been failing since {_time(since)}:"
                f" {_WHAT.get(state.kind, state.kind)}.\n"
                "Customers see what the till last said of them, with its time, or that it is"
                " unavailable; the ledger's points are shown and can be used as always.\n"
                f"{_TO_DO.get(state.kind, _TO_DO['unexpected'])}\n"
                "It is retried automatically, and you will be notified when it answers. Its state:"
                " GET /v1/operator/till.",
            )
            self._states.notified_failure(state, self._clock.now())
            sent += 1
        return sent


def _time(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
