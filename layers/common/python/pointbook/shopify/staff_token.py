"""Session tokens of the shop's staff: the JWT that an extension in the admin or at the POS sends.

HS256 with the app's client secret
(https://shopify.dev/docs/apps/build/authentication-authorization/id-tokens). It proves the shop and
the user who is logged in, and says nothing of what that user may do: the programme does. Tokens of
customers have the same secret and audience, so `sub` must be the digits of a user, and issuer and
shop must agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pointbook.domain.staff import is_staff_id
from pointbook.errors import Unauthenticated
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.session_token import check_times, signed_claims


@dataclass(frozen=True, slots=True)
class StaffSession:
    """The authenticated member of the staff: a shop's domain and the user's id at Shopify."""

    shop: str
    staff_id: str


def verify_staff_token(token: str, keys: AppKeys, now: datetime) -> StaffSession:
    """Return the session of a staff `token` that is valid at `now` (real time, aware).

    Raises Unauthenticated: `token_expired` for a token that was valid until `exp`, `token_invalid`
    for every other fault, without naming it.
    """
    claims = signed_claims(token, keys.shopify_secrets)
    session = _session(claims, keys)
    check_times(claims, now.timestamp())
    return session


def _session(claims: Mapping[str, Any], keys: AppKeys) -> StaffSession:
    shop = next((one for one in keys.shops if claims.get("dest") == f"https://{one}"), None)
    staff_id = claims.get("sub")
    if shop is None or not isinstance(staff_id, str) or not is_staff_id(staff_id):
        raise Unauthenticated("token_invalid")
    if claims.get("iss") != f"https://{shop}/admin" or claims.get("aud") != keys.client_id:
        raise Unauthenticated("token_invalid")
    return StaffSession(shop, staff_id)
