"""My page's API: a customer's points from the ledger and the till, with the texts to show."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
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
                "till": till.as_json(),
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
    cached = till.member
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
