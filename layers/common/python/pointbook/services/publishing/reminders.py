"""Sends Shopify Flow the trigger of points that will expire: each lot once for each lead time.

Shops are processed in parallel. The first failure of a shop ends its part of the run; the next run
sends the rest. An account is claimed first, so that two runs at the same time send once; only if
the response to a trigger or to its record is lost may it be sent twice.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import batched
from zoneinfo import ZoneInfo

from pointbook import log
from pointbook.domain.account import Account
from pointbook.domain.decision import settled
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.expiry import day_of
from pointbook.domain.ports import DUE_SHARDS, Clock, DueKind, Store, StoreUnavailable
from pointbook.domain.programme import Programme
from pointbook.domain.reminders import Reminder, SentReminders, due_reminders, with_sent
from pointbook.errors import PointbookError
from pointbook.services.publishing.shop_run import Flow, ShopRun, Subscriptions
from pointbook.shopify import triggers
from pointbook.shopify.triggers import Occasion
from pointbook.store.sent_reminders import ACCOUNTS_MAX, AccountReminders, Reminders

CLAIM = timedelta(seconds=60)
"""Longer than sending the reminders of all lots of an account takes."""

SENDERS = 4
"""How many accounts of one shop are processed in parallel: its Admin API makes as many calls."""

ANY_HOUR = range(24)

_AHEAD_MARGIN = timedelta(days=2)
"""A lot lapses at the end of its last day, and days differ in length."""

_SOURCE = "schedule"


@dataclass(slots=True)
class ReminderResult:
    """The result of a run: accounts with a lot that expires soon, triggers sent, failed accounts.

    Not `complete`: the time was up, or a shop could not be reached; the next run continues.
    """

    due: int = 0
    sent: int = 0
    failed: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ReminderSender:
    """Sends reminders. `clock` is the ledger's; claims are in real time, `wall_clock`."""

    store: Store
    reminders: Reminders
    subscriptions: Subscriptions
    flow: Callable[[str], Flow]
    programme: Callable[[str], Programme]
    clock: Clock
    wall_clock: Clock

    def run(self, shops: Iterable[str], seconds: float, hours: range = ANY_HOUR) -> ReminderResult:
        """Send all that is due, for at most `seconds`, to shops where it is one of these hours."""
        until = self.wall_clock.monotonic() + seconds
        result = ReminderResult()
        by_shop = {shop: _ReminderRun(self, shop, result, until) for shop in shops}
        runs = {shop: run for shop, run in by_shop.items() if run.prepare(hours)}
        found = self._found(runs, result)
        with ExitStack() as pools:
            pages = [
                # each in a copy of the context, which has the stage and request id for the log
                pool.submit(copy_context().run, runs[shop].send_all, page)
                for shop, customers in found.items()
                for pool in [pools.enter_context(ThreadPoolExecutor(SENDERS))]
                for page in batched(customers, ACCOUNTS_MAX, strict=False)
            ]
        for page in pages:
            page.result()
        for run in runs.values():
            run.write_metrics()
        log.info("reminders_done", **asdict(result))
        return result

    def _found(
        self, runs: dict[str, "_ReminderRun"], result: ReminderResult
    ) -> dict[str, list[str]]:
        """Return the customers of each shop who have a lot that expires within its lead times."""
        longest = max((max(run.lead_days) for run in runs.values()), default=0)
        until = self.clock.now() + timedelta(days=longest) + _AHEAD_MARGIN
        found: dict[str, list[str]] = defaultdict(list)
        for shard in range(DUE_SHARDS) if runs else ():
            try:
                for shop, customer_id, _ in self.store.due(DueKind.LOT, shard, until):
                    if shop in runs and not is_pseudonym(customer_id):
                        found[shop].append(customer_id)
            except StoreUnavailable:
                result.failed += 1
                result.complete = False
                log.exception("reminders_shard_failed", shard=shard)
        return found


