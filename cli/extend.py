r"""Give a customer's points a later last day.

    pointbook extend 8840734670934 --expires-on 2026-12-31 --to 2027-03-31 \
        --reason "Winter break" --env prod

All points to spend that expire on that day last longer; points that are held do not. `pointbook
show` lists the days. The command first prints its idempotency key: if no answer comes, run it
again with that --key.
"""

from typing import Annotated

import typer

from cli import target
from cli.adjust import idempotency_key
from cli.errors import CommandFailed, NotReachable
from cli.operator_api import post
from cli.options import Customer, Env, Json, Shop, customer_of, day_of, one_line
from cli.output import Output, counted


def run(
    customer: Customer,
    expires_on: Annotated[str, typer.Option(help="The last day of the points, as it is now.")],
    to: Annotated[str, typer.Option(help="The new last day; 9999-12-31: they never expire.")],
    reason: Annotated[str, typer.Option(help="Shown to the customer.")],
    key: Annotated[
        str | None,
        typer.Option(help="Key of an earlier run that got no answer; default: a new key."),
    ] = None,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    customer_id, key = customer_of(customer), idempotency_key(key)
    old_day, new_day = day_of(expires_on, "--expires-on"), day_of(to, "--to")
    if new_day <= old_day:
        raise typer.BadParameter(f"--to is {new_day}, but must be after --expires-on, {old_day}.")
    reason = one_line(reason, "--reason")
    stack, out = target.target_of(env), Output(as_json=json)
    shop = stack.shop(shop)
    out.say(f"{shop}, customer {customer_id}, key {key}")
    days = {"expires_on": old_day.isoformat(), "new_expires_on": new_day.isoformat()}
    request = {"shop": shop, **days, "reason": reason}
    path = f"/v1/operator/customers/{customer_id}/extensions"
    answer = post(stack, path, request, {"Idempotency-Key": key})
    if answer is None or answer.status >= 500:
        raise NotReachable(f"No answer. Run it again with --key {key}; it counts once.")
    if answer.status != 201:
        raise CommandFailed(f"Nothing has been changed. {answer.why}")
    done = answer.body
    out.say(f"entry {done['entry_id']}{' (already booked)' if answer.repeated else ''}")
    last = "last" if done["points"] != 1 else "lasts"
    points = counted(done["points"], "point")
    out.say(f"{points} {last} until {done['new_expires_on']}, not {old_day}.")
    out.document({"key": key, "repeated": answer.repeated, **done})
    return 0
