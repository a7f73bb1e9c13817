"""Files with the data that customers requested, in a private bucket of S3.

A key is `data-requests/<shop>/<customer>/<request>.json`; the bucket's own rule deletes a file
after 30 days, and erasing a customer or a shop deletes theirs at once.
"""

from collections.abc import Iterator
from typing import IO, Any

from pointbook.aws.client import aws_client, unavailable_as

_FOLDER = "data-requests"


def connect() -> Any:
    """Return a client of S3."""
    return aws_client("s3", attempts=3, connect_seconds=2, read_seconds=20)


class PrivacyFiles:
    """The files in the bucket. Raises Unavailable while it cannot be reached."""

    def __init__(self, client: Any, bucket: str) -> None:
        """Use botocore's S3 `client` on `bucket`."""
        self._client = client
        self._bucket = bucket

    def key(self, shop: str, customer_id: str, request_id: str) -> str:
        """Return the key of the file of one request."""
        return f"{_FOLDER}/{shop}/{customer_id}/{request_id}.json"

    def put(self, key: str, content: IO[bytes]) -> None:
        """Write a file, over an earlier one of the same key."""
        self._send(
            "put_object",
            Bucket=self._bucket,
            Key=key,
            Body=content,
            ContentType="application/json",
        )

    def of_shop(self, shop: str) -> Iterator[tuple[str, str]]:
        """Yield customer and request of each of a shop's files."""
        prefix = f"{_FOLDER}/{shop}/"
        listing = {"Bucket": self._bucket, "Prefix": prefix}
        while True:
            listed = self._send("list_objects_v2", **listing)
            found = [one["Key"] for one in listed.get("Contents", [])]
            for key in found:
                customer_id, _, name = key.removeprefix(prefix).partition("/")
                yield customer_id, name.removesuffix(".json")
            if not listed.get("IsTruncated"):
                return
            listing["StartAfter"] = found[-1]

    def delete(self, key: str) -> None:
        """Delete one file; a missing file is no error."""
        self._send("delete_object", Bucket=self._bucket, Key=key)

    def forget_customer(self, shop: str, customer_id: str) -> int:
        """Delete a customer's files; return how many there were."""
        return self._forget(f"{_FOLDER}/{shop}/{customer_id}/")

    def forget_shop(self, shop: str) -> int:
        """Delete a shop's files; return how many there were."""
        return self._forget(f"{_FOLDER}/{shop}/")

    def _forget(self, prefix: str) -> int:
        deleted = 0
        while True:
            listed = self._send("list_objects_v2", Bucket=self._bucket, Prefix=prefix)
            found = listed.get("Contents", [])
            for one in found:
                self.delete(one["Key"])
            deleted += len(found)
            if not listed.get("IsTruncated"):
                return deleted

    def _send(self, operation: str, **request: Any) -> Any:
        with unavailable_as("files_unavailable", 60):
            return getattr(self._client, operation)(**request)
