"""Runs of the comparison with the till: the scheduled one, and single pages for `pointbook drift`.

    begin ── accounts ── accounts ── ... ── end of the table ── those left ── again ── summary
               │           after each batch the progress is kept; a run that is cut off, or that
               └────────── finds the till failing, is continued there by the next one

A run begins a day after the last one began; the schedule invokes it every hour, so that a shop with
more members than one run can ask for is compared hour by hour.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from itertools import batched
from typing import Any

from pointbook import log
from pointbook.deadline import Deadline, DeadlinePassed
from pointbook.domain.ports import Clock
from pointbook.domain.programme_rules import TillPush
from pointbook.errors import InvalidRequest, PointbookError, UnknownShop
from pointbook.services.till_comparison import ADVICE, Kind, Row, TillComparison
from pointbook.shopify.ids import customer_digits
from pointbook.store.till_comparisons import (
    AccountPage,
    Comparisons,
    Position,
    Running,
    Summary,
    TillComparisons,
    Totals,
)
from pointbook.till.errors import TillError
from pointbook.validation import shown, whole_number

BATCH_MEMBERS = 20
"""Members after which the progress is kept; also the most that one page has."""

LATER_MAX = 1_000
"""Customers that are compared again at the end of a run."""

PAUSES_SECONDS = (2.0, 8.0, 30.0)
"""How long to wait before those that are left are compared again: a push takes seconds."""

SLACK = timedelta(minutes=30)
"""A schedule is not exact: a run that is due so soon begins now."""


@dataclass(slots=True)
class CompareResult:
    """The result of a run, for all shops.

    `stopped`: the code of the error for which it ended early. Not `complete`: the next run goes on.
    """

    compared: int = 0
    differing: int = 0
    not_registered: int = 0
    ambiguous: int = 0
    not_compared: int = 0
    stopped: str = ""
    complete: bool = True


@dataclass(frozen=True, slots=True)
class TillComparisonRuns:
    """The runs of a stack. `clock` is the ledger's.

    `mode` is what a shop's programme pushes to the till. A difference is a fault only where that
    is the balance; elsewhere the till may grant and take points of its own.
    """

    comparison: Callable[[str], TillComparison]
    store: TillComparisons
    mode: Callable[[str], TillPush]
    clock: Clock

    def run(
        self, shops: Iterable[str], seconds: float, every: timedelta | None = None
    ) -> CompareResult:
        """Compare every shop from where its last run ended, for at most `seconds`.

        A finished comparison begins again at once, or with `every` so long after it began.
        """
        result, deadline = CompareResult(), Deadline.after(seconds, self.clock.monotonic)
        for shop in shops:
            try:
                self._shop(shop, deadline, every, result)
            except (TillError, PointbookError) as error:
                result.stopped, result.complete = error.code, False
                log.exception("till_comparison_stopped", shop=shop, code=error.code)
                if isinstance(error, TillError):
                    break  # one till for all shops
        log.info("till_comparison_done", **asdict(result))
        return result

    def _shop(
        self, shop: str, deadline: Deadline, every: timedelta | None, result: CompareResult
    ) -> None:
        stored, now = self.store.read(shop), self.clock.now()
        running = stored.running
        if running is None:
            if every and stored.last and now < stored.last.began_at + every - SLACK:
                return
            running = Running(now)
            self.store.save(shop, replace(stored, running=running))
        run = _Run(self, self.comparison(shop), stored, running, result)
        if not run.to_the_end(deadline):
            result.complete = False


@dataclass(slots=True)
class _Run:
    """One run of one shop; what it is at is kept after each batch."""

    runs: TillComparisonRuns
    comparison: TillComparison
    stored: Comparisons
    running: Running
    result: CompareResult

    def to_the_end(self, deadline: Deadline) -> bool:
        """Go on until the end, or until the time is up. Returns whether the end was reached."""
        if not self._accounts(deadline):
            return False
        for seconds in PAUSES_SECONDS:
            if not self.running.later:
                break
            if not deadline.allows(seconds):
                return False
            self.runs.clock.sleep(seconds)
            if not self._left(deadline):
                return False
        self._finish()
        return True

    def _accounts(self, deadline: Deadline) -> bool:
        """Compare the accounts of the whole table."""
        while not self.running.end:
            shop, store = self.comparison.shop, self.runs.store
            page = store.accounts(shop, self.running.position)
            for batch in batched(page.customer_ids, BATCH_MEMBERS, strict=False):
                rows = self._rows(batch, deadline)
                if rows is None:
                    return False
                later = [one.customer_id for one in rows if one.kind is Kind.NOT_COMPARED]
                room = max(0, LATER_MAX - len(self.running.later))
                self._keep(
                    [one for one in rows if one.customer_id not in later[:room]],
                    position=store.after(shop, batch[-1]),
                    later=(*self.running.later, *later[:room]),
                )
            end = page.position is None
            self._keep([], position=page.position, end=end)
        return True

    def _left(self, deadline: Deadline) -> bool:
        """Compare those again that could not be compared."""
        again: tuple[str, ...] = ()
        while batch := self.running.later[len(again) :][:BATCH_MEMBERS]:
            rows = self._rows(batch, deadline)
            if rows is None:
                return False
            failed = tuple(one.customer_id for one in rows if one.kind is Kind.NOT_COMPARED)
            rest = self.running.later[len(again) + len(batch) :]
            again += failed
            self._keep(
                [one for one in rows if one.kind is not Kind.NOT_COMPARED], later=(*again, *rest)
            )
        return True

    def _rows(self, customer_ids: tuple[str, ...], deadline: Deadline) -> list[Row] | None:
        """Compare a batch; None if the time is up before its end."""
        try:
            return list(self.comparison.rows(customer_ids, deadline))
        except DeadlinePassed:
            return None

    def _keep(self, rows: Iterable[Row], **changes: Any) -> None:
        """Log what was found, and keep the progress."""
        totals = self.running.totals
        for row in rows:
            totals = totals.plus(row.totals)
            _log(self.comparison.shop, row)
        self.running = replace(self.running, totals=totals, **changes)
        saved = replace(self.stored, running=self.running)
        self.runs.store.save(self.comparison.shop, saved)

    def _finish(self) -> None:
        """Keep the summary; those that are left still were not compared."""
        shop, left = self.comparison.shop, self.running.later
        for customer_id in left:
            log.warning("till_not_compared", shop=shop, customer_id=customer_id)
        totals = self.running.totals.plus(Totals(not_compared=len(left)))
        last = Summary(self.running.began_at, self.runs.clock.now(), totals)
        self.runs.store.save(shop, Comparisons(last=last))
        self.result.compared += totals.compared
        self.result.differing += totals.differing
        self.result.not_registered += totals.not_registered
        self.result.ambiguous += totals.ambiguous
        self.result.not_compared += totals.not_compared
        log.info("till_compared", shop=shop, **asdict(totals))
        if self.runs.mode(shop) is TillPush.BALANCE:
            log.metric("TillDrift", totals.differing)


def _log(shop: str, row: Row) -> None:
    """A line for each member that needs a person."""
    ids = {"shop": shop, "customer_id": row.customer_id}
    match row.kind:
        case Kind.DIFFERS:
            points = {"ledger": row.ledger_points, "till": row.till_points}
            log.warning("till_differs", **ids, **points, difference=row.difference)
        case Kind.NOT_REGISTERED if row.ledger_points:
            log.warning("till_not_registered", **ids, ledger=row.ledger_points, advice=ADVICE)
        case Kind.AMBIGUOUS:
            log.warning("till_ambiguous", **ids, ledger=row.ledger_points)
        case Kind.NOT_COMPARED:
            log.warning("till_not_compared", **ids, code=row.why)


# --- single pages ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request to compare a page: what `pointbook drift` sends.

    The accounts behind `position`, or just `customers`.
    """

    shop: str
    position: Position | None = None
    customers: tuple[str, ...] = ()


