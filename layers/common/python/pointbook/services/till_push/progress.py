"""The progress of one account's delivery to the till, under its lease: what is saved, and when."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from pointbook import log
from pointbook.domain.chain import BookedEntry
from pointbook.domain.ports import Clock
from pointbook.domain.till_pushes import MemberState, Push
from pointbook.services.recording import record_by
from pointbook.store.outbox import Cursor, LeaseLost
from pointbook.store.till_pushes import Plan, State, TillPushes, cursor_of

LEASE = timedelta(seconds=40)
LEASE_RENEWAL_MARGIN = timedelta(seconds=15)
"""With less than this left of a lease, it is renewed before a call."""

PAGE_ENTRIES = 100


class Progress:
    """How far the changes of one account are pushed. Its methods raise LeaseLost."""

    def __init__(self, pushes: TillPushes, cursor: Cursor, clock: Clock, till: str = "") -> None:
        """Go on from where `cursor` is, at this till; "" is whichever there is."""
        stored = cursor_of(cursor.item)
        self.is_of_another_till = bool(till and stored.till and stored.till != till)
        self._till = stored.till if self.is_of_another_till else till
        self._till_now = till
        self._member_number = stored.member_number
        self.plan = stored.plan
        self.member_state: MemberState = stored.member_state
        self.set_balance = stored.set_balance
        self.waiting_since = stored.waiting_since
        self._pushes = pushes
        self._cursor = cursor
        self._clock = clock
        self._balance_was_requested = stored.set_balance
        self._is_pushed = False

    @property
    def shop(self) -> str:
        """The shop's domain."""
        return self._cursor.shop

    @property
    def customer_id(self) -> str:
        """The customer's id."""
        return self._cursor.customer_id

    @property
    def version(self) -> int:
        """The version up to which the entries are pushed."""
        return self._cursor.published

    @property
    def attempts(self) -> int:
        """How many attempts have failed since the last success."""
        return self._cursor.attempts

    def log_fields(self) -> dict[str, str | int]:
        """The ids of this account, for the log."""
        return {"shop": self.shop, "customer_id": self.customer_id, "pushed": self.version}

    def entries(self) -> list[BookedEntry]:
        """The first entries that were not pushed."""
        return self._pushes.entries(self.shop, self.customer_id, self.version, PAGE_ENTRIES)

    def last_entry(self) -> BookedEntry | None:
        """The last entry that was pushed."""
        found = self._pushes.entries(self.shop, self.customer_id, self.version - 1, 1)
        return found[0] if found else None

    def advance(self, version: int, member_state: MemberState, push: Push | None = None) -> None:
        """Note, unsaved, that the entries up to `version` are pushed; no plan is left."""
        self._cursor = replace(
            self._cursor, published=max(version, self._cursor.published), attempts=0
        )
        self.member_state = member_state
        self.plan = None
        self.set_balance = False
        self._is_pushed = self._is_pushed or push is not None

    def begin_at_this_till(self) -> None:
        """Note, unsaved, that all that is known of the member is about a till of before."""
        log.warning("till_push_begins_anew", planned=self.plan is not None, **self.log_fields())
        self.plan = None
        self.member_state = self.member_state.forgotten()
        self._till, self.is_of_another_till = self._till_now, False

    def meet(self, member_number: str) -> None:
        """Note, unsaved, whose state it is: with another number the contact is the first one."""
        if self._member_number not in ("", member_number):
            log.warning("till_push_begins_anew", planned=False, **self.log_fields())
            self.member_state = self.member_state.forgotten()
        self._member_number = member_number

    def save_plan(self, plan: Plan) -> None:
        """Save what is about to be sent."""
        self._renew()
        self.plan = plan
        stored = self._record(lambda: self._pushes.save_plan(self._cursor, plan, self._till))
        # Reports of earlier pushes may have come in since the lease was acquired; none do from now.
        self.member_state = replace(self.member_state, pushes=stored.member_state.pushes)

    def clear_plan(self) -> None:
        """Save that the plan has not been carried out."""
        self._record(lambda: self._pushes.clear_plan(self._cursor))
        self.plan = None

    def keep_lease(self) -> None:
        """Renew the lease if it would end during a call."""
        if self._cursor.lease_until - self._clock.now() < LEASE_RENEWAL_MARGIN:
            self._renew()
            self._record(lambda: self._pushes.renew(self._cursor))

    def save(self) -> None:
        """Save the progress, and keep the lease."""
        self._renew()
        self._record(lambda: self._pushes.save_state(self._cursor, self._state()))
        self._is_pushed = False

    def release(self) -> bool:
        """Save the progress and release the lease; False: more was requested in the meantime."""
        if self.version == 0 and self._record(lambda: self._pushes.discard(self._cursor)):
            return True
        return self._record(lambda: self._pushes.release_state(self._cursor, self._state()))

    def reschedule(self, seconds: float, *, failed: bool = False) -> None:
        """Save the progress, release the lease, and queue the account."""
        at = self._clock.now() + timedelta(seconds=max(0.0, seconds))
        if failed:
            self._cursor = replace(self._cursor, attempts=self._cursor.attempts + 1)
        try:
            self._record(lambda: self._pushes.reschedule_state(self._cursor, at, self._state()))
        except LeaseLost:
            log.warning("till_push_lease_lost", **self.log_fields())

    def waited_seconds(self) -> float:
        """How long something has been waiting to be pushed."""
        since: datetime | None = self.waiting_since
        return (self._clock.now() - since).total_seconds() if since else 0.0

    def _state(self) -> State:
        return State(
            member_state=self.member_state,
            pushed=self._is_pushed,
            planned=self.plan is not None,
            balance_set=self._balance_was_requested and not self.set_balance,
            till=self._till,
            member_number=self._member_number,
        )

    def _renew(self) -> None:
        self._cursor = replace(self._cursor, lease_until=self._clock.now() + LEASE)

    def _record[T](self, write: Callable[[], T]) -> T:
        return record_by(self._clock, write)
