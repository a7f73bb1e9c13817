"""What a view of my page shows of the till, without ever waiting for it twice.

    cached, and fresh               shown at once
    cached, and older               shown at once with its time; a refresh is requested
    nothing cached yet              the till is read within `TILL_BUDGET_SECONDS`; if that does not
                                    suffice, a refresh is requested, and a later view has it
    the till fails (breaker)        what is cached with the failure's status; the till is not called

The cached member and the till's state are read in one call while the ledger reads the account.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from pointbook import log
from pointbook.deadline import Deadline, DeadlinePassed
from pointbook.domain.ports import Clock
from pointbook.errors import LedgerUnavailable
from pointbook.services.cached_members import read_member
from pointbook.services.member_numbers import MemberNumbers
from pointbook.services.till_part import STATUS_OF, TillPart, TillStatus
from pointbook.services.till_refreshes import TillRefreshes
from pointbook.store.till_members import CachedMember, MemberLookup, TillMembers
from pointbook.store.till_state import TillState
from pointbook.till.errors import TillError
from pointbook.till.member import Till

TILL_BUDGET_SECONDS = 0.7
"""The time limit for the till, so that the whole request stays under a second."""

START_SECONDS_MAX = 0.4
"""The part of that budget which the start of a process may use up: its first view has less time, so
that it too stays about a second, and no till that is slow would have answered in the rest."""

_POLL_SECONDS = 0.05
"""The interval at which the cache is polled while another refresh is under way."""

_REQUEST_SECONDS = 0.3
"""For how long a view waits until its request for a refresh is on the queue."""

_LOOK_WORKERS = 2
_TILL_WORKERS = 3
_REQUEST_WORKERS = 2
"""One of each works for this request; the others may be busy with requests that timed out."""


@dataclass(slots=True)
class _Lookup:
    """A look at a member that is under way, and the call to the till that it led to."""

    deadline: Deadline
    may_call: bool
    known: Future[MemberLookup] | None = None
    call: Future[CachedMember] | None = None
    ended: bool = False

    def end(self) -> None:
        """The view is over: what has not begun does not begin."""
        self.ended = True
        for future in (self.known, self.call):
            if future is not None:
                future.cancel()


class TillViews:
    """Looks members up for views. `till` is called only where the till has to be read."""

    def __init__(
        self,
        members: TillMembers,
        numbers: MemberNumbers,
        refreshes: TillRefreshes,
        till: Callable[[], Till | None],
        clock: Clock,
        fresh_seconds: float,
        start_seconds: Callable[[], float] = time.process_time,
    ) -> None:
        """`clock` is real time; `start_seconds` is what the process has taken to start."""
        self._members = members
        self._numbers = numbers
        self._refreshes = refreshes
        self._till = till
        self._clock = clock
        self._fresh = timedelta(seconds=fresh_seconds)
        self._start_seconds = start_seconds
        self._is_first = True
        self._looks = ThreadPoolExecutor(_LOOK_WORKERS)
        self._calls = ThreadPoolExecutor(_TILL_WORKERS)
        self._requests = ThreadPoolExecutor(_REQUEST_WORKERS)

    @contextmanager
    def looking_up(
        self, shop: str, customer_id: str, *, only_known: bool = False
    ) -> Iterator[Callable[[], TillPart]]:
        """Begin to look a member up; the block gets the till's part when it calls for it.

        `only_known`: the till is never waited for; `pending` if nothing is known of the member.
        """
        lookup = _Lookup(Deadline.after(self._budget_seconds()), may_call=not only_known)
        lookup.known = self._looks.submit(_in_context(self._begin), lookup, shop, customer_id)
        try:
            yield lambda: self._part(lookup, shop, customer_id)
        finally:
            lookup.end()

    def _budget_seconds(self) -> float:
        spent = min(self._start_seconds(), START_SECONDS_MAX) if self._is_first else 0.0
        self._is_first = False
        return TILL_BUDGET_SECONDS - spent

    def _begin(self, lookup: _Lookup, shop: str, customer_id: str) -> MemberLookup:
        """Look the member up in the cache, and on a miss begin to read the till."""
        known, now = self._members.look_up(shop, customer_id), self._clock.now()
        is_to_be_read = known.cached is None and not known.state.is_open
        if is_to_be_read and lookup.may_call and not known.state.is_paused(now):
            read = self._await_refresh if known.refreshing(now) else self._read
            if not lookup.ended:
                lookup.call = self._calls.submit(
                    _in_context(read), shop, customer_id, lookup.deadline
                )
        return known

    def _read(self, shop: str, customer_id: str, deadline: Deadline) -> CachedMember:
        """Read the till, and keep what it says."""
        till = self._till()
        assert till is not None, "only asked where there is a till"
        find_number = partial(self._numbers.number, shop, customer_id, deadline)
        cached = read_member(till, find_number, deadline, self._clock)
        try:
            self._members.save(shop, customer_id, cached)
        except LedgerUnavailable:
            log.exception("till_member_not_cached", shop=shop, customer_id=customer_id)
        return cached

    def _await_refresh(self, shop: str, customer_id: str, deadline: Deadline) -> CachedMember:
        """Wait for what a refresh under way brings: a second call would not be sooner."""
        while True:
            self._clock.sleep(min(_POLL_SECONDS, deadline.left_seconds()))
            if cached := self._members.read(shop, customer_id):
                return cached

    def _part(self, lookup: _Lookup, shop: str, customer_id: str) -> TillPart:
        """The till's part, by the deadline at the latest."""
        part = self._answer(lookup, shop, customer_id)
        log.metric("TillReadsFailed", int(part.status in ("unavailable", "timeout")))
        return part

    def _answer(self, lookup: _Lookup, shop: str, customer_id: str) -> TillPart:
        try:
            known = _result(lookup.known, lookup.deadline)
            if known.cached is not None:
                return self._cached_part(known, known.cached, shop, customer_id)
            if lookup.call is None:
                return self._unknown_part(known.state, shop, customer_id)
            cached = _result(lookup.call, lookup.deadline)
            return TillPart(STATUS_OF[cached.membership], cached)
        except TimeoutError:
            log.warning("till_view_timed_out", advice="a refresh is requested")
            self._request_refresh(shop, customer_id)
            return TillPart("timeout")
        except TillError as error:
            if error.shown_as == "timeout":
                self._request_refresh(shop, customer_id)
            return TillPart(error.shown_as)
        except Exception:  # noqa: BLE001 -- a till must not make the whole request fail
            log.exception("till_view_failed", advice="the customer sees no balance of the till")
            return TillPart("unavailable")

    def _cached_part(
        self, known: MemberLookup, cached: CachedMember, shop: str, customer_id: str
    ) -> TillPart:
        now, status = self._clock.now(), STATUS_OF[cached.membership]
        if now - cached.as_of < self._fresh:
            return TillPart(status, cached)
        if not known.state.refuses(now) and not known.refreshing(now):
            self._request_refresh(shop, customer_id)
        failure = self._failure(known.state, now)
        return TillPart(failure or status, cached, stale=True)

    def _unknown_part(self, state: TillState, shop: str, customer_id: str) -> TillPart:
        """Nothing is known and the till is not read: it fails, or the view does not wait."""
        now = self._clock.now()
        if not state.refuses(now):
            self._request_refresh(shop, customer_id)
        return TillPart(self._failure(state, now) or "pending")

    def _request_refresh(self, shop: str, customer_id: str) -> None:
        """Request a refresh; a queue that hangs does not hold the view up."""
        requested = self._requests.submit(_in_context(self._refreshes.request), shop, customer_id)
        try:
            requested.result(_REQUEST_SECONDS)
        except TimeoutError:
            requested.cancel()
            log.warning("till_refresh_not_requested_in_time", shop=shop, customer_id=customer_id)

    def _failure(self, state: TillState, now: datetime) -> TillStatus | None:
        """The status of a till that cannot answer now; None if it has not failed lately."""
        lately = state.failed_at is not None and now - state.failed_at < self._fresh
        if not (state.is_open or state.is_paused(now) or (state.failures and lately)):
            return None
        return "timeout" if state.kind == "timeout" else "unavailable"


def _in_context[**P, T](call: Callable[P, T]) -> Callable[P, T]:
    """The same call in another thread: its log lines and metrics are those of this request."""
    context = copy_context()

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return context.run(call, *args, **kwargs)

    return run


def _result[T](future: Future[T] | None, deadline: Deadline) -> T:
    """The result of what was begun, or TimeoutError by the deadline at the latest."""
    assert future is not None, "a look begins with its block"
    try:
        wait_seconds = 0.0 if future.done() else deadline.left_seconds()
    except DeadlinePassed:
        wait_seconds = 0.0
    return future.result(timeout=wait_seconds)
