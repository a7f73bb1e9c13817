"""Add points to a customer's account by hand, or remove some.

    pointbook adjust 8840734670934 --points 200 --reason "Sorry" --env prod
    pointbook adjust 8840734670934 --points -200 --reason "Twice" --env prod

Before points are added to an id of which the ledger has no entries, Shopify is asked whether the
shop has such a customer; if not, or if it cannot be asked, the command asks you, unless --yes.

It prints its idempotency key first: if no answer comes, run it again with that --key.
"""

import uuid
from typing import Annotated

import typer

from cli import target
from cli.errors import CommandFailed, NotReachable, UsedWrongly
from cli.operator_api import get, post
from cli.options import Customer, Env, Json, Shop, Yes, day_of, one_line
from cli.output import Output, is_confirmed
from cli.target import Target
from pointbook.domain.commands import POINTS_MAX
from pointbook.errors import InvalidRequest
from pointbook.shopify.ids import customer_digits
from pointbook.validation import shown, whole_number


def run(
    customer: Customer,
    points: Annotated[str, typer.Option(help="A negative number removes points.")],
    reason: Annotated[str, typer.Option(help="Shown to the customer.")],
    expires_on: Annotated[
        str | None, typer.Option(help="Last valid day of added points, such as 2027-01-31.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="Key of an earlier run that got no answer; default: a new key."),
    ] = None,
    yes: Yes = False,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    customer_id, number = _read(customer, points)
    reason = one_line(reason, "--reason")
    last_day = day_of(expires_on, "--expires-on") if expires_on else None
    if last_day and number < 0:
        raise typer.BadParameter("--expires-on is only for points that are added; leave it out.")
    key = idempotency_key(key)
    stack, out = target.target_of(env), Output(as_json=json)
    shop = stack.shop(shop)
    if number > 0 and not yes:
        _confirm_unknown(stack, shop, customer_id, out)
    out.say(f"{shop}, customer {customer_id}, key {key}")
    request = {
        "shop": shop,
        "points": number,
        "reason": reason,
        "expires_on": last_day.isoformat() if last_day else None,
    }
    path = f"/v1/operator/customers/{customer_id}/adjustments"
    answer = post(stack, path, request, {"Idempotency-Key": key})
    if answer is None or answer.status >= 500:
        raise NotReachable(f"No answer. Run it again with --key {key}; it counts once.")
    if answer.status != 201:
        raise CommandFailed(f"Nothing has been changed. {answer.why}")
    out.say(f"entry {answer.body['entry_id']}{' (already booked)' if answer.repeated else ''}")
    out.table(("", "before", "after"), _figures(answer.body["figures"], number))
    out.document({"key": key, "repeated": answer.repeated, **answer.body})
    return 0


def _figures(after: dict[str, int], points: int) -> list[tuple[str, int, int]]:
    """The figures before and after; those before are computed, without another read."""
    changed = {"approved": points, "total": points, "lifetime": max(points, 0)}
    return [(name, figure - changed.get(name, 0), figure) for name, figure in after.items()]


def _confirm_unknown(stack: Target, shop: str, customer_id: str, out: Output) -> None:
    """Ask the person before points are given to an id that is nobody's, as far as is known."""
    answer = get(stack, f"/v1/operator/customers/{customer_id}/check", shop=shop)
    found = answer.body if answer and answer.status == 200 else {}
    if found.get("has_entries") or found.get("at_shopify"):
        return
    why = found.get("why") or (answer.why if answer else "no answer")
    if found.get("at_shopify") is False:
        out.say(f"{shop} has no customer {customer_id} at Shopify, and the ledger has no entries.")
    else:
        out.say(f"Whether {shop} has a customer {customer_id} is not known: {why}")
    if not is_confirmed("Add the points nevertheless?"):
        raise CommandFailed("Nothing has been changed.")


def idempotency_key(given: str | None) -> str:
    """Return the idempotency key. It is sent in a signed header, so it must be ASCII."""
    if given is None:
        return str(uuid.uuid4())
    if not given.strip() or not given.isascii() or not given.isprintable():
        raise UsedWrongly(
            f"--key is {shown(given)}, but must be printable ASCII characters on one line."
            " Copy the key that was printed."
        )
    return given


def _read(customer: str, points: str) -> tuple[str, int]:
    try:
        customer_id = customer_digits(customer, "customer")
        number = whole_number(points, "--points", -POINTS_MAX, POINTS_MAX)
    except InvalidRequest as error:
        raise UsedWrongly(str(error)) from error
    if number == 0:
        raise UsedWrongly(
            "--points is 0; give a positive number to add or a negative one to remove."
        )
    return customer_id, number
