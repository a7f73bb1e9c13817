"""Files with a shop's statements, in a private bucket of S3.

A day's statement is `statements/<shop>/<year>/<day>.jsonl`, its movements as a table beside it
`.csv`. While a day is being added up, `progress/<shop>/<day>.jsonl` has the sums so far.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from pointbook.aws.bucket import Bucket

_STATEMENTS = "statements"
_PROGRESS = "progress"
_TYPES = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}


class StatementFiles:
    """The files of all shops. Raises Unavailable while the bucket cannot be reached."""

    def __init__(self, client: Any, bucket: str) -> None:
        """Use botocore's S3 `client` on `bucket`."""
        self._bucket = Bucket(client, bucket)

    def days(self, shop: str, since: date) -> Iterator[date]:
        """The days from `since` on that have a statement, the earliest first."""
        prefix = f"{_STATEMENTS}/{shop}/"
        # Keys sort by day: what comes first after this is the file of `since`.
        for key in self._bucket.keys(prefix, after=f"{prefix}{since:%Y/%Y-%m-%d}"):
            name, _, kind = key.rpartition("/")[2].partition(".")
            if kind == "jsonl":
                yield date.fromisoformat(name)

    def read(self, shop: str, day: date) -> str | None:
        """The statement of a day; None if there is none."""
        return self._read(_statement(shop, day, "jsonl"))

    def write(self, shop: str, day: date, lines: str, table: str) -> None:
        """Write the statement of a day. The table comes first: lines are there once it is done."""
        self._write(_statement(shop, day, "csv"), table)
        self._write(_statement(shop, day, "jsonl"), lines)

    def progress(self, shop: str, day: date) -> str | None:
        """The sums of a day so far; None if it was not begun."""
        return self._read(_progress(shop, day))

    def keep_progress(self, shop: str, day: date, lines: str) -> None:
        """Keep the sums of a day so far."""
        self._write(_progress(shop, day), lines)

    def end_progress(self, shop: str, day: date) -> None:
        """Forget the sums of a day so far."""
        self._bucket.delete(_progress(shop, day))

    def _read(self, key: str) -> str | None:
        content = self._bucket.get(key)
        return None if content is None else content.decode()

    def _write(self, key: str, content: str) -> None:
        kind = _TYPES[key.rpartition(".")[2]]
        self._bucket.put(key, content.encode(), ContentType=kind)


def _statement(shop: str, day: date, kind: str) -> str:
    return f"{_STATEMENTS}/{shop}/{day:%Y/%Y-%m-%d}.{kind}"


def _progress(shop: str, day: date) -> str:
    return f"{_PROGRESS}/{shop}/{day}.jsonl"
