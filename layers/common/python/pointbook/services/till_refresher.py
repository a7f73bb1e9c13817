"""Refreshes cached members, beside the views that asked; probes a till that fails.

A Lambda sleeps once it has answered, so a view cannot go on reading the till: `refresh_till` does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.ports import Clock
from pointbook.errors import MalformedBody
from pointbook.services.cached_members import read_member
from pointbook.services.guarded_till import PROBE_NUMBER
from pointbook.services.member_numbers import MemberNumbers
from pointbook.services.till_notices import TillNotices
from pointbook.services.till_refreshes import Refresh, read_refresh
from pointbook.store.till_members import TillMembers
from pointbook.store.till_state import TillStates
from pointbook.till.errors import TillError
from pointbook.till.member import Till

REFRESH_SECONDS = 6.0
"""A token and two reads at 800 ms each, a retry, and a wait for the pace."""


@dataclass(slots=True)
class RefreshResult:
    """The result of one invocation."""

    refreshed: int = 0
    failed: int = 0
    probed: bool = False
    notices: int = 0


class TillRefresher:
    """Works on the queue's messages and on the schedule's runs. Without a till it does nothing."""

    def __init__(
        self,
        *,
        till: Till | None,
        members: TillMembers,
        numbers: MemberNumbers,
        states: TillStates,
        notices: TillNotices,
        clock: Clock,
        fresh_seconds: float,
    ) -> None:
        """`till` is the guarded one, `clock` real time."""
        self._till = till
        self._members = members
        self._numbers = numbers
        self._states = states
        self._notices = notices
        self._clock = clock
        self._fresh = timedelta(seconds=fresh_seconds)

    def work(self, records: Iterable[Mapping[str, Any]]) -> RefreshResult:
        """Work on messages. None comes again: the next view asks again."""
        result = RefreshResult()
        for record in records:
            try:
                refresh = read_refresh(record["body"])
            except MalformedBody:
                log.exception("message_unreadable", message_id=record["messageId"])
                result.failed += 1
                continue
            if refresh is None:
                result.notices += self._notices.send_due()
            elif self._refresh(refresh):
                result.refreshed += 1
            else:
                result.failed += 1
        return result

    def watch(self) -> RefreshResult:
        """The schedule's run: probe a till that fails, send notices, report the breaker."""
        result = RefreshResult()
        if self._till is None:
            return result
        if self._states.read().probe_is_due(self._clock.now()):
            result.probed = True
            try:
                self._till.member(PROBE_NUMBER, Deadline.after(REFRESH_SECONDS))
            except TillError as error:
                log.info("till_probed", code=error.code)
        result.notices = self._notices.send_due()
        log.metric("TillBreakerOpen", int(self._states.read().is_open))
        return result

    def _refresh(self, refresh: Refresh) -> bool:
        shop, customer_id = refresh.shop, refresh.customer_id
        before = self._members.read(shop, customer_id)
        if before is not None and self._clock.now() - before.as_of < self._fresh:
            return True  # somebody was faster
        if self._till is None:
            return False
        deadline = Deadline.after(REFRESH_SECONDS)
        find_number = partial(self._numbers.number, shop, customer_id, deadline)
        try:
            cached = read_member(self._till, find_number, deadline, self._clock, before)
        except TillError as error:
            # The claim stays until its time is over: that is this member's backoff.
            log.info("till_not_refreshed", code=error.code, customer_id=customer_id)
            return False
        self._members.save(shop, customer_id, cached)
        return True
