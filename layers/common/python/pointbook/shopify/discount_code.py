"""The discount code of a hold: derived from the request, so that two attempts at once make one.

A later attempt finds its hold by the entry of the first, so the key may change in between.

A code is `PTS-` and 16 characters in groups of four, out of 30 that are not easily confused (no I,
L, O, U, 0, 1): 78 bits of an HMAC-SHA256, which cannot be guessed without the key. Shopify accepts
codes in any case, so all functions here do.
"""

import hashlib
import hmac
import re

PREFIX = "PTS"
_SYMBOLS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS = 4
_GROUP_LENGTH = 4
_CODE = re.compile(rf"{PREFIX}(-[{_SYMBOLS}]{{{_GROUP_LENGTH}}}){{{_GROUPS}}}", re.IGNORECASE)
_PURPOSE = b"pointbook hold id 1\0"
_ID_LENGTH = 32


def derive_code(secret: bytes, shop: str, customer_id: str, key: str) -> str:
    """Return the code of the hold that a customer (digits) requests with an Idempotency-Key.

    Other arguments give another code. Raises ValueError if the secret is empty.
    """
    if not secret:
        raise ValueError("the secret is empty")
    if "\0" in shop or "\0" in customer_id:
        raise ValueError("a shop's domain and a customer's digits have no zero bytes")
    # The key, which may be any text, comes last, so that no two requests have the same message.
    message = f"{shop}\0{customer_id}\0{key}".encode("utf-8", "surrogatepass")
    number = int.from_bytes(hmac.digest(secret, message, hashlib.sha256))
    groups = []
    for _ in range(_GROUPS):
        group = ""
        for _ in range(_GROUP_LENGTH):
            number, symbol = divmod(number, len(_SYMBOLS))
            group += _SYMBOLS[symbol]
        groups.append(group)
    return "-".join((PREFIX, *groups))


def is_our_code(text: str) -> bool:
    """Return whether `text`, in any case, has the shape of a hold's code."""
    return text.isascii() and _CODE.fullmatch(text) is not None


def hold_id_of(code: str) -> str:
    """Return the id of the hold of a code in any case: 32 hexadecimal digits."""
    digest = hashlib.sha256(_PURPOSE + code.casefold().encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:_ID_LENGTH]
