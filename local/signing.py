"""Shopify's signatures: requests of Flow, webhooks, session tokens of customers and of staff.

Written independently of the package that verifies them, so that both cannot share a mistake.
"""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Mapping

from local import demo

SESSION_SECONDS = 3600


def flow_signature(body: bytes, secret: str = demo.CLIENT_SECRET) -> str:
    """Return the value of X-Shopify-Hmac-Sha256 for a body."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


def flow_request(handle: str, properties: Mapping[str, object], action_run_id: str) -> bytes:
    """Return the body with which Shopify Flow runs an action of the demo shop."""
    return json.dumps(
        {
            "shop_id": 548380009,
            "shopify_domain": demo.SHOP_DOMAIN,
            "action_run_id": action_run_id,
            "action_definition_id": handle,
            "handle": handle,
            "properties": dict(properties),
        }
    ).encode()


def session_token(customer_id: str, secret: str = demo.CLIENT_SECRET) -> str:
    """Return a customer's session token, valid for an hour of real time."""
    return _token(
        secret,
        iss=f"https://{demo.SHOP_DOMAIN}",
        dest=demo.SHOP_DOMAIN,
        sub=f"gid://shopify/Customer/{customer_id}",
    )


def staff_token(staff_id: str, secret: str = demo.CLIENT_SECRET) -> str:
    """Return the session token of a member of the shop's staff, valid for an hour of real time."""
    return _token(
        secret,
        iss=f"https://{demo.SHOP_DOMAIN}/admin",
        dest=f"https://{demo.SHOP_DOMAIN}",
        sub=staff_id,
        sid=uuid.uuid4().hex,
    )


def _token(secret: str, **own: str) -> str:
    now = int(time.time())
    claims = {
        **own,
        "aud": demo.SHOPIFY_CLIENT_ID,
        "iat": now,
        "nbf": now,
        "exp": now + SESSION_SECONDS,
        "jti": str(uuid.uuid4()),
    }
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64url(digest)}"


def _part(content: Mapping[str, object]) -> str:
    return _base64url(json.dumps(content, separators=(",", ":")).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
