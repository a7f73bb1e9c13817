"""Writes the metafields of the customers on the shops' lists, each with the latest figures.

    acquire the shop's lease ──► read up to 50 customers ──► for as many as fit into a call:
         delete what they no longer have, set the rest, record each ──► release the lease

A customer stays on the list until Shopify has taken the metafields, so a run that ends anywhere
loses nothing: the next one writes them again, with the figures of then. If Shopify takes no calls,
the shop's run ends, and the next minute's tries again, with one call.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import batched, chain
from typing import TYPE_CHECKING, Protocol

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.account import Account
from pointbook.domain.metafields import OPTIONAL, TYPES, metafields_of
from pointbook.domain.ports import Clock
from pointbook.domain.programme import Programme
from pointbook.domain.programme_rules import APP_NAMESPACE
from pointbook.errors import PointbookError
from pointbook.services.metafields.pace import Pace
from pointbook.services.recording import record_by
from pointbook.shopify.metafield_values import METAFIELDS_MAX, MetafieldsRefused, Name, NewValue
from pointbook.store.metafields import (
    CUSTOMERS_MAX,
    INTERVAL,
    Cursor,
    List,
    Metafields,
    Row,
)

if TYPE_CHECKING:
    from pointbook.shopify.admin import Cost

CALL_SECONDS = 8.0
"""The time for one call, retries included."""

END_SECONDS = 2.0
"""The part of a run's time that is left after its last call."""

REFUSED_PAUSE = timedelta(minutes=4)
"""When a customer whose metafields Shopify refuses is tried again."""

REFUSED_MAX = 5
"""With this many customers of a list refused in one run, the cause is the shop and not they."""


class Shopify(Protocol):
    """The metafields of one shop's customers: `shopify.metafields.CustomerMetafields`."""

    def set(
        self, values: Sequence[NewValue], seconds: float, on_cost: "Callable[[Cost], None]"
    ) -> None:
        """Set them, all or none."""
        ...

    def delete(
        self, names: Sequence[Name], seconds: float, on_cost: "Callable[[Cost], None]"
    ) -> None:
        """Delete them, all or none."""
        ...


class Customers(Protocol):
    """The customers of one shop in Shopify."""

    def exists(self, customer_id: str) -> bool:
        """Return whether the shop has this customer."""
        ...


@dataclass(slots=True)
class WriteResult:
    """What a run did: customers whose metafields were written, deleted or refused.

    Not `complete`: the time was up, or a shop takes no calls; the next run continues.
    """

    written: int = 0
    deleted: int = 0
    refused: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class MetafieldWriter:
    """Writes the metafields of all shops.

    `clock` is the ledger's; `wall_clock` is real time, for the lists and leases. `rank` gives the
    rank that is known of a customer of a shop.
    """

    store: Metafields
    shopify: Callable[[str], Shopify]
    customers: Callable[[str], Customers]
    programme: Callable[[str], Programme]
    rank: Callable[[str, str], str | None]
    clock: Clock
    wall_clock: Clock
    call_seconds: float = CALL_SECONDS

    def delete(self, shop: str, customer_ids: Sequence[str], seconds: float) -> None:
        """Delete the metafields of erased customers of a shop. Raises nothing.

        Those that cannot be deleted now, or while another run writes, stay on the list.
        """
        _ShopRun(self, shop, seconds).run([(List.DELETIONS, customer_ids)])

    def run(self, shops: Sequence[str], seconds: float) -> WriteResult:
        """Write what is due, the shops in parallel."""
        runs = [_ShopRun(self, shop, seconds) for shop in shops]
        with ThreadPoolExecutor(len(runs), thread_name_prefix="metafields") as pool:
            # Each in a copy of the context, which has the stage and request id for the log.
            for started in [pool.submit(copy_context().run, run.run_lists) for run in runs]:
                started.result()
        results = [run.result for run in runs]
        total = WriteResult(
            written=sum(one.written for one in results),
            deleted=sum(one.deleted for one in results),
            refused=sum(one.refused for one in results),
            complete=all(one.complete for one in results),
        )
        log.info("metafields_written", **asdict(total))
        return total


@dataclass(frozen=True, slots=True)
class _Plan:
    """The writes for one customer: names to delete, values to set; and how they are recorded.

    `begin`, if any, is recorded before anything is set, and says whether it still may be; `record`
    when all is done, `drop` if Shopify does not have the customer, `postpone` if it is tried again
    later.
    """

    customer_id: str
    names: Sequence[Name]
    values: Sequence[NewValue]
    begin: Callable[[], bool] | None
    record: Callable[[], None]
    drop: Callable[[], None]
    postpone: Callable[[datetime], None]


