"""S3 in memory: the bucket of statements, and a client of several buckets."""

import io
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.fakes.privacy import BUCKET as PRIVACY
from tests.fakes.privacy import MemoryBucket

BUCKET = "statements"


class StatementBucket(MemoryBucket):
    """S3 with one bucket, which is read too; `on_write` is told each key that is written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []
        self.on_write: Callable[[str], None] = lambda _: None

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803 - S3's names
        Key: str,  # noqa: N803 - same
        Body: Any,  # noqa: N803 - same
        ContentType: str = "",  # noqa: N803 - same
        ChecksumSHA256: str = "",  # noqa: N803 - same
    ) -> None:
        self._reach(Bucket)
        assert ContentType
        self.objects[Key] = Body
        self.writes.append(Key)
        self.on_write(Key)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - same
        self._reach(Bucket)
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}

    def _reach(self, bucket: str) -> None:
        assert bucket == BUCKET
        super()._reach(PRIVACY)


class MemoryS3:
    """S3 with several buckets, each by its name."""

    def __init__(self, **buckets: Any) -> None:
        self._buckets = buckets

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            return getattr(self._buckets[request["Bucket"]], operation)(**request)

        return call
