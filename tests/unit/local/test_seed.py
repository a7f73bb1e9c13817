"""Seeding: demo customers get their points; refusals are reported and do not stop the start."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from local import seed
from tests.support.serving import QuietHandler, serving, url_of

TARO, YUKI = "8840734670935", "8840734670936"


class Functions(QuietHandler, BaseHTTPRequestHandler):
    """Functions behind URLs: `refusals` of a customer, else done; `status` for everything else."""

    refusals: dict[str, str]
    status: int

    def do_POST(self) -> None:
        why = self.refusals.get(json.loads(self.read_body())["properties"]["customer_id"])
        body = {"code": "refused", "message": why} if why else {}
        self.answer(422 if why else self.status, json.dumps(body).encode())


@pytest.fixture
def urls() -> Iterator[dict[str, str]]:
    Functions.refusals, Functions.status = {}, 200
    with serving(HTTPServer(("127.0.0.1", 0), Functions)) as server:
        yield dict.fromkeys(("flow_action_grant", "flow_action_consume"), f"{url_of(server)}/")


def test_all_demo_points_are_granted(urls: dict[str, str]) -> None:
    assert list(seed.seed_ledger(urls)) == []


def test_a_refusal_is_reported_and_the_rest_is_granted(urls: dict[str, str]) -> None:
    Functions.refusals = {TARO: "Taro was erased."}
    reports = list(seed.seed_ledger(urls))
    assert len(reports) == 3
    assert (
        reports[0] == f"grant-points of 2500 for demo customer {TARO} was refused: Taro was erased."
    )


def test_a_failing_function_is_an_error_and_not_a_refusal(urls: dict[str, str]) -> None:
    Functions.status = 500
    with pytest.raises(OSError, match="500"):
        list(seed.seed_ledger(urls))
