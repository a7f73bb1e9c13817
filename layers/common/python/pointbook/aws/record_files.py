"""Files of records, such as heads of chains, in a bucket of S3.

In a bucket with object lock a file can be written again, or be hidden by a deletion marker, but
what was written first stays there: `original` reads that.
"""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from pointbook.aws.bucket import Bucket


class RecordFiles:
    """The files in one bucket. Raises Unavailable while it cannot be reached."""

    def __init__(self, client: Any, bucket: str) -> None:
        """Use botocore's S3 `client` on `bucket`."""
        self._bucket = Bucket(client, bucket)

    def put(self, key: str, content: bytes) -> None:
        """Write a file. S3 wants a checksum where the bucket locks what is written."""
        digest = hashlib.sha256(content).digest()
        self._bucket.put(
            key,
            content,
            ContentType="application/json" if key.endswith(".json") else "application/x-ndjson",
            ChecksumSHA256=base64.b64encode(digest).decode(),
        )

    def get(self, key: str) -> bytes:
        """The content of a file that `keys` has named."""
        return self._bucket.content(key)

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin so, in their order."""
        return self._bucket.keys(prefix)

    def originals(self, prefix: str) -> dict[str, tuple[str, int]]:
        """The keys that begin so; of each the first version, and how often it was written.

        Also those that a deletion marker hides.
        """
        found: dict[str, list[str]] = {}
        listing = {"Prefix": prefix}
        while True:
            listed = self._bucket.send("list_object_versions", **listing)
            for one in listed.get("Versions", []):  # the newest of each key first
                found.setdefault(one["Key"], []).append(one["VersionId"])
            if not listed.get("IsTruncated"):
                return {key: (versions[-1], len(versions)) for key, versions in found.items()}
            listing["KeyMarker"] = listed["NextKeyMarker"]
            listing["VersionIdMarker"] = listed["NextVersionIdMarker"]

    def original(self, key: str, version: str) -> bytes:
        """The content of one version of a file."""
        return self._bucket.content(key, VersionId=version)
