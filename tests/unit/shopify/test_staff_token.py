"""Tokens of the shop's staff are read as strictly as customers', and the two are never confused."""

from typing import Any

import pytest

from pointbook.errors import Unauthenticated
from pointbook.shopify.session_token import verify_session_token
from pointbook.shopify.staff_token import StaffSession, verify_staff_token
from tests.support.forge import (
    CLIENT_ID,
    CUSTOMER,
    KEYS,
    MY_PAGE_SECRET,
    NOW,
    OTHER_SHOP,
    PREVIOUS_MY_PAGE_SECRET,
    SHOP,
    STAFF,
    STRANGERS_SECRET,
    claims,
    staff_claims,
    token,
)


def code_of(text: str) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        verify_staff_token(text, KEYS, NOW)
    return refusal.value.code


# --- what is accepted ---------------------------------------------------------------------------


@pytest.mark.parametrize("shop", [SHOP, OTHER_SHOP])
def test_a_token_identifies_the_member_of_the_staff_and_the_shop(shop: str) -> None:
    body = staff_claims(iss=f"https://{shop}/admin", dest=f"https://{shop}")
    assert verify_staff_token(token(body), KEYS, NOW) == StaffSession(shop, STAFF)


def test_a_token_without_a_session_id_and_with_unknown_claims_is_read() -> None:
    text = token(staff_claims(sid=None, jti=None, amr=["pwd"]))
    assert verify_staff_token(text, KEYS, NOW).staff_id == STAFF


# --- staff and customers ------------------------------------------------------------------------


def test_a_customers_token_is_never_the_staffs() -> None:
    assert code_of(token(claims())) == "token_invalid"
    assert code_of(token(claims(iss=f"https://{SHOP}"))) == "token_invalid"
    as_admin = claims(iss=f"https://{SHOP}/admin", dest=f"https://{SHOP}", sid="session")
    assert code_of(token(as_admin)) == "token_invalid"


@pytest.mark.parametrize("secrets", [KEYS.shopify_secrets, KEYS.cookie_secrets])
def test_the_staffs_token_is_never_a_customers(secrets: tuple[str, ...]) -> None:
    for body in (staff_claims(), staff_claims(sub=CUSTOMER), staff_claims(dest=SHOP)):
        with pytest.raises(Unauthenticated):
            verify_session_token(token(body), KEYS, NOW, secrets)


@pytest.mark.parametrize("secret", [MY_PAGE_SECRET, PREVIOUS_MY_PAGE_SECRET, STRANGERS_SECRET])
def test_only_the_apps_secret_signs_the_staffs_tokens(secret: str) -> None:
    assert code_of(token(staff_claims(), secret=secret)) == "token_invalid"


# --- what is refused ----------------------------------------------------------------------------

WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "iss missing": staff_claims(iss=None),
    "iss without the admin": staff_claims(iss=f"https://{SHOP}"),
    "iss without its scheme": staff_claims(iss=f"{SHOP}/admin"),
    "iss with a slash at its end": staff_claims(iss=f"https://{SHOP}/admin/"),
    "iss without tls": staff_claims(iss=f"http://{SHOP}/admin"),
    "iss of the unified admin": staff_claims(iss="https://admin.shopify.com/store/demo"),
    "iss of another shop of this stack": staff_claims(iss=f"https://{OTHER_SHOP}/admin"),
    "iss of an unknown shop": staff_claims(iss="https://evil.myshopify.com/admin"),
    "iss in capitals": staff_claims(iss=f"https://{SHOP.upper()}/admin"),
    "iss a list": staff_claims(iss=[f"https://{SHOP}/admin"]),
    "iss and dest of an unknown shop": staff_claims(
        iss="https://evil.myshopify.com/admin", dest="https://evil.myshopify.com"
    ),
    "dest missing": staff_claims(dest=None),
    "dest without its scheme": staff_claims(dest=SHOP),
    "dest of another shop of this stack": staff_claims(dest=f"https://{OTHER_SHOP}"),
    "dest with the admin": staff_claims(dest=f"https://{SHOP}/admin"),
    "dest without tls": staff_claims(dest=f"http://{SHOP}"),
    "dest with the scheme twice": staff_claims(dest=f"https://https://{SHOP}"),
    "dest that only ends like the shop": staff_claims(dest=f"https://evil.example?{SHOP}"),
    "dest with a line end": staff_claims(dest=f"https://{SHOP}\n"),
    "dest a list": staff_claims(dest=[f"https://{SHOP}"]),
    "dest an object": staff_claims(dest={"https": SHOP}),
    "sub missing": staff_claims(sub=None),
    "sub of a customer": staff_claims(sub=f"gid://shopify/Customer/{CUSTOMER}"),
    "sub a gid of staff": staff_claims(sub=f"gid://shopify/StaffMember/{STAFF}"),
    "sub a number": staff_claims(sub=int(STAFF)),
    "sub empty": staff_claims(sub=""),
    "sub zero": staff_claims(sub="0"),
    "sub with a leading zero": staff_claims(sub=f"0{STAFF}"),
    "sub negative": staff_claims(sub=f"-{STAFF}"),
    "sub with a line end": staff_claims(sub=f"{STAFF}\n"),
    "sub with full-width digits": staff_claims(sub="７００００００００１"),
    "sub of 21 digits": staff_claims(sub="7" * 21),
    "sub two ids": staff_claims(sub=f"{STAFF},70000000002"),
    "sub a list": staff_claims(sub=[STAFF]),
    "aud missing": staff_claims(aud=None),
    "aud of another app": staff_claims(aud="another-app"),
    "aud a list with ours": staff_claims(aud=[CLIENT_ID]),
    "aud empty": staff_claims(aud=""),
}


@pytest.mark.parametrize("body", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_token_whose_claims_do_not_hold_is_refused(body: dict[str, Any]) -> None:
    assert code_of(token(body)) == "token_invalid"
