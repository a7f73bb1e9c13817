"""An account and its history as operators and the shop's staff read them. Nothing is written.

A past state is the present one with every later entry taken back. Points of a merged customer are
on the survivor's account, and were on their own until the merge.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from pointbook.domain.account import Account
from pointbook.domain.buckets import Balances, Bucket
from pointbook.domain.chain import BookedEntry
from pointbook.domain.decision import settle_part
from pointbook.domain.entry import Entry, Topic
from pointbook.domain.expiry import NEVER, day_of
from pointbook.domain.lots import Lot, Lots, added, negated, total
from pointbook.domain.order_sums import OF_ORDERS
from pointbook.domain.orders import Order
from pointbook.domain.ports import Clock
from pointbook.errors import InvalidRequest
from pointbook.ledger.ledger import Ledger
from pointbook.page.hold import shown_hold

PAGE_ENTRIES = 200

type Member = Callable[[str, str], dict[str, Any] | None]
"""What the till last said of a customer of a shop; None without a till."""


@dataclass(frozen=True, slots=True)
class _Past:
    """An account as of one instant. `hold_id` is that of the hold that was open."""

    account: Account
    version: int
    balances: Balances
    lots: Lots
    hold_id: str
    held_points: int


class AccountReads:
    """Reads accounts of all shops. Every method raises LedgerUnavailable."""

    def __init__(self, ledger: Ledger, clock: Clock, member: Member = lambda *_: None) -> None:
        """Read from `ledger`; `member` looks up what the till last said."""
        self._ledger = ledger
        self._clock = clock
        self._member = member

    def account(self, shop: str, customer_id: str, at: datetime | None = None) -> dict[str, Any]:
        """Return the body of `GET /operator/customers/{customer}`; `at`: as of that instant.

        Figures, lots and hold are those of the account that the customer's points are on. Without
        an account all is 0, and so is the version. Raises InvalidRequest for an instant to come.
        """
        now = self._clock.now()
        if at is not None and at > now:
            raise InvalidRequest("at", f"at is {_instant(at)}, which is still to come.")
        own = self._ledger.account(shop, customer_id) or Account(customer_id)
        holder = self._holder(shop, own, at)
        body = self._present(shop, holder, now) if at is None else self._past(shop, holder, at)
        moved = holder.customer_id if holder.customer_id != customer_id else None
        return {
            "customer_id": customer_id,
            "shop": shop,
            **body,
            "merged_into": moved,
            "erased": own.erased or holder.erased,
            "till": self._member(shop, customer_id) if at is None else None,
        }

    def history(
        self, shop: str, customer_id: str, limit: int, cursor: int, *, own: bool = False
    ) -> dict[str, Any]:
        """Return the body of `GET /operator/customers/{customer}/history`: entries, newest first.

        They are below version `cursor`. What has fallen due and is not written yet is among them,
        without a hash. `own`: of a merged customer those until the merge, not the survivor's.
        """
        if own:
            account = self._account(shop, customer_id)
            written, before = account.version, min(cursor, account.version + 1)
            found = list(islice(self.entries(shop, customer_id, before), limit + 1))
        else:
            written = self._ledger.read(shop, customer_id).version
            _, found = self._ledger.history_page(
                shop, customer_id, limit=limit + 1, before_version=cursor
            )
        shown = found[:limit]
        about = {one.entry.about for one in shown if one.entry.topic in OF_ORDERS}
        orders = self._ledger.orders(shop, about - {""})
        return {
            "entries": [
                _entry(one, orders, is_written=one.entry.version <= written) for one in shown
            ],
            "next_cursor": str(shown[-1].entry.version) if len(found) > limit else None,
        }

    def entries(self, shop: str, customer_id: str, before_version: int) -> Iterator[BookedEntry]:
        """The entries of one account below a version, newest first; no merge is followed."""
        while before_version > 1:
            page = self._ledger.own_entries(
                shop, customer_id, before_version=before_version, limit=PAGE_ENTRIES
            )
            yield from page
            before_version = page[-1].entry.version if page else 0

    def accounts_of(self, shop: str, customer_id: str) -> list[Account]:
        """The account that a customer's points are on, and those of all merged into it."""
        return list(self._family(shop, self._account(shop, customer_id)))

    # --- one instant ------------------------------------------------------------------------------

    def _present(self, shop: str, holder: Account, now: datetime) -> dict[str, Any]:
        decision = settle_part(holder, now, None)
        account = decision.account
        pending = self._pending(shop, holder, holder.version, account.figures.pending)
        orders = self._ledger.orders(shop, pending.keys())
        return {
            "figures": account.figures._asdict(),
            "lots": _lots(account.lots),
            "hold": shown_hold(account.hold, account.as_of) if account.hold else None,
            "pending_orders": [
                _pending_order(order_id, points, orders.get(order_id), account.time_zone)
                for order_id, points in sorted(pending.items())
            ],
            "version": holder.version,
            "as_of": _instant(account.as_of),
        }

    def _past(self, shop: str, holder: Account, at: datetime) -> dict[str, Any]:
        past = self._rolled_back(shop, holder, at)
        figures = past.balances.figures()
        pending = self._pending(shop, holder, past.version, figures.pending)
        return {
            "figures": figures._asdict(),
            "lots": _lots(past.lots),
            "hold": _past_hold(past) if past.held_points else None,
            "pending_orders": [
                _pending_order(order_id, points, None, holder.time_zone)
                for order_id, points in sorted(pending.items())
            ],
            "version": past.version,
            "as_of": _instant(at),
        }

    def _rolled_back(self, shop: str, holder: Account, at: datetime) -> _Past:
        """The account without the entries that took effect after `at`."""
        due = settle_part(holder, self._clock.now(), None)
        account = due.account
        balances, lots = account.balances, account.lots
        held = account.hold.lots if account.hold else ()
        version, hold_id = 0, ""
        for entry in self._all_entries(shop, holder, due.entries):
            if entry.at > at:
                balances = balances.moved(tuple((name, -change) for name, change in entry.moves))
                lots = added(lots, negated(entry.lots))
                held = added(held, negated(entry.held_lots))
                continue
            version = version or min(entry.version, holder.version)
            if not held:
                break
            if entry.topic is Topic.SUB_HOLD and total(entry.held_lots) > 0:
                hold_id = entry.about
                break
        return _Past(holder, version, balances, lots, hold_id, total(held))

    def _all_entries(self, shop: str, holder: Account, due: tuple[Entry, ...]) -> Iterator[Entry]:
        """What has fallen due, then what is written, newest first."""
        yield from reversed(due)
        for booked in self.entries(shop, holder.customer_id, holder.version + 1):
            yield booked.entry

    def _pending(self, shop: str, holder: Account, version: int, points: int) -> Counter[str]:
        """The pending points of each order after an entry; in total they are `points`.

        No order's pending points are ever below zero: once those found add up to all there are, no
        older entry matters.
        """
        found: Counter[str] = Counter()
        entries = self.entries(shop, holder.customer_id, version + 1)
        while sum(found.values()) != points:
            booked = next(entries, None)
            if booked is None:
                break
            entry = booked.entry
            change = dict(entry.moves).get(Bucket.PENDING, 0)
            if change and entry.topic is Topic.ADD_MERGE:
                source = self._merged_account(shop, holder, entry.about)
                if source is not None:  # its last entry is that of the merge
                    found.update(self._pending(shop, source, source.version - 1, change))
            elif change:
                found[entry.about] += change
        return +found

    # --- merges -----------------------------------------------------------------------------------

    def _holder(self, shop: str, own: Account, at: datetime | None) -> Account:
        """The account that a customer's points are on, or were on at that instant."""
        account = own
        while account.merged_into is not None and (at is None or account.as_of <= at):
            account = self._survivor(shop, account, at)
        return account

    def _survivor(self, shop: str, account: Account, at: datetime | None) -> Account:
        """What a tombstone points to; at an instant, what it pointed to then.

        Later merges redirect tombstones. The entry of the merge itself names the account that the
        points went to; a merge that moved no points has none.
        """
        assert account.merged_into is not None, "it is a tombstone"
        target = self._account(shop, account.merged_into)
        if at is None:
            return target
        last = next(self.entries(shop, account.customer_id, account.version + 1), None)
        if last is None or last.entry.topic is not Topic.SUB_MERGE:
            return target
        if target.account_id == last.entry.about:
            return target
        return self._merged_account(shop, target, last.entry.about) or target

    def _merged_account(self, shop: str, account: Account, account_id: str) -> Account | None:
        """The account of this random id among all that belong to one customer by now."""
        family = self._family(shop, account)
        return next((one for one in family if one.account_id == account_id), None)

    def _family(self, shop: str, account: Account) -> Iterator[Account]:
        """The account of a customer by now, then those merged into it, directly or not."""
        left = [self._holder(shop, account, None)]
        while left:
            one = left.pop(0)
            yield one
            left += [self._account(shop, name) for name in reversed(one.merged_from)]

    def _account(self, shop: str, customer_id: str) -> Account:
        return self._ledger.account(shop, customer_id) or Account(customer_id)


