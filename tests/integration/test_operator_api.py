"""Operators' requests are signed as AWS requires, and a missing answer is None."""

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from cli.errors import CommandFailed
from cli.operator_api import get, post
from tests.fakes.operator_api import a_target
from tests.support.serving import QuietHandler, serving, url_of


class _Handler(QuietHandler, BaseHTTPRequestHandler):
    server: "Gateway"

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))
        self.answer(self.server.status, self.server.content)

    def do_POST(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))
        self.read_body()
        self.answer(self.server.status, self.server.content, Idempotent_Replay="true")


class Gateway(HTTPServer):
    """Answers everything alike and notes the requests."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.status, self.content = 201, json.dumps({"entry_id": "1"}).encode()
        super().__init__(("127.0.0.1", 0), _Handler)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with serving(Gateway()) as server:
        yield server


def send(gateway: Gateway, **changes: Any) -> Any:
    stack = a_target(url_of(gateway))
    return post(
        replace(stack, **changes), "/v1/operator/x", {"points": 1}, {"Idempotency-Key": "k"}
    )


def test_a_request_is_signed_for_the_api_and_its_key_with_it(gateway: Gateway) -> None:
    answer = send(gateway)
    assert (answer.status, answer.body, answer.repeated) == (201, {"entry_id": "1"}, True)
    ((path, headers),) = gateway.seen
    assert path == "/v1/operator/x"
    assert headers["Idempotency-Key"] == "k"
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/ap-northeast-1/execute-api/aws4_request" in headers["Authorization"]
    assert "idempotency-key" in headers["Authorization"]


def test_a_read_is_signed_with_its_query_and_leaves_out_what_is_not_given(
    gateway: Gateway,
) -> None:
    gateway.status = 200
    at = "2026-11-28T09:00:00+09:00"
    answer = get(a_target(url_of(gateway)), "/v1/operator/x", at=at, shop=None, limit=20)
    assert answer is not None
    assert (answer.status, answer.body) == (200, {"entry_id": "1"})
    ((path, headers),) = gateway.seen
    assert path == "/v1/operator/x?at=2026-11-28T09%3A00%3A00%2B09%3A00&limit=20"
    assert "/ap-northeast-1/execute-api/aws4_request" in headers["Authorization"]


def test_an_answer_that_is_no_json_has_its_status_still(gateway: Gateway) -> None:
    gateway.status, gateway.content = 502, b"<html>"
    answer = send(gateway)
    assert (answer.status, answer.why) == (502, "502: no reason given")


def test_without_an_answer_there_is_none(gateway: Gateway) -> None:
    assert send(gateway, api_url="http://127.0.0.1:9") is None


def test_without_credentials_there_is_nothing_to_sign_with(gateway: Gateway) -> None:
    nobody = SimpleNamespace(get_credentials=lambda: None, region_name="ap-northeast-1")
    with pytest.raises(CommandFailed, match="credentials"):
        send(gateway, session=nobody)
