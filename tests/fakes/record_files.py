"""S3 with versions, in memory: nothing that was written is lost, as under object lock."""

import base64
import hashlib
import io
from typing import Any

from botocore.exceptions import EndpointConnectionError

HEADS = "heads"
"""The bucket of heads in tests."""

PAGE = 2
"""Keys or versions on a page of a listing."""

type Request = dict[str, Any]


class MemoryRecords:
    """Buckets by their names; `down` times they cannot be reached.

    Of each key the versions that were written, the oldest first; None is a deletion marker.
    """

    def __init__(self) -> None:
        self.buckets: dict[str, dict[str, list[bytes | None]]] = {}
        self.down = 0

    def put_object(self, **request: Any) -> Request:
        """Add a version; the checksum has to be that of the content."""
        self._reach()
        content = request["Body"]
        checksum = base64.b64decode(request["ChecksumSHA256"])
        assert checksum == hashlib.sha256(content).digest(), "S3 refuses a wrong checksum"
        assert request["ContentType"] in ("application/json", "application/x-ndjson")
        self._bucket(request).setdefault(request["Key"], []).append(content)
        return {}

    def get_object(self, **request: Any) -> Request:
        """The latest version, or the one that is asked for."""
        self._reach()
        versions = self._bucket(request)[request["Key"]]
        content = versions[int(request.get("VersionId", len(versions) - 1))]
        assert content is not None, "a deletion marker has no content"
        return {"Body": io.BytesIO(content)}

    def list_objects_v2(self, **request: Any) -> Request:
        """The keys that are not deleted."""
        self._reach()
        after = request.get("StartAfter", "")
        found = sorted(
            key
            for key, versions in self._bucket(request).items()
            if key.startswith(request["Prefix"]) and key > after and versions[-1] is not None
        )
        contents = [{"Key": key} for key in found[:PAGE]]
        return {"Contents": contents, "IsTruncated": len(found) > PAGE}

    def list_object_versions(self, **request: Any) -> Request:
        """All versions by their keys, the newest first; deletion markers beside them."""
        self._reach()
        found = [
            {"Key": key, "VersionId": str(number)}
            for key, versions in sorted(self._bucket(request).items())
            if key.startswith(request["Prefix"])
            for number in reversed(range(len(versions)))
            if versions[number] is not None
        ]
        if "KeyMarker" in request:
            last = {"Key": request["KeyMarker"], "VersionId": request["VersionIdMarker"]}
            found = found[found.index(last) + 1 :]
        page, is_cut = found[:PAGE], len(found) > PAGE
        markers = (
            {"NextKeyMarker": page[-1]["Key"], "NextVersionIdMarker": page[-1]["VersionId"]}
            if is_cut
            else {}
        )
        return {"Versions": page, "IsTruncated": is_cut, **markers}

    def hide(self, bucket: str, key: str) -> None:
        """Delete a file without naming a version: S3 puts a deletion marker over it."""
        self.buckets[bucket][key].append(None)

    def latest(self, bucket: str) -> dict[str, bytes]:
        """The files as they are read without naming a version."""
        files = self.buckets.get(bucket, {}).items()
        return {key: found for key, (*_, found) in files if found is not None}

    def _bucket(self, request: Request) -> dict[str, list[bytes | None]]:
        return self.buckets.setdefault(request["Bucket"], {})

    def _reach(self) -> None:
        if self.down:
            self.down -= 1
            raise EndpointConnectionError(endpoint_url="https://s3.invalid")
