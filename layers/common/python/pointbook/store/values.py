"""Values as DynamoDB types them, and back.

Instants are whole milliseconds, days are numbers like 20261231, hashes are bytes.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pointbook.domain.chain import milliseconds
from pointbook.domain.lots import Lot, Lots
from pointbook.domain.ports import DueKind
from pointbook.store import keys

SCHEMA = 1

type Value = dict[str, Any]
type Item = dict[str, Value]
type Stored = Mapping[str, Any]


def due(kind: DueKind, key: str, due_at: datetime) -> Item:
    """What puts an item on the index of one kind of work."""
    return {f"due_{kind}": text(keys.due_of(kind, key)), f"due_{kind}_at": instant(due_at)}


def head(pk: str, sk: str) -> Item:
    """The key and the schema of an item."""
    return {"pk": text(pk), "sk": text(sk), "schema": number(SCHEMA)}


def text(value: str) -> Value:
    """A text."""
    return {"S": str(value)}


def number(value: int) -> Value:
    """A whole number."""
    return {"N": str(value)}


def numbers(values: Iterable[int]) -> Value:
    """Whole numbers in their order."""
    return {"L": [number(value) for value in values]}


def instant(value: datetime) -> Value:
    """An instant, as whole milliseconds."""
    return number(milliseconds(value))


def hashed(value: str) -> Value:
    """A hash in hex, as bytes."""
    return {"B": bytes.fromhex(value)}


def lots(lots: Lots) -> Value:
    """Lots, each as its day and its points."""
    return {"L": [numbers((_day_number(lot.valid_through), lot.points)) for lot in lots]}


def int_of(value: Stored) -> int:
    """The whole number that a value holds."""
    return int(value["N"])


def ints_of(value: Stored) -> list[int]:
    """The whole numbers that a value holds."""
    return [int_of(number) for number in value["L"]]


def instant_of(value: Stored) -> datetime:
    """The instant that a value holds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int_of(value))


def hex_of(value: Stored) -> str:
    """The hash that a value holds, in hex."""
    return bytes(value["B"]).hex()


def lots_of(value: Stored) -> Lots:
    """The lots that a value holds."""
    pairs = (ints_of(pair) for pair in value["L"])
    return tuple(Lot(_day(number), points) for number, points in pairs)


def texts_of(item: Stored, name: str) -> tuple[str, ...]:
    """The texts of an attribute; none where it is not there."""
    return tuple(value["S"] for value in item[name]["L"]) if name in item else ()


def optional_text(item: Stored, name: str) -> str | None:
    """The text of an attribute, None where it is not there."""
    return item[name]["S"] if name in item else None


def _day_number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _day(number: int) -> date:
    return date(number // 10_000, number // 100 % 100, number % 100)
