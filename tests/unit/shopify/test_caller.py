from collections.abc import Sequence

import pytest

from pointbook.errors import NotYours, OriginRefused, Unauthenticated
from pointbook.shopify.caller import Proofs, identify, own_customer
from pointbook.shopify.session_token import Session
from tests.support.forge import (
    CUSTOMER,
    KEYS,
    MY_PAGE_SECRET,
    NOW,
    OTHER_SHOP,
    SHOP,
    claims,
    query_signature,
    seconds,
    token,
)

ORIGIN = "https://www.example.com"
ORIGINS = frozenset({ORIGIN, f"https://{SHOP}"})
SESSION = Session(SHOP, CUSTOMER)
SOMEBODY_ELSE = token(claims(sub="gid://shopify/Customer/1"))
OF_ANOTHER_SHOP = token(claims(dest=OTHER_SHOP))
EXPIRED = token(claims(exp=seconds(-60)))
FORGED = token(secret="a-guess-0123456789-0123456789-0123456789")


def proofs(
    token: str | None = None,
    *,
    authorization: str | None = None,
    cookies: Sequence[str] = (),
    query: Sequence[tuple[str, str]] = (),
    origin: str | None = None,
    method: str = "GET",
) -> Proofs:
    header = authorization if token is None else f"Bearer {token}"
    return Proofs(method, header, cookies, query, origin)


def proxy_query(customer_id: str = CUSTOMER) -> list[tuple[str, str]]:
    query = [("shop", SHOP), ("logged_in_customer_id", customer_id), ("timestamp", str(seconds(0)))]
    return [*query, ("signature", query_signature(query))]


def who(shown: Proofs) -> Session:
    return identify(shown, KEYS, NOW, ORIGINS)


def code_of(shown: Proofs) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        who(shown)
    return refusal.value.code


@pytest.mark.parametrize(
    "shown",
    [
        proofs(token()),
        proofs(authorization=f"bearer {token()}"),
        proofs(authorization=f"BEARER  {token()} "),
        proofs(cookies=[token()]),
        proofs(cookies=[token(secret=MY_PAGE_SECRET)]),
        proofs(cookies=["", token()]),
        proofs(query=proxy_query()),
        proofs(token(), cookies=[token(secret=MY_PAGE_SECRET)]),
        proofs(token(), cookies=[token(), token(secret=MY_PAGE_SECRET)], query=proxy_query()),
    ],
    ids=str,
)
def test_each_way_in_leads_to_the_same_customer(shown: Proofs) -> None:
    assert who(shown) == SESSION


@pytest.mark.parametrize(
    "shown",
    [
        proofs(),
        proofs(authorization=""),
        proofs(authorization="Bearer"),
        proofs(authorization="Bearer "),
        proofs(cookies=[""]),
        proofs(query=[("locale", "ja")]),
    ],
    ids=str,
)
def test_a_request_without_proof_is_unauthenticated(shown: Proofs) -> None:
    assert code_of(shown) == "token_missing"


@pytest.mark.parametrize(
    "shown",
    [
        proofs(token(), cookies=[SOMEBODY_ELSE]),
        proofs(token(), cookies=[OF_ANOTHER_SHOP]),
        proofs(cookies=[token(), SOMEBODY_ELSE]),
        proofs(token(), query=proxy_query("1")),
        proofs(cookies=[token()], query=proxy_query("1")),
    ],
)
def test_proofs_of_different_customers_are_no_proof(shown: Proofs) -> None:
    assert code_of(shown) == "token_invalid"


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        (proofs(FORGED), "token_invalid"),
        (proofs(token(), cookies=[FORGED]), "token_invalid"),
        (proofs(FORGED, cookies=[token()]), "token_invalid"),
        (proofs(token(), query=[("signature", "00")]), "token_invalid"),
        (proofs(EXPIRED), "token_expired"),
        (proofs(cookies=[EXPIRED]), "token_expired"),
        (proofs(token(), cookies=[EXPIRED]), "token_expired"),
        (proofs(token(secret=MY_PAGE_SECRET)), "token_invalid"),
        (proofs(authorization=token()), "token_invalid"),
        (proofs(authorization="Basic dXNlcjpwYXNz"), "token_invalid"),
        (proofs(authorization=f"Bearer {token()},Bearer {token()}"), "token_invalid"),
        (proofs(authorization=f"Bearer {token()} {token()}"), "token_invalid"),
        (proofs(authorization=f"Bearer\n{token()}"), "token_invalid"),
        (proofs("\ud800"), "token_invalid"),
    ],
)
def test_every_proof_that_is_shown_must_hold(shown: Proofs, code: str) -> None:
    assert code_of(shown) == code


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", ""])
@pytest.mark.parametrize("origin", [None, "null", "", "https://evil.example", ORIGIN + "/"])
def test_a_write_by_cookie_from_a_page_that_is_not_allowed_is_refused(
    method: str, origin: str | None
) -> None:
    with pytest.raises(OriginRefused):
        who(proofs(cookies=[token()], method=method, origin=origin))


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("origin", sorted(ORIGINS))
def test_a_write_by_cookie_from_an_allowed_page_is_let_in(method: str, origin: str) -> None:
    assert who(proofs(cookies=[token()], method=method, origin=origin)) == SESSION


@pytest.mark.parametrize("origin", [None, "null", "https://extensions.example"])
def test_a_write_by_header_token_or_proxy_needs_no_origin(origin: str | None) -> None:
    assert who(proofs(token(), method="POST", origin=origin)) == SESSION
    assert who(proofs(token(), cookies=[token()], method="POST", origin=origin)) == SESSION
    assert who(proofs(query=proxy_query(), method="POST", origin=origin)) == SESSION


def test_a_read_by_cookie_needs_no_origin() -> None:
    assert who(proofs(cookies=[token()], origin="null")) == SESSION


def test_a_forged_cookie_is_refused_before_its_origin_is_checked() -> None:
    assert code_of(proofs(cookies=[FORGED], method="POST", origin=ORIGIN)) == "token_invalid"


def test_tokens_are_not_shown_when_proofs_are_written_to_a_log() -> None:
    assert token() not in repr(proofs(token(), cookies=[token()]))


@pytest.mark.parametrize(
    "named",
    [
        "me",
        CUSTOMER,
        f"gid://shopify/Customer/{CUSTOMER}",
        f"gid://shopify/Customer{CUSTOMER}",
        f"gid:%2F%2Fshopify%2FCustomer%2F{CUSTOMER}",
        f"gid%3A%2F%2Fshopify%2FCustomer%2F{CUSTOMER}",
        f"gid%3a%2f%2fshopify%2fCustomer{CUSTOMER}",
    ],
)
def test_customers_can_name_themselves_in_every_form(named: str) -> None:
    assert own_customer(named, SESSION) == CUSTOMER


@pytest.mark.parametrize(
    "named",
    [
        *("1", CUSTOMER + "0", "0" + CUSTOMER, "gid://shopify/Customer/1"),
        *("gid:%2F%2Fshopify%2FCustomer%2F1", f"gid://shopify/Order/{CUSTOMER}", "", "ME", "%"),
        *("%00", "%ff", f"{CUSTOMER}%23", "../me", "\ud800", "x" * 100_000),
    ],
)
def test_any_other_customer_is_refused_with_the_same_message(
    named: str,
) -> None:
    with pytest.raises(NotYours) as refusal:
        own_customer(named, SESSION)
    assert str(refusal.value) == str(NotYours())
