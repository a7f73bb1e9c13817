"""Tokens of customers and of the shop's staff: times, headers, form and signature are one rule."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from pointbook.errors import Unauthenticated
from pointbook.shopify.session_token import TOKEN_LENGTH_MAX, verify_session_token
from pointbook.shopify.staff_token import verify_staff_token
from tests.support.forge import (
    CUSTOMER,
    HEADER,
    KEYS,
    NOW,
    PREVIOUS_SECRET,
    SECRET,
    STAFF,
    STRANGERS_SECRET,
    claims,
    jwt_signature,
    part,
    seconds,
    staff_claims,
    token,
)


class Kind(NamedTuple):
    """Whose tokens: how their claims are made, and whom one identifies."""

    made: Callable[..., dict[str, Any]]
    identified: Callable[[str], str]
    who: str

    def code_of(self, text: str) -> str:
        with pytest.raises(Unauthenticated) as refusal:
            self.identified(text)
        return refusal.value.code


def customer_of(text: str) -> str:
    return verify_session_token(text, KEYS, NOW, KEYS.shopify_secrets).customer_id


def staff_of(text: str) -> str:
    return verify_staff_token(text, KEYS, NOW).staff_id


CUSTOMERS, STAFFS = Kind(claims, customer_of, CUSTOMER), Kind(staff_claims, staff_of, STAFF)
KINDS = pytest.mark.parametrize("kind", [CUSTOMERS, STAFFS], ids=["customer", "staff"])


@KINDS
def test_while_a_secret_is_rotated_the_previous_one_still_signs_tokens(kind: Kind) -> None:
    assert kind.identified(token(kind.made(), secret=PREVIOUS_SECRET)) == kind.who


# --- times --------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize(("after_now", "good"), [(-9, True), (-10, False), (-11, False)])
def test_a_token_is_good_for_ten_seconds_after_it_has_expired(
    kind: Kind, after_now: int, good: bool
) -> None:
    text = token(kind.made(exp=seconds(after_now)))
    if good:
        assert kind.identified(text) == kind.who
    else:
        assert kind.code_of(text) == "token_expired"


@KINDS
@pytest.mark.parametrize("name", ["nbf", "iat"])
@pytest.mark.parametrize(("after_now", "good"), [(10, True), (11, False)])
def test_a_token_is_good_ten_seconds_before_its_time_begins(
    kind: Kind, name: str, after_now: int, good: bool
) -> None:
    text = token(kind.made(**{name: seconds(after_now)}))
    if good:
        assert kind.identified(text) == kind.who
    else:
        assert kind.code_of(text) == "token_invalid"


@KINDS
def test_an_expired_token_with_another_fault_is_not_called_expired(kind: Kind) -> None:
    assert kind.code_of(token(kind.made(exp=seconds(-60), aud="another-app"))) == "token_invalid"


NO_TIMES = {
    "missing": None,
    "a text": str(seconds(100)),
    "a float": float(seconds(100)),
    "a bool": True,
    "a list": [seconds(100)],
    "infinite": float("inf"),
    "not a number": float("nan"),
}


@KINDS
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("time", NO_TIMES.values(), ids=NO_TIMES)
def test_a_time_that_is_none_is_refused(kind: Kind, name: str, time: object) -> None:
    assert kind.code_of(token(kind.made(**{name: time}))) == "token_invalid"


# --- headers ------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize(
    "header",
    [{"alg": "HS256"}, HEADER, HEADER | {"typ": "jwt"}, HEADER | {"kid": "key-1"}],
    ids=str,
)
def test_headers_that_shopify_could_send_are_read(kind: Kind, header: dict[str, str]) -> None:
    assert kind.identified(token(kind.made(), header=header)) == kind.who


WRONG_HEADERS: dict[str, dict[str, Any]] = {
    "alg none": {"alg": "none"},
    "alg None": {"alg": "None"},
    "alg nOnE": {"alg": "nOnE"},
    "alg missing": {"typ": "JWT"},
    "alg null": {"alg": None},
    "alg a list": {"alg": ["HS256"]},
    "alg in lower case": {"alg": "hs256"},
    "alg HS512": {"alg": "HS512"},
    "alg RS256": {"alg": "RS256"},
    "alg ES256": {"alg": "ES256"},
    "typ of something else": HEADER | {"typ": "at+jwt"},
    "typ a number": HEADER | {"typ": 1},
    "crit unknown": HEADER | {"crit": ["exp2"], "exp2": 1},
    "crit empty": HEADER | {"crit": []},
    "b64 off": HEADER | {"b64": False, "crit": ["b64"]},
    "a key of its own (jwk)": HEADER | {"jwk": {"kty": "oct", "k": "AAAA"}},
    "a key to fetch (jku)": HEADER | {"jku": "https://evil.example/keys"},
    "a certificate (x5c)": HEADER | {"x5c": ["AAAA"]},
    "a certificate to fetch (x5u)": HEADER | {"x5u": "https://evil.example/cert"},
    "compressed": HEADER | {"zip": "DEF"},
    "encrypted": {"alg": "HS256", "enc": "A256GCM"},
    "kid not a text": HEADER | {"kid": 1},
}


@KINDS
@pytest.mark.parametrize("header", WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_a_token_with_other_headers_is_refused(kind: Kind, header: dict[str, Any]) -> None:
    assert kind.code_of(token(kind.made(), header=header)) == "token_invalid"


# --- form and signature -------------------------------------------------------------------------


def with_hs512(body: str) -> str:
    message = f"{part({'alg': 'HS512'})}.{body}"
    digest = hmac.new(SECRET.encode(), message.encode(), hashlib.sha512).digest()
    return f"{message}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def signed(header: str, body: str, secret: str = SECRET) -> str:
    return f"{header}.{body}.{jwt_signature(f'{header}.{body}', secret)}"


def malformed(made: Callable[..., dict[str, Any]]) -> dict[str, str]:
    """Tokens that are not well-formed or not signed, by what is wrong."""
    good = token(made())
    header, body, signature = good.split(".")
    twice, timeless = json.dumps(made())[:-1].encode(), json.dumps(made(exp=None))[:-1].encode()
    return {
        "empty": "",
        "dots only": "..",
        "one part": header,
        "two parts": f"{header}.{body}",
        "four parts": f"{good}.{signature}",
        "five parts, as an encrypted token": f"{good}.{body}.{signature}",
        "no signature": f"{header}.{body}.",
        "signature of a stranger": token(made(), secret=STRANGERS_SECRET),
        "signature of an empty secret": signed(header, body, ""),
        "signature truncated": good[:-1],
        "signature of other claims": f"{header}.{part(made(sub='1'))}.{signature}",
        "signed with HS512": with_hs512(body),
        "padded": good + "=",
        "padded in the middle": signed(header + "==", body),
        "line end after": good + "\n",
        "space before": " " + good,
        "standard base64 alphabet": signed(header, part(b'{"a":"\xc3\xbf\xc3\xbf"}') + "+/"),
        "bits beyond the last byte": signed("eyJhbGciOiJIUzI1NiJ" + "8", body),
        "one character too many": signed(header, part(b"{}") + "AA"),
        "not ASCII": good.replace("e", "ｅ"),
        "half a surrogate pair": good + "\ud800",
        "a NUL": good + "\0",
        "claims a list": token(b"[]"),
        "claims a text": token(b'"sub"'),
        "claims not JSON": token(b"sub=42"),
        "claims not UTF-8": token(b'{"sub":"\xff"}'),
        "claims in UTF-16": token(json.dumps(made()).encode("utf-16")),
        "claims with a byte order mark": token(b"\xef\xbb\xbf" + json.dumps(made()).encode()),
        "claims with sub twice": token(twice + f',"sub":"{made()["sub"]}"}}'.encode()),
        "claims with exp twice": token(twice + b',"exp":9999999999}'),
        "claims with exp 1e400": token(timeless + b',"exp":1e400}'),
        "claims with NaN": token(timeless + b',"exp":NaN}'),
        "claims nested without end": token(b"[" * 1500 + b"]" * 1500),
        "header a list": token(made(), header=b"[]"),
        "header with alg twice": token(made(), header=b'{"alg":"none","alg":"HS256"}'),
        "longer than 4 KB": token(made(note="x" * TOKEN_LENGTH_MAX)),
        "a megabyte": "e" * 1_000_000,
        "a million dots": "." * 1_000_000,
    }


MALFORMED = [
    pytest.param(kind, text, id=f"{kind.made.__name__}: {fault}")
    for kind in (CUSTOMERS, STAFFS)
    for fault, text in malformed(kind.made).items()
]


@pytest.mark.parametrize(("kind", "text"), MALFORMED)
def test_a_token_that_is_not_well_formed_and_signed_is_refused(kind: Kind, text: str) -> None:
    assert kind.code_of(text) == "token_invalid"


@KINDS
def test_a_token_altered_in_one_character_is_refused(kind: Kind) -> None:
    text = token(kind.made())
    for position in range(0, len(text), 7):
        other = "A" if text[position] != "A" else "B"
        assert kind.code_of(text[:position] + other + text[position + 1 :]) == "token_invalid"
