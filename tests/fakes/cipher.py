"""A cipher for tests: readable, but bound to its context and its key as the real one is."""

import json
from collections.abc import Mapping


class PlainCipher:
    """The `Cipher` of a key with this name."""

    def __init__(self, key_id: str = "key") -> None:
        self._key_id = key_id

    def encrypt(self, text: str, context: Mapping[str, str]) -> bytes:
        return json.dumps([self._key_id, dict(context), text]).encode()

    def decrypt(self, ciphertext: bytes, context: Mapping[str, str]) -> str | None:
        key_id, encrypted_context, text = json.loads(ciphertext)
        if (key_id, encrypted_context) != (self._key_id, dict(context)):
            return None
        found: str = text
        return found
