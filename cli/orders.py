"""Compare orders with Shopify's, and feed those whose webhooks were lost to their queue.

    pointbook orders --since 2026-11-28 --env prod --dry-run    only say it
    pointbook orders --since 2026-11-28 --env prod              feed it

By the time of an order's last update, within the last 60 days. The function reconcile_orders does
the same daily; this is for a period of your own, such as an outage that you know of. Orders are
booked by the function order_events, as their webhooks would have been; running it again feeds
nothing twice. After earning was paused, it takes up the orders and sign-ups that came meanwhile.
"""

from collections import Counter
from datetime import timedelta
from typing import Annotated, Any

import typer

from cli import target
from cli.errors import CommandFailed
from cli.functions import Functions
from cli.options import Env, Json, Shop
from cli.output import Output, counted
from cli.target import Target
from cli.times import time_of, zone_of
from pointbook.services.reconciliation_runs import REACH

FUNCTION = "ReconcileOrdersFunction"
PAGE_ORDERS = 25
"""So that a page of lost orders, each asked for by itself, is done within a minute."""

_DAY = timedelta(days=1)

type Page = dict[str, Any]


class Comparison:
    """A period that is compared page by page. `pages` are the answers so far."""

    def __init__(self, stack: Target, event: dict[str, Any]) -> None:
        """Ask the stack's function."""
        self._functions = Functions(stack)
        self._functions.require(FUNCTION)
        self._event = event
        self.pages: list[Page] = []

    def run(self, out: Output) -> None:
        """Compare all of it. Raises CommandFailed."""
        with out.progress("orders compared") as advance:
            cursor: str | None = None
            while True:
                page = self._functions.page(FUNCTION, {**self._event, "cursor": cursor})
                self.pages.append(page)
                advance(self.count("compared"))
                if page["cursor"] is None and not page["cut"]:
                    return
                cursor = page["cursor"]

    def count(self, name: str) -> int:
        """A number of all pages."""
        return sum(page[name] for page in self.pages)

    @property
    def sign_ups(self) -> int:
        """The sign-ups that had waited while earning was paused."""
        return sum(page.get("sign_ups", 0) for page in self.pages)

    def all(self, name: str) -> list[Page]:
        """The orders, or the merges, of all pages; each order as it was found last."""
        found = [one for page in self.pages for one in page[name]]
        return list({one["order_id"]: one for one in found}.values())

    @property
    def position(self) -> str:
        """The last update that was compared; "" before the first page."""
        return next((page["position"] for page in reversed(self.pages) if page["position"]), "")


def run(
    since: Annotated[
        str | None,
        typer.Option(
            help="The first day, or a time such as 2026-11-28T09:00:00+09:00;"
            " default: a day before --until."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="The end, exclusive, in the same form; default: now.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be fed, and feed nothing.")
    ] = False,
    merges: Annotated[
        bool,
        typer.Option("--merges", help="Also carry out suspected merges; they cannot be undone."),
    ] = False,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed."""
    stack, out = target.target_of(env), Output(as_json=json)
    zone = zone_of(stack)
    end = time_of("--until", until, zone) if until else stack.clock().now()
    begin = time_of("--since", since, zone) if since else end - _DAY
    if begin >= end:
        raise typer.BadParameter(f"--since is {since}, but must be before --until, {until}.")
    if begin < stack.clock().now() - REACH:
        raise typer.BadParameter(
            f"--since is {since}, but Shopify shows orders of the last {REACH.days} days only."
        )
    about = {"shop": stack.shop(shop), "since": begin.isoformat(), "until": end.isoformat()}
    mode = {"dry_run": dry_run, "merges": merges, "limit": PAGE_ORDERS}
    comparison = Comparison(stack, about | mode)
    try:
        comparison.run(out)
    except (KeyboardInterrupt, CommandFailed):
        if comparison.position:
            out.say(f"Compared up to {comparison.position}; continue with --since and this time.")
        raise
    return _report(comparison, about, out, dry_run=dry_run)


def _report(comparison: Comparison, about: dict[str, str], out: Output, *, dry_run: bool) -> int:
    orders, merges = comparison.all("orders"), comparison.all("merges")
    failed = [one for one in orders if one["code"]]
    reasons = Counter(one["why"] for one in orders)
    fed = sum(one["fed"] for one in orders)
    if orders:
        columns = ("order", "why", "updated", "known state of", "result")
        out.table(columns, [_row(one, dry_run=dry_run) for one in orders])
    for one in merges:
        result = "fed" if one["fed"] else "not fed; if they were merged, pass --merges"
        out.say(
            f"Order {one['order_id']}: customer {one['gone']} is gone at Shopify, and the order is"
            f" {one['kept']}'s: {result}."
        )
    found = ", ".join(f"{count} {why}" for why, count in sorted(reasons.items())) or "none to feed"
    out.say(f"{about['shop']}: {counted(comparison.count('compared'), 'order')} compared: {found}.")
    if comparison.sign_ups:
        sign_ups = counted(comparison.sign_ups, "sign-up")
        out.say(f"Fed {sign_ups} that had waited while earning was paused.")
    out.say(f"Would feed {len(orders)}." if dry_run else f"Fed {fed}, failed {len(failed)}.")
    out.document(
        {
            **about,
            "dry_run": dry_run,
            "compared": comparison.count("compared"),
            "found": dict(reasons),
            "fed": fed,
            "failed": len(failed) + comparison.count("failed"),
            "orders": orders,
            "merges": merges,
            "sign_ups": comparison.sign_ups,
        }
    )
    is_settled = not failed and not comparison.count("failed") and all(m["fed"] for m in merges)
    return 0 if is_settled and not (dry_run and orders) else 1


def _row(one: Page, *, dry_run: bool) -> tuple[str, ...]:
    result = one["code"] or ("fed" if one["fed"] else "would be fed" if dry_run else "gone")
    if one["till_points_unread"]:
        result += " without the points of the till"
    stored = one["known_at"] or ("-" if one["why"] == "unknown" else "refunds alone")
    return one["order_id"], one["why"], one["updated_at"], stored, result
