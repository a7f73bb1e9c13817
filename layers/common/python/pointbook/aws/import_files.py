"""Files of imports, in a private bucket of S3; the bucket's own rule deletes them after 30 days."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from pointbook.aws.client import aws_client, unavailable_as

_NOT_THERE = frozenset({"404", "NoSuchKey", "NotFound"})


def connect() -> Any:
    """Return a client of S3."""
    return aws_client("s3", attempts=3, connect_seconds=2, read_seconds=60)


class ImportFiles:
    """The files in the bucket. Raises Unavailable while it cannot be reached."""

    def __init__(self, client: Any, bucket: str) -> None:
        """Use botocore's S3 `client` on `bucket`."""
        self._client = client
        self._bucket = bucket

    def put(self, key: str, content: bytes) -> None:
        """Write a file, over an earlier one of the same key."""
        self._send("put_object", Key=key, Body=content)

    def get(self, key: str) -> bytes | None:
        """Return a file's content, None if there is no such file."""
        with unavailable_as("files_unavailable", 60):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in _NOT_THERE:
                    return None
                raise
            content: bytes = found["Body"].read()
            return content

    def exists(self, key: str) -> bool:
        """Return whether there is such a file."""
        return next(self.keys(key), None) == key

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix`, in order."""
        listing: dict[str, Any] = {"Prefix": prefix}
        while True:
            listed = self._send("list_objects_v2", **listing)
            found = [one["Key"] for one in listed.get("Contents", [])]
            yield from found
            if not listed.get("IsTruncated"):
                return
            listing["StartAfter"] = found[-1]

    def _send(self, operation: str, **request: Any) -> Any:
        with unavailable_as("files_unavailable", 60):
            return getattr(self._client, operation)(Bucket=self._bucket, **request)