class _ReminderRun(ShopRun):
    """One shop's part of a run, in several threads."""

    def __init__(
        self, sender: ReminderSender, shop: str, result: ReminderResult, until: float
    ) -> None:
        super().__init__(shop, sender.flow, sender.subscriptions, sender.wall_clock, until)
        self.lead_days: tuple[int, ...] = ()
        self._sender = sender
        self._result = result

    def prepare(self, hours: range) -> bool:
        """Read `lead_days`. Returns whether the shop sends reminders now, and a workflow uses them.

        It sends none outside these hours, by the clocks of its own time zone.
        """
        try:
            programme = self._sender.programme(self.shop)
            local = self._sender.clock.now().astimezone(ZoneInfo(programme.time_zone))
            if local.hour not in hours:
                return False
            self.lead_days = programme.reminder_days
            disabled_handles = self.disabled_handles() if self.lead_days else ()
        except PointbookError:
            self._stop("reminders_not_started")
            return False
        return bool(self.lead_days) and triggers.POINTS_EXPIRING not in disabled_handles

    def send_all(self, customer_ids: Sequence[str]) -> None:
        """Send what is due for a page of accounts."""
        if self._check_time_left():
            return
        try:
            accounts = self._sender.reminders.accounts(self.shop, customer_ids)
        except PointbookError:
            self._stop("reminders_page_failed")
            return
        for one in accounts:
            if self._check_time_left():
                return
            self._process(one)

    def _process(self, one: AccountReminders) -> None:
        with self.lock:
            self._result.due += 1
        try:
            account = one.account()
            if self._due(account, one.sent_reminders()):
                self._claim_and_send(account)
        except PointbookError:
            self._stop("reminder_not_sent", customer_id=one.customer_id)
        except Exception:  # noqa: BLE001 - one failing account must not stop the others
            self._fail("reminder_failed", customer_id=one.customer_id)

    def _claim_and_send(self, account: Account) -> None:
        sender, customer_id = self._sender, account.customer_id
        now = sender.wall_clock.now()
        sent_reminders = sender.reminders.claim(self.shop, customer_id, now, now + CLAIM)
        if sent_reminders is None:
            return  # another run sends them
        try:
            for latest in self._sending(account, sent_reminders):
                sent_reminders = latest
        finally:
            self.record(lambda: sender.reminders.release(self.shop, customer_id, sent_reminders))

    def _sending(self, account: Account, sent_reminders: SentReminders) -> Iterator[SentReminders]:
        """Send what is due, lot by lot; yield what was sent before and now, after each."""
        today = self._today(account)
        for reminder in self._due(account, sent_reminders):
            if self._check_time_left():
                return
            self._send(account, reminder)
            sent_reminders = with_sent(sent_reminders, reminder, today)
            yield sent_reminders

    def _due(self, account: Account, sent_reminders: SentReminders) -> tuple[Reminder, ...]:
        lots = settled(account, self._sender.clock.now()).lots
        return due_reminders(lots, self._today(account), self.lead_days, sent_reminders)

    def _today(self, account: Account) -> date:
        return day_of(self._sender.clock.now(), account.time_zone)

    def _send(self, account: Account, reminder: Reminder) -> None:
        """Send one. If Flow rejects it (the customer was deleted), it is not retried."""
        lot, occasion = reminder.lot, Occasion(account.last_entry_id, _SOURCE)
        trigger = triggers.expiring(account.customer_id, lot.points, lot.valid_through, occasion)
        sent = self.send(trigger, customer_id=account.customer_id)
        with self.lock:
            self._result.sent += sent

    def _check_time_left(self) -> bool:
        """Whether the run is over; if only for lack of time, its result is not complete."""
        if self.has_no_time:
            self._result.complete = False
        return self.is_over

    def _stop(self, event: str, **about: str) -> None:
        """Log the current exception, and send nothing more for this shop in this run."""
        self.stopped = True
        self._result.complete = False
        self._fail(event, **about)

    def _fail(self, event: str, **about: str) -> None:
        """Log the current exception, and count it."""
        log.exception(event, shop=self.shop, **about)
        self.count("RemindersHeldBack", triggers.POINTS_EXPIRING)
        with self.lock:
            self._result.failed += 1
