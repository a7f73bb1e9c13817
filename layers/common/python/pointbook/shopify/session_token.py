"""Session tokens: the JWT that a customer account extension, or my page, sends for its customer.

HS256 with the app's client secret
(https://shopify.dev/docs/api/customer-account-ui-extensions/latest/apis/session-token). Tokens of
the shop's staff have the same secret and audience, so `sub` must be a customer; `staff_token` reads
those by the same rules.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pointbook.errors import MalformedBody, Unauthenticated
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.ids import customer_digits_in_gid
from pointbook.shopify.signature import hmac_sha256, matches
from pointbook.validation import json_object

LEEWAY_SECONDS = 10
TOKEN_LENGTH_MAX = 4096

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_HEADER_REFUSED = frozenset({"b64", "crit", "enc", "jku", "jwk", "x5c", "x5u", "zip"})
"""Header members that change how a token is parsed, or contain a key (RFC 7515, 4.1)."""


@dataclass(frozen=True, slots=True)
class Session:
    """The authenticated caller: a shop's domain and the digits of its customer."""

    shop: str
    customer_id: str


def verify_session_token(
    token: str, keys: AppKeys, now: datetime, secrets: Sequence[str]
) -> Session:
    """Return the session of a `token` that is valid at `now` (real time, aware).

    `secrets` are those that it may be signed with: `keys.shopify_secrets` for a header,
    `keys.cookie_secrets` for a cookie. Raises Unauthenticated: `token_expired` for a token that was
    valid until `exp`, `token_invalid` for every other fault, without naming it.
    """
    claims = signed_claims(token, secrets)
    session = _session(claims, keys)
    check_times(claims, now.timestamp())
    return session


def signed_claims(token: str, secrets: Sequence[str]) -> dict[str, Any]:
    """Return the claims of a token that is signed with one of the `secrets`, by HS256.

    They are not checked. Raises Unauthenticated.
    """
    header, claims = _signed_parts(token, secrets)
    _check_header(header)
    return claims


def check_times(claims: Mapping[str, Any], now_seconds: float) -> None:
    """Raise Unauthenticated unless the claims are valid now, with a leeway of ten seconds."""
    if not all(type(claims.get(name)) is int for name in ("exp", "nbf", "iat")):
        raise Unauthenticated("token_invalid")
    if max(claims["nbf"], claims["iat"]) > now_seconds + LEEWAY_SECONDS:
        raise Unauthenticated("token_invalid")
    if claims["exp"] <= now_seconds - LEEWAY_SECONDS:
        raise Unauthenticated("token_expired")


def _signed_parts(token: str, secrets: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token; neither is parsed before the signature is verified."""
    parts = token.split(".") if len(token) <= TOKEN_LENGTH_MAX else []
    if len(parts) != 3 or not all(_BASE64URL.fullmatch(part) for part in parts):
        raise Unauthenticated("token_invalid")
    header, claims, signature = parts
    message = f"{header}.{claims}".encode("ascii")
    if not matches(signature, [_base64url(hmac_sha256(secret, message)) for secret in secrets]):
        raise Unauthenticated("token_invalid")
    return _json_part(header), _json_part(claims)


def _check_header(header: Mapping[str, Any]) -> None:
    kind = header.get("typ", "JWT")
    acceptable = (
        header.get("alg") == "HS256"
        and isinstance(kind, str)
        and kind.upper() == "JWT"
        and isinstance(header.get("kid", ""), str)
        and _HEADER_REFUSED.isdisjoint(header)
    )
    if not acceptable:
        raise Unauthenticated("token_invalid")


def _session(claims: Mapping[str, Any], keys: AppKeys) -> Session:
    destination = claims.get("dest")
    shop = destination.removeprefix("https://") if isinstance(destination, str) else None
    customer_id = customer_digits_in_gid(claims.get("sub"))
    if shop not in keys.shops or customer_id is None or claims.get("aud") != keys.client_id:
        raise Unauthenticated("token_invalid")
    return Session(shop, customer_id)


def _json_part(part: str) -> dict[str, Any]:
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        if _base64url(raw) != part:
            raise MalformedBody("the base64url is not canonical")
        return json_object(raw)
    except (binascii.Error, MalformedBody) as error:
        raise Unauthenticated("token_invalid") from error


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
