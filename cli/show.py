"""Show a customer's account: figures, lots, hold, pending orders, and the till's last word.

    pointbook show 8840734670934 --env prod
    pointbook show 8840734670934 --at 2026-11-28T09:00 --env prod

With --at the account as it was then, computed from its entries. Times are printed in the shop's
time zone; in JSON they are in UTC.
"""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cli import target
from cli.known_customer import no_entries
from cli.operator_api import document
from cli.options import Customer, Env, Json, Shop, customer_of
from cli.output import Output, counted
from cli.times import local_time, time_of, zone_of


def run(
    customer: Customer,
    at: Annotated[
        str | None,
        typer.Option(
            help="A past time, or a day: its beginning. Without an offset it is the shop's time."
        ),
    ] = None,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    customer_id = customer_of(customer)
    stack, out = target.target_of(env), Output(as_json=json)
    zone = zone_of(stack)
    then = time_of("--at", at, zone) if at else None
    if then is not None and then > stack.clock().now():
        raise typer.BadParameter(f"--at is {at}, which is still to come.")
    path, shop = f"/v1/operator/customers/{customer_id}", stack.shop(shop)
    found = document(stack, path, shop=shop, at=then.isoformat() if then else None)
    _say(found, zone, out)
    if found["version"]:
        _say_points(found, out)
    elif then is not None:
        out.say(f"Customer {customer_id} had no entries by then.")
    else:
        out.say(no_entries(stack, shop, customer_id))
    _say_hold(found["hold"], zone, out)
    _say_till(found["till"], zone, out)
    out.document(found)
    return 0


def _say(found: dict[str, Any], zone: ZoneInfo, out: Output) -> None:
    as_of = local_time(found["as_of"], zone)
    out.say(f"{found['shop']}, customer {found['customer_id']}, as of {as_of} {zone.key}")
    if found["merged_into"]:
        out.say(f"Merged into {found['merged_into']}: these are that customer's points.")
    if found["erased"]:
        out.say("Erased on request: the points are kept under a pseudonym.")


def _say_points(found: dict[str, Any], out: Output) -> None:
    out.table(("figure", "points"), list(found["figures"].items()))
    if found["lots"]:
        out.say("")
        lots = [(one["expires_on"] or "never", one["points"]) for one in found["lots"]]
        out.table(("expires on", "points"), lots)
    if found["pending_orders"]:
        out.say("")
        pending = [
            (one["order_id"], one["points"], one["comes_on"] or "-")
            for one in found["pending_orders"]
        ]
        out.table(("pending order", "points", "approved on"), pending)


def _say_hold(hold: dict[str, Any] | None, zone: ZoneInfo, out: Output) -> None:
    if hold is None:
        return
    until = local_time(hold["expires_at"], zone) if hold["expires_at"] else ""
    state = f", {hold['state']} until {until}" if hold["state"] else ""
    out.say("", f"Hold {hold['hold_id']}: {counted(hold['points'], 'point')}{state}")


def _say_till(till: dict[str, Any] | None, zone: ZoneInfo, out: Output) -> None:
    if till is None:
        return
    if till["balance"] is None:
        out.say("", f"Till: {till['status']}")
        return
    rank = f", {till['rank']}" if till["rank"] else ""
    as_of = local_time(till["as_of"], zone)
    out.say("", f"Till: {counted(till['balance'], 'point')}{rank}, as of {as_of}")
