import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointbook.entrypoints.request import BODY_BYTES_MAX, Timing, read_request, request_id
from pointbook.errors import BodyTooLarge, InvalidRequest, MalformedBody
from tests.unit.entrypoints.events import event


def test_a_request_is_the_same_whichever_gateway_hands_it_over() -> None:
    body = '{"points":500,"reason":"購入"}'.encode()
    by_api_gateway = event(
        "POST",
        body=body,
        as_base64=True,
        headers={"authorization": "Bearer a", "idempotency-key": "k"},
        cookies=["sessionToken=a.b.c", "theme=dark"],
    )
    by_sam_local = event(
        "post",
        body=body,
        headers={
            "Authorization": "Bearer a",
            "Idempotency-Key": "k",
            "Cookie": "sessionToken=a.b.c; theme=dark",
        },
    )
    one, other = read_request(by_api_gateway), read_request(by_sam_local)
    for request in (one, other):
        assert request.method == "POST"
        assert request.path_parameters == {"customer": "me"}
        assert request.header("AUTHORIZATION") == "Bearer a"
        assert request.cookie_values("sessionToken") == ("a.b.c",)
        assert request.cookie_values("theme") == ("dark",)
        assert request.body == body
        assert request.json_object() == {"points": 500, "reason": "購入"}
        assert request.idempotency_key() == "k"


@given(st.binary(max_size=200))
def test_the_bytes_of_a_body_arrive_as_they_were_sent(body: bytes) -> None:
    assert read_request(event(body=body, as_base64=True)).body == body


@pytest.mark.parametrize("as_base64", [False, True])
@pytest.mark.parametrize("limit", [BODY_BYTES_MAX, 10, 11, 12])
def test_a_body_up_to_the_limit_is_read_and_one_byte_more_is_not(
    limit: int, as_base64: bool
) -> None:
    largest = event(body=b"x" * limit, as_base64=as_base64)
    assert len(read_request(largest, body_bytes_max=limit).body) == limit
    with pytest.raises(BodyTooLarge, match=f"larger than {limit} bytes"):
        read_request(event(body=b"x" * (limit + 1), as_base64=as_base64), body_bytes_max=limit)


