"""S3 with the bucket of statements."""

import io
from typing import Any

from botocore.exceptions import ClientError

from tests.fakes.privacy import BUCKET as PRIVACY
from tests.fakes.privacy import MemoryBucket

BUCKET = "statements"


class StatementBucket(MemoryBucket):
    """S3 with one bucket, which reads too; `writes` has the keys in the order of their writing."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def put_object(self, *, Bucket: str, Key: str, Body: Any, ContentType: str) -> None:  # noqa: N803 - S3's names
        self._reach(Bucket)
        self.objects[Key] = Body
        self.writes.append(Key)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - same
        self._reach(Bucket)
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}

    def _reach(self, bucket: str) -> None:
        assert bucket == BUCKET
        super()._reach(PRIVACY)
