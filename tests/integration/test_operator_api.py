"""Operators' requests are signed as AWS asks, and an answer that never came is none."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any, override

import pytest

from cli.errors import CommandFailed
from cli.operator_api import post
from tests.fakes.operator_api import a_target


class _Handler(BaseHTTPRequestHandler):
    server: "Gateway"

    def do_POST(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)
        self.send_header("Idempotent-Replay", "true")
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


class Gateway(HTTPServer):
    """Answers everything alike and notes what it was asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.status, self.content = 201, json.dumps({"entry_id": "1"}).encode()
        super().__init__(("127.0.0.1", 0), _Handler)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def send(gateway: Gateway, **changes: Any) -> Any:
    stack = a_target(f"http://127.0.0.1:{gateway.server_port}")
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
