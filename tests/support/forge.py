"""Requests and tokens as Shopify, or somebody who would like to be, makes them.

Written without the package under test: a mistake there must not be repeated here.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pointbook.shopify.app_keys import AppKeys

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SHOP = "demo.myshopify.com"
OTHER_SHOP = "second.myshopify.com"
CLIENT_ID = "client-id-of-this-app"
SECRET = "secret-of-this-app-0123456789-0123456789"
PREVIOUS_SECRET = "secret-before-rotation-0123456789-0123456789"
MY_PAGE_SECRET = "secret-of-my-page-0123456789-0123456789"
PREVIOUS_MY_PAGE_SECRET = "secret-of-my-page-before-rotation-0123456789"
STRANGERS_SECRET = "secret-of-somebody-else-0123456789-0123456789"
CUSTOMER = "8840734670934"
STAFF = "70000000001"

KEYS = AppKeys(
    client_id=CLIENT_ID,
    client_secret=SECRET,
    client_secret_previous=PREVIOUS_SECRET,
    my_page_secret=MY_PAGE_SECRET,
    shops=frozenset({SHOP, OTHER_SHOP}),
    my_page_secret_previous=PREVIOUS_MY_PAGE_SECRET,
)

HEADER = {"alg": "HS256", "typ": "JWT"}


def claims(**changes: Any) -> dict[str, Any]:
    """Claims of a good token at NOW; a change to None takes the claim away."""
    good = {
        "dest": SHOP,
        "aud": CLIENT_ID,
        "sub": f"gid://shopify/Customer/{CUSTOMER}",
        "iat": seconds(-60),
        "nbf": seconds(-60),
        "exp": seconds(240),
        "jti": "6c992878-dbaf-48d1-bb9d-6d9b59814fd1",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def staff_claims(**changes: Any) -> dict[str, Any]:
    """Claims of a good token of the staff at NOW; a change to None takes the claim away."""
    good = {
        "iss": f"https://{SHOP}/admin",
        "dest": f"https://{SHOP}",
        "sub": STAFF,
        "sid": "8b5f4f5d0c4e4bb2a9e1b9d0b2b1c7a3",
    }
    return claims(**(good | changes))


def seconds(after_now: float) -> int:
    return int((NOW + timedelta(seconds=after_now)).timestamp())


def token(
    body: Mapping[str, Any] | bytes | None = None,
    *,
    header: Mapping[str, Any] | bytes = HEADER,
    secret: str = SECRET,
) -> str:
    """A token with exactly these contents, signed as HS256 whatever its header says."""
    first, second = part(header), part(claims() if body is None else body)
    return f"{first}.{second}.{jwt_signature(f'{first}.{second}', secret)}"


def part(content: Mapping[str, Any] | bytes) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def jwt_signature(message: str, secret: str) -> str:
    digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def body_signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def query_signature(query: list[tuple[str, str]], secret: str = SECRET) -> str:
    names = sorted({name for name, _ in query})
    message = "".join(f"{name}={','.join(v for n, v in query if n == name)}" for name in names)
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
