"""The caller of my page's API: by session token in the header, in the cookie, or by app proxy.

Every proof that a request has must be valid, and all must agree; none of them is required.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote

from pointbook.errors import InvalidRequest, NotYours, OriginRefused, Unauthenticated
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.app_proxy import verify_app_proxy
from pointbook.shopify.ids import customer_digits
from pointbook.shopify.session_token import Session, verify_session_token

SESSION_COOKIE = "sessionToken"
ME = "me"

_BEARER = re.compile(r"bearer(?: +(?P<token>\S+))? *", re.IGNORECASE)
_READING_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Proofs:
    """The proofs of identity in a request, as plain texts.

    `authorization` is the header, `cookies` every value of the cookie `sessionToken`, `query` the
    decoded query pairs, `origin` the header of that name, `method` the HTTP method.
    """

    method: str
    authorization: str | None = field(default=None, repr=False)
    cookies: Sequence[str] = field(default=(), repr=False)
    query: Sequence[tuple[str, str]] = field(default=(), repr=False)
    origin: str | None = None


def identify(
    proofs: Proofs, keys: AppKeys, now: datetime, allowed_origins: frozenset[str]
) -> Session:
    """Return the caller's session at `now` (real time, aware).

    Raises Unauthenticated if there is no proof, if one is invalid or if two disagree, and
    OriginRefused for a write whose only proof is a cookie, unless its page is allowed: browsers add
    cookies to requests of any page.
    """
    sessions = set()
    header_token = bearer_token(proofs.authorization)
    if header_token:
        sessions.add(verify_session_token(header_token, keys, now, keys.shopify_secrets))
    if any(name == "signature" for name, _ in proofs.query):
        sessions.add(verify_app_proxy(proofs.query, keys, now))
    by_cookie_only = not sessions
    for cookie in proofs.cookies:
        if cookie:
            sessions.add(verify_session_token(cookie, keys, now, keys.cookie_secrets))
    if not sessions:
        raise Unauthenticated("token_missing")
    if len(sessions) > 1:
        raise Unauthenticated("token_invalid")
    writes = proofs.method not in _READING_METHODS
    if by_cookie_only and writes and proofs.origin not in allowed_origins:
        raise OriginRefused
    return sessions.pop()


def own_customer(customer: str, session: Session) -> str:
    """Return the digits of `customer`, a path's `{customer}`.

    It is `me`, the digits, or a gid, URL-encoded or not. Raises NotYours for everything but the
    session's own customer, well-formed or not, so that the answer reveals nothing about others.
    """
    if customer == ME:
        return session.customer_id
    try:
        digits = customer_digits(unquote(customer))
    except InvalidRequest:
        raise NotYours from None
    if digits != session.customer_id:
        raise NotYours
    return digits


def bearer_token(authorization: str | None) -> str:
    """Return the token of a Bearer header, "" if there is none. Raises Unauthenticated."""
    if not authorization:
        return ""
    bearer = _BEARER.fullmatch(authorization)
    if not bearer:
        raise Unauthenticated("token_invalid")
    return bearer["token"] or ""
