"""Shopify's signature of a body: Flow actions and webhooks.

base64(HMAC-SHA256(client secret, raw body bytes)) in a header
(https://shopify.dev/docs/apps/build/webhooks/verify-deliveries). Why the standard library and not
Shopify's package: docs/decisions/0010-signatures-in-the-standard-library.md.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence

from pointbook.errors import SignatureMissing, SignatureWrong

FLOW_SIGNATURE_HEADERS = ("x-shopify-hmac-sha256",)
WEBHOOK_SIGNATURE_HEADERS = ("x-shopify-hmac-sha256", "shopify-hmac-sha256")


def verify_body(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Sequence[str],
    names: Sequence[str] = FLOW_SIGNATURE_HEADERS,
) -> None:
    """Return if a header of `names`, in any case, signs exactly these bytes with one of `secrets`.

    Raises SignatureMissing if there is none or it is empty, SignatureWrong if it does not match, if
    two of the `names` have different values, or if one header was sent twice, even with the same
    value: API Gateway joins the two by a comma.
    """
    given = {value for name, value in headers.items() if name.lower() in names}
    if not any(given):
        raise SignatureMissing
    if len(given) > 1 or not is_signed(body, given.pop(), secrets):
        raise SignatureWrong


def is_signed(body: bytes, signature: str, secrets: Iterable[str]) -> bool:
    """Return whether `signature` (base64) belongs to `body` under one of the `secrets`."""
    return matches(signature, [sign_body(body, secret) for secret in secrets])


def sign_body(body: bytes, secret: str) -> str:
    """Return the signature that Shopify sends with `body`."""
    return base64.b64encode(hmac_sha256(secret, body)).decode("ascii")


def hmac_sha256(secret: str, message: bytes) -> bytes:
    """Return the 32 bytes of HMAC-SHA256. Raises ValueError if the secret is empty."""
    if not secret:
        raise ValueError("the secret is empty")
    return hmac.digest(secret.encode("utf-8"), message, hashlib.sha256)


def matches(given: str, expected: Iterable[str]) -> bool:
    """Return whether `given` is one of the `expected` texts, in constant time.

    Compared as bytes: `compare_digest` raises for a text that is not ASCII.
    """
    given_bytes = given.encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(given_bytes, text.encode("utf-8")) for text in expected)
