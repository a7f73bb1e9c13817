"""Runs of the comparison: the daily one, which goes on where the last one ended, and single pages.

    last run ──► since                          until = now - 5 hours (Shopify still sends itself)
                   ├── page ── page ── page ──────┤
                   after each page the progress is written; a run that is cut off begins there

The next period begins an hour before the end of the last one, since Shopify's list may be late.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.ports import Clock
from pointbook.errors import InvalidRequest, PointbookError, ShopifyRefused, UnknownShop
from pointbook.services.reconciliation import Comparison, FoundOrder, Mode, OrderReconciler
from pointbook.shopify.admin_orders import PAGE_ORDERS_MAX
from pointbook.store.reconciliations import Progress, Reconciliations
from pointbook.validation import shown

RETRIED_BY_SHOPIFY = timedelta(hours=5)
"""Younger updates are not compared: Shopify sends their webhooks for four hours."""

OVERLAP = timedelta(hours=1)
FIRST_PERIOD = timedelta(days=1)
"""How far the first run of a shop looks back."""

REACH = timedelta(days=60)
"""Shopify shows orders of the last 60 days, unless the app has `read_all_orders`."""

LEFT_MAX = 100
"""With more orders that cannot be fed a run does not go on."""


@dataclass(slots=True)
class ReconcileResult:
    """The result of a run: orders compared, found unknown or older, fed, and failures.

    `sign_ups` are those that had waited while earning was paused. `merges` are suspected ones. Not
    `complete`: the time was up, or a shop could not be compared; the next run continues.
    """

    compared: int = 0
    found: int = 0
    fed: int = 0
    merges: int = 0
    failed: int = 0
    sign_ups: int = 0
    complete: bool = True

    def add(self, orders: Iterable[FoundOrder], comparison: Comparison | None = None) -> None:
        """Add what a page, or the orders that were left, came to."""
        for one in orders:
            self.found += 1
            self.fed += one.fed
            self.failed += bool(one.code)
        if comparison is not None:
            self.compared += comparison.compared
            self.merges += len(comparison.merges)
            self.failed += comparison.failed


@dataclass(frozen=True, slots=True)
class ReconciliationRuns:
    """The runs of a stack. `clock` is the ledger's.

    A shop in which earning `is_paused` waits: when it is on again, the next run takes up what came
    meanwhile from where the last one ended.
    """

    reconciler: Callable[[str], OrderReconciler]
    store: Reconciliations
    clock: Clock
    is_paused: Callable[[str], bool]

    def run(self, shops: Iterable[str], seconds: float) -> ReconcileResult:
        """Compare every shop from where its last run ended, for at most `seconds`."""
        result = ReconcileResult()
        deadline = Deadline.after(seconds, self.clock.monotonic)
        for shop in shops:
            try:
                self._shop(shop, deadline, result)
            except PointbookError:
                result.failed += 1
                result.complete = False
                log.exception("reconciliation_failed", shop=shop)
        log.info("reconciliation_done", **asdict(result))
        if lost := result.found + result.merges:
            log.metric("LostWebhooks", lost)
        if result.failed:
            log.metric("ReconciliationFailures", result.failed)
        return result

    def _shop(self, shop: str, deadline: Deadline, result: ReconcileResult) -> None:
        reconciler, now = self.reconciler(shop), self.clock.now()
        newest = now - RETRIED_BY_SHOPIFY
        progress = self.store.progress(shop)
        if progress is None:
            progress = Progress(newest - FIRST_PERIOD)
            self.store.save(shop, progress)
        if self.is_paused(shop):
            log.info("reconciliation_waits", shop=shop, since=str(progress.since))
            return
        result.sign_ups += reconciler.feed_sign_ups()
        if progress.until is not None:
            progress = self._period(reconciler, progress, progress.until, deadline, result)
        if progress.until is None:
            since = max(progress.since, now - REACH)
            if since > progress.since:
                log.error("reconciliation_gap", shop=shop, since=str(progress.since), to=str(since))
            if since < newest:
                progress = replace(progress, since=since)
                progress = self._period(reconciler, progress, newest, deadline, result)
        progress = self._feed_left(reconciler, progress, result)
        result.complete = result.complete and progress.until is None and not progress.left

    def _feed_left(
        self, reconciler: OrderReconciler, progress: Progress, result: ReconcileResult
    ) -> Progress:
        """Feed the orders that were left; returns the progress with those that are left still."""
        if not progress.left:
            return progress
        found = tuple(reconciler.feed_again(progress.left))
        result.add(found)
        progress = replace(progress, left=Comparison(orders=found).left)
        self.store.save(reconciler.shop, progress)
        return progress

    def _period(
        self,
        reconciler: OrderReconciler,
        progress: Progress,
        until: datetime,
        deadline: Deadline,
        result: ReconcileResult,
    ) -> Progress:
        """Compare a period page by page. Returns the progress; without `until` it is finished."""
        progress = replace(progress, until=until)
        while not deadline.passed:
            comparison = self._page(reconciler, progress, until, deadline)
            result.add(comparison.orders, comparison)
            if comparison.cut:
                break
            left = (*progress.left, *comparison.left)
            if len(left) > LEFT_MAX:
                break
            if comparison.cursor is None:
                progress = Progress(max(progress.since, until - OVERLAP), left=left)
            else:
                progress = replace(progress, cursor=comparison.cursor, left=left)
            self.store.save(reconciler.shop, progress)
            if comparison.cursor is None:
                break
        return progress

    def _page(
        self,
        reconciler: OrderReconciler,
        progress: Progress,
        until: datetime,
        deadline: Deadline,
    ) -> Comparison:
        period = (progress.since, until)
        try:
            return reconciler.compare(period, progress.cursor, PAGE_ORDERS_MAX, deadline)
        except ShopifyRefused:
            if progress.cursor is None:
                raise
            # Shopify does not promise how long a cursor is good for: the period begins anew.
            log.exception("reconciliation_cursor_refused", shop=reconciler.shop)
            return reconciler.compare(period, None, PAGE_ORDERS_MAX, deadline)


# --- single pages ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request to compare one page: what `pointbook orders` sends."""

    shop: str
    period: tuple[datetime, datetime]
    cursor: str | None
    limit: int
    mode: Mode


