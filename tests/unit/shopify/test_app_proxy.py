import time
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopify_app import verify_app_proxy_req

from pointbook.errors import Unauthenticated
from pointbook.shopify.app_proxy import sign_query, verify_app_proxy
from pointbook.shopify.session_token import Session
from tests.support.forge import (
    CUSTOMER,
    KEYS,
    NOW,
    PREVIOUS_SECRET,
    SECRET,
    SHOP,
    STRANGERS_SECRET,
    query_signature,
    seconds,
)

type Query = list[tuple[str, str]]


def unsigned(**changes: str | None) -> Query:
    good = {
        "shop": SHOP,
        "logged_in_customer_id": CUSTOMER,
        "path_prefix": "/apps/points",
        "timestamp": str(seconds(0)),
    }
    return [(name, value) for name, value in (good | changes).items() if value is not None]


def signed(query: Query, secret: str = SECRET) -> Query:
    return [*query, ("signature", query_signature(query, secret))]


def code_of(query: Query) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        verify_app_proxy(query, KEYS, NOW)
    return refusal.value.code


def test_the_signature_of_shopifys_own_example_is_reproduced() -> None:
    query = [
        ("extra", "1"),
        ("extra", "2"),
        ("shop", "shop-name.myshopify.com"),
        ("logged_in_customer_id", "1"),
        ("path_prefix", "/apps/awesome_reviews"),
        ("timestamp", "1317327555"),
    ]
    expected = "4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb"
    assert sign_query(query, "hush") == expected
    assert sign_query([*query, ("signature", expected)], "hush") == expected


@pytest.mark.parametrize("secret", [SECRET, PREVIOUS_SECRET])
def test_a_forwarded_request_identifies_the_customer_and_the_shop(secret: str) -> None:
    query = signed([*unsigned(), ("locale", "ja"), ("tag", "a"), ("tag", "b")], secret)
    assert verify_app_proxy(query, KEYS, NOW) == Session(SHOP, CUSTOMER)


@pytest.mark.parametrize(
    ("after_now", "code"), [(-90, None), (90, None), (-91, "token_expired"), (91, "token_expired")]
)
def test_a_forwarded_request_is_good_for_ninety_seconds(after_now: int, code: str | None) -> None:
    query = signed(unsigned(timestamp=str(seconds(after_now))))
    if code is None:
        assert verify_app_proxy(query, KEYS, NOW).customer_id == CUSTOMER
    else:
        assert code_of(query) == code


@pytest.mark.parametrize("nobody", [None, ""])
def test_a_forwarded_request_without_a_customer_is_unauthenticated(nobody: str | None) -> None:
    assert code_of(signed(unsigned(logged_in_customer_id=nobody))) == "token_missing"


WRONG_QUERIES: dict[str, Query] = {
    "empty": [],
    "no signature": unsigned(),
    "empty signature": [*unsigned(), ("signature", "")],
    "signature of a stranger": signed(unsigned(), STRANGERS_SECRET),
    "signature of the my-page secret": signed(unsigned(), KEYS.my_page_secret),
    "signature in capitals": [*unsigned(), ("signature", query_signature(unsigned()).upper())],
    "signature not ASCII": [*unsigned(), ("signature", "é" * 64)],
    "another customer": [*unsigned(logged_in_customer_id="1"), *signed(unsigned())[-1:]],
    "a parameter added": [*signed(unsigned()), ("limit", "1")],
    "a parameter taken away": signed(unsigned())[1:],
    "unknown shop": signed(unsigned(shop="evil.myshopify.com")),
    "no shop": signed(unsigned(shop=None)),
    "no timestamp": signed(unsigned(timestamp=None)),
    "timestamp with a sign": signed(unsigned(timestamp=f"+{seconds(0)}")),
    "timestamp a float": signed(unsigned(timestamp=f"{seconds(0)}.0")),
    "timestamp in full-width digits": signed(unsigned(timestamp="１７９５２３００００")),
    "timestamp without end": signed(unsigned(timestamp="1" * 5000)),
    "customer as gid": signed(unsigned(logged_in_customer_id=f"gid://shopify/Customer/{CUSTOMER}")),
    "customer not a number": signed(unsigned(logged_in_customer_id="me")),
    "half a surrogate pair": [*signed(unsigned()), ("\ud800", "\ud800")],
} | {
    f"{name} twice": signed([*unsigned(), (name, value)])
    for name, value in (*unsigned(), ("signature", "00"))
}


@pytest.mark.parametrize("query", WRONG_QUERIES.values(), ids=WRONG_QUERIES)
def test_a_query_that_shopify_did_not_sign_so_is_refused(query: Query) -> None:
    assert code_of(query) == "token_invalid"


def test_the_names_of_parameters_that_browsers_add_do_not_shift_the_borders() -> None:
    query = signed(unsigned())
    moved = [(name, value) for name, value in query if name != "path_prefix"]
    assert code_of([*moved, ("path_prefix=/apps", "/points")]) == "token_invalid"


texts = st.text(st.characters(codec="utf-8"), max_size=8)


@given(
    extra=st.lists(st.tuples(st.sampled_from(["locale", "tag", "ä", "a b"]), texts), max_size=4),
    age_seconds=st.sampled_from([-200, -60, 0, 60, 200]),
    signer=st.sampled_from([SECRET, PREVIOUS_SECRET, STRANGERS_SECRET]),
)
def test_queries_are_judged_as_by_shopifys_own_package(
    extra: Query, age_seconds: int, signer: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", NOW.timestamp)
        query = signed([*unsigned(timestamp=str(seconds(-age_seconds))), *extra], signer)
        theirs = verify_app_proxy_req(
            {
                "method": "GET",
                "headers": {},
                "url": f"https://x.example/?{urlencode(query)}",
                "body": "",
            },
            {"client_id": "x", "client_secret": SECRET, "old_client_secret": PREVIOUS_SECRET},
        )
    try:
        verify_app_proxy(query, KEYS, NOW)
        ours = True
    except Unauthenticated:
        ours = False
    assert ours == (theirs.response.status == 200)
