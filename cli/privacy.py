"""List privacy requests, and confirm the erasure of a shop.

    pointbook privacy [--env prod] [--shop ...]            open ones first
    pointbook privacy --shop ... --confirm-shop-erasure    erase a held shop

Exit status 1 if a request is overdue.
"""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli import target
from cli.errors import CommandFailed
from cli.options import Env, Json, Shop, Yes
from cli.output import Output, is_confirmed
from cli.times import zone_of
from pointbook.domain.privacy import Kind, PrivacyRequest, State
from pointbook.store.privacy_requests import PrivacyRequests


def run(
    confirm_shop_erasure: Annotated[
        bool,
        typer.Option(
            "--confirm-shop-erasure",
            help="Erase the shop although it seems to be in use; this cannot be undone.",
        ),
    ] = False,
    yes: Yes = False,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed."""
    stack, out = target.target_of(env), Output(as_json=json)
    shop = stack.shop(shop)
    requests = PrivacyRequests(stack.table())
    if not confirm_shop_erasure:
        return show(list(requests.all_of(shop)), stack.clock().now(), zone_of(stack), out)
    held_request(requests, shop)
    out.say(f"All points, history and settings of {shop} will be deleted. This cannot be undone.")
    if not yes and not is_confirmed(f"Erase {shop}?"):
        out.say("Nothing has been changed.")
        return 1
    confirm(requests, shop)
    out.say(f"The next run of privacy_watch, within five minutes, will erase {shop}.")
    out.document({"shop": shop, "confirmed": True})
    return 0


def confirm(requests: PrivacyRequests, shop: str) -> None:
    """Release the held erasure of a shop. Raises CommandFailed if none is held."""
    request = held_request(requests, shop)
    if requests.save(request.reopened(confirmed=True)) is None:
        raise CommandFailed("The request has changed in the meantime. List it, then confirm again.")


def held_request(requests: PrivacyRequests, shop: str) -> PrivacyRequest:
    """The request to erase a shop that waits for a confirmation. Raises CommandFailed."""
    request = requests.find(Kind.SHOP, shop, shop)
    if request is None or request.state is not State.HELD:
        raise CommandFailed(f"There is no held request to erase {shop}.")
    return request


def show(requests: list[PrivacyRequest], now: datetime, zone: ZoneInfo, out: Output) -> int:
    """Print one line per request, with times of `zone`; return 1 if one is overdue."""
    requests.sort(key=lambda one: (one.state is State.DONE, one.received_at))
    rows = []
    for one in requests:
        times = [_minute(at, zone) for at in (one.received_at, one.due_at, one.finished_at)]
        counts = ", ".join(f"{name} {number}" for name, number in sorted(one.counts.items()))
        about = f"{one.kind} {one.subject}: {counts or 'not started'}"
        about += f" ({one.reason})" if one.reason else ""
        rows.append((_state(one, now), *times, about))
    if rows:
        out.table(("state", "received", "due", "finished", "request"), rows)
        out.say(f"Times of {zone.key}.")
    else:
        out.say("No privacy requests.")
    out.document({"requests": [_described(one, now) for one in requests]})
    return int(any(_state(one, now) == "OVERDUE" for one in requests))


def _described(request: PrivacyRequest, now: datetime) -> dict[str, object]:
    return {
        "kind": request.kind,
        "subject": request.subject,
        "state": _state(request, now).lower(),
        "received_at": request.received_at.isoformat(),
        "due_at": request.due_at.isoformat(),
        "finished_at": request.finished_at.isoformat() if request.finished_at else None,
        "counts": dict(request.counts),
        "reason": request.reason,
    }


def _state(request: PrivacyRequest, now: datetime) -> str:
    overdue = request.state is not State.DONE and now > request.due_at
    return "OVERDUE" if overdue else str(request.state)


def _minute(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else "-"
