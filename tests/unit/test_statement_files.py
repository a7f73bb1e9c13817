"""Statements in a bucket: what is missing is no error, what cannot be reached is one."""

from datetime import date
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from pointbook.aws.statement_files import StatementFiles
from pointbook.errors import Unavailable
from tests.fakes.buckets import BUCKET, StatementBucket

SHOP, DAY = "demo.myshopify.com", date(2026, 11, 30)


class Broken:
    """S3 that answers everything with an error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, _: str) -> Any:
        def call(**_: Any) -> Any:
            raise self._error

        return call


def test_a_day_without_a_file_is_none() -> None:
    files = StatementFiles(StatementBucket(), BUCKET)
    assert files.read(SHOP, DAY) is None
    assert files.progress(SHOP, DAY) is None


def test_what_was_written_is_read() -> None:
    files = StatementFiles(StatementBucket(), BUCKET)
    files.write(SHOP, DAY, "{}\n", "shop,残高\r\n")
    files.keep_progress(SHOP, DAY, "half")
    assert (files.read(SHOP, DAY), files.progress(SHOP, DAY)) == ("{}\n", "half")
    files.end_progress(SHOP, DAY)
    assert files.progress(SHOP, DAY) is None


def test_the_table_is_written_first_so_that_a_statement_is_whole_once_it_is_there() -> None:
    bucket = StatementBucket()
    StatementFiles(bucket, BUCKET).write(SHOP, DAY, "{}\n", "")
    assert [key.rpartition(".")[2] for key in bucket.writes] == ["csv", "jsonl"]


def test_days_are_listed_across_pages_and_years_and_by_shop() -> None:
    files = StatementFiles(StatementBucket(), BUCKET)
    days = [date(2026, 12, 29), date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 1)]
    for day in days:
        files.write(SHOP, day, "{}\n", "")
        files.write("other.myshopify.com", day, "{}\n", "")
    assert list(files.days(SHOP, date(2026, 12, 30))) == days[1:]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject"),
        EndpointConnectionError(endpoint_url="https://s3.invalid"),
    ],
)
def test_a_bucket_that_cannot_be_read_is_unavailable(error: Exception) -> None:
    files = StatementFiles(Broken(error), BUCKET)
    for call in (
        lambda: files.read(SHOP, DAY),
        lambda: files.progress(SHOP, DAY),
        lambda: files.write(SHOP, DAY, "", ""),
        lambda: list(files.days(SHOP, DAY)),
    ):
        with pytest.raises(Unavailable) as raised:
            call()
        assert raised.value.code == "files_unavailable"
