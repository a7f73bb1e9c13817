"""Codecs: how the fields of a dataclass are stored as attributes, stated once for both directions.

    HOLD = Codec(Hold, hold_id=TEXT.named("id"), points=NUMBER, code=TEXT.optional(""))

An attribute has the name of its field unless it is `named`. An `optional` one is left out while the
field has the value that is given with it: None unless another is named.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pointbook.store import values
from pointbook.store.values import Item, Stored, Value

_REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Format:
    """How one field is written and read."""

    write: Callable[[Any], Value]
    read: Callable[[Any], Any]
    attribute: str = ""
    absent: Any = _REQUIRED

    def named(self, attribute: str) -> "Format":
        """The same under another name than the field's."""
        return replace(self, attribute=attribute)

    def optional(self, absent: Any = None) -> "Format":
        """The same, left out while the field is `absent`."""
        return replace(self, absent=absent)

    def read_from(self, item: Stored) -> Any:
        """The field's value in an item."""
        if self.attribute not in item and self.absent is not _REQUIRED:
            return self.absent
        return self.read(item[self.attribute])


class Codec[T]:
    """Stores those fields of `T` that have a format; whoever reads gives the others."""

    def __init__(self, cls: Callable[..., T], **formats: Format) -> None:
        """Take a dataclass, and formats by field."""
        self._cls = cls
        self._formats = {
            name: form if form.attribute else form.named(name) for name, form in formats.items()
        }

    def write(self, value: T) -> Item:
        """The attributes of a value."""
        pairs = ((getattr(value, name), form) for name, form in self._formats.items())
        return {form.attribute: form.write(one) for one, form in pairs if one != form.absent}

    def read(self, item: Stored, **others: Any) -> T:
        """The value that an item holds; `others` are the fields that have no format."""
        found = {name: form.read_from(item) for name, form in self._formats.items()}
        return self._cls(**found, **others)

    @property
    def as_field(self) -> Format:
        """The format of a field that holds such a value."""
        return Format(
            lambda value: values.mapping(self.write(value)),
            lambda value: self.read(values.fields_of(value)),
        )


TEXT = Format(values.text, values.text_of)
TEXTS = Format(values.texts, values.texts_of)
NUMBER = Format(values.number, values.int_of)
BOOLEAN = Format(values.boolean, values.boolean_of)
INSTANT = Format(values.instant, values.instant_of)
HASH = Format(
    lambda hash_: values.binary(bytes.fromhex(hash_)), lambda value: values.binary_of(value).hex()
)
LOTS = Format(values.lots, values.lots_of)


def one_of(kind: type[StrEnum]) -> Format:
    """One of an enumeration, as text."""
    return Format(values.text, lambda value: kind(values.text_of(value)))


def numbers_of(kind: Callable[..., Iterable[int]]) -> Format:
    """A tuple of whole numbers."""
    return Format(values.numbers, lambda value: kind(*values.ints_of(value)))


def many(one: Format) -> Format:
    """Any number of values of one format, in their order."""
    return Format(
        lambda found: values.sequence(map(one.write, found)),
        lambda value: tuple(map(one.read, values.values_of(value))),
    )
