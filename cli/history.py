"""Show a customer's entries, newest first: what, from which lots, who, and why.

    pointbook history 8840734670934 --env prod
    pointbook history 8840734670934 --limit 1000 --json --env prod

What has fallen due and is not written yet is among them, without a hash. Times are printed in the
shop's time zone; in JSON they are in UTC.
"""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cli import target
from cli.known_customer import no_entries
from cli.operator_api import document
from cli.options import Customer, Env, Json, Shop, customer_of
from cli.output import Output, counted
from cli.target import Target
from cli.times import local_time, zone_of

PAGE_ENTRIES = 200
_COLUMNS = ("no.", "at", "topic", "change", "approved", "lots", "who", "about", "reason")

type Entry = dict[str, Any]


def run(
    customer: Customer,
    limit: Annotated[int, typer.Option(min=1, help="How many entries at most.")] = 20,
    own: Annotated[
        bool,
        typer.Option("--own", help="Of a merged customer: the entries until the merge."),
    ] = False,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    customer_id = customer_of(customer)
    stack, out = target.target_of(env), Output(as_json=json)
    shop = stack.shop(shop)
    entries, cursor = read(stack, shop, customer_id, out, limit=limit, own=own)
    zone, number = zone_of(stack), counted(len(entries), "entry", "entries")
    out.say(f"{shop}, customer {customer_id}: {number}; times of {zone.key}")
    if entries:
        out.table(_COLUMNS, [_row(one, zone) for one in entries])
    else:
        out.say(no_entries(stack, shop, customer_id))
    if cursor:
        out.say(f"There are older ones; pass --limit with more than {limit:,}.")
    out.document(
        {"customer_id": customer_id, "shop": shop, "entries": entries, "more": bool(cursor)}
    )
    return 0


def read(
    stack: Target, shop: str, customer_id: str, out: Output, *, limit: int, own: bool = False
) -> tuple[list[Entry], str | None]:
    """Return the newest `limit` entries, and the cursor of those before, page by page."""
    entries: list[Entry] = []
    cursor: str | None = None
    path = f"/v1/operator/customers/{customer_id}/history"
    with out.progress("entries") as advance:
        while True:
            size = min(PAGE_ENTRIES, limit - len(entries))
            query = {"shop": shop, "limit": size, "cursor": cursor, "own": int(own) or None}
            page = document(stack, path, **query)
            entries += page["entries"]
            advance(len(entries))
            cursor = page["next_cursor"]
            if cursor is None or len(entries) >= limit:
                return entries, cursor


def _row(one: Entry, zone: ZoneInfo) -> tuple[object, ...]:
    lots = ", ".join(f"{lot['points']:+,} {lot['expires_on'] or 'never'}" for lot in one["lots"])
    who = f"{one['source']} {one['actor']}".strip()
    return (
        one["version"],
        local_time(one["at"], zone),
        one["topic"].removeprefix("points/"),
        f"{one['approved_delta']:+,}",
        one["figures"]["approved"],
        lots,
        who,
        one["about"] or "",
        one["reason"] or "",
    )
