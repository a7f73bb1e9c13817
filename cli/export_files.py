"""The files of an export: JSON Lines, CSV for people, Parquet for analysis; here or in S3."""

import csv
import gzip
import importlib
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from pathlib import Path
from typing import IO, Any, cast
from zoneinfo import ZoneInfo

import typer
from boto3.exceptions import Boto3Error

from cli.aws_errors import AWS_ERRORS, in_words
from cli.errors import CommandFailed, NotReachable, UsedWrongly
from cli.export_rows import Cell, kind_of

JSONL, CSV, PARQUET = ".jsonl", ".csv", ".parquet"

_S3 = "s3://"
_GZIP = ".gz"
_ROWS_PER_GROUP = 50_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula at the beginning of a cell."""

_NO_PYARROW = (
    "Parquet needs pyarrow, which is not installed. Install what requirements/dev.txt names with"
    " `make setup`, or choose a name that ends with .csv."
)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an export goes: a path, and for S3 a bucket and a key as well."""

    path: Path
    kind: str
    bucket: str = ""
    key: str = ""

    @classmethod
    def of(cls, name: str) -> "Destination":
        """The destination of a name. Raises typer.BadParameter."""
        bucket, key = "", ""
        if name.startswith(_S3):
            bucket, _, key = name.removeprefix(_S3).partition("/")
        path = Path(Path(key).name if bucket else name)
        kind = Path(path.name.removesuffix(_GZIP)).suffix
        is_zipped = path.suffix == _GZIP
        if kind not in (JSONL, CSV, PARQUET) or (is_zipped and kind == PARQUET):
            raise typer.BadParameter(
                f"{name} must end with .jsonl, .csv or .parquet; .jsonl and .csv may be followed"
                " by .gz."
            )
        return cls(path, kind, bucket, key)

    @property
    def work_path(self) -> Path:
        """Where the work file is while the export is not finished."""
        return self.path.with_name(f"{self.path.name}.part")

    def check(self) -> None:
        """Raise CommandFailed if nothing can be written there."""
        if self.path.exists():
            raise CommandFailed(f"{self.path} exists already. Choose another name, or delete it.")
        if not self.path.parent.is_dir():
            raise UsedWrongly(f"There is no folder {self.path.parent}.")
        if self.kind == PARQUET:
            pyarrow()

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """A file that has the name only once it is whole; only its owner can read it."""
        unfinished = self.path.with_name(f"{self.path.name}.new")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            if self.path.suffix == _GZIP:
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as zipped:
                    yield cast("IO[bytes]", zipped)
            else:
                yield file
        unfinished.replace(self.path)

    def upload(self, s3: Any) -> None:
        """Put the file into S3 and delete it here. Raises NotReachable, and leaves it then."""
        try:
            s3.upload_file(str(self.path), self.bucket, self.key)
        except (Boto3Error, *AWS_ERRORS) as error:
            raise NotReachable(
                f"{self.path} is whole, but could not be put into s3://{self.bucket}/{self.key}:"
                f" {_why(error)} Put it there with `aws s3 cp`."
            ) from error
        self.path.unlink()


def _why(error: Exception) -> str:
    """The reason of a failed upload; boto3 wraps AWS's answer in an error of its own."""
    answered = error if isinstance(error, AWS_ERRORS) else error.__context__
    return in_words(answered) if isinstance(answered, AWS_ERRORS) else f"{error}."


def pyarrow(module: str = "pyarrow") -> Any:
    """A module of pyarrow. Raises CommandFailed if it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise CommandFailed(_NO_PYARROW) from None


def write_csv(
    file: IO[bytes], columns: Sequence[str], rows: Iterator[tuple[Cell, ...]], zone: ZoneInfo
) -> int:
    """Write CSV in UTF-8 with a byte order mark, which Excel needs; returns how many rows."""
    count = 0
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(one, zone) for one in row])
        count += 1
    text.flush()
    text.detach()
    return count


def write_parquet(file: IO[bytes], columns: Sequence[str], rows: Iterator[tuple[Cell, ...]]) -> int:
    """Write Parquet: 64-bit integers, texts, and instants in UTC; returns how many rows."""
    arrow, parquet = pyarrow(), pyarrow("pyarrow.parquet")
    types = {int: arrow.int64(), str: arrow.string(), datetime: arrow.timestamp("ms", tz="UTC")}
    schema = arrow.schema([(name, types[kind_of(name)]) for name in columns])
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in batched(rows, _ROWS_PER_GROUP, strict=False):
            by_column = dict(zip(columns, map(list, zip(*group, strict=True)), strict=True))
            writer.write_table(arrow.Table.from_pydict(by_column, schema=schema))
            count += len(group)
    return count


def _cell(value: Cell, zone: ZoneInfo) -> str | int | None:
    """A value as a spreadsheet may have it: no text is a formula there."""
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="milliseconds")
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
