"""Seeding: demo customers get their points; refusals are reported and do not stop the start."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from local import seed

TARO, YUKI = "8840734670935", "8840734670936"


class Functions(BaseHTTPRequestHandler):
    """Functions behind URLs: `refusals` of a customer, else done; `status` for everything else."""

    refusals: dict[str, str]
    status: int

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        why = self.refusals.get(body["properties"]["customer_id"])
        answer = json.dumps({"code": "refused", "message": why} if why else {}).encode()
        self.send_response(422 if why else self.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def urls() -> Iterator[dict[str, str]]:
    Functions.refusals, Functions.status = {}, 200
    with HTTPServer(("127.0.0.1", 0), Functions) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        yield {"flow_action_grant": url, "flow_action_consume": url}
        server.shutdown()


def test_all_demo_points_are_granted(urls: dict[str, str]) -> None:
    assert list(seed.seed_ledger(urls)) == []


def test_a_refusal_is_reported_and_the_rest_is_granted(urls: dict[str, str]) -> None:
    Functions.refusals = {TARO: "Taro was erased."}
    told = list(seed.seed_ledger(urls))
    assert len(told) == 3
    assert told[0] == f"grant-points of 2500 for demo customer {TARO} was refused: Taro was erased."


def test_a_failing_function_is_an_error_and_not_a_refusal(urls: dict[str, str]) -> None:
    Functions.status = 500
    with pytest.raises(OSError, match="500"):
        list(seed.seed_ledger(urls))
