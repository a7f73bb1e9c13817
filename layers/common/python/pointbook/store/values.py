"""Values as DynamoDB types them, and back: the only conversions there are.

Instants are whole milliseconds since 1970, days are numbers like 20261231, hashes are bytes.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pointbook.domain.chain import milliseconds
from pointbook.domain.lots import Lot, Lots

type Value = dict[str, Any]
type Item = dict[str, Value]
type Stored = Mapping[str, Any]


def text(value: str) -> Value:
    """A text."""
    return {"S": str(value)}


def texts(values: Iterable[str]) -> Value:
    """Texts in their order."""
    return {"L": [text(value) for value in values]}


def number(value: int) -> Value:
    """A whole number."""
    return {"N": str(value)}


def numbers(values: Iterable[int]) -> Value:
    """Whole numbers in their order."""
    return {"L": [number(value) for value in values]}


def boolean(value: bool) -> Value:
    """True or false."""
    return {"BOOL": value}


def binary(value: bytes) -> Value:
    """Bytes."""
    return {"B": value}


def mapping(fields: Mapping[str, Value]) -> Value:
    """Named values."""
    return {"M": dict(fields)}


def sequence(values: Iterable[Value]) -> Value:
    """Values in their order."""
    return {"L": list(values)}


def instant(value: datetime) -> Value:
    """An instant, as whole milliseconds."""
    return number(milliseconds(value))


def lots(lots: Lots) -> Value:
    """Lots, each as its day and its points."""
    return sequence(numbers((_day_number(lot.valid_through), lot.points)) for lot in lots)


def text_of(value: Stored) -> str:
    """The text that a value holds."""
    found: str = value["S"]
    return found


def texts_of(value: Stored) -> tuple[str, ...]:
    """The texts that a value holds."""
    return tuple(text_of(one) for one in value["L"])


def int_of(value: Stored) -> int:
    """The whole number that a value holds."""
    return int(value["N"])


def ints_of(value: Stored) -> list[int]:
    """The whole numbers that a value holds."""
    return [int_of(number) for number in value["L"]]


def boolean_of(value: Stored) -> bool:
    """Whether a value is true."""
    found: bool = value["BOOL"]
    return found


def binary_of(value: Stored) -> bytes:
    """The bytes that a value holds."""
    return bytes(value["B"])


def fields_of(value: Stored) -> Stored:
    """The named values that a value holds."""
    found: Stored = value["M"]
    return found


def values_of(value: Stored) -> list[Stored]:
    """The values that a value holds, in their order."""
    found: list[Stored] = value["L"]
    return found


def instant_of(value: Stored) -> datetime:
    """The instant that a value holds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int_of(value))


def lots_of(value: Stored) -> Lots:
    """The lots that a value holds."""
    pairs = (ints_of(pair) for pair in value["L"])
    return tuple(Lot(_day(number), points) for number, points in pairs)


def optional_int(item: Stored, name: str) -> int:
    """The whole number of an attribute, 0 where it is absent."""
    return int_of(item[name]) if name in item else 0


def optional_instant(item: Stored, name: str) -> datetime | None:
    """The instant of an attribute, None where it is absent."""
    return instant_of(item[name]) if name in item else None


def json_of(item: Stored) -> dict[str, Any]:
    """An item as DynamoDB writes it in JSON: bytes in Base64, all else as it is."""
    return {name: _with_bytes(value, _encoded) for name, value in item.items()}


def item_of_json(found: Any) -> Item:
    """The item that such JSON is. Raises ValueError if it is none."""
    try:
        return {name: _with_bytes(value, _decoded) for name, value in found.items()}
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error


def _encoded(found: bytes) -> str:
    return base64.b64encode(bytes(found)).decode()


def _decoded(found: str) -> bytes:
    return base64.b64decode(found, validate=True)


def _with_bytes(value: Stored, convert: Callable[[Any], Any]) -> Value:
    """A value, in which bytes are converted."""
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {kind: convert(content)}
        case "L":
            return {kind: [_with_bytes(one, convert) for one in content]}
        case "M":
            return {kind: {name: _with_bytes(one, convert) for name, one in content.items()}}
        case "S" | "N" | "BOOL" | "NULL":
            return {kind: content}
    raise ValueError(f"a value of type {kind}")


def _day_number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _day(number: int) -> date:
    return date(number // 10_000, number // 100 % 100, number % 100)
