"""The reverse proxy alone: its guard, and an answer to every malformed request."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local import demo
from local.clock import Clock
from local.reverse_proxy import ReverseProxy, Upstreams
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.staff_token import verify_staff_token
from tests.support.serving import serving
from tests.unit.local.raw import assert_problem, get, post, send

CUSTOMER = "8840734670934"
LOGIN = b'{"customer_id": "8840734670934"}'
AHEAD = b'{"offset_seconds": 86400}'

STRANGE_HOSTS = [
    "evil.example",
    "evil.example:8080",
    "127.0.0.1.evil.example",
    "localhost.evil.example:8080",
    "evil.example@127.0.0.1",
    "",
    None,
]
STRANGE_ORIGINS = [
    "https://evil.example",
    "null",
    "",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1:{port}.evil.example",
    "http://evil.example:{port}",
]


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock.json")


@pytest.fixture
def port(clock: Clock, tmp_path: Path) -> Iterator[int]:
    """The proxy's port. Nothing listens behind it: forwarded requests get a 502."""
    page = tmp_path / "page"
    page.mkdir()
    proxy = ReverseProxy(0, clock)
    proxy.upstreams = Upstreams(1, "api", {"grant": "url"}, (page.resolve(),))
    with serving(proxy):
        yield proxy.server_port


# --- the staff ----------------------------------------------------------------------------------


def test_a_member_of_the_staff_gets_a_token_as_shopifys_admin_gives_it(port: int) -> None:
    listed = send(port, get(b"/_staff")).content["staff"]
    assert [one["staff_id"] for one in listed] == [*demo.STAFF]
    keys = AppKeys(
        client_id=demo.SHOPIFY_CLIENT_ID,
        client_secret=demo.CLIENT_SECRET,
        client_secret_previous="",
        my_page_secret="",
        shops=frozenset({demo.SHOP_DOMAIN}),
    )
    for staff_id, name in demo.STAFF.items():
        body = json.dumps({"staff_id": staff_id}).encode()
        answer = send(port, post(b"/_staff", body)).content
        session = verify_staff_token(answer["session_token"], keys, datetime.now(UTC))
        assert (session.shop, session.staff_id) == (demo.SHOP_DOMAIN, staff_id)
        assert answer["name"] == name


@pytest.mark.parametrize("body", [b"{}", b'{"staff_id": "1"}', b'{"staff_id": 70000000001}'])
def test_a_login_without_an_existing_member_of_the_staff_lists_them(port: int, body: bytes) -> None:
    answer = send(port, post(b"/_staff", body))
    assert_problem(answer, 422)
    assert "70000000001" in answer.content["detail"]


# --- who may ask --------------------------------------------------------------------------------


@pytest.mark.parametrize("host", STRANGE_HOSTS)
def test_a_domain_rebound_to_this_machine_is_rejected(
    port: int, clock: Clock, host: str | None
) -> None:
    assert_problem(send(port, post(b"/_login", LOGIN, host=host)), 403)
    assert_problem(send(port, post(b"/_clock", AHEAD, host=host)), 403)
    assert_problem(send(port, get(b"/_customers", host=host)), 403)
    assert_problem(send(port, get(b"/_anything", host=host)), 403)
    assert clock.offset_seconds == 0


@pytest.mark.parametrize("origin", STRANGE_ORIGINS)
def test_a_page_of_another_origin_cannot_move_the_clock_or_log_in(
    port: int, clock: Clock, origin: str
) -> None:
    headers = (f"Origin: {origin.format(port=port)}", "Content-Type: text/plain")
    assert_problem(send(port, post(b"/_clock", AHEAD, *headers)), 403)
    assert_problem(send(port, post(b"/_login", LOGIN, *headers)), 403)
    assert clock.offset_seconds == 0


def test_two_hosts_or_one_foreign_origin_among_two_are_rejected(port: int, clock: Clock) -> None:
    own, strange = f"Origin: http://localhost:{port}", "Origin: https://evil.example"
    assert_problem(send(port, post(b"/_clock", AHEAD, "Host: evil.example")), 403)
    assert_problem(send(port, post(b"/_clock", AHEAD, own, strange)), 403)
    assert clock.offset_seconds == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST"])
