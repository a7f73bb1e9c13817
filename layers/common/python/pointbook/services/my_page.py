"""The points of one customer as my page gets them: ledger, till and their words, in one answer."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.chain import BookedEntry
from pointbook.domain.expiry import NEVER
from pointbook.ledger.instruction import View
from pointbook.ledger.ledger import Ledger
from pointbook.page.display import Display, display
from pointbook.page.hold import shown_hold
from pointbook.page.locale import Locale
from pointbook.till.errors import TillError, TillTimeout
from pointbook.till.member import Member, Till

TILL_BUDGET_SECONDS = 0.7
"""The till's share of a page that answers within a second, from the moment of asking."""

_TILL_WORKERS = 3
"""One asks for this page; the others are room for questions of former pages that still end."""

HISTORY_LIMIT_DEFAULT = 20
HISTORY_LIMIT_MAX = 200
VERSION_MAX = 999_999_999_999

type TillStatus = Literal["ok", "not_registered", "unavailable", "timeout", "disabled"]


class Stopwatch(Protocol):
    """Measures named steps, for the `Server-Timing` header."""

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add what the block takes to a step."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question to the till that is under way."""

    future: Future[Member]
    deadline: Deadline

    def answer(self) -> Member:
        """The member, or a TillError by the deadline at the latest."""
        try:
            wait_seconds = 0 if self.future.done() else self.deadline.left_seconds()
            return self.future.result(timeout=wait_seconds)
        except TimeoutError as error:
            raise TillTimeout("the till did not answer in time") from error


class MyPage:
    """Reads a customer's points. The till, if there is one, is asked while the ledger is read."""

    def __init__(self, ledger: Ledger, till: Till | None) -> None:
        """Without a till the balance shown is the ledger's."""
        self._ledger = ledger
        self.till = till
        self._beside = ThreadPoolExecutor(_TILL_WORKERS) if till else None

    def points(
        self, shop: str, customer_id: str, locale: Locale, timing: Stopwatch
    ) -> dict[str, Any]:
        """The body of `GET /customers/{customer}/points`.

        A till that fails or is slow spoils only its own part of it. Raises LedgerUnavailable.
        """
        with self._asking_till(customer_id) as asked:
            with timing.measure("ledger"):
                view = self._ledger.read(shop, customer_id)
            with timing.measure("till"):
                status, member = _told(asked)
        with timing.measure("display"):
            return {
                "customer_id": customer_id,
                "figures": view.figures._asdict(),
                "expiring": [
                    {"points": lot.points, "expires_on": lot.valid_through.isoformat()}
                    for lot in view.lots
                    if lot.valid_through != NEVER
                ],
                "hold": shown_hold(view.hold, view.as_of) if view.hold else None,
                "till": _till(status, member),
                "display": _display(view, status, member, locale),
            }

    def history(
        self, shop: str, customer_id: str, limit: int, cursor: int, timing: Stopwatch
    ) -> dict[str, Any]:
        """The body of `GET /customers/{customer}/points/history`: entries below version `cursor`.

        Reads one more than `limit`, to know whether there is a next page.
        """
        with timing.measure("ledger"):
            entries = self._ledger.history(
                shop, customer_id, limit=limit + 1, before_version=cursor
            )
        shown = entries[:limit]
        more = len(entries) > limit
        return {
            "entries": [_entry(booked) for booked in shown],
            "next_cursor": str(shown[-1].entry.version) if more else None,
        }

    @contextmanager
    def _asking_till(self, customer_id: str) -> Iterator[_Asked | None]:
        """Ask the till, if there is one; a question that has not begun ends with the block."""
        till = self.till
        if till is None or self._beside is None:
            yield None
            return
        deadline = Deadline.after(TILL_BUDGET_SECONDS)
        future = self._beside.submit(lambda: till.member(customer_id, deadline.left_seconds()))
        try:
            yield _Asked(future, deadline)
        finally:
            future.cancel()


def _entry(booked: BookedEntry) -> dict[str, Any]:
    entry = booked.entry
    return {
        "entry_id": entry.entry_id,
        "version": entry.version,
        "at": _instant(entry.at),
        "topic": entry.topic,
        "reason": booked.text.reason if booked.text else None,
        "approved_delta": entry.approved_delta,
        "figures": entry.figures._asdict(),
    }


def _told(asked: _Asked | None) -> tuple[TillStatus, Member | None]:
    """How asking the till went. Whatever it was is counted; a sync that is missing is logged."""
    if asked is None:
        return "disabled", None
    try:
        return "ok", asked.answer()
    except TillError as error:
        log.metric("TillFailures", Code=error.code)
        advice = "check sync" if error.shown_as == "not_registered" else "customers see no balance"
        log.warning("till_failed", code=error.code, reason=str(error), advice=advice)
        return error.shown_as, None
    except Exception:  # noqa: BLE001 -- whatever the till sends, only its own part may fail
        log.metric("TillFailures", Code="unexpected")
        log.exception("till_failed", code="unexpected", advice="customers see no balance")
        return "unavailable", None


def _display(
    view: View, status: TillStatus, member: Member | None, locale: Locale
) -> dict[str, Any]:
    words = (
        _ledger_display(view, locale)
        if status == "disabled"
        else display(
            balance_points=member.balance_points if member else None,
            expires_on=member.expires_on if member else None,
            rank=member.rank if member else None,
            status=status,
            locale=locale,
        )
    )
    return asdict(words)


def _ledger_display(view: View, locale: Locale) -> Display:
    """Without a till: what can be spent, and the day on which the first of it lapses."""
    soonest = view.lots[0].valid_through if view.lots else NEVER
    return display(
        balance_points=view.figures.approved,
        expires_on=None if soonest == NEVER else soonest,
        rank=None,
        status="disabled",
        locale=locale,
    )


def _till(status: TillStatus, member: Member | None) -> dict[str, Any]:
    if member is None:
        empty = ("member_number", "balance", "expires_on", "rank", "as_of")
        return {"status": status, **dict.fromkeys(empty), "stale": False}
    return {
        "status": status,
        "member_number": member.member_number,
        "balance": member.balance_points,
        "expires_on": member.expires_on.isoformat() if member.expires_on else None,
        "rank": member.rank,
        "as_of": _instant(member.as_of),
        "stale": member.stale,
    }


def _instant(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds")
