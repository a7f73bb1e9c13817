"""Requests that Shopify signs: a POST with a JSON object of a shop that this stack serves."""

from collections.abc import Mapping, Sequence
from typing import Any

from pointbook.errors import MethodNotAllowed, UnknownShop
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.signature import FLOW_SIGNATURE_HEADERS, verify_body
from pointbook.validation import json_object, shown


def require_signed_post(
    method: str,
    headers: Mapping[str, str],
    body: bytes,
    keys: AppKeys,
    names: Sequence[str] = FLOW_SIGNATURE_HEADERS,
) -> None:
    """Return if this is a POST that Shopify has signed in one of the headers `names`.

    Raises MethodNotAllowed, SignatureMissing, SignatureWrong, in this order.
    """
    if method != "POST":
        raise MethodNotAllowed(method, allowed="POST")
    verify_body(body, headers, keys.shopify_secrets, names)


def read_signed_object(
    method: str, headers: Mapping[str, str], body: bytes, keys: AppKeys
) -> tuple[str, dict[str, Any]]:
    """Return the shop that the signed body names, and the members of the body.

    Raises, in this order, so that nothing of an unsigned body is parsed: MethodNotAllowed,
    SignatureMissing, SignatureWrong, MalformedBody, UnknownShop.
    """
    require_signed_post(method, headers, body, keys)
    members = json_object(body)
    shop = members.get("shopify_domain")
    if not isinstance(shop, str) or shop not in keys.shops:
        raise UnknownShop(f"The shop {shown(shop)} does not use these points.")
    return shop, members
