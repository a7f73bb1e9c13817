"""A launch of the app: the browser of somebody of the shop is sent to the app's address, signed.

The signature `hmac` is hex(HMAC-SHA256(client secret, message)); the message is every other
`name=value`, sorted by name and joined by `&`
(https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant).
Shopify's libraries sign the values as they are encoded in a URL, its documents as they are decoded;
they differ only for values with special characters, and both are accepted. The time is not checked:
a launch grants nothing.
"""

from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import urlencode

from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.signature import hmac_sha256, matches

_SIGNATURE = "hmac"
_SHOP = "shop"


class Launch(StrEnum):
    """What a launch shows."""

    CONNECTED = "connected"
    """Shopify signed it for one of the stack's shops."""
    OTHER_SHOP = "other_shop"
    """Shopify signed it for a shop that the stack does not serve."""
    WRONG_SIGNATURE = "wrong_signature"
    """The link was altered, or the stack does not have the app's client secret."""


def is_launch(query: Sequence[tuple[str, str]]) -> bool:
    """Return whether the decoded `query` pairs are those of a launch, valid or not."""
    return any(name == _SIGNATURE for name, _ in query)


def verify_launch(query: Sequence[tuple[str, str]], keys: AppKeys) -> tuple[Launch, str]:
    """Return what a launch shows, and its shop; "" for the shop where the signature is wrong."""
    values = dict(query)
    expected = [
        signed
        for secret in keys.shopify_secrets
        for signed in (sign_launch(query, secret), sign_launch(query, secret, encoded=False))
    ]
    if not matches(values.get(_SIGNATURE, ""), expected):
        return Launch.WRONG_SIGNATURE, ""
    shop = values.get(_SHOP, "")
    return (Launch.CONNECTED if shop in keys.shops else Launch.OTHER_SHOP), shop


def sign_launch(query: Sequence[tuple[str, str]], secret: str, *, encoded: bool = True) -> str:
    """Return the signature that Shopify adds to `query`, over encoded or decoded values."""
    pairs = sorted((name, value) for name, value in query if name != _SIGNATURE)
    message = (
        urlencode(pairs, errors="surrogatepass")
        if encoded
        else "&".join(f"{name}={value}" for name, value in pairs)
    )
    return hmac_sha256(secret, message.encode("utf-8", "surrogatepass")).hex()
