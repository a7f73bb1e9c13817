"""One private bucket of S3: what all kinds of files are read and written with."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import IO, Any

from botocore.exceptions import ClientError

from pointbook.aws.client import aws_client, unavailable_as

_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_RETRY_AFTER_SECONDS = 60


def connect(read_seconds: float = 20) -> Any:
    """Return a client of S3."""
    return aws_client("s3", attempts=3, connect_seconds=2, read_seconds=read_seconds)


class Bucket:
    """The files in a bucket. Raises Unavailable while it cannot be reached."""

    def __init__(self, client: Any, name: str) -> None:
        """Use botocore's S3 `client` on the bucket of this name."""
        self._client = client
        self._name = name

    def put(self, key: str, content: bytes | IO[bytes], **more: str) -> None:
        """Write a file, over an earlier one of the same key; `more` as S3's PutObject has it."""
        self.send("put_object", Key=key, Body=content, **more)

    def get(self, key: str) -> bytes | None:
        """Return a file's content, None if there is no such file."""
        with _unavailable():
            try:
                return self._content(Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in _MISSING:
                    return None
                raise

    def content(self, key: str, **more: str) -> bytes:
        """Return the content of a file that is there; `more` as S3's GetObject has it."""
        with _unavailable():
            return self._content(Key=key, **more)

    def exists(self, key: str) -> bool:
        """Return whether there is such a file."""
        return next(self.keys(key), None) == key

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys that begin with `prefix` and come behind `after`, in their order."""
        listing = {"Prefix": prefix} | ({"StartAfter": after} if after else {})
        while True:
            listed = self.send("list_objects_v2", **listing)
            found = [one["Key"] for one in listed.get("Contents", [])]
            yield from found
            if not listed.get("IsTruncated"):
                return
            listing["StartAfter"] = found[-1]

    def delete(self, key: str) -> None:
        """Delete one file; a missing file is no error."""
        self.send("delete_object", Key=key)

    def send(self, operation: str, **request: Any) -> Any:
        """Return S3's answer to an operation on this bucket, named as botocore does."""
        with _unavailable():
            return getattr(self._client, operation)(Bucket=self._name, **request)

    def _content(self, **wanted: str) -> bytes:
        answer = self._client.get_object(Bucket=self._name, **wanted)
        content: bytes = answer["Body"].read()
        return content


def _unavailable() -> AbstractContextManager[None]:
    return unavailable_as("files_unavailable", _RETRY_AFTER_SECONDS)