def test_a_client_without_origin_may_use_either_name_and_any_port(
    port: int, clock: Clock, host: str
) -> None:
    assert send(port, post(b"/_login", LOGIN, host=host)).content["customer_id"] == CUSTOMER
    assert send(port, post(b"/_clock", AHEAD, host=host)).status == 200
    assert clock.offset_seconds == 86400


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_proxys_own_page_logs_in(port: int, name: str) -> None:
    request = post(b"/_login", LOGIN, f"Origin: http://{name}:{port}", host=f"{name}:{port}")
    assert send(port, request).status == 200


def test_the_api_behind_the_proxy_authenticates_for_itself(port: int) -> None:
    request = get(b"/api/v1/health", "Origin: https://shop.example", host="shop.example")
    assert_problem(send(port, request), 502)


# --- odd input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        *(b'{"customer_id": []}', b'{"customer_id": {}}'),
        *(b'{"customer_id": ["8840734670934"]}', b'{"customer_id": null}'),
        *(b'{"customer_id": 8840734670934}', b'{"customer_id": "1"}'),
        *(b'{"customer_id": ' + b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b"[]"),
        *(b"\xff\xfe", b""),
    ],
)
def test_a_login_without_an_existing_customer_lists_the_customers(port: int, body: bytes) -> None:
    answer = send(port, post(b"/_login", body))
    assert_problem(answer, 422)
    assert CUSTOMER in answer.content["detail"]


@pytest.mark.parametrize("digits", [20, 4000, 5000])
def test_a_clock_too_far_ahead_is_refused(port: int, digits: int) -> None:
    body = b'{"offset_seconds": ' + b"9" * digits + b"}"
    assert_problem(send(port, post(b"/_clock", body)), 422)


@pytest.mark.parametrize("path", [b"/" + b"a" * 5000, b"/" + b"a/" * 5000, b"/%00"])
def test_a_path_that_is_no_valid_file_name_is_not_found(port: int, path: bytes) -> None:
    assert_problem(send(port, get(path)), 404)


@pytest.mark.parametrize("byte", [b"\xc3\xa9", b"\xc3\xa0", b"\xff", b"\x01", b"\x7f", b"\x85"])
@pytest.mark.parametrize("place", [b"/api/v1/customers/%s/points", b"/fn/grant/?a=%sb", b"/_%sb"])
def test_a_path_that_is_not_ascii_is_a_bad_request(port: int, place: bytes, byte: bytes) -> None:
    assert_problem(send(port, get(place % byte)), 400)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Content-Length: " + b"9" * 5000, 413),
        (b"Content-Length: " + b"9" * 20, 413),
        (b"Content-Length: 10000001", 413),
        (b"Content-Length: -1", 400),
        (b"Content-Length: \xb2", 400),
        (b"Transfer-Encoding: chunked\r\n\r\n-5", 400),
        (b"Transfer-Encoding: chunked\r\n\r\nlong", 400),
        (b"Transfer-Encoding: chunked\r\n\r\nffffffff", 413),
    ],
)
@pytest.mark.parametrize("path", [b"/_login", b"/api/v1/health", b"/"])
def test_an_invalid_content_length_is_rejected(
    port: int, path: bytes, headers: bytes, status: int
) -> None:
    request = b"POST " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + b"\r\n\r\n"
    assert_problem(send(port, request), status)


@pytest.mark.parametrize(
    ("request_line", "status"), [(b"GET /a b HTTP/1.1", 400), (b"TRACE / HTTP/1.1", 501)]
)
def test_an_unsupported_request_line_gets_its_status(
    port: int, request_line: bytes, status: int
) -> None:
    assert_problem(send(port, request_line + b"\r\nHost: 127.0.0.1\r\n\r\n"), status)


def test_a_request_line_without_an_end_is_too_long(port: int) -> None:
    assert_problem(send(port, (b"GET /" + b"a" * 65_537)[:65_537]), 414)
