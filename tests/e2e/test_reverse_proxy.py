"""The reverse proxy of the running stack."""

import json
from concurrent.futures import ThreadPoolExecutor

from requests import Response

from local.options import ROOT
from local.stack import Stack
from tests.e2e.calls import bearer, call, figures, flow, must_flow, pass_time

CUSTOMER = "8840734670934"


def test_every_function_of_the_template_has_a_name_and_the_api_answers(stack: Stack) -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert set(stack.functions) == folders
    assert call(f"{stack.api_url}/v1/health").status_code == 200


def test_a_grant_and_twenty_times_one_consume_at_once_have_one_effect_each(stack: Stack) -> None:
    must_flow(stack, "grant", CUSTOMER, run="g1", points=1250)

    def consume(_: int) -> Response:
        return flow(stack, "consume", CUSTOMER, "c1", points=300)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(consume, range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert sum(not answer.json()["return_value"]["duplicate"] for answer in answers) == 1
    assert figures(stack, CUSTOMER) == {
        "approved": 950,
        "pending": 0,
        "total": 950,
        "lifetime": 1250,
        "spent": 300,
        "hold": 0,
    }


def test_a_customer_may_be_named_in_every_form(stack: Stack) -> None:
    for name in ("me", CUSTOMER, f"gid%3A%2F%2Fshopify%2FCustomer%2F{CUSTOMER}"):
        url = f"{stack.api_url}/v1/customers/{name}/points"
        assert call(url, headers=bearer(CUSTOMER)).status_code == 200, name


def test_cookie_and_query_arrive_unchanged(stack: Stack) -> None:
    login = call(f"{stack.front_url}/_login", json.dumps({"customer_id": CUSTOMER}).encode())
    cookie = login.headers["Set-Cookie"].partition(";")[0]
    url = f"{stack.api_url}/v1/customers/me/points?locale=ja"
    answer = call(url, headers={"Cookie": f"other=1; {cookie}"})
    assert answer.status_code == 200
    assert "年" in answer.json()["display"]["expiry"]


def test_any_page_may_read_but_not_with_credentials(stack: Stack) -> None:
    url = f"{stack.api_url}/v1/customers/me/points"
    headers = {"Origin": "null", "Access-Control-Request-Method": "GET"}
    preflight = call(url, headers=headers, method="OPTIONS")
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in preflight.headers


def test_the_clock_moves_forward_only(stack: Stack) -> None:
    url = f"{stack.front_url}/_clock"
    before = call(url).json()["offset_seconds"]
    pass_time(stack, 60)
    assert call(url).json() == {"offset_seconds": before + 60}
    for refused in (before, "60", None, True, 1.5):
        assert call(url, json.dumps({"offset_seconds": refused}).encode()).status_code == 422
    assert call(url).json() == {"offset_seconds": before + 60}


def test_my_page_is_served_with_the_files_that_a_shop_embeds(stack: Stack) -> None:
    page = call(f"{stack.front_url}/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for name in ("page.js", "points.js", "points.css"):
        assert call(f"{stack.front_url}/{name}").status_code == 200, name


def test_an_unknown_path_gets_a_problem_document(stack: Stack) -> None:
    paths = "/_unknown", "/fn/unknown/", "/unknown.html", "/..%2f..%2ftemplate.yaml", "/a%00b"
    for path in paths:
        answer = call(stack.front_url + path)
        assert answer.status_code == 404, path
        assert answer.headers["Content-Type"] == "application/problem+json"