def read_page_request(event: Mapping[str, Any], shops: tuple[str, ...]) -> PageRequest:
    """Read a request. Raises InvalidRequest with the member that cannot be used, UnknownShop."""
    shop = event.get("shop", shops[0])
    if shop not in shops:
        raise UnknownShop(f"This stack does not serve {shown(shop)}; it serves {', '.join(shops)}.")
    position, customers = event.get("position"), event.get("customers", [])
    if position is not None and not (_is_texts(position) and len(position) == 2):
        raise InvalidRequest(
            "position", f"position is {shown(position)}, but must be that of the page before."
        )
    if not _is_texts(customers) or len(customers) > BATCH_MEMBERS:
        raise InvalidRequest(
            "customers",
            f"customers is {shown(customers)}, but must be a list of up to {BATCH_MEMBERS} ids.",
        )
    ids = tuple(customer_digits(one, "customers") for one in customers)
    return PageRequest(shop, tuple(position) if position else None, ids)


def read_hours(event: Mapping[str, Any]) -> timedelta | None:
    """How long after it began a finished comparison begins again; None: at once.

    Raises InvalidRequest.
    """
    hours = event.get("every_hours")
    return timedelta(hours=whole_number(hours, "every_hours", 1, 24 * 366)) if hours else None


def compare_page(
    comparison: TillComparison,
    store: TillComparisons,
    request: PageRequest,
    deadline: Deadline,
) -> dict[str, Any]:
    """Compare a page, and answer as JSON has it.

    `position` is where the next page begins, None at the end. `stopped` says for which error of the
    till a page ended early; the same request goes on at `position`. Raises LedgerUnavailable.
    """
    accounts = AccountPage(request.customers, None)
    if not request.customers:
        accounts = store.accounts(request.shop, request.position)
    batch, rows, stopped = accounts.customer_ids[:BATCH_MEMBERS], list[Row](), None
    position = accounts.position
    if len(accounts.customer_ids) > len(batch):
        position = store.after(request.shop, batch[-1])
    for place, customer_id in enumerate(batch):
        try:
            rows += comparison.rows([customer_id], deadline)
        except (TillError, DeadlinePassed) as error:
            code = getattr(error, "code", "time_up")
            stopped = {"code": code, "message": str(error), "left": list(batch[place:])}
            before = batch[place - 1] if place else None
            position = store.after(request.shop, before) if before else request.position
            break
    capabilities = comparison.till.capabilities
    return {
        "till": asdict(capabilities),
        "rows": [one.answer(capabilities) for one in rows],
        "position": list(position) if position else None,
        "stopped": stopped,
    }


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
