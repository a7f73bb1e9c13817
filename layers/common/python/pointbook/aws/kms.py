"""Encryption with a key of KMS."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pointbook.aws.client import aws_client
from pointbook.errors import Unavailable

_OTHER_SEALS = frozenset(
    {
        "IncorrectKeyException",
        "InvalidCiphertextException",
        "KMSInvalidStateException",
        "NotFoundException",
    }
)
"""What KMS says where a text was sealed by another key, or by one that is no more."""


class KmsCipher:
    """Seals short texts with a key of KMS; raises Unavailable where KMS does not do it now.

    The context is KMS's encryption context: it is bound to the text and stands in CloudTrail.
    """

    def __init__(self, key_id: str) -> None:
        """Use the key with this id, ARN or alias."""
        self._key_id = key_id

    def close(self, text: str, context: Mapping[str, str]) -> bytes:
        """The text, sealed; `context` has to be named to open it."""
        try:
            answer = _keys().encrypt(
                KeyId=self._key_id, Plaintext=text.encode(), EncryptionContext=dict(context)
            )
        except (ClientError, BotoCoreError) as error:
            raise _seal_unavailable() from error
        sealed: bytes = answer["CiphertextBlob"]
        return sealed

    def open(self, sealed: bytes, context: Mapping[str, str]) -> str | None:
        """The text; None: it was sealed otherwise, and this key cannot open it."""
        try:
            answer = _keys().decrypt(
                KeyId=self._key_id, CiphertextBlob=sealed, EncryptionContext=dict(context)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _OTHER_SEALS:
                return None
            raise _seal_unavailable() from error
        except BotoCoreError as error:
            raise _seal_unavailable() from error
        text: bytes = answer["Plaintext"]
        return text.decode()


def _seal_unavailable() -> Unavailable:
    return Unavailable("secrets_unavailable", "Please try again.", 5)


@cache
def _keys() -> Any:
    return aws_client("kms", attempts=2, connect_seconds=1, read_seconds=1)
