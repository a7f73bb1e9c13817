"""My page's API: a customer's points from the ledger and the till, with the texts to show."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pointbook import log
from pointbook.domain.expiry import NEVER
from pointbook.ledger.read_only import ReadOnlyLedger, View
from pointbook.page.display import display
from pointbook.page.hold import shown_hold
from pointbook.services.stopwatch import Stopwatch
from pointbook.services.till_part import DISABLED, TillPart
from pointbook.services.view_request import ViewRequest

if TYPE_CHECKING:
    from pointbook.services.till_views import TillViews
    from pointbook.store.till_members import CachedMember


class MyPage:
    """Reads a customer's points; what the till says is looked up while the ledger is read."""

    def __init__(self, ledger: ReadOnlyLedger, till: "TillViews | None") -> None:
        """Without a till the balance shown is the ledger's."""
        self._ledger = ledger
        self._till = till

    def points(
        self, shop: str, customer_id: str, request: ViewRequest, timing: Stopwatch
    ) -> dict[str, Any]:
        """Return the body of `GET /customers/{customer}/points`.

        A till that fails or is slow affects its own part only. Raises LedgerUnavailable.
        """
        began = time.monotonic()
        with self._looking_up(shop, customer_id, only_known=request.only_known) as till_part:
            with timing.measure("ledger"):
                view = self._ledger.read(shop, customer_id)
            with timing.measure("till"):
                till = till_part()
        with timing.measure("display"):
            body = {
                "customer_id": customer_id,
                "figures": view.figures._asdict(),
                "expiring": [
                    {"points": lot.points, "expires_on": lot.valid_through.isoformat()}
                    for lot in view.lots
                    if lot.valid_through != NEVER
                ],
                "hold": shown_hold(view.hold, view.as_of) if view.hold else None,
                "till": _till(till),
                "display": _display(view, till, request),
            }
        log.metric("ViewMilliseconds", (time.monotonic() - began) * 1000, "Milliseconds")
        return body

    def _looking_up(
        self, shop: str, customer_id: str, *, only_known: bool
    ) -> AbstractContextManager[Callable[[], TillPart]]:
        if self._till is None:
            return nullcontext(lambda: DISABLED)
        return self._till.looking_up(shop, customer_id, only_known=only_known)


def _display(view: View, till: TillPart, request: ViewRequest) -> dict[str, Any]:
    """The till's values; without a till the approved points and the first day they expire on."""
    cached = _member(till)
    balance_points = cached.balance_points if cached else None
    expires_on = cached.expires_on if cached else None
    if till.status == "disabled":
        balance_points = view.figures.approved
        soonest = view.lots[0].valid_through if view.lots else NEVER
        expires_on = None if soonest == NEVER else soonest
    return asdict(
        display(
            balance_points=balance_points,
            expires_on=expires_on,
            rank=cached.rank if cached else None,
            status=till.status,
            locale=request.locale,
            rank_labels=request.rank_labels,
            cached_since=cached.as_of.astimezone(request.time_zone)
            if cached and till.stale
            else None,
        )
    )


def _till(till: TillPart) -> dict[str, Any]:
    cached, member = till.cached, _member(till)
    return {
        "status": till.status,
        "member_number": member.member_number if member else None,
        "balance": member.balance_points if member else None,
        "expires_on": member.expires_on.isoformat() if member and member.expires_on else None,
        "rank": member.rank if member else None,
        "as_of": _instant(cached.as_of) if cached else None,
        "stale": till.stale,
    }


def _member(till: TillPart) -> "CachedMember | None":
    """The cached member, if the till knows one."""
    return till.cached if till.cached and till.cached.is_member else None


def _instant(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds")
