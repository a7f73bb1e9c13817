"""My page's API: a customer's points from the ledger and the till, with the texts to show."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.expiry import NEVER
from pointbook.ledger.instruction import View
from pointbook.ledger.ledger import Ledger
from pointbook.page.display import display
from pointbook.page.hold import shown_hold
from pointbook.page.locale import Locale
from pointbook.services.stopwatch import Stopwatch
from pointbook.till.errors import TillError, TillTimeout
from pointbook.till.member import Member, Till

TILL_BUDGET_SECONDS = 0.7
"""The time limit for the till, so that the whole request stays under a second."""

_TILL_WORKERS = 3
"""One works for this request; the others may still be busy with requests that timed out."""

type TillStatus = Literal["ok", "not_registered", "unavailable", "timeout", "disabled"]


@dataclass(frozen=True, slots=True)
class _TillRequest:
    """A request to the till that is running."""

    future: Future[Member]
    deadline: Deadline

    def result(self) -> Member:
        """Return the member, or raise a TillError by the deadline at the latest."""
        try:
            wait_seconds = 0 if self.future.done() else self.deadline.left_seconds()
            return self.future.result(timeout=wait_seconds)
        except TimeoutError as error:
            raise TillTimeout("the till did not answer in time") from error


class MyPage:
    """Reads a customer's points. The till, if there is one, is read while the ledger is."""

    def __init__(self, ledger: Ledger, till: Till | None) -> None:
        """Without a till the balance shown is the ledger's."""
        self._ledger = ledger
        self.till = till
        self._pool = ThreadPoolExecutor(_TILL_WORKERS) if till else None

    def points(
        self, shop: str, customer_id: str, locale: Locale, timing: Stopwatch
    ) -> dict[str, Any]:
        """Return the body of `GET /customers/{customer}/points`.

        A till that fails or is slow affects its own part only. Raises LedgerUnavailable.
        """
        with self._till_request(customer_id) as request:
            with timing.measure("ledger"):
                view = self._ledger.read(shop, customer_id)
            with timing.measure("till"):
                status, member = _till_result(request)
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

    @contextmanager
    def _till_request(self, customer_id: str) -> Iterator[_TillRequest | None]:
        """Read the till, if there is one; a request that has not started ends with the block."""
        till = self.till
        if till is None or self._pool is None:
            yield None
            return
        deadline = Deadline.after(TILL_BUDGET_SECONDS)
        future = self._pool.submit(lambda: till.member(customer_id, deadline))
        try:
            yield _TillRequest(future, deadline)
        finally:
            future.cancel()


def _till_result(request: _TillRequest | None) -> tuple[TillStatus, Member | None]:
    """Return the till's status and member. Failures are counted and logged."""
    if request is None:
        return "disabled", None
    status, member = _till_answer(request)
    log.metric("TillReadsFailed", int(status in ("unavailable", "timeout")))
    return status, member


def _till_answer(request: _TillRequest) -> tuple[TillStatus, Member | None]:
    try:
        return "ok", request.result()
    except TillError as error:
        log.metric("TillFailures", Code=error.code)
        advice = "check sync" if error.shown_as == "not_registered" else "customers see no balance"
        log.warning("till_failed", code=error.code, reason=str(error), advice=advice)
        return error.shown_as, None
    except Exception:  # noqa: BLE001 -- a till must not make the whole request fail
        log.metric("TillFailures", Code="unexpected")
        log.exception("till_failed", code="unexpected", advice="customers see no balance")
        return "unavailable", None


def _display(
    view: View, status: TillStatus, member: Member | None, locale: Locale
) -> dict[str, Any]:
    """The till's values; without a till the approved points and the first day they expire on."""
    balance_points = member.balance_points if member else None
    expires_on = member.expires_on if member else None
    if status == "disabled":
        balance_points = view.figures.approved
        soonest = view.lots[0].valid_through if view.lots else NEVER
        expires_on = None if soonest == NEVER else soonest
    rank = member.rank if member else None
    return asdict(
        display(
            balance_points=balance_points,
            expires_on=expires_on,
            rank=rank,
            status=status,
            locale=locale,
        )
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
        "stale": False,
    }


def _instant(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds")
