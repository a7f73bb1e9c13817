"""Tells Shopify Flow of points that will expire: each lot once for each lead.

Shops are worked on side by side. The first failure of a shop ends its part of the run: what was not
told is told by the next one. A book is claimed before it is told of, so that two runs at once tell
once; only where the answer to a trigger or to what notes it is lost may it come twice.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import batched

from pointbook import log
from pointbook.domain.account import Account
from pointbook.domain.decide import settled
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.expiry import day_of
from pointbook.domain.ports import DUE_SHARDS, Clock, DueKind, Store, StoreUnavailable
from pointbook.domain.reminders import Reminded, Reminder, after_telling, to_tell
from pointbook.errors import LedgerUnavailable, PointbookError
from pointbook.services.publishing.outbox import Flow, Subscriptions
from pointbook.shopify import triggers
from pointbook.shopify.triggers import Occasion
from pointbook.store.sent_reminders import BOOKS_MAX, Book, Reminders

CLAIM = timedelta(seconds=60)
"""Longer than telling of all lots of a book takes."""

SEND_SECONDS = 4.0
SEND_SECONDS_LEAST = 1.0
SENDERS = 4
"""How many books of one shop are told of side by side; its Admin API makes as many calls."""

_AHEAD_SPARE = timedelta(days=2)
"""A lot stops counting at the end of its last day, and days differ in length."""

_SOURCE = "schedule"
_NOTES_TRIED = 3
_NOTE_PAUSE_SECONDS = 0.05


@dataclass(slots=True)
class Told:
    """What a run did: books that have a lot which expires soon, triggers sent, books that failed.

    Not `complete`: the time was up, or a shop could not be reached; the next run goes on.
    """

    due: int = 0
    sent: int = 0
    failed: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ReminderSender:
    """What reminding needs. `clock` is the ledger's, `world` real time: claims bind others."""

    store: Store
    reminders: Reminders
    subscriptions: Subscriptions
    flow: Callable[[str], Flow]
    leads: Callable[[str], tuple[int, ...]]
    clock: Clock
    world: Clock

    def run(self, shops: Iterable[str], seconds: float) -> Told:
        """Tell all that is due, for at most `seconds`."""
        until = self.world.monotonic() + seconds
        told = Told()
        by_shop = {shop: _ShopRun(self, shop, told, until) for shop in shops}
        runs = {shop: run for shop, run in by_shop.items() if run.is_wanted()}
        found = self._found(runs, told)
        with ExitStack() as pools:
            pages = [
                # each in a context of its own, which has the stage and the request id for the log
                pool.submit(copy_context().run, runs[shop].tell_all, page)
                for shop, customers in found.items()
                for pool in [pools.enter_context(ThreadPoolExecutor(SENDERS))]
                for page in batched(customers, BOOKS_MAX, strict=False)
            ]
        for page in pages:
            page.result()
        for run in runs.values():
            run.write_metrics()
        log.info("reminders_done", **asdict(told))
        return told

    def _found(self, runs: dict[str, "_ShopRun"], told: Told) -> dict[str, list[str]]:
        """The customers of each shop who have a lot that expires within its longest lead."""
        longest = max((max(run.leads) for run in runs.values()), default=0)
        until = self.clock.now() + timedelta(days=longest) + _AHEAD_SPARE
        found: dict[str, list[str]] = defaultdict(list)
        for shard in range(DUE_SHARDS) if runs else ():
            try:
                for shop, customer_id in self.store.due(DueKind.LOT, shard, until):
                    if shop in runs and not is_pseudonym(customer_id):
                        found[shop].append(customer_id)
            except StoreUnavailable:
                told.failed += 1
                told.complete = False
                log.exception("reminders_shard_failed", shard=shard)
        return found


