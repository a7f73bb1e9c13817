"""Verify the ledger: recompute every account from its entries, and report what does not agree.

    pointbook verify --env prod                    every account of every shop
    pointbook verify --env prod --shop demo.myshopify.com
    pointbook verify 8840734670934 --env prod      one customer's account
    pointbook verify --env prod --heads-since 2026-01-01

Accounts are also compared with the heads of their chains, which are recorded once a day where they
cannot be overwritten: so a chain that was rewritten as a whole, cut off, or deleted is found. It
only reads, while everything else goes on. Exit status 1 if a fault is found. What each kind of
fault means and what to do: docs/operations.md, "What verify finds".
"""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from cli import recorded, target
from cli.errors import CommandFailed, UsedWrongly
from cli.options import Env, Json, Shop
from cli.output import Output, counted
from cli.recorded import Recorded
from cli.target import Target
from pointbook.aws.metered import MeteredClient
from pointbook.clock import SystemClock
from pointbook.errors import InvalidRequest
from pointbook.services.verification import Fault, Verification, VerificationResult
from pointbook.shopify.ids import customer_digits
from pointbook.store.ledger_reader import LedgerReader
from pointbook.store.privacy_requests import PrivacyRequests

UNITS_PER_SECOND = 500.0
"""Some 4 MB a second: little beside what a table on demand can read."""

Rate = Annotated[
    float,
    typer.Option("--rate", min=1, help="Capacity units per second at most.", show_default=True),
]


def run(
    customer: Annotated[
        str | None, typer.Argument(help="Only this customer's account; the id in any form.")
    ] = None,
    rate: Rate = UNITS_PER_SECOND,
    heads: Annotated[
        bool,
        typer.Option(
            "--heads/--no-heads",
            help="Compare with the recorded heads of chains and with statements, or do not.",
        ),
    ] = True,
    heads_since: Annotated[
        datetime | None,
        typer.Option(
            "--heads-since",
            formats=["%Y-%m-%d"],
            help=f"Heads and statements from this day on; default: {recorded.COMPARED_DAYS} days.",
        ),
    ] = None,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    stack, out = target.target_of(env), Output(as_json=json)
    if shop or customer:
        shop = stack.shop(shop)
    shops, found = (shop,) if shop else stack.settings.shops, Recorded()
    customer_id = digits(customer) if customer else ""
    if heads:
        found = recorded.load(stack, shops, heads_since.date() if heads_since else None)
        _say_heads(found, out)
    if shop is None or not customer_id:
        return show(*everything(stack, shop, rate, out, found), out)
    faults = list(found.faults)
    verified = _verification(stack, rate, faults, found).customer(shop, customer_id)
    if not verified.accounts and not faults:
        raise CommandFailed(f"{shop} has no account of customer {customer_id}.")
    return show(verified, faults, out)


def everything(
    stack: Target, shop: str | None, rate: float, out: Output, found: Recorded | None = None
) -> tuple[VerificationResult, list[Fault]]:
    """Verify all shops of a stack, or one; compare them with what is `found` of their records."""
    found = found or Recorded()
    faults = list(found.faults)
    total = stack.items()
    with out.progress("items read", total or None) as advance:
        verified = _verification(stack, rate, faults, found).everything(
            shop, lambda items: advance(items, max(items, total))
        )
    return verified, faults


def say(verified: VerificationResult, faults: list[Fault], out: Output) -> None:
    """Print the faults, and how much was verified in which time."""
    if faults:
        rows = [(one.shop, one.customer_id, one.kind, one.version, one.what) for one in faults]
        out.table(("shop", "customer", "kind", "version", "what is wrong"), rows)
        kinds = ", ".join(dict.fromkeys(one.kind for one in faults))
        out.say(f'What to do: docs/operations.md, "What verify finds", under {kinds}.')
    out.say(
        f"{counted(verified.accounts, 'account')}, {counted(verified.entries, 'entry', 'entries')},"
        f" {counted(len(faults), 'fault')};"
        f" {verified.seconds:,.1f} s, {verified.units:,.1f} read units."
    )


def show(verified: VerificationResult, faults: list[Fault], out: Output) -> int:
    """Print all of it; 1 if there is a fault."""
    say(verified, faults, out)
    out.document(document(verified, faults))
    return int(bool(faults))


def document(verified: VerificationResult, faults: list[Fault]) -> dict[str, object]:
    """The JSON document."""
    return {
        "accounts": verified.accounts,
        "entries": verified.entries,
        "faults": [asdict(one) for one in faults],
        "seconds": verified.seconds,
        "read_units": verified.units,
    }


def _say_heads(found: Recorded, out: Output) -> None:
    if found.days:
        days = counted(len(set(found.days)), "day")
        out.say(f"Heads of {days}, the last of {max(found.days)}.")
    else:
        out.say("No heads: a chain that was rewritten as a whole is not found without them.")


def _verification(stack: Target, rate: float, faults: list[Fault], found: Recorded) -> Verification:
    clock = SystemClock()
    client = MeteredClient(stack.client("dynamodb"), clock, rate)
    reader = LedgerReader(client, stack.settings.table_name, clock, found.records)
    requests = PrivacyRequests(stack.table())
    return Verification(reader, requests, faults.append, found.records, found.names)


def digits(customer: str) -> str:
    """The digits of a customer's id in any form. Raises CommandFailed."""
    try:
        return customer_digits(customer, "customer")
    except InvalidRequest as error:
        raise UsedWrongly(str(error)) from error