def _entry(booked: BookedEntry, orders: dict[str, Order], *, is_written: bool) -> dict[str, Any]:
    entry, cause = booked.entry, booked.cause
    order = orders.get(entry.about)
    return {
        "entry_id": entry.entry_id,
        "version": entry.version,
        "at": _instant(entry.at),
        "recorded_at": _instant(entry.recorded_at) if is_written else None,
        "topic": entry.topic,
        "moves": {str(bucket): change for bucket, change in entry.moves},
        "lots": _lots(entry.lots),
        "held_lots": _lots(entry.held_lots),
        "approved_delta": entry.approved_delta,
        "figures": entry.figures._asdict(),
        "source": cause.source,
        "actor": cause.actor,
        "cause": cause.cause_entry_id or None,
        "about": entry.about or None,
        "order_name": (order.name or None) if order else None,
        "programme_version": order.rule.programme_version if order and order.rule else None,
        "reason": booked.text.reason if booked.text else None,
        "hash": booked.entry_hash if is_written else None,
    }


def _lots(lots: Lots) -> list[dict[str, Any]]:
    return [{"points": lot.points, "expires_on": _day(lot)} for lot in lots]


def _day(lot: Lot) -> str | None:
    """The last day of a lot; None: it never expires."""
    return None if lot.valid_through == NEVER else lot.valid_through.isoformat()


def _past_hold(past: _Past) -> dict[str, Any]:
    """A hold as entries know it: its state and its end are not in them."""
    unknown = dict.fromkeys(("state", "discount_code", "expires_at", "expires_in_seconds"))
    return {"hold_id": past.hold_id, "points": past.held_points, **unknown}


def _pending_order(
    order_id: str, points: int, order: Order | None, time_zone: str
) -> dict[str, Any]:
    """`comes_on` is the day on which the points are approved, None if that is not known."""
    at = order.approves_at if order else None
    comes_on = day_of(at, time_zone).isoformat() if at else None
    name = (order.name or None) if order else None
    return {"order_id": order_id, "order_name": name, "points": points, "comes_on": comes_on}


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds")
