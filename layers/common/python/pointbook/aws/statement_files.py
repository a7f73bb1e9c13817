"""Files with a shop's statements, in a private bucket of S3.

A day's statement is `statements/<shop>/<year>/<day>.jsonl`, its movements as a table beside it
`.csv`. While a day is being added up, `progress/<shop>/<day>.jsonl` has the sums so far.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from botocore.exceptions import ClientError

from pointbook.aws.client import unavailable_as

_STATEMENTS = "statements"
_PROGRESS = "progress"
_TYPES = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}
_MISSING = ("NoSuchKey", "404")


class StatementFiles:
    """The files of all shops. Raises Unavailable while the bucket cannot be reached."""

    def __init__(self, client: Any, bucket: str) -> None:
        """Use botocore's S3 `client` on `bucket`."""
        self._client = client
        self._bucket = bucket

    def days(self, shop: str, since: date) -> Iterator[date]:
        """The days from `since` on that have a statement, the earliest first."""
        prefix = f"{_STATEMENTS}/{shop}/"
        # Keys sort by day: what comes first after this is the file of `since`.
        listing = {
            "Bucket": self._bucket,
            "Prefix": prefix,
            "StartAfter": f"{prefix}{since:%Y/%Y-%m-%d}",
        }
        while True:
            listed = self._send("list_objects_v2", **listing)
            found = [one["Key"] for one in listed.get("Contents", [])]
            for key in found:
                name, _, kind = key.rpartition("/")[2].partition(".")
                if kind == "jsonl":
                    yield date.fromisoformat(name)
            if not listed.get("IsTruncated"):
                return
            listing["StartAfter"] = found[-1]

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
        self._send("delete_object", Bucket=self._bucket, Key=_progress(shop, day))

    def _read(self, key: str) -> str | None:
        with unavailable_as("files_unavailable", 60):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in _MISSING:
                    return None
                raise
            content: bytes = answer["Body"].read()
        return content.decode()

    def _write(self, key: str, content: str) -> None:
        kind = _TYPES[key.rpartition(".")[2]]
        request = {"Bucket": self._bucket, "Key": key, "ContentType": kind}
        self._send("put_object", **request, Body=content.encode())

    def _send(self, operation: str, **request: Any) -> Any:
        with unavailable_as("files_unavailable", 60):
            return getattr(self._client, operation)(**request)


def _statement(shop: str, day: date, kind: str) -> str:
    return f"{_STATEMENTS}/{shop}/{day:%Y/%Y-%m-%d}.{kind}"


def _progress(shop: str, day: date) -> str:
    return f"{_PROGRESS}/{shop}/{day}.jsonl"
