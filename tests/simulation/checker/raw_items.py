"""The items of the table, read without the product's code, and what the model expects of them."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, astuple
from datetime import date, datetime
from typing import Any, Final

from tests.reference.order_items import OrderItems, OrderRecord
from tests.support.instants import instant, milliseconds

BUCKETS: Final = (
    *("issued", "pending", "cancelled", "approved", "hold"),
    *("spent", "expired", "reversed", "removed"),
)

_DEFAULTS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("customer", "updated_at", "triggered_at", "goods", "rule")),
    **dict.fromkeys(("confirmed_at", "due_pending_at")),
    "removed": [0] * 5,
    "listed": [],
    "taxes_included": True,
}
"""What it means that a field of an order's item is missing."""

type Plain = dict[str, Any]


def plain(item: Mapping[str, Any]) -> Plain:
    """An item without its types; hashes in hex."""
    return {name: _value(typed) for name, typed in item.items()}


def _value(typed: Mapping[str, Any]) -> Any:
    ((kind, content),) = typed.items()
    match kind:
        case "N":
            return int(content)
        case "B":
            return bytes(content).hex()
        case "L":
            return [_value(part) for part in content]
        case "M":
            return plain(content)
    return content


def day(number: int) -> date:
    """20261231 as a date."""
    return date(number // 10_000, number // 100 % 100, number % 100)


def by_day(lots: list[list[int]]) -> dict[date, int]:
    """Lots as points by day."""
    return {day(number): points for number, points in lots}


def figures_of(balances: Mapping[str, int]) -> tuple[int, ...]:
    """approved, pending, total, lifetime, spent, hold."""
    approved, pending = balances["approved"], balances["pending"]
    lifetime = -balances["issued"] - pending - balances["cancelled"]
    return approved, pending, approved + pending, lifetime, balances["spent"], balances["hold"]


def entry_hash(entry: Plain, account_id: str, previous: str) -> str:
    """The hash that an entry must carry: over all of it, its book and the hash before."""
    facts = [
        1,
        account_id,
        entry["version"],
        entry["topic"],
        entry["at"],
        entry["recorded_at"],
        [[bucket, entry["moves"][bucket]] for bucket in BUCKETS if bucket in entry["moves"]],
        _days(entry["lots"]),
        _days(entry["held_lots"]),
        entry["figures"],
        entry["about"],
        entry["source"],
        entry["actor"],
        entry["depth"],
        text_digest(entry),
        previous,
    ]
    return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()


def text_digest(entry: Plain) -> str:
    """The digest of an entry's text and of what caused it; none where there is no text."""
    if "reason" not in entry:
        return ""
    erasable = f"{entry['salt']}\n{entry['cause']}\n{entry['reason']}"
    return hashlib.sha256(erasable.encode()).hexdigest()


def key_hash(kind: str, key: str) -> str:
    """The name under which a request is recorded: a key means nothing without its kind."""
    return hashlib.sha256(f"{kind}\n{key}".encode()).hexdigest()


def content_hash(content: Mapping[str, Any]) -> str:
    """What makes two requests the same."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _order_fields(order: OrderRecord) -> Plain:
    """What the table must say about an order."""
    newest = order.newest
    return {
        "customer": order.owner,
        "updated_at": _ms(newest.updated_at if newest else None),
        "triggered_at": _ms(newest.triggered_at if newest else None),
        "goods": list(astuple(newest.goods)) if newest and newest.goods else None,
        "removed": list(astuple(newest.removed)) if newest else [0] * 5,
        "listed": order.listed if newest else [],
        "taxes_included": newest.taxes_included if newest else True,
        "rule": order.rule and asdict(order.rule),
        "confirmed_at": _ms(order.confirmed_at),
        "due_pending_at": _ms(order.due_at),
        "cancelled": order.cancelled,
        "refunds": {
            refund.refund_id: (
                list(astuple(refund.goods)),
                refund.money_minor,
                _ms(refund.reported_at),
            )
            for refund in order.refunds.values()
        },
        "pending": order.pending,
        "approved": len(order.approved_days),
        "grant_lots": dict(Counter(order.approved_days)),
        "let_go": order.let_go,
        "spendings": [
            (
                spent.spending_id,
                spent.points,
                dict(Counter(spent.days)),
                spent.rule,
                spent.returned,
                dict(Counter(spent.returned_days)),
            )
            for spent in order.spent
        ],
    }


def expected_order(order_id: str | None, order_items: OrderItems) -> Plain | None:
    """What the table must say about an order; None if nothing is known of it."""
    order = order_items.orders.get(order_id or "")
    return _order_fields(order) if order else None


def expected_record(hold_id: str | None, order_items: OrderItems) -> tuple[object, ...] | None:
    """A hold: its id, its code, its worth, the orders that carried it, its points by day."""
    code = order_items.codes.get(hold_id or "")
    if code is None:
        return None
    return hold_id, code.text, code.worth_minor, code.orders, dict(Counter(code.days))


def stored_record(item: Plain) -> tuple[object, ...]:
    """What the table says about a hold, in the same shape."""
    days = by_day(item["lots"])
    return item["hold_id"], item["code"], item["worth_minor"], item["orders"], days


def stored_orphaned_code(item: Plain) -> tuple[object, ...]:
    """What the table says about a code that is to be deactivated."""
    until = instant(item["until"])
    return item["hold_id"], item["code"], until, item["attempts"], item["due_code_at"]


def entry_id(customer_id: str, version: int) -> str:
    """The id of an entry."""
    return f"{customer_id}-{version:012d}"


def stored_order(item: Plain) -> Plain:
    """What the table says about an order, in the same shape."""
    return {
        **{name: item.get(name, default) for name, default in _DEFAULTS.items()},
        "cancelled": item["cancelled"],
        "refunds": {
            each["id"]: (each["goods"], each.get("money_minor"), each.get("reported_at"))
            for each in item["refunds"]
        },
        "pending": item["pending"],
        "approved": item["approved"],
        "grant_lots": by_day(item["grant_lots"]),
        "let_go": item.get("waived", 0),
        "spendings": [
            (
                spending["spending_id"],
                spending["points"],
                by_day(spending["lots"]),
                spending["return_spent"],
                spending["returned"],
                by_day(spending["returned_lots"]),
            )
            for spending in item["spendings"]
        ],
    }


def _ms(instant: datetime | None) -> int | None:
    return milliseconds(instant) if instant else None


def _days(lots: list[list[int]]) -> list[list[str | int]]:
    return [[day(number).isoformat(), points] for number, points in lots]
