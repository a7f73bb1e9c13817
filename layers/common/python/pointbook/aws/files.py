"""Files with the data that customers requested, in a private bucket of S3.

A key is `data-requests/<shop>/<customer>/<request>.json`; the bucket's own rule deletes a file
after 30 days, and erasing a customer or a shop deletes theirs at once.
"""

from collections.abc import Iterator
from typing import IO, Any

from pointbook.aws.bucket import Bucket

_FOLDER = "data-requests"


class PrivacyFiles:
    """The files in the bucket. Raises Unavailable while it cannot be reached."""

    def __init__(self, client: Any, bucket: str) -> None:
        """Use botocore's S3 `client` on `bucket`."""
        self._bucket = Bucket(client, bucket)

    def key(self, shop: str, customer_id: str, request_id: str) -> str:
        """Return the key of the file of one request."""
        return f"{_FOLDER}/{shop}/{customer_id}/{request_id}.json"

    def put(self, key: str, content: IO[bytes]) -> None:
        """Write a file, over an earlier one of the same key."""
        self._bucket.put(key, content, ContentType="application/json")

    def of_shop(self, shop: str) -> Iterator[tuple[str, str]]:
        """Yield customer and request of each of a shop's files."""
        prefix = f"{_FOLDER}/{shop}/"
        for key in self._bucket.keys(prefix):
            customer_id, _, name = key.removeprefix(prefix).partition("/")
            yield customer_id, name.removesuffix(".json")

    def delete(self, key: str) -> None:
        """Delete one file; a missing file is no error."""
        self._bucket.delete(key)

    def forget_customer(self, shop: str, customer_id: str) -> int:
        """Delete a customer's files; return how many there were."""
        return self._forget(f"{_FOLDER}/{shop}/{customer_id}/")

    def forget_shop(self, shop: str) -> int:
        """Delete a shop's files; return how many there were."""
        return self._forget(f"{_FOLDER}/{shop}/")

    def _forget(self, prefix: str) -> int:
        deleted = 0
        for key in self._bucket.keys(prefix):
            self.delete(key)
            deleted += 1
        return deleted
