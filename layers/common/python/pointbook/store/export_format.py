"""The file of an export: JSON Lines, each with a check, so that damage has a line. docs/export.md.

    {"Header": {...}, "Check": "..."}   format, version, what was exported
    {"Item": {...}, "Check": "..."}     an item as DynamoDB writes it in JSON, sorted by key
    {"End": {...}, "Check": "..."}      how many items of each kind

A check is a part of the SHA-256 of the check before it and its own line: it finds what is cut off,
edited, doubled or out of order. It is no signature: who edits a file can write new checks.
"""

import gzip
import hashlib
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any

from pointbook.store import keys
from pointbook.store.partition_checks import Key, plain_key
from pointbook.store.values import Item, Stored, item_of_json, json_of

FORMAT = "pointbook-export"
VERSION = 1

_CHECK_DIGITS = 16
_BEFORE_CHECK = b',"Check":"'
_AFTER_CHECK = b'"}'

_KINDS = {
    keys.ACCOUNT: "accounts",
    keys.ENTRY: "entries",
    keys.REQUEST: "idempotency records",
    keys.ORDER: "orders",
    keys.HOLD: "holds",
}


class ExportDamaged(Exception):
    """A file that is not what an export has written; has the line, from 1, and the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"Line {line} {reason}.")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Header:
    """What was exported and when; instants in RFC 3339.

    `customer`: only this customer, and who shares an order with them or was merged. `since` and
    `until`: only entries that were recorded in a period; such a file cannot be restored.
    """

    shops: tuple[str, ...]
    began_at: str
    customer: str | None = None
    since: str | None = None
    until: str | None = None

    @property
    def is_period(self) -> bool:
        """Whether there are entries of a period only."""
        return self.since is not None or self.until is not None


def kind_of(sort_key: str) -> str:
    """The kind of an item, in words."""
    for beginning, kind in _KINDS.items():
        if sort_key.startswith(beginning):
            return kind
    return "others"


def item_text(item: Stored) -> str:
    """An item as DynamoDB writes it in JSON: bytes in Base64, names sorted, no blanks."""
    return _text(json_of(item))


def item_of(text: str) -> Item:
    """The item of a text. Raises ValueError if it is none."""
    return item_of_json(json.loads(text))


def write(file: IO[bytes], header: Header, texts: Iterable[tuple[Key, str]]) -> Counter[str]:
    """Write a whole file: items by their keys, in order, as texts; returns how many of each."""
    counts = Counter[str]()
    check = ""

    def line(name: str, text: str) -> None:
        nonlocal check
        body = f'{{"{name}":{text}'.encode()
        check = check_of(check, body)
        file.write(body + _BEFORE_CHECK + check.encode() + _AFTER_CHECK + b"\n")

    line("Header", _text({"format": FORMAT, "version": VERSION, **asdict(header)}))
    for (_, sort_key), text in texts:
        line("Item", text)
        counts[kind_of(sort_key)] += 1
    line("End", _text({"items": counts.total(), "counts": dict(counts)}))
    return counts


class ExportFile:
    """A file that was exported, read from its beginning each time. Raises ExportDamaged, OSError.

    A name that ends with .gz is a compressed one.
    """

    def __init__(self, path: Path) -> None:
        """Read the first line."""
        self._path = path
        with self._open() as file:
            lines = _Lines(file)
            self.header = _header(lines.next("Header"))

    def items(self) -> Iterator[Item]:
        """Every item, each checked, and at the end the file as a whole."""
        with self._open() as file:
            lines = _Lines(file)
            lines.next("Header")
            counts, before = Counter[str](), ("", "")
            while (content := lines.next("Item", "End")) is not None:
                if lines.name == "End":
                    _check_end(lines, content, counts)
                    return
                item = _item(lines, content, self.header, before)
                before = plain_key(item)
                counts[kind_of(before[1])] += 1
                yield item

    def _open(self) -> IO[bytes]:
        if self._path.suffix == ".gz":
            return io.BufferedReader(gzip.open(self._path, "rb"))
        return self._path.open("rb")


class _Lines:
    """The lines of a file, each with its check; `name` is what the current one is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._check = ""
        self._before = b""
        self.number = 0
        self.name = ""

    def next(self, *names: str) -> Any:
        """The content of the next line, which is one of these."""
        try:
            line = self._file.readline()
        except (EOFError, OSError, zlib.error) as error:
            raise ExportDamaged(self.number + 1, f"cannot be read: {error}") from error
        self.number += 1
        if not line:
            raise ExportDamaged(self.number, "is missing: the file was cut off")
        content = self._checked(line)
        self.name = next((name for name in names if name in content), "")
        if not self.name:
            raise self.damaged(f"is none of {', '.join(names)}")
        return content[self.name]

    def is_at_end(self) -> bool:
        """Whether there is no further line."""
        return not self._file.readline()

    def damaged(self, reason: str) -> ExportDamaged:
        """Damage of the current line."""
        return ExportDamaged(self.number, reason)

    def _checked(self, line: bytes) -> Any:
        body, _, rest = line.rpartition(_BEFORE_CHECK)
        if not line.endswith(_AFTER_CHECK + b"\n") or not body:
            if self.number == 1:
                raise self.damaged("is not that of an export: it has no check")
            raise self.damaged("is not whole: it was cut off, or edited")
        found = rest.removesuffix(_AFTER_CHECK + b"\n").decode("ascii", "replace")
        check = check_of(self._check, body)
        if found != check:
            if line == self._before:
                raise self.damaged(f"is line {self.number - 1} once more")
            raise self.damaged("does not match its check: it was edited, or lines before it moved")
        self._check, self._before = check, line
        try:
            return json.loads(line)
        except ValueError as error:
            raise self.damaged(f"is not JSON: {error}") from error