def test_the_limit_counts_bytes_and_not_characters() -> None:
    with pytest.raises(BodyTooLarge):
        read_request(event(body="点".encode() * (BODY_BYTES_MAX // 3 + 1)))


@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_that_is_too_large_is_refused_before_anything_is_read(encoded: bool) -> None:
    unreadable = event(body=b"", query="&".join("abc"), headers={"a": "b"}) | {
        "body": "*" * 10_000_000,
        "isBase64Encoded": encoded,
    }
    with pytest.raises(BodyTooLarge):
        read_request(unreadable)


@pytest.mark.parametrize("body", ["*", "QQ", "QQ==\n", "Ａ===", "QQ=="[::-1]])
def test_base64_that_is_none_is_malformed(body: str) -> None:
    with pytest.raises(MalformedBody):
        read_request(event() | {"body": body, "isBase64Encoded": True})


def test_half_a_surrogate_pair_in_a_body_is_carried_on_and_refused_as_json() -> None:
    request = read_request(event() | {"body": '{"a":"\ud800"}'})
    with pytest.raises(MalformedBody):
        request.json_object()


def test_a_header_that_is_given_twice_is_joined_as_a_gateway_does() -> None:
    request = read_request(event(headers={"X-A": "1", "x-a": "2"}))
    assert request.header("x-a") == "1,2"


@pytest.mark.parametrize(
    ("headers", "cookies", "expected"),
    [
        ({}, ["sessionToken=a"], ("a",)),
        ({"cookie": "sessionToken=a"}, None, ("a",)),
        ({"Cookie": "x=1;sessionToken=a ; y=2"}, None, ("a",)),
        ({"cookie": 'sessionToken="a"'}, None, ("a",)),
        ({"cookie": "sessionToken=a==; b"}, None, ("a==",)),
        ({"cookie": "sessionToken=a"}, ["sessionToken=a"], ("a",)),
        ({"cookie": "sessionToken=a; sessionToken=b"}, None, ("a", "b")),
        ({"cookie": "sessionToken=a"}, ["sessionToken=b"], ("b", "a")),
        ({"cookie": "sessionToken="}, None, ("",)),
        ({"cookie": "SessionToken=a; xsessionToken=b; sessionToken"}, None, ()),
        ({"cookie": ";;; = ;"}, [""], ()),
    ],
)
def test_cookies_are_found_in_both_places(
    headers: dict[str, str], cookies: list[str] | None, expected: tuple[str, ...]
) -> None:
    request = read_request(event(headers=headers, cookies=cookies))
    assert request.cookie_values("sessionToken") == expected


def test_a_query_is_decoded_once_and_keeps_order_blanks_and_repetitions() -> None:
    request = read_request(event(query="tag=a%2526b&tag=%E7%82%B9&empty=&limit=20&a+b=c"))
    assert request.query == (
        ("tag", "a%26b"),
        ("tag", "点"),
        ("empty", ""),
        ("limit", "20"),
        ("a b", "c"),
    )
    assert request.query_value("empty") == ""
    assert request.query_value("nothing") is None
    with pytest.raises(InvalidRequest, match="tag is given 2 times"):
        request.query_value("tag")


def test_a_query_without_end_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="too many"):
        read_request(event(query="&".join(f"a{n}=1" for n in range(5000))))


@pytest.mark.parametrize(("query", "limit"), [("", 20), ("limit=1", 1), ("limit=200", 200)])
def test_a_number_in_the_query_is_read(query: str, limit: int) -> None:
    assert read_request(event(query=query)).query_number("limit", 20, 1, 200) == limit


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=",
        "limit=x",
        "limit=1e1",
        "limit=%EF%BC%91",
        "limit=1&limit=1",
    ],
)
def test_a_number_in_the_query_that_is_none_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_request(event(query=query)).query_number("limit", 20, 1, 200)
    assert refusal.value.field == "limit"


@pytest.mark.parametrize("key", ["k", "k" * 255, " é "])
def test_an_idempotency_key_is_read_unchanged(key: str) -> None:
    assert read_request(event(headers={"Idempotency-Key": key})).idempotency_key() == key


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": ""}, {"idempotency-key": "  "}])
def test_an_idempotency_key_that_is_missing_has_a_code_of_its_own(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_request(event(headers=headers)).idempotency_key()
    assert refusal.value.code == "idempotency_key_missing"


def test_an_idempotency_key_of_256_characters_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="256") as refusal:
        read_request(event(headers={"idempotency-key": "k" * 256})).idempotency_key()
    assert refusal.value.code == "invalid_request"


@pytest.mark.parametrize(
    "poor",
    [
        {},
        {"body": None, "headers": None, "cookies": None, "pathParameters": None},
        {"requestContext": None, "rawQueryString": None},
        {"requestContext": {"http": None}},
    ],
)
def test_an_event_that_lacks_parts_is_an_empty_request(poor: dict[str, Any]) -> None:
    request = read_request(poor)
    assert (request.method, request.query, request.cookies, request.body) == ("", (), (), b"")


def test_a_request_has_an_id_even_if_the_gateway_gives_none() -> None:
    assert request_id(event()) == "request-1"
    made = {request_id({}), request_id({})}
    assert len(made) == 2
    assert all(len(identifier) == 32 for identifier in made)


def test_what_proves_or_moves_something_is_not_shown() -> None:
    shown = repr(
        read_request(
            event(
                body=base64.b64encode(b"secret"),
                headers={"authorization": "Bearer secret"},
                cookies=["sessionToken=secret"],
                requestContext={"authorizer": {"iam": {"accessKey": "secret"}}},
            )
        )
    )
    assert "secret" not in shown


def test_time_is_added_up_by_step_also_when_a_step_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([1.0, 1.2, 5.0, 5.1])
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    timing = Timing()
    with timing.measure("till"):
        pass
    with pytest.raises(TimeoutError), timing.measure("till"):
        raise TimeoutError
    assert timing.steps_ms == {"till": pytest.approx(300)}