def read_page_request(
    event: Mapping[str, Any], shops: tuple[str, ...], now: datetime
) -> PageRequest:
    """Read a request. Raises InvalidRequest with the member that cannot be used, UnknownShop."""
    shop = event.get("shop", shops[0])
    if shop not in shops:
        raise UnknownShop(f"This stack does not serve {shown(shop)}; it serves {', '.join(shops)}.")
    since, until = (_time(event, name) for name in ("since", "until"))
    if since >= until:
        raise InvalidRequest("since", f"since is {since}, but must be before until, {until}.")
    if since < now - REACH:
        raise InvalidRequest(
            "since",
            f"since is {since}, but Shopify shows orders of the last {REACH.days} days only.",
        )
    cursor, limit = event.get("cursor"), event.get("limit", PAGE_ORDERS_MAX)
    if cursor is not None and not isinstance(cursor, str):
        raise InvalidRequest("cursor", f"cursor is {shown(cursor)}, but must be a string.")
    if type(limit) is not int or not 1 <= limit <= PAGE_ORDERS_MAX:
        raise InvalidRequest("limit", f"limit is {shown(limit)}, not 1 to {PAGE_ORDERS_MAX}.")
    mode = Mode(dry_run=_flag(event, "dry_run"), merges=_flag(event, "merges"))
    return PageRequest(shop, (since, until), cursor, limit, mode)


def compare_page(
    request: PageRequest,
    reconciler: OrderReconciler,
    deadline: Deadline,
    is_paused: Callable[[str], bool],
) -> dict[str, Any]:
    """Compare one page; the first one also takes up the sign-ups that waited.

    Raises InvalidRequest while earning is paused, unless it is a dry run, and as `compare` does.
    """
    feeds = not request.mode.dry_run
    if feeds and is_paused(request.shop):
        raise InvalidRequest(
            "earning",
            "Earning is paused in this shop, so nothing can be fed. Turn it on first:"
            " `pointbook programme set earning=on`.",
            "earning_paused",
        )
    sign_ups = reconciler.feed_sign_ups() if feeds and request.cursor is None else 0
    comparison = reconciler.compare(
        request.period, request.cursor, request.limit, deadline, request.mode
    )
    return page_answer(comparison) | {"sign_ups": sign_ups}


def page_answer(comparison: Comparison) -> dict[str, Any]:
    """The answer to such a request, as JSON has it."""
    return {
        "compared": comparison.compared,
        "orders": [_order_answer(one) for one in comparison.orders],
        "merges": [asdict(one) for one in comparison.merges],
        "failed": comparison.failed,
        "position": _text(comparison.position),
        "cursor": comparison.cursor,
        "cut": comparison.cut,
    }


def _order_answer(one: FoundOrder) -> dict[str, Any]:
    return {
        "order_id": one.order_id,
        "why": one.why,
        "updated_at": _text(one.updated_at),
        "known_at": _text(one.known_at),
        "fed": one.fed,
        "code": one.code,
        "till_points_unread": one.till_points_unread,
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time(event: Mapping[str, Any], name: str) -> datetime:
    value = event.get(name)
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidRequest(
            name,
            f"{name} is {shown(value)}, but must be a time with its zone, such as"
            " 2026-11-29T00:00:00Z.",
        )
    return found


def _flag(event: Mapping[str, Any], name: str) -> bool:
    value = event.get(name, False)
    if not isinstance(value, bool):
        raise InvalidRequest(name, f"{name} is {shown(value)}, but must be true or false.")
    return value
