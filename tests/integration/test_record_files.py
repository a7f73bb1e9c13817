"""Files of records in a bucket with object lock, by botocore's own client, in MiniStack."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from pointbook.aws.record_files import RecordFiles
from tests.support.engine import REGION
from tests.support.servers import ministack

BUCKET = "locked"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client, and a bucket that locks what is written as the template's does."""
    with ministack(tmp_path_factory.mktemp("s3"), services="s3") as url:
        client: Any = Session().create_client(
            "s3", REGION, endpoint_url=url, config=Config(s3={"addressing_style": "path"})
        )
        where = {"LocationConstraint": REGION}
        client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True
        )
        client.put_object_lock_configuration(
            Bucket=BUCKET,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
            },
        )
        yield client


@pytest.fixture
def files(s3: Any) -> RecordFiles:
    return RecordFiles(s3, BUCKET)


def test_what_was_written_first_is_read_whatever_comes_after_it(
    s3: Any, files: RecordFiles
) -> None:
    files.put("heads/a.jsonl", b"first")
    files.put("heads/a.jsonl", b"second")
    files.put("heads/b.jsonl", b"hidden")
    s3.delete_object(Bucket=BUCKET, Key="heads/b.jsonl")
    assert files.get("heads/a.jsonl") == b"second"
    assert list(files.keys("heads/")) == ["heads/a.jsonl"]
    found = files.originals("heads/")
    assert {key: times for key, (_, times) in found.items()} == {
        "heads/a.jsonl": 2,
        "heads/b.jsonl": 1,
    }
    contents = {key: files.original(key, version) for key, (version, _) in found.items()}
    assert contents == {"heads/a.jsonl": b"first", "heads/b.jsonl": b"hidden"}


def test_what_was_written_cannot_be_deleted(s3: Any, files: RecordFiles) -> None:
    files.put("manifests/a.json", b"{}")
    ((version, _),) = files.originals("manifests/a.json").values()
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=BUCKET, Key="manifests/a.json", VersionId=version)


class SmallPages:
    """The client, with listings of two keys a page."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def __getattr__(self, operation: str) -> Any:
        send = getattr(self._s3, operation)
        return partial(send, MaxKeys=2) if operation.startswith("list_") else send


def test_listings_of_many_files_are_read_to_their_end(s3: Any) -> None:
    files = RecordFiles(SmallPages(s3), BUCKET)
    keys = [f"many/{number}.jsonl" for number in range(5)]
    for key in (*keys, keys[1], keys[1]):
        files.put(key, b"x")
    assert list(files.keys("many/")) == keys
    assert {key: times for key, (_, times) in files.originals("many/").items()} == {
        **dict.fromkeys(keys, 1),
        keys[1]: 3,
    }