class _NoTime(Exception):
    """The run's time is up."""


class _TooManyRefused(Exception):
    """Shopify refuses one customer after the other."""


class _ShopRun:
    """One shop's part of a run."""

    def __init__(self, writer: MetafieldWriter, shop: str, seconds: float) -> None:
        self.result = WriteResult()
        self._writer = writer
        self._store = writer.store
        self._shop = shop
        self._clock = writer.wall_clock
        self._seconds = seconds
        ends_before = writer.call_seconds + END_SECONDS
        self._deadline = Deadline.after(seconds - ends_before, self._clock.monotonic)
        self._pace = Pace(self._clock)
        self._refused_of_list = 0
        self._stopped: set[List] = set()

    def run_lists(self) -> None:
        """Write what is due, unless another run writes. Raises nothing."""
        self.run(self._due(self._clock.now()))

    def run(self, due: Iterable[tuple[List, Sequence[str]]]) -> None:
        """Write these customers, unless another run writes. Raises nothing."""
        parts = iter(due)
        try:
            first = next(parts, None)
            if first is not None:
                self._under_lease(chain([first], parts))
        except _NoTime:
            self.result.complete = False
        except (PointbookError, _TooManyRefused) as error:
            self._held_back()
            log.warning("metafields_held_back", shop=self._shop, reason=str(error))
        except Exception:  # noqa: BLE001 - one shop must not stop the others
            self._held_back()
            log.exception("metafields_failed", shop=self._shop)

    def _held_back(self) -> None:
        self.result.complete = False
        log.metric("MetafieldsHeldBack")

    def _due(self, now: datetime) -> Iterator[tuple[List, Sequence[str]]]:
        """The customers who are due, list after list, as many at a time as one read takes."""
        for which in List:
            due = self._store.due(self._shop, which, now)
            for customer_ids in batched(due, CUSTOMERS_MAX, strict=False):
                if which in self._stopped:
                    break
                yield which, customer_ids

    def _under_lease(self, due: Iterable[tuple[List, Sequence[str]]]) -> None:
        until = self._clock.now() + timedelta(seconds=self._seconds)
        if not self._store.acquire(self._shop, until):
            self.result.complete = False
            return
        working_on, too_many = None, None
        try:
            namespace = self._writer.programme(self._shop).metafields
            for which, customer_ids in due:
                if which is not working_on:
                    working_on, self._refused_of_list = which, 0
                if which is List.DELETIONS:
                    plans = [self._deletion(one, namespace) for one in customer_ids]
                else:
                    rows = self._store.read(self._shop, customer_ids)
                    plans = [one for row in rows if (one := self._plan(row, namespace))]
                try:
                    self._carry_out(plans)
                except (
                    _TooManyRefused
                ) as error:  # the other lists have their turn, erasures above all
                    too_many = error
                    self._stopped.add(which)
            if too_many:
                raise too_many
        finally:
            self._store.release(self._shop, until)

    # --- what is to be done ---------------------------------------------------------------------

    def _plan(self, row: Row, namespace: str | None) -> _Plan | None:
        """Plan the writes for a customer; None: nothing is due."""
        now = self._clock.now()
        try:
            cursor = row.cursor()
            if cursor.due_at is None or cursor.due_at > now:
                return None  # the index shows it a moment late
            if cursor.written_at is not None and now - cursor.written_at < INTERVAL:
                return None  # the next run writes it
            account = row.account()
            if account is None or account.erased or account.merged_into or namespace is None:
                return self._removal(row.customer_id, account, cursor, namespace)
            return self._write(account, cursor, namespace)
        except PointbookError:
            raise
        except Exception:  # noqa: BLE001 - one damaged account must not stop the others
            log.exception("metafields_failed", shop=self._shop, customer_id=row.customer_id)
            log.metric("MetafieldsHeldBack")
            self._store.postpone(self._shop, row.customer_id, now + REFUSED_PAUSE)
            return None

    def _write(self, account: Account, cursor: Cursor, namespace: str) -> _Plan:
        shop, customer_id, store = self._shop, account.customer_id, self._store
        rank = self._writer.rank(shop, customer_id)
        values = metafields_of(account, self._writer.clock.now(), rank)
        optional = OPTIONAL & values.keys()
        names: list[Name] = []
        begin: Callable[[], bool] | None = None
        if cursor.namespace not in ("", namespace):
            names = _all_names(customer_id, cursor.namespace)
        else:
            gone = sorted(cursor.optional - optional)
            names = [Name(customer_id, namespace, key) for key in gone]
        if cursor.namespace != namespace or not optional <= cursor.optional:
            begin = partial(store.begin, shop, customer_id, namespace, optional)
        return _Plan(
            customer_id,
            names,
            [NewValue(customer_id, namespace, key, value) for key, value in values.items()],
            begin,
            record=partial(store.finish, shop, customer_id, account.version, optional),
            drop=partial(store.forget, shop, customer_id, account.version),
            postpone=partial(store.postpone, shop, customer_id),
        )

    def _removal(
        self, customer_id: str, account: Account | None, cursor: Cursor, namespace: str | None
    ) -> _Plan:
        """Without an account of their own, or without metafields in this shop.

        A merged customer's points are the survivor's by now, and so are their metafields.
        """
        version = max(cursor.requested, account.version if account else 0)
        forget = partial(self._store.forget, self._shop, customer_id, version)
        return _Plan(
            customer_id,
            _all_names(customer_id, cursor.namespace or namespace or APP_NAMESPACE),
            values=(),
            begin=None,
            record=forget,
            drop=forget,
            postpone=partial(self._store.postpone, self._shop, customer_id),
        )

    def _deletion(self, customer_id: str, namespace: str | None) -> _Plan:
        """For an erased customer."""
        written_to = self._store.namespace_to_delete(self._shop, customer_id)
        forget = partial(self._store.finish_deletion, self._shop, customer_id)
        return _Plan(
            customer_id,
            _all_names(customer_id, written_to or namespace or APP_NAMESPACE),
            values=(),
            begin=None,
            record=forget,
            drop=forget,
            postpone=partial(self._store.postpone_deletion, self._shop, customer_id),
        )

    # --- doing it -------------------------------------------------------------------------------

    def _carry_out(self, plans: Sequence[_Plan]) -> None:
        """Delete and set, for as many customers at once as fit into a call, and record each.

        Raises _NoTime, _TooManyRefused, ShopifyRefused, ShopifyUnavailable, LedgerUnavailable.
        """
        for part in _parts(plans):
            left = self._send(part, lambda one: one.names, self._delete)
            left = [one for one in left if one.begin is None or self._record(one.begin)]
            for plan in self._send(left, lambda one: one.values, self._set):
                self._record(plan.record)
                self.result.written += bool(plan.values)
                self.result.deleted += not plan.values

    def _send[T](
        self,
        part: Sequence[_Plan],
        of: Callable[[_Plan], Sequence[T]],
        call: Callable[[Sequence[T]], None],
    ) -> Sequence[_Plan]:
        """Make one call for these customers, and return all but those who were refused.

        As a call is taken or refused as a whole, one that was refused is made for each alone.
        """
        given = [one for plan in part for one in of(plan)]
        if not given:
            return part
        if not self._pace.wait(self._deadline):
            raise _NoTime
        try:
            call(given)
        except MetafieldsRefused as refused:
            if len(part) > 1:
                return [one for plan in part for one in self._send([plan], of, call)]
            self._refused(part[0], str(refused))
            return []
        return part

    def _set(self, values: Sequence[NewValue]) -> None:
        self._writer.shopify(self._shop).set(values, self._writer.call_seconds, self._pace.spent)

    def _delete(self, names: Sequence[Name]) -> None:
        self._writer.shopify(self._shop).delete(names, self._writer.call_seconds, self._pace.spent)

    def _refused(self, plan: _Plan, reason: str) -> None:
        """Drop a customer whom Shopify does not have; try another one again later."""
        ids = {"shop": self._shop, "customer_id": plan.customer_id}
        if not self._writer.customers(self._shop).exists(plan.customer_id):
            log.info("metafields_without_customer", **ids)
            self._record(plan.drop)
            return
        log.error("metafields_refused", reason=reason, **ids)
        log.metric("MetafieldsHeldBack")
        self._record(lambda: plan.postpone(self._clock.now() + REFUSED_PAUSE))
        self.result.refused += 1
        self._refused_of_list += 1
        if self._refused_of_list >= REFUSED_MAX:
            raise _TooManyRefused(reason)

    def _record[T](self, write: Callable[[], T]) -> T:
        return record_by(self._clock, write)


def _all_names(customer_id: str, namespace: str) -> list[Name]:
    return [Name(customer_id, namespace, key) for key in TYPES]


def _parts(plans: Iterable[_Plan]) -> Iterator[list[_Plan]]:
    """The plans in parts of which each fits into a call that deletes, and one that sets."""
    part: list[_Plan] = []
    for plan in plans:
        together = [*part, plan]
        names = sum(len(one.names) for one in together)
        values = sum(len(one.values) for one in together)
        if part and max(names, values) > METAFIELDS_MAX:
            yield part
            part = []
        part.append(plan)
    if part:
        yield part
