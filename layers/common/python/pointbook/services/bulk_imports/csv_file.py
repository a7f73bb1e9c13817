"""CSV files of balances: encoding, separator, header and the number of fields of each row.

What concerns the whole file refuses it, with the line at which it shows; a row that does not fit
the header is refused by itself. Spreadsheets write most of what is wrong here.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pointbook.errors import InvalidRequest

COLUMNS = ("customer_id", "title", "point", "expired_at", "created_at")

FILE_BYTES_MAX = 200_000_000
ROWS_MAX = 2_000_000
"""What one plan holds in memory. Larger moves are several files, each with an id of its own."""

_CSV_UTF8 = 'Save the file as "CSV UTF-8".'
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_JAPANESE = "cp932"
"""Shift_JIS as Windows writes it."""


class FileRefused(InvalidRequest):
    """The file cannot be read as a whole; nothing of it is booked."""

    def __init__(self, message: str) -> None:
        super().__init__("file", message, code="file_refused")


@dataclass(frozen=True, slots=True)
class Line:
    """A row as the file has it: the number of its last line, and its fields by column.

    `problem` says why they do not fit the header. A row of nothing but commas `is_empty`.
    """

    number: int
    fields: dict[str, str]
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in any field."""
        return not any(field.strip() for field in self.fields.values())


def read_lines(content: bytes) -> Iterator[Line]:
    """Yield the rows of a file; blank lines are left out. Raises FileRefused."""
    content = content.removeprefix(_BYTE_ORDER_MARK)
    if not content.strip():
        raise FileRefused("The file is empty.")
    if len(content) > FILE_BYTES_MAX:
        raise FileRefused(f"The file has more than {FILE_BYTES_MAX:,} bytes: split it.")
    if content.startswith(_UTF_16) or b"\x00" in content[:4096]:
        raise FileRefused(f"The file is in UTF-16, not UTF-8. {_CSV_UTF8}")
    reader = csv.reader(_decoded(content), strict=True)
    try:
        columns = _header(next(reader, []))
        for fields in reader:
            if fields:
                yield _line(reader.line_num, columns, fields, content)
    except csv.Error as error:
        line = reader.line_num
        raise FileRefused(
            f"Line {line} cannot be read: {error}. Look for a quotation mark that is not closed, "
            "or for line ends that are neither LF nor CRLF."
        ) from error


def _decoded(content: bytes) -> Iterator[str]:
    for number, raw in enumerate(io.BytesIO(content), 1):
        try:
            yield raw.decode()
        except UnicodeDecodeError:
            what = "is in Shift_JIS" if _is_japanese(raw) else "is in another encoding"
            raise FileRefused(f"Line {number} {what}, not in UTF-8. {_CSV_UTF8}") from None


def _is_japanese(raw: bytes) -> bool:
    try:
        decoded = raw.decode(_JAPANESE)
    except UnicodeDecodeError:
        return False
    return any("\u3040" <= one <= "\u9fff" for one in decoded)


def _header(columns: Sequence[str]) -> Sequence[str]:
    expected = f"The first line must be {','.join(COLUMNS)}"
    if sorted(columns) == sorted(COLUMNS):
        return columns
    for separator, name in _SEPARATORS.items():
        if len(columns) == 1 and separator in columns[0]:
            raise FileRefused(f"{expected}: the fields are separated by {name}, not by commas.")
    if sorted(one.strip().lower() for one in columns) == sorted(COLUMNS):
        raise FileRefused(f"{expected}, in small letters and without blanks.")
    missing = [name for name in COLUMNS if name not in columns]
    unknown = [name for name in columns if name not in COLUMNS]
    what = [f"{', '.join(missing)} missing"] if missing else []
    what += [f"{', '.join(map(repr, unknown))} unknown"] if unknown else []
    raise FileRefused(f"{expected}: {'; '.join(what) or 'a column is there twice'}.")


def _line(number: int, columns: Sequence[str], fields: list[str], content: bytes) -> Line:
    found = dict.fromkeys(columns, "") | dict(zip(columns, fields, strict=False))
    if len(fields) > len(columns):
        problem = (
            f"The row has {len(fields)} fields, more than the header: a field with a comma, such "
            "as 1,250, must be in quotation marks or without the comma."
        )
        return Line(number, found, problem)
    if len(fields) < len(columns) and _ends_within(number, content):
        return Line(number, found, "The file ends in the middle of this row: it was cut off.")
    return Line(number, found)


def _ends_within(number: int, content: bytes) -> bool:
    """Whether this is the last line and has no end."""
    return not content.endswith(b"\n") and content.count(b"\n") < number
