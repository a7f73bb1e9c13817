"""Tokens of the shop's staff are read as strictly as customers', and the two are never confused."""

import json
from typing import Any

import pytest

from pointbook.errors import Unauthenticated
from pointbook.shopify.session_token import TOKEN_LENGTH_MAX, verify_session_token
from pointbook.shopify.staff_token import StaffSession, verify_staff_token
from tests.support.forge import (
    CLIENT_ID,
    CUSTOMER,
    KEYS,
    MY_PAGE_SECRET,
    NOW,
    OTHER_SHOP,
    PREVIOUS_MY_PAGE_SECRET,
    PREVIOUS_SECRET,
    SHOP,
    STAFF,
    STRANGERS_SECRET,
    WRONG_HEADERS,
    claims,
    jwt_signature,
    part,
    seconds,
    staff_claims,
    token,
    wrong_times,
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


def test_while_a_secret_is_rotated_the_previous_one_still_signs_tokens() -> None:
    text = token(staff_claims(), secret=PREVIOUS_SECRET)
    assert verify_staff_token(text, KEYS, NOW).staff_id == STAFF


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


# --- times --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after_now", "good"), [(-9, True), (-10, False), (-11, False)])
def test_a_token_is_good_for_ten_seconds_after_it_has_expired(after_now: int, good: bool) -> None:
    text = token(staff_claims(exp=seconds(after_now)))
    if good:
        assert verify_staff_token(text, KEYS, NOW).staff_id == STAFF
    else:
        assert code_of(text) == "token_expired"


@pytest.mark.parametrize("name", ["nbf", "iat"])
@pytest.mark.parametrize(("after_now", "good"), [(10, True), (11, False)])
def test_a_token_is_good_ten_seconds_before_its_time_begins(
    name: str, after_now: int, good: bool
) -> None:
    text = token(staff_claims(**{name: seconds(after_now)}))
    if good:
        assert verify_staff_token(text, KEYS, NOW).staff_id == STAFF
    else:
        assert code_of(text) == "token_invalid"


def test_an_expired_token_with_another_fault_is_not_called_expired() -> None:
    assert code_of(token(staff_claims(exp=seconds(-60), aud="another-app"))) == "token_invalid"


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
} | wrong_times(staff_claims)


@pytest.mark.parametrize("body", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_token_whose_claims_do_not_hold_is_refused(body: dict[str, Any]) -> None:
    assert code_of(token(body)) == "token_invalid"


@pytest.mark.parametrize("header", WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_a_token_with_other_headers_is_refused(header: dict[str, Any]) -> None:
    assert code_of(token(staff_claims(), header=header)) == "token_invalid"


GOOD = token(staff_claims())
FIRST, SECOND, THIRD = GOOD.split(".")
TWICE = json.dumps(staff_claims())[:-1].encode()

MALFORMED = {
    "empty": "",
    "dots only": "..",
    "two parts": f"{FIRST}.{SECOND}",
    "four parts": f"{GOOD}.{THIRD}",
    "no signature": f"{FIRST}.{SECOND}.",
    "signature of an empty secret": f"{FIRST}.{SECOND}.{jwt_signature(f'{FIRST}.{SECOND}', '')}",
    "signature of other claims": f"{FIRST}.{part(staff_claims(sub='1'))}.{THIRD}",
    "signature truncated": GOOD[:-1],
    "padded": f"{GOOD}=",
    "line end after": f"{GOOD}\n",
    "not ASCII": GOOD.replace("e", "ｅ"),
    "claims a list": token(b"[]"),
    "claims with sub twice": token(TWICE + b',"sub":"1"}'),
    "claims with iss twice": token(TWICE + b',"iss":"https://evil.myshopify.com/admin"}'),
    "longer than 4 KB": token(staff_claims(note="x" * TOKEN_LENGTH_MAX)),
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_token_that_is_not_well_formed_and_signed_is_refused(text: str) -> None:
    assert code_of(text) == "token_invalid"


def test_every_refusal_but_expiry_reads_the_same() -> None:
    texts = set()
    for text in (*MALFORMED.values(), *(token(body) for body in WRONG_CLAIMS.values())):
        with pytest.raises(Unauthenticated) as refusal:
            verify_staff_token(text, KEYS, NOW)
        texts.add(str(refusal.value))
    assert len(texts) == 1
