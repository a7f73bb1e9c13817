"""The server of the fakes: its guard of the control API, and malformed input."""

from collections.abc import Iterator

import pytest

from local.fakes.server import FakeServer
from local.fakes.till import Account, TillService
from tests.support.serving import serving
from tests.unit.local.raw import assert_problem, get, post, send

ORDERS = [
    (b"/_reset", b""),
    (b"/_behave", b'{"fail_with": 500}'),
    (b"/_member", b'{"member_number": "8840734670934", "balance": 1}'),
]


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer(TillService(Account()), 0)


@pytest.fixture
def port(fake: FakeServer) -> Iterator[int]:
    with serving(fake):
        yield fake.server_port


@pytest.mark.parametrize(("path", "body"), ORDERS)
def test_pages_of_another_origin_cannot_use_the_control_api(
    port: int, path: bytes, body: bytes
) -> None:
    strange = (f"Origin: http://127.0.0.1:{port + 1}", "Content-Type: text/plain")
    assert_problem(send(port, post(path, body, *strange)), 403)
    assert_problem(send(port, post(path, body, host=f"evil.example:{port}")), 403)
    assert send(port, post(path, body, host=f"localhost:{port}")).status == 200


def test_a_rejected_control_request_has_no_effect(port: int) -> None:
    order = post(b"/_behave", b'{"fail_with": 503}', "Origin: https://evil.example")
    assert_problem(send(port, order), 403)
    assert send(port, get(b"/pointbook/pos/customers")).status == 401
    assert len(send(port, get(b"/_log")).content) == 1
    assert_problem(send(port, get(b"/_log", host="evil.example")), 403)


def test_the_service_itself_answers_to_any_host_name(port: int) -> None:
    request = get(b"/pointbook/pos/customers", "Origin: https://shop.example", host="till.example")
    assert send(port, request).status == 401


@pytest.mark.parametrize(
    ("length", "status"),
    [(b"9" * 5000, 413), (b"2000001", 413), (b"-1", 400), (b"many", 400), (b"\xb2", 400)],
)
def test_an_invalid_content_length_is_rejected(port: int, length: bytes, status: int) -> None:
    request = b"POST /_reset HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + length + b"\r\n\r\n"
    assert_problem(send(port, request), status)


@pytest.mark.parametrize("path", [b"/_behave", b"/_member"])
def test_json_that_is_nested_too_deeply_is_a_bad_request(port: int, path: bytes) -> None:
    answer = send(port, post(path, b"[" * 100_000))
    assert answer.status == 400
    assert "deep" in answer.content["message"]


def test_a_malformed_target_gets_an_answer(port: int) -> None:
    assert send(port, get(b"http://[/_reset")).status == 401
