"""Who calls my page's API: by session token in the header, in the cookie, or by app proxy.

Every proof that is shown must hold, and all must agree; what is not shown is not asked for.
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
    """What a request shows of its caller, as plain texts.

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
    """Return who calls, at `now` (real time, aware).

    Raises Unauthenticated when nothing is shown, when a proof does not hold or when two disagree,
    and OriginRefused for a write whose only proof is a cookie, unless the page that sends it is
    allowed: browsers add cookies to requests of any page.
    """
    sessions = set()
    header_token = _header_token(proofs.authorization)
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
    if by_cookie_only and proofs.method not in _READING_METHODS:
        _check_origin(proofs.origin, allowed_origins)
    return sessions.pop()


def own_customer(asked: str, session: Session) -> str:
    """Return the digits of the customer that `asked`, a path's `{customer}`, names.

    `me`, the digits, or a gid, URL-encoded or not. Raises NotYours for everything but the session's
    own customer, well-formed or not, so that the answer tells nothing about others.
    """
    if asked == ME:
        return session.customer_id
    try:
        digits = customer_digits(unquote(asked))
    except InvalidRequest:
        raise NotYours from None
    if digits != session.customer_id:
        raise NotYours
    return digits


def _header_token(authorization: str | None) -> str:
    """Return the token of a Bearer header, "" if none is shown."""
    if not authorization:
        return ""
    bearer = _BEARER.fullmatch(authorization)
    if not bearer:
        raise Unauthenticated("token_invalid")
    return bearer["token"] or ""


def _check_origin(origin: str | None, allowed_origins: frozenset[str]) -> None:
    if origin not in allowed_origins:
        raise OriginRefused
