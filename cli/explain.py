"""Explain how points come about: those of an order, or a customer's balance.

    pointbook explain 8209829119461545 --env prod             an order
    pointbook explain --customer 8840734670934 --env prod     a balance

A balance is explained as the sum of its entries. The exit status is 1 if something does not add up;
then run `pointbook verify`.
"""

from collections import defaultdict
from typing import Annotated, Any

import typer

from cli import target
from cli.history import Entry, read
from cli.known_customer import no_entries
from cli.operator_api import document
from cli.options import Env, Json, Shop, customer_of, order_of
from cli.output import Output, counted
from cli.target import Target
from cli.times import local_time, zone_of

_ALL = 10**9
_SHOWN = ("approved", "pending", "hold", "spent", "expired", "reversed", "removed", "cancelled")


def run(
    order: Annotated[str | None, typer.Argument(help="The order's id at Shopify.")] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", help="Explain this customer's balance.")
    ] = None,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    if (order is None) == (customer is None):
        raise typer.BadParameter("Name an order, or a customer with --customer.")
    stack, out = target.target_of(env), Output(as_json=json)
    shop = stack.shop(shop)
    if customer is not None:
        return _explain_balance(stack, shop, customer_of(customer, "--customer"), out)
    return _explain_order(stack, shop, order_of(order or ""), out)


def _explain_order(stack: Target, shop: str, order_id: str, out: Output) -> int:
    found = document(stack, f"/v1/operator/orders/{order_id}", shop=shop)
    name = f" ({found['name']})" if found["name"] else ""
    zone, customer = zone_of(stack), found["customer_id"] or "none"
    out.say(f"{shop}, order {order_id}{name}, customer {customer}; times of {zone.key}", "")
    out.say(*(f"- {sentence}" for sentence in found["why"]))
    if found["entries"]:
        out.say("")
        rows = [
            (one["entry_id"], local_time(one["at"], zone), one["topic"], one["points"])
            for one in found["entries"]
        ]
        out.table(("entry", "at", "topic", "points"), rows)
    out.document(found)
    return 0


def _explain_balance(stack: Target, shop: str, customer_id: str, out: Output) -> int:
    entries, _ = read(stack, shop, customer_id, out, limit=_ALL)
    sums = _sums(entries)
    total = {
        bucket: sum(one["changes"].get(bucket, 0) for one in sums) for bucket in ("issued", *_SHOWN)
    }
    figures = entries[0]["figures"] if entries else {}
    adds_up = all(total[name] == points for name, points in figures.items() if name in total)
    buckets = [name for name in _SHOWN if any(one["changes"].get(name) for one in sums)]
    out.say(f"{shop}, customer {customer_id}: {counted(len(entries), 'entry', 'entries')}")
    if not entries:
        out.say(no_entries(stack, shop, customer_id))
    rows = [
        (one["topic"], one["entries"], *(one["changes"].get(name, 0) for name in buckets))
        for one in sums
    ]
    rows.append(("sum", len(entries), *(total[name] for name in buckets)))
    if entries:
        out.table(("topic", "entries", *buckets), rows)
    if not adds_up:
        out.say(f"The last entry says {figures}, which is not the sum: run `pointbook verify`.")
    out.document(
        {
            "customer_id": customer_id,
            "shop": shop,
            "entries": len(entries),
            "sums": sums,
            "total": total,
            "figures": figures or None,
            "adds_up": adds_up,
        }
    )
    return 0 if adds_up else 1


def _sums(entries: list[Entry]) -> list[dict[str, Any]]:
    """What the entries of each topic changed, in the order in which the topics first came."""
    changes: dict[str, dict[str, int]] = {}
    count: dict[str, int] = defaultdict(int)
    for one in reversed(entries):
        topic = one["topic"]
        moved = changes.setdefault(topic, {})
        count[topic] += 1
        for bucket, change in one["moves"].items():
            moved[bucket] = moved.get(bucket, 0) + change
    return [
        {"topic": topic, "entries": count[topic], "changes": moved}
        for topic, moved in changes.items()
    ]