class _ShopRun:
    """One shop's part of a run, in several threads."""

    def __init__(self, desk: ReminderSender, shop: str, told: Told, until: float) -> None:
        self.leads: tuple[int, ...] = ()
        self._desk = desk
        self._shop = shop
        self._told = told
        self._until = until
        self._stopped = False
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def is_wanted(self) -> bool:
        """Whether the shop reminds at all, and any workflow listens. Fills in `leads`."""
        try:
            self.leads = self._desk.leads(self._shop)
            disabled_handles = (
                self._desk.subscriptions.disabled_handles(self._shop) if self.leads else ()
            )
        except PointbookError:
            self._stop("reminders_not_begun")
            return False
        return bool(self.leads) and triggers.POINTS_EXPIRING not in disabled_handles

    def tell_all(self, customer_ids: Sequence[str]) -> None:
        """Tell of whatever is due on a page of books."""
        if self._is_over():
            return
        try:
            books = self._desk.reminders.books(self._shop, customer_ids)
        except PointbookError:
            self._stop("reminders_page_failed")
            return
        for book in books:
            if self._is_over():
                return
            self._tell(book)

    def write_metrics(self) -> None:
        """Write what was counted."""
        for metric, number in sorted(self._counts.items()):
            log.metric(metric, number)
            log.metric(metric, number, Handle=triggers.POINTS_EXPIRING)

    def _tell(self, book: Book) -> None:
        with self._lock:
            self._told.due += 1
        try:
            account = book.account()
            if self._due(account, book.reminded()):
                self._claim_and_tell(account)
        except PointbookError:
            self._stop("reminder_not_sent", customer_id=book.customer_id)
        except Exception:  # noqa: BLE001 - whatever is wrong with one book, it stops no other
            self._fail("reminder_failed", customer_id=book.customer_id)

    def _claim_and_tell(self, account: Account) -> None:
        desk, customer_id = self._desk, account.customer_id
        now = desk.world.now()
        reminded = desk.reminders.claim(self._shop, customer_id, now, now + CLAIM)
        if reminded is None:
            return  # another run tells of it
        try:
            for told in self._telling(account, reminded):
                reminded = told
        finally:
            self._release(customer_id, reminded)

    def _telling(self, account: Account, reminded: Reminded) -> Iterator[Reminded]:
        """Tell of what is due, lot by lot; what was told before and now, after each."""
        today = self._today(account)
        for reminder in self._due(account, reminded):
            if self._is_over():
                return
            self._send(account, reminder)
            reminded = after_telling(reminded, reminder, today)
            yield reminded

    def _due(self, account: Account, reminded: Reminded) -> tuple[Reminder, ...]:
        lots = settled(account, self._desk.clock.now()).lots
        return to_tell(lots, self._today(account), self.leads, reminded)

    def _today(self, account: Account) -> date:
        return day_of(self._desk.clock.now(), account.time_zone)

    def _send(self, account: Account, reminder: Reminder) -> None:
        """Send one. Flow may decline it (the customer is no more): it would do so again."""
        lot, occasion = reminder.lot, Occasion(account.last_entry_id, _SOURCE)
        trigger = triggers.expiring(account.customer_id, lot.points, lot.valid_through, occasion)
        seconds = min(SEND_SECONDS, self._until - self._desk.world.monotonic())
        refusal = self._desk.flow(self._shop).tell(trigger, seconds)
        with self._lock:
            self._counts["TriggersRefused" if refusal else "TriggersSent"] += 1
            self._told.sent += not refusal
        if refusal:
            log.error(
                "trigger_refused",
                shop=self._shop,
                handle=trigger.handle,
                customer_id=account.customer_id,
            )

    def _release(self, customer_id: str, reminded: Reminded) -> None:
        """Note what was told, a few times: what is not noted is told again."""
        for number in range(_NOTES_TRIED):
            try:
                self._desk.reminders.release(self._shop, customer_id, reminded)
            except LedgerUnavailable:
                if number == _NOTES_TRIED - 1:
                    raise
                self._desk.world.sleep(_NOTE_PAUSE_SECONDS * 2**number)
            else:
                return

    def _is_over(self) -> bool:
        if self._until - self._desk.world.monotonic() < SEND_SECONDS_LEAST:
            self._told.complete = False
            return True
        return self._stopped

    def _stop(self, event: str, **about: str) -> None:
        """Nothing more of this shop in this run."""
        self._stopped = True
        self._told.complete = False
        self._fail(event, **about)

    def _fail(self, event: str, **about: str) -> None:
        """Log the error at hand, and count it."""
        log.exception(event, shop=self._shop, **about)
        with self._lock:
            self._told.failed += 1
            self._counts["RemindersHeldBack"] += 1
