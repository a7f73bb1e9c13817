import base64
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopify_app import verify_flow_action_req, verify_webhook_req

from pointbook.errors import SignatureMissing, SignatureWrong
from pointbook.shopify.signature import (
    WEBHOOK_SIGNATURE_HEADERS,
    hmac_sha256,
    sign_body,
    verify_body,
)
from tests.support.forge import PREVIOUS_SECRET, SECRET, STRANGERS_SECRET, body_signature

HEADER = "X-Shopify-Hmac-Sha256"
BODY = '{"points":"500","reason":"商品購入"}'.encode()
SECRETS = (SECRET, PREVIOUS_SECRET)

FLOW_BODY = (
    '{"shop_id":"1","shopify_domain":"demo.myshopify.com","action_run_id":"r-1",'
    '"handle":"approve-points","properties":{"customer_id":"gid://shopify/Customer/42"}}'
)
VECTORS = [
    ('{"a":"日本"}', "ajR4gewRkr8NrH7ZNfUPe13l9QAfsV6Kt1NwvAM+JNk="),
    (FLOW_BODY, "V2ik6ROkTevomSF+2u15yXZHUlR3MhzC/+n4XLDqTxw="),
]


@pytest.mark.parametrize(("body", "signature"), VECTORS)
def test_published_signatures_are_reproduced_and_accepted(body: str, signature: str) -> None:
    assert sign_body(body.encode(), "hush") == signature
    verify_body(body.encode(), {HEADER: signature}, ["hush"])


@pytest.mark.parametrize("name", [HEADER, HEADER.lower(), HEADER.upper()])
def test_the_name_of_the_header_counts_in_any_case(name: str) -> None:
    verify_body(BODY, {name: body_signature(BODY)}, SECRETS)


def test_while_a_secret_is_rotated_the_previous_one_still_signs() -> None:
    verify_body(BODY, {HEADER: body_signature(BODY, PREVIOUS_SECRET)}, SECRETS)


@pytest.mark.parametrize("headers", [{}, {HEADER: ""}, {"X-Other": "abc"}])
def test_a_missing_signature_has_its_own_error(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureMissing):
        verify_body(BODY, headers, SECRETS)


@pytest.mark.parametrize("position", range(len(BODY)))
def test_a_body_altered_by_one_bit_is_refused(position: int) -> None:
    altered = bytearray(BODY)
    altered[position] ^= 1
    with pytest.raises(SignatureWrong):
        verify_body(bytes(altered), {HEADER: body_signature(BODY)}, SECRETS)


GOOD = body_signature(BODY)
WRONG_SIGNATURES = {
    "of a stranger's secret": body_signature(BODY, STRANGERS_SECRET),
    "truncated": GOOD[:-1],
    "longer": GOOD + "=",
    "with a space before": " " + GOOD,
    "with a line end": GOOD + "\n",
    "in hexadecimal": base64.b64decode(GOOD).hex(),
    "in the other case": GOOD.swapcase(),
    "doubled by the gateway": f"{GOOD},{GOOD}",
    "not ASCII": "ａ" * 44,
    "half a surrogate pair": "\ud800",
    "megabytes long": "A" * 2_000_000,
}


@pytest.mark.parametrize("signature", WRONG_SIGNATURES.values(), ids=WRONG_SIGNATURES)
def test_a_signature_that_is_not_exactly_ours_is_refused(signature: str) -> None:
    with pytest.raises(SignatureWrong):
        verify_body(BODY, {HEADER: signature}, SECRETS)


def test_two_different_signatures_are_refused_even_if_one_is_right() -> None:
    headers = {HEADER: GOOD, HEADER.lower(): body_signature(b"other")}
    with pytest.raises(SignatureWrong):
        verify_body(BODY, headers, SECRETS)


def test_the_old_secret_is_not_accepted_once_the_rotation_is_over() -> None:
    with pytest.raises(SignatureWrong):
        verify_body(BODY, {HEADER: body_signature(BODY, PREVIOUS_SECRET)}, [SECRET])


def test_flow_does_not_look_at_the_new_names_of_webhook_headers() -> None:
    with pytest.raises(SignatureMissing):
        verify_body(BODY, {"shopify-hmac-sha256": GOOD}, SECRETS)
    verify_body(BODY, {"shopify-hmac-sha256": GOOD}, SECRETS, WEBHOOK_SIGNATURE_HEADERS)


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(ValueError, match="empty"):
        hmac_sha256("", BODY)


def test_without_any_secret_nothing_is_genuine() -> None:
    with pytest.raises(SignatureWrong):
        verify_body(BODY, {HEADER: body_signature(BODY, SECRET)}, [])


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    really = hmac.compare_digest

    def compare(given: bytes, expected: bytes) -> bool:
        compared.append((given, expected))
        return really(given, expected)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    with pytest.raises(SignatureWrong):
        verify_body(BODY, {HEADER: "A" * 44}, SECRETS)
    expected = [body_signature(BODY, secret).encode() for secret in SECRETS]
    assert compared == [(b"A" * 44, signature) for signature in expected]


def accepted_by_us(body: bytes, headers: dict[str, str], names: tuple[str, ...]) -> bool:
    try:
        verify_body(body, headers, SECRETS, names)
    except (SignatureMissing, SignatureWrong):
        return False
    return True


def shopifys_answer(verify: Any, body: str, headers: dict[str, str]) -> int:
    request = {"method": "POST", "headers": headers, "url": "https://x.example", "body": body}
    config = {"client_id": "x", "client_secret": SECRET, "old_client_secret": PREVIOUS_SECRET}
    status = verify(request, config).response.status
    assert isinstance(status, int)
    return status


ascii_text = st.text(st.characters(max_codepoint=126, min_codepoint=33), max_size=60)
signers = st.sampled_from([SECRET, PREVIOUS_SECRET, STRANGERS_SECRET])


@given(body=st.text(), signer=signers, header=st.sampled_from(WEBHOOK_SIGNATURE_HEADERS))
def test_signed_bodies_are_judged_as_by_shopifys_own_package(
    body: str, signer: str, header: str
) -> None:
    headers = {header: body_signature(body.encode(), signer)}
    theirs = shopifys_answer(verify_webhook_req, body, headers)
    assert accepted_by_us(body.encode(), headers, WEBHOOK_SIGNATURE_HEADERS) == (theirs == 200)
    theirs = shopifys_answer(verify_flow_action_req, body, headers)
    assert accepted_by_us(body.encode(), headers, (HEADER.lower(),)) == (theirs == 200)


@given(body=st.text(max_size=50), signature=ascii_text)
def test_invented_signatures_are_judged_as_by_shopifys_own_package(
    body: str, signature: str
) -> None:
    headers = {HEADER: signature}
    theirs = shopifys_answer(verify_flow_action_req, body, headers)
    expected = SignatureMissing if theirs == 400 else SignatureWrong
    with pytest.raises(expected):
        verify_body(body.encode(), headers, SECRETS)
