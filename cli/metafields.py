"""Customers' metafields at Shopify: write them for all customers, see what waits.

    pointbook metafields fill --env prod
    pointbook metafields fill --env prod --written-before 2026-12-01T09:00
    pointbook metafields status --env prod

All whose metafields are not as the ledger says, with --written-before others again, too, are queued
for the function write_metafields, which runs every minute and makes as many calls as Shopify's rate
limit allows; changes of points go before them.
"""

import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli import target
from cli.errors import CommandFailed
from cli.options import Env, Json, Shop
from cli.output import Output, counted
from cli.target import Target
from cli.times import time_of, zone_of
from pointbook.clock import SystemClock
from pointbook.domain.erase import is_pseudonym
from pointbook.store.metafields import List, Metafields, ScannedAccount
from pointbook.store.programmes import Deployment, Programmes

POLL_SECONDS = 5.0
STALLED_SECONDS = 300.0
"""After so long without any customer written, something holds the function back."""

LATE = timedelta(minutes=15)
"""A customer who has been due for longer than this is late."""

_EVER = datetime(9999, 1, 1, tzinfo=UTC)


def fill(
    written_before: Annotated[
        str | None,
        typer.Option(
            help="Also those written before this time, such as 2026-12-01T09:00 (the shop's)."
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option(help="Wait until all are written; otherwise only queue them.")
    ] = True,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Write the metafields of all customers, or delete them where the shop has switched them off.

    Without a time: those that were never written, whose last change was lost, or that are in
    another namespace than the programme's. Run it again after an interruption: who was written or
    queued is left out.
    """
    stack, out = target.target_of(env), Output(as_json=json)
    shops = [stack.shop(shop)] if shop else list(stack.settings.shops)
    before = time_of("--written-before", written_before, zone_of(stack)) if written_before else None
    store = Metafields(stack.table(), SystemClock())
    queued = _queue(stack, store, shops, before, out)
    for name in shops:
        out.say(f"{name}: customers queued: {queued[name]}")
    waiting = {name: _count(store, name, List.FILL) for name in shops}
    if wait and any(waiting.values()):
        number = counted(sum(waiting.values()), "customer")
        out.say(f"Waiting until {number} are written, some each minute. Ctrl-C leaves them queued.")
        _wait(store, shops, sum(waiting.values()), out)
        out.say("All are written.")
    elif any(waiting.values()):
        out.say(f"Waiting to be written: {sum(waiting.values())}.")
    else:
        out.say("Nothing is left to write.")
    out.document({"queued": {name: queued[name] for name in shops}, "waited": wait})
    return 0


def status(shop: Shop = None, env: Env = None, json: Json = False) -> int:
    """Show how many customers wait to be written; exit with 1 if one has waited too long."""
    stack, out = target.target_of(env), Output(as_json=json)
    shops = [stack.shop(shop)] if shop else list(stack.settings.shops)
    store, now = Metafields(stack.table(), SystemClock()), datetime.now(UTC)
    document = {}
    late = False
    for name in shops:
        counts = {which.value: _count(store, name, which) for which in List}
        is_late = next(store.due(name, List.CHANGES, now - LATE), None) is not None
        document[name] = counts | {"late": is_late}
        late = late or is_late
    out.table(
        ("shop", "changes", "erased", "fill", ""),
        [
            (name, one["changes"], one["deletions"], one["fill"], "late" if one["late"] else "")
            for name, one in document.items()
        ],
    )
    if late:
        minutes = LATE // timedelta(minutes=1)
        out.say(
            f"A change has been due for more than {minutes} minutes; the log line"
            " metafields_held_back or metafields_refused of write_metafields says why."
        )
    out.document(document)
    return 1 if late else 0


def _queue(
    stack: Target, store: Metafields, shops: list[str], before: datetime | None, out: Output
) -> Counter[str]:
    namespaces = {name: _namespace(stack, name) for name in shops}
    queued: Counter[str] = Counter()
    total = stack.items()
    with out.progress("items read", total or None) as advance:
        for found in store.scan(lambda items: advance(items, max(items, total))):
            if found.shop not in namespaces or is_pseudonym(found.customer_id):
                continue
            if _is_needed(found, namespaces[found.shop], before):
                now = datetime.now(UTC)
                store.request(found.shop, found.customer_id, found.version, now, List.FILL)
                queued[found.shop] += 1
    return queued


def _is_needed(found: ScannedAccount, namespace: str | None, before: datetime | None) -> bool:
    cursor = found.cursor
    if cursor is None:
        return namespace is not None
    if cursor.due_at is not None:
        return False
    if namespace is None or cursor.namespace != namespace or cursor.written < found.version:
        return True
    return before is not None and (cursor.written_at is None or cursor.written_at < before)


def _namespace(stack: Target, shop: str) -> str | None:
    deployment = Deployment(stack.settings.default_programme())
    version = Programmes(stack.table(), SystemClock(), deployment).latest(shop)
    return (version.programme if version else deployment.programme).metafields


def _count(store: Metafields, shop: str, which: List) -> int:
    return _length(store.due(shop, which, _EVER))


def _length(items: Iterable[object]) -> int:
    return sum(1 for _ in items)


def _wait(store: Metafields, shops: list[str], total: int, out: Output) -> None:
    """Wait until the lists are empty. Raises CommandFailed if nothing moves."""
    left, moved_at = total, time.monotonic()
    with out.progress("customers written", total) as advance:
        while left:
            time.sleep(POLL_SECONDS)
            now_left = sum(_count(store, name, List.FILL) for name in shops)
            if now_left != left:
                left, moved_at = now_left, time.monotonic()
                if not out.shows_progress:
                    out.say(f"{max(0, total - left):,} of {total:,} written.")
            advance(max(0, total - left))
            if time.monotonic() - moved_at > STALLED_SECONDS:
                raise CommandFailed(
                    f"{counted(left, 'customer')} left, and none was written for"
                    f" {STALLED_SECONDS / 60:.0f} minutes. They stay queued; the log of"
                    " write_metafields says what holds it back."
                )
