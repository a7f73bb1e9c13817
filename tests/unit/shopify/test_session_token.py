import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Self

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pointbook.errors import Unauthenticated
from pointbook.shopify.session_token import TOKEN_LENGTH_MAX, Session, verify_session_token
from tests.support.forge import (
    CLIENT_ID,
    CUSTOMER,
    HEADER,
    KEYS,
    MY_PAGE_SECRET,
    NOW,
    OTHER_SHOP,
    PREVIOUS_MY_PAGE_SECRET,
    PREVIOUS_SECRET,
    SECRET,
    SHOP,
    STRANGERS_SECRET,
    WRONG_HEADERS,
    claims,
    jwt_signature,
    part,
    seconds,
    token,
    wrong_times,
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


def test_while_a_secret_is_rotated_the_previous_one_still_signs_tokens() -> None:
    assert verify(token(secret=PREVIOUS_SECRET)).customer_id == CUSTOMER


@pytest.mark.parametrize("secret", [MY_PAGE_SECRET, PREVIOUS_MY_PAGE_SECRET])
def test_the_my_page_secret_signs_cookies_and_nothing_else(secret: str) -> None:
    cookie = token(secret=secret)
    assert verify(cookie, KEYS.cookie_secrets).customer_id == CUSTOMER
    assert code_of(cookie) == "token_invalid"


@pytest.mark.parametrize(
    "header",
    [{"alg": "HS256"}, HEADER, HEADER | {"typ": "jwt"}, HEADER | {"kid": "key-1"}],
    ids=str,
)
def test_headers_that_shopify_could_send_are_read(header: dict[str, str]) -> None:
    assert verify(token(header=header)).customer_id == CUSTOMER


def test_unknown_claims_are_ignored() -> None:
    assert verify(token(claims(iss=f"https://{SHOP}", amr=["pwd"]))).customer_id == CUSTOMER


# --- times --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after_now", "good"), [(-9, True), (-10, False), (-11, False)])
def test_a_token_is_good_for_ten_seconds_after_it_has_expired(after_now: int, good: bool) -> None:
    text = token(claims(exp=seconds(after_now)))
    if good:
        assert verify(text).customer_id == CUSTOMER
    else:
        assert code_of(text) == "token_expired"


@pytest.mark.parametrize("name", ["nbf", "iat"])
@pytest.mark.parametrize(("after_now", "good"), [(10, True), (11, False)])
def test_a_token_is_good_ten_seconds_before_its_time_begins(
    name: str, after_now: int, good: bool
) -> None:
    text = token(claims(**{name: seconds(after_now)}))
    if good:
        assert verify(text).customer_id == CUSTOMER
    else:
        assert code_of(text) == "token_invalid"


def test_an_expired_token_with_another_fault_is_not_called_expired() -> None:
    assert code_of(token(claims(exp=seconds(-60), aud="another-app"))) == "token_invalid"


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
} | wrong_times(claims)


@pytest.mark.parametrize("body", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_token_whose_claims_do_not_hold_is_refused(body: dict[str, Any]) -> None:
    assert code_of(token(body)) == "token_invalid"


@pytest.mark.parametrize("header", WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_a_token_with_other_headers_is_refused(header: dict[str, Any]) -> None:
    assert code_of(token(header=header)) == "token_invalid"


GOOD_HEADER, GOOD_CLAIMS, GOOD_SIGNATURE = token().split(".")
TWICE = json.dumps(claims())[:-1].encode()


def with_hs512() -> str:
    message = f"{part({'alg': 'HS512'})}.{GOOD_CLAIMS}"
    digest = hmac.new(SECRET.encode(), message.encode(), hashlib.sha512).digest()
    return f"{message}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def signed(header: str, body: str) -> str:
    return f"{header}.{body}.{jwt_signature(f'{header}.{body}', SECRET)}"


MALFORMED = {
    "empty": "",
    "dots only": "..",
    "one part": GOOD_HEADER,
    "two parts": f"{GOOD_HEADER}.{GOOD_CLAIMS}",
    "four parts": f"{token()}.{GOOD_SIGNATURE}",
    "five parts, as an encrypted token": f"{token()}.{GOOD_CLAIMS}.{GOOD_SIGNATURE}",
    "no signature": f"{GOOD_HEADER}.{GOOD_CLAIMS}.",
    "signature of a stranger": token(secret=STRANGERS_SECRET),
    "signature of an empty secret": f"{GOOD_HEADER}.{GOOD_CLAIMS}."
    + jwt_signature(f"{GOOD_HEADER}.{GOOD_CLAIMS}", ""),
    "signature truncated": token()[:-1],
    "signature of other claims": f"{GOOD_HEADER}.{part(claims(sub='gid://shopify/Customer/1'))}"
    f".{GOOD_SIGNATURE}",
    "signed with HS512": with_hs512(),
    "padded": token() + "=",
    "padded in the middle": signed(GOOD_HEADER + "==", GOOD_CLAIMS),
    "line end after": token() + "\n",
    "space before": " " + token(),
    "standard base64 alphabet": signed(GOOD_HEADER, part(b'{"a":"\xc3\xbf\xc3\xbf"}') + "+/"),
    "bits beyond the last byte": signed("eyJhbGciOiJIUzI1NiJ" + "8", GOOD_CLAIMS),
    "one character too many": signed(GOOD_HEADER, part(b"{}") + "AA"),
    "not ASCII": token().replace("e", "ｅ"),
    "half a surrogate pair": token() + "\ud800",
    "a NUL": token() + "\0",
    "claims a list": token(b"[]"),
    "claims a text": token(b'"sub"'),
    "claims not JSON": token(b"sub=42"),
    "claims not UTF-8": token(b'{"sub":"\xff"}'),
    "claims in UTF-16": token(json.dumps(claims()).encode("utf-16")),
    "claims with a byte order mark": token(b"\xef\xbb\xbf" + json.dumps(claims()).encode()),
    "claims with sub twice": token(TWICE + b',"sub":"gid://shopify/Customer/1"}'),
    "claims with exp twice": token(TWICE + b',"exp":9999999999}'),
    "claims with exp 1e400": token(json.dumps(claims(exp=None))[:-1].encode() + b',"exp":1e400}'),
    "claims with NaN": token(json.dumps(claims(exp=None))[:-1].encode() + b',"exp":NaN}'),
    "claims nested without end": token(b"[" * 1500 + b"]" * 1500),
    "header a list": token(header=b"[]"),
    "header with alg twice": token(header=b'{"alg":"none","alg":"HS256"}'),
    "longer than 4 KB": token(claims(note="x" * TOKEN_LENGTH_MAX)),
    "a megabyte": "e" * 1_000_000,
    "a million dots": "." * 1_000_000,
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_token_that_is_not_well_formed_and_signed_is_refused(text: str) -> None:
    assert code_of(text, KEYS.cookie_secrets) == "token_invalid"


@pytest.mark.parametrize("position", range(0, len(token()), 7))
def test_a_token_altered_in_one_character_is_refused(position: int) -> None:
    text = token()
    other = "A" if text[position] != "A" else "B"
    assert code_of(text[:position] + other + text[position + 1 :]) == "token_invalid"


def test_every_refusal_but_expiry_reads_the_same() -> None:
    texts = set()
    for text in (*MALFORMED.values(), *(token(body) for body in WRONG_CLAIMS.values())):
        with pytest.raises(Unauthenticated) as refusal:
            verify(text)
        texts.add(str(refusal.value))
    assert len(texts) == 1


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
