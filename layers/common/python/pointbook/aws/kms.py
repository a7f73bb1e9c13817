"""Encryption with a key of KMS."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from pointbook.aws.client import aws_client, unavailable_as

_NOT_DECRYPTABLE = frozenset(
    {
        "IncorrectKeyException",
        "InvalidCiphertextException",
        "KMSInvalidStateException",
        "NotFoundException",
    }
)
"""KMS's error codes for a text that was encrypted with another key, or with a deleted one."""


def connect() -> Any:
    """Return a client of KMS."""
    return aws_client("kms", attempts=2, connect_seconds=1, read_seconds=1)


class KmsCipher:
    """Encrypts short texts with a KMS key. Raises Unavailable while KMS cannot be used.

    The context is KMS's encryption context: it is bound to the text, and CloudTrail logs it.
    """

    def __init__(self, client: Any, key_id: str) -> None:
        """Use the key with this id, ARN or alias."""
        self._client = client
        self._key_id = key_id

    def encrypt(self, text: str, context: Mapping[str, str]) -> bytes:
        """Return the ciphertext; the same `context` is needed to decrypt it."""
        with unavailable_as("secrets_unavailable", 5):
            answer = self._client.encrypt(
                KeyId=self._key_id, Plaintext=text.encode(), EncryptionContext=dict(context)
            )
        encrypted: bytes = answer["CiphertextBlob"]
        return encrypted

    def decrypt(self, encrypted: bytes, context: Mapping[str, str]) -> str | None:
        """Return the text; None if it was encrypted with another key or context."""
        with unavailable_as("secrets_unavailable", 5):
            try:
                answer = self._client.decrypt(
                    KeyId=self._key_id, CiphertextBlob=encrypted, EncryptionContext=dict(context)
                )
            except ClientError as error:
                if error.response["Error"]["Code"] in _NOT_DECRYPTABLE:
                    return None
                raise
        text: bytes = answer["Plaintext"]
        return text.decode()