def _header(content: Any) -> Header:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ExportDamaged(1, f"is not that of a {FORMAT}")
    if content.get("version") != VERSION:
        raise ExportDamaged(
            1,
            f"has version {content.get('version')!r} of the format, but this release reads"
            f" {VERSION}; use the release that wrote it",
        )
    known = {field.name for field in fields(Header)}
    header = {name: value for name, value in content.items() if name in known}
    try:
        return Header(**{**header, "shops": tuple(header["shops"])})
    except (TypeError, KeyError) as error:
        raise ExportDamaged(1, f"lacks what was exported: {error}") from error


def _item(lines: _Lines, content: Any, header: Header, before: Key) -> Item:
    try:
        item = item_of_json(content)
        key = plain_key(item)
    except (ValueError, KeyError) as error:
        raise lines.damaged(f"is no item of the table: {error!r}") from error
    if key == before:
        raise lines.damaged(f"has the key of line {lines.number - 1}, {' '.join(key)}")
    if key < before:
        raise lines.damaged(f"is out of order: {' '.join(key)} comes before the line before it")
    if (shop := shop_of(key)) not in header.shops:
        raise lines.damaged(f"is of shop {shop or 'none'}, which the first line does not name")
    return item


def shop_of(key: Key) -> str:
    """The shop that an item belongs to; "" for one that belongs to the stack."""
    pk, sk = key
    if pk == keys.SHOP_ERASURES:
        return sk.rpartition("#")[2]
    begin, _, rest = pk.partition("#")
    return rest.partition("#")[0] if begin == "SHOP" else ""


def _check_end(lines: _Lines, content: Any, counts: Counter[str]) -> None:
    if content != {"items": counts.total(), "counts": dict(counts)}:
        raise lines.damaged(f"counts {content}, but the file has {dict(counts)}")
    if not lines.is_at_end():
        raise ExportDamaged(lines.number + 1, "comes after the last line of an export")


def check_of(before: str, body: bytes) -> str:
    """The check of a line, by the check before it and all of the line up to its own."""
    return hashlib.sha256(before.encode() + body).hexdigest()[:_CHECK_DIGITS]


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
