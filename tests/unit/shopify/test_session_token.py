from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Self

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pointbook.errors import Unauthenticated
from pointbook.shopify.session_token import Session, verify_session_token
from tests.support.forge import (
    CLIENT_ID,
    CUSTOMER,
    KEYS,
    MY_PAGE_SECRET,
    NOW,
    OTHER_SHOP,
    PREVIOUS_MY_PAGE_SECRET,
    SECRET,
    SHOP,
    STRANGERS_SECRET,
    claims,
    seconds,
    token,
)


def verify(text: str, secrets: Sequence[str] = KEYS.shopify_secrets) -> Session:
    return verify_session_token(text, KEYS, NOW, secrets)


def code_of(text: str, secrets: Sequence[str] = KEYS.shopify_secrets) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        verify(text, secrets)
    return refusal.value.code


# --- what is accepted ---------------------------------------------------------------------------


def test_a_token_identifies_the_customer_and_the_shop() -> None:
    assert verify(token()) == Session(shop=SHOP, customer_id=CUSTOMER)


@pytest.mark.parametrize("dest", [OTHER_SHOP, f"https://{OTHER_SHOP}"])
def test_the_shop_may_be_written_with_or_without_its_scheme(dest: str) -> None:
    assert verify(token(claims(dest=dest))).shop == OTHER_SHOP


@pytest.mark.parametrize("secret", [MY_PAGE_SECRET, PREVIOUS_MY_PAGE_SECRET])
def test_the_my_page_secret_signs_cookies_and_nothing_else(secret: str) -> None:
    cookie = token(secret=secret)
    assert verify(cookie, KEYS.cookie_secrets).customer_id == CUSTOMER
    assert code_of(cookie) == "token_invalid"


def test_unknown_claims_are_ignored() -> None:
    assert verify(token(claims(iss=f"https://{SHOP}", amr=["pwd"]))).customer_id == CUSTOMER


# --- what is refused ----------------------------------------------------------------------------

WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "sub missing": claims(sub=None),
    "sub of staff": claims(sub="42"),
    "sub a number": claims(sub=42),
    "sub without slash": claims(sub="gid://shopify/Customer42"),
    "sub of another kind": claims(sub="gid://shopify/StaffMember/42"),
    "sub with a leading zero": claims(sub="gid://shopify/Customer/042"),
    "sub with a line end": claims(sub="gid://shopify/Customer/42\n"),
    "sub with full-width digits": claims(sub="gid://shopify/Customer/４２"),
    "sub a list": claims(sub=["gid://shopify/Customer/42"]),
    "dest missing": claims(dest=None),
    "dest of an unknown shop": claims(dest="evil.myshopify.com"),
    "dest with a path": claims(dest=f"https://{SHOP}/admin"),
    "dest without tls": claims(dest=f"http://{SHOP}"),
    "dest with the scheme twice": claims(dest=f"https://https://{SHOP}"),
    "dest that only ends like the shop": claims(dest=f"https://evil.example?{SHOP}"),
    "dest in capitals": claims(dest=SHOP.upper()),
    "dest a list": claims(dest=[SHOP]),
    "dest a number": claims(dest=1),
    "aud missing": claims(aud=None),
    "aud of another app": claims(aud="another-app"),
    "aud a list with ours": claims(aud=[CLIENT_ID]),
    "aud empty": claims(aud=""),
}


@pytest.mark.parametrize("body", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_token_whose_claims_do_not_hold_is_refused(body: dict[str, Any]) -> None:
    assert code_of(token(body)) == "token_invalid"


def test_without_any_secret_no_token_is_genuine() -> None:
    assert code_of(token(secret=SECRET), ()) == "token_invalid"


# --- a second opinion ---------------------------------------------------------------------------

times = st.integers(min_value=-40, max_value=40)


class StoppedClock(datetime):
    """PyJWT reads the real clock; here it is NOW."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(NOW.timestamp(), tz)


def pyjwt_accepts(text: str) -> bool:
    """Verify by PyJWT with all of its options; it knows nothing of shops."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jwt.api_jwt.datetime", StoppedClock)
        try:
            decoded = jwt.decode(
                text,
                SECRET,
                algorithms=["HS256"],
                audience=CLIENT_ID,
                leeway=10,
                options={"require": ["exp", "nbf", "iat", "aud", "sub"], "strict_aud": True},
            )
        except jwt.PyJWTError:
            return False
    return bool(decoded["dest"] == SHOP)


def accepted_by_us(text: str) -> bool:
    try:
        verify(text, [SECRET])
    except Unauthenticated:
        return False
    return True


@given(
    exp=times,
    nbf=times,
    iat=times,
    aud=st.sampled_from([CLIENT_ID, "another-app"]),
    dest=st.sampled_from([SHOP, "evil.myshopify.com"]),
    signer=st.sampled_from([SECRET, STRANGERS_SECRET]),
    without=st.sampled_from([None, "exp", "nbf", "iat", "aud", "sub"]),
    spoiled=st.integers(min_value=-1, max_value=200),
)
@example(10, 0, 0, CLIENT_ID, SHOP, SECRET, None, -1)
def test_tokens_are_judged_as_by_pyjwt(
    exp: int,
    nbf: int,
    iat: int,
    aud: str,
    dest: str,
    signer: str,
    without: str | None,
    spoiled: int,
) -> None:
    body = claims(exp=seconds(exp), nbf=seconds(nbf), iat=seconds(iat), aud=aud, dest=dest)
    body.pop(without or "", None)
    text = jwt.encode(body, signer, algorithm="HS256")
    if spoiled >= 0:
        text = text[:spoiled] + ("A" if text[spoiled] != "A" else "B") + text[spoiled + 1 :]
    assert accepted_by_us(text) == pyjwt_accepts(text)
