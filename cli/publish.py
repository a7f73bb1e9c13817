"""Publish unpublished changes to Shopify Flow, or publish changes again.

    pointbook publish --env prod                          all unpublished
    pointbook publish --env prod --customer 8840734670934
    pointbook publish --env prod --customer 8840734670934 --from 12

Accounts with unpublished entries are queued for the function publish_changes, which runs every
minute. Only --from sends triggers again: all of that version and later ones.
"""

from collections import Counter
from typing import Annotated, NamedTuple

import typer

from cli import target
from cli.errors import CommandFailed, UsedWrongly
from cli.options import Env, Json, Shop, Yes
from cli.output import Output, counted, is_confirmed
from cli.target import Target
from pointbook.clock import SystemClock
from pointbook.domain.erase import is_pseudonym
from pointbook.errors import InvalidRequest
from pointbook.shopify.ids import customer_digits
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.outbox import Outbox

_WITHIN_A_MINUTE = "publish_changes sends them within a minute."


class Account(NamedTuple):
    """The key of an account."""

    shop: str
    customer_id: str


def run(
    customer: Annotated[
        str | None, typer.Option(help="Only this customer's account; the id in any form.")
    ] = None,
    first: Annotated[
        int | None, typer.Option("--from", help="Send triggers again from this version on.")
    ] = None,
    yes: Yes = False,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    if first is not None and customer is None:
        raise typer.BadParameter("--from needs --customer.")
    stack, out = target.target_of(env), Output(as_json=json)
    outbox = Outbox(stack.table())
    if customer is None:
        return _all(stack, outbox, shop, out)
    return _one(stack, outbox, Account(stack.shop(shop), _digits(customer)), first, yes, out)


def _all(stack: Target, outbox: Outbox, only: str | None, out: Output) -> int:
    shops = [stack.shop(only)] if only else stack.settings.shops
    queued: Counter[str] = Counter()
    with out.progress("items read") as advance:
        for found in outbox.unpublished(advance):
            if found.shop in shops and not is_pseudonym(found.customer_id):
                now = SystemClock().now()
                outbox.request(found.shop, found.customer_id, found.version, now)
                queued[found.shop] += 1
    for shop in shops:
        out.say(f"{shop}: accounts with unpublished entries: {queued[shop]}")
    out.say(f"Queued; {_WITHIN_A_MINUTE}" if queued else "Nothing to publish.")
    out.document({"queued": {shop: queued[shop] for shop in shops}})
    return 0


def _one(
    stack: Target, outbox: Outbox, named: Account, first: int | None, yes: bool, out: Output
) -> int:
    account = DynamoStore(stack.table()).account(*named)
    if account is None or account.erased:
        raise CommandFailed(f"{named.shop} has no account of customer {named.customer_id}.")
    version, published = account.version, outbox.published(*named)
    out.say(
        f"{named.shop}, customer {named.customer_id}:"
        f" {counted(version, 'entry', 'entries')}, published up to {published}."
    )
    document = {"customer_id": named.customer_id, "entries": version, "published": published}
    if first is not None:
        if not _is_repeated(outbox, named, (first, published, version), yes, out):
            return 1
    elif published >= version:
        out.say("Nothing to publish.")
        out.document({**document, "queued": False})
        return 0
    else:
        outbox.request(*named, version, SystemClock().now())
    out.say(f"Queued; {_WITHIN_A_MINUTE}")
    out.document({**document, "queued": True})
    return 0


def _is_repeated(
    outbox: Outbox, named: Account, versions: tuple[int, int, int], yes: bool, out: Output
) -> bool:
    first, published, version = versions
    if not 1 <= first <= version:
        raise CommandFailed(f"--from is {first}, but must be a version from 1 to {version}.")
    if first > published:
        raise CommandFailed(f"Version {first} has not been published yet; omit --from.")
    out.say(f"Shopify Flow will receive the triggers of versions {first} to {published} again.")
    out.say("Workflows will run again, unless they check the Entry Id.")
    if not yes and not is_confirmed("Send them again?"):
        out.say("Nothing has been changed.")
        return False
    if not outbox.rewind(*named, first - 1, version, SystemClock().now()):
        raise CommandFailed(
            "This account is being published right now; try again in half a minute."
        )
    return True


def _digits(customer: str) -> str:
    try:
        return customer_digits(customer, "--customer")
    except InvalidRequest as error:
        raise UsedWrongly(str(error)) from error
