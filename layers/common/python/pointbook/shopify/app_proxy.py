"""The app proxy: Shopify forwards a storefront's request and adds, signed, who is logged in.

The signature is hex(HMAC-SHA256(client secret, message)); the message is every other decoded
`name=value`, sorted by name, without separators
(https://shopify.dev/docs/apps/build/online-store/app-proxies/authenticate-app-proxies).
Method, path and body are not signed, so nobody but Shopify and us may see a signed query.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from pointbook.errors import Unauthenticated
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.ids import is_customer_digits
from pointbook.shopify.session_token import Session
from pointbook.shopify.signature import hmac_sha256, matches

WINDOW_SECONDS = 90

_UNIX_SECONDS = re.compile(r"[0-9]{1,12}")
_SHOPIFY_PARAMETERS = (
    "shop",
    "path_prefix",
    "timestamp",
    "signature",
    "logged_in_customer_id",
)
"""What Shopify adds. A browser may add anything else, and Shopify signs that as well."""


def verify_app_proxy(query: Sequence[tuple[str, str]], keys: AppKeys, now: datetime) -> Session:
    """Return the session that the decoded `query` pairs prove at `now` (real time, aware).

    Raises Unauthenticated: `token_invalid` for a wrong signature, an unknown shop or one of
    Shopify's parameters given twice, `token_expired` for a timestamp more than 90 seconds from
    `now`, `token_missing` when nobody is logged in to the shop.
    """
    names = [name for name, _ in query]
    if any(names.count(name) > 1 for name in _SHOPIFY_PARAMETERS):
        raise Unauthenticated("token_invalid")
    values = dict(query)
    expected = [sign_query(query, secret) for secret in keys.shopify_secrets]
    if not matches(values.get("signature", ""), expected) or values.get("shop") not in keys.shops:
        raise Unauthenticated("token_invalid")
    _check_timestamp(values.get("timestamp", ""), now.timestamp())
    customer_id = values.get("logged_in_customer_id", "")
    if not is_customer_digits(customer_id):
        raise Unauthenticated("token_invalid" if customer_id else "token_missing")
    return Session(values["shop"], customer_id)


def sign_query(query: Sequence[tuple[str, str]], secret: str) -> str:
    """Return the signature that Shopify adds to `query`.

    A repeated name is included once, with its values joined by commas.
    """
    joined: dict[str, list[str]] = {}
    for name, value in query:
        if name != "signature":
            joined.setdefault(name, []).append(value)
    message = "".join(f"{name}={','.join(values)}" for name, values in sorted(joined.items()))
    return hmac_sha256(secret, message.encode("utf-8", "surrogatepass")).hex()


def _check_timestamp(timestamp: str, now_seconds: float) -> None:
    if not _UNIX_SECONDS.fullmatch(timestamp):
        raise Unauthenticated("token_invalid")
    if abs(now_seconds - int(timestamp)) > WINDOW_SECONDS:
        raise Unauthenticated("token_expired")
