"""What items of the table say, read without the product's own readers, in plain Python."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from tests.reference.papers import OrderPaper, Papers

BUCKETS: Final = (
    "issued",
    "pending",
    "cancelled",
    "approved",
    "hold",
    "spent",
    "expired",
    "reversed",
    "removed",
)

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


def entry_hash(entry: Plain, book_id: str, previous: str) -> str:
    """The hash that an entry must carry: over all of it, its book and the hash before."""
    facts = [
        1,
        book_id,
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
        entry["cause"],
        text_digest(entry),
        previous,
    ]
    return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()


def text_digest(entry: Plain) -> str:
    """The digest of an entry's text; none where there is no text."""
    if "reason" not in entry:
        return ""
    return hashlib.sha256(f"{entry['salt']}\n{entry['reason']}".encode()).hexdigest()


def key_hash(kind: str, key: str) -> str:
    """The name under which a request is remembered: a key means nothing without its kind."""
    return hashlib.sha256(f"{kind}\n{key}".encode()).hexdigest()


def content_hash(content: Mapping[str, Any]) -> str:
    """What makes two requests the same."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def order_on_paper(paper: OrderPaper) -> Plain:
    """What must be known of an order after all that was heard of it."""
    refunds: dict[str, int] = {}
    base: int | None = None
    seen_at = None
    for news, _ in paper.heard:
        for refund in news.refunds:
            refunds.setdefault(refund.refund_id, refund.base_minor)
        if news.base_minor is None or news.updated_at is None:
            continue
        if seen_at is None or seen_at <= news.updated_at:
            base, seen_at = news.base_minor, news.updated_at
    return {
        "confirmed": paper.confirmed,
        "cancelled": paper.cancelled,
        "refunds": refunds,
        "base_minor": base,
        "pending": paper.pending,
        "approved": len(paper.approved_days),
        "grant_lots": dict(Counter(paper.approved_days)),
        "spendings": [
            (spent.hold_id, spent.points, dict(Counter(spent.days)), spent.given_back)
            for spent in paper.spent
        ],
    }


def order_known(order_id: str | None, papers: Papers) -> Plain | None:
    """What must be known of an order, if anything was heard of it."""
    paper = papers.orders.get(order_id or "")
    return order_on_paper(paper) if paper else None


def record_known(code: str | None, papers: Papers) -> tuple[object, ...] | None:
    """The hold behind a code: its id, the orders that carried it, its points by day."""
    known = papers.codes.get(code or "")
    return (code, known.orders, dict(Counter(known.days))) if known else None


def record_in_table(item: Plain) -> tuple[object, ...]:
    """What the table says about a hold's code, in the same shape."""
    return item["hold_id"], item["orders"], by_day(item["lots"])


def entry_id(customer_id: str, version: int) -> str:
    """The id of an entry."""
    return f"{customer_id}-{version:012d}"


def order_in_table(item: Plain) -> Plain:
    """What the table says about an order, in the same shape."""
    return {
        "confirmed": item["confirmed"],
        "cancelled": item["cancelled"],
        "refunds": {refund["id"]: refund["base_minor"] for refund in item["refunds"]},
        "base_minor": item.get("base_minor"),
        "pending": item["pending"],
        "approved": item["approved"],
        "grant_lots": by_day(item["grant_lots"]),
        "spendings": [
            (
                spending["hold_id"],
                spending["points"],
                by_day(spending["lots"]),
                spending["given_back"],
            )
            for spending in item["spendings"]
        ],
    }


def _days(lots: list[list[int]]) -> list[list[str | int]]:
    return [[day(number).isoformat(), points] for number, points in lots]
