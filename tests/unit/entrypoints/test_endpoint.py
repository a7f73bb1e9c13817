import json
from collections.abc import Callable
from typing import Any

import pytest

from pointbook import errors
from pointbook.base_container import BaseContainer
from pointbook.domain.buckets import Figures
from pointbook.domain.refusal import Code, Refusal
from pointbook.entrypoints.flow import flow_answer, flow_endpoint
from pointbook.entrypoints.http import Handler, my_page_endpoint, operator_endpoint
from pointbook.entrypoints.request import Event, Request
from pointbook.entrypoints.response import Response, problem
from pointbook.ledger.instruction import Booked
from tests.support.logs import logged
from tests.unit.entrypoints.events import ALLOWED_ORIGIN, LOGIN_URL, container, event

type Answers = Callable[[Request], Response]


def handler_of(answers: Answers) -> Handler[BaseContainer]:
    return lambda request, _: answers(request)


def my_page(answers: Answers, given: Event | None = None) -> dict[str, Any]:
    handler = my_page_endpoint(container)(handler_of(answers))
    return handler(event() if given is None else given, None)


def operator(answers: Answers, given: Event | None = None) -> dict[str, Any]:
    handler = operator_endpoint(container, body_bytes_max=100)(handler_of(answers))
    return handler(event("POST") if given is None else given, None)


def flow(answers: Answers, given: Event | None = None) -> dict[str, Any]:
    handler = flow_endpoint(container)(handler_of(answers))
    return handler(event("POST") if given is None else given, None)


def raising(error: Exception) -> Answers:
    def answers(_request: Request) -> Response:
        raise error

    return answers


def body_of(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["isBase64Encoded"] is False
    parsed = json.loads(answer["body"])
    assert isinstance(parsed, dict)
    return parsed


# --- my page ------------------------------------------------------------------------------------


def test_an_answer_carries_json_a_request_id_and_where_the_time_went() -> None:
    def handler(request: Request) -> Response:
        with request.timing.measure("ledger"):
            return Response(201, {"name": "山田"}, {"Idempotent-Replay": "true"})

    answer = my_page(handler)
    assert answer["statusCode"] == 201
    assert body_of(answer) == {"name": "山田"}
    headers = answer["headers"]
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Request-Id"] == "request-1"
    assert headers["Idempotent-Replay"] == "true"
    assert headers["Cache-Control"] == "no-store"
    steps = [step.split(";dur=") for step in headers["Server-Timing"].split(", ")]
    assert [name for name, _ in steps] == ["token", "ledger", "till", "display"]
    assert all(float(duration) >= 0 for _, duration in steps)


WHATEVER_THE_ANSWER = pytest.mark.parametrize(
    "handler",
    [
        lambda _: Response(200, {}),
        raising(errors.Unauthenticated("token_missing")),
        raising(errors.LedgerUnavailable(3)),
        raising(ZeroDivisionError()),
    ],
)


@WHATEVER_THE_ANSWER
def test_any_page_may_read_every_answer_without_credentials(handler: Answers) -> None:
    headers = my_page(handler)["headers"]
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers
    assert "Server-Timing" in headers
    assert "X-Request-Id" in headers


@WHATEVER_THE_ANSWER
def test_a_page_that_is_allowed_may_read_every_answer_with_its_customers_cookie(
    handler: Answers,
) -> None:
    headers = my_page(handler, event(headers={"Origin": ALLOWED_ORIGIN}))["headers"]
    assert headers["Access-Control-Allow-Origin"] == ALLOWED_ORIGIN
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://www.example.org",
        "http://www.example.com",
        "https://www.example.com:8443",
        "https://www.example.com.evil.example",
        "https://WWW.EXAMPLE.COM",
        "*",
        "",
        f"{ALLOWED_ORIGIN},{ALLOWED_ORIGIN}",
    ],
)
def test_any_other_page_may_read_without_credentials_only(origin: str) -> None:
    headers = my_page(lambda _: Response(200, {}), event(headers={"origin": origin}))["headers"]
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers
    assert headers["Vary"] == "Origin", "a cache must not show one page what another may read"


def test_a_body_that_is_too_large_is_refused_readably_for_the_page_that_sent_it() -> None:
    given = event("POST", body=b"x" * 65_537, headers={"origin": ALLOWED_ORIGIN})
    answer = my_page(lambda _: Response(200, {}), given)
    assert answer["statusCode"] == 413
    assert answer["headers"]["Access-Control-Allow-Origin"] == ALLOWED_ORIGIN


@pytest.mark.parametrize(
    ("origin", "credentials"),
    [(ALLOWED_ORIGIN, "true"), ("null", None), ("https://a.example", None)],
)
def test_a_preflight_says_what_a_page_may_send_and_never_reaches_the_handler(
    origin: str, credentials: str | None
) -> None:
    answer = my_page(raising(ZeroDivisionError()), event("OPTIONS", headers={"origin": origin}))
    assert (answer["statusCode"], answer["body"]) == (204, "")
    headers = answer["headers"]
    assert headers["Access-Control-Allow-Methods"] == "GET, POST, DELETE"
    allowed = headers["Access-Control-Allow-Headers"].split(", ")
    assert {"authorization", "content-type", "idempotency-key"} <= set(allowed)
    assert headers["Access-Control-Max-Age"] == "7200"
    assert headers.get("Access-Control-Allow-Credentials") == credentials
    assert "Content-Type" not in headers


def test_an_operators_tool_has_no_preflight() -> None:
    reached = operator(lambda _: Response(201, {}), event("OPTIONS"))
    assert reached["statusCode"] == 201, "API Gateway has no such route; the wrapper adds none"


PROBLEMS: list[tuple[errors.PointbookError, int, str]] = [
    (errors.Unauthenticated("token_missing"), 401, "token_missing"),
    (errors.Unauthenticated("token_invalid"), 401, "token_invalid"),
    (errors.Unauthenticated("token_expired"), 401, "token_expired"),
    (errors.NotYours(), 403, "not_yours"),
    (errors.OriginRefused(), 403, "origin_not_allowed"),
    (errors.NotAnOperator(), 403, "operator_missing"),
    (errors.UnknownShop("not ours"), 422, "unknown_shop"),
    (errors.BodyTooLarge(65536), 413, "body_too_large"),
    (errors.MalformedBody("no JSON"), 422, "invalid_request"),
    (errors.InvalidRequest("points", "points is 0"), 422, "invalid_request"),
    (
        errors.InvalidRequest("k", "m", code="idempotency_key_missing"),
        400,
        "idempotency_key_missing",
    ),
    (errors.MethodNotAllowed("PUT", "POST"), 405, "method_not_allowed"),
    (errors.LedgerUnavailable(3), 503, "ledger_unavailable"),
    (errors.Unavailable(5, code="hold_failed", message="later"), 503, "hold_failed"),
    (errors.Unavailable(60, code="hold_releasing", message="later"), 503, "hold_releasing"),
    (
        errors.Unavailable(5, code="secrets_unavailable", message="later"),
        503,
        "secrets_unavailable",
    ),
    (errors.RateLimited(5), 429, "rate_limited"),
]


@pytest.mark.parametrize(("error", "status", "code"), PROBLEMS)
def test_every_error_is_a_problem_with_its_own_status_and_code(
    error: errors.PointbookError, status: int, code: str
) -> None:
    answer = my_page(raising(error))
    assert answer["statusCode"] == status
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    body = body_of(answer)
    assert body["type"] == f"urn:pointbook:problem:{code}"
    assert (body["status"], body["code"]) == (status, code)
    assert body["title"]
    assert body["detail"] == str(error)
    assert body.get("field") == getattr(error, "field", None)
    retry_after = getattr(error, "retry_after_seconds", None)
    assert answer["headers"].get("Retry-After") == (retry_after and str(retry_after))


def test_an_operators_tool_is_answered_without_what_browsers_need() -> None:
    answer = operator(lambda request: Response(201, {"iam": dict(request.iam)}))
    assert (answer["statusCode"], body_of(answer)) == (201, {"iam": {}})
    assert answer["headers"]["X-Request-Id"] == "request-1"
    assert "Access-Control-Allow-Origin" not in answer["headers"]
    refused = operator(raising(errors.InvalidRequest("points", "points is 0")))
    assert refused["headers"]["Content-Type"] == "application/problem+json"
    assert (refused["statusCode"], body_of(refused)["field"]) == (422, "points")
    assert operator(lambda _: Response(200, {}), event(body=b"x" * 101))["statusCode"] == 413
    assert operator(raising(ZeroDivisionError("detail")))["statusCode"] == 500


def test_only_who_is_not_logged_in_gets_the_login_url() -> None:
    answer = my_page(raising(errors.Unauthenticated("token_expired")))
    assert body_of(answer)["login_url"] == LOGIN_URL
    assert answer["headers"]["WWW-Authenticate"] == "Bearer"
    assert "login_url" not in body_of(my_page(raising(errors.NotYours())))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("insufficient_points", 422),
        ("idempotency_mismatch", 422),
        ("hold_not_found", 404),
        ("order_not_found", 404),
        ("hold_open", 409),
        ("hold_captured", 409),
        ("rate_limited", 429),
        ("account_merged", 422),
    ],
)
def test_what_the_ledger_declines_has_its_status(code: str, status: int) -> None:
    answer = my_page(lambda _: problem(code, "Because.", hold={"points": 5}))
    assert answer["statusCode"] == status
    body = body_of(answer)
    assert (body["code"], body["detail"], body["hold"]) == (code, "Because.", {"points": 5})


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("table arn:aws:dynamodb:secret"),
        errors.SettingsError("TABLE_NAME", "is not set; secret"),
        KeyError("secret"),
        RecursionError("secret"),
    ],
)
def test_an_unexpected_error_is_logged_and_counted_and_not_shown(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    for run in (my_page, flow):
        answer = run(raising(error))
        assert answer["statusCode"] == 500
        assert body_of(answer)["code"] == "internal_error"
        assert "secret" not in answer["body"]
        assert "Traceback" not in answer["body"]
        assert answer["headers"]["X-Request-Id"] == "request-1"
        written, metric = logged(capsys)
        assert (metric["RequestsNotServed"], metric["Code"]) == ([1], "internal_error")
        assert written["level"] == "ERROR"
        assert written["request_id"] == "request-1"
        assert type(error).__name__ in written["exception"]


def test_a_request_for_another_customers_points_is_logged_and_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    my_page(raising(errors.NotYours()))
    metric, line = logged(capsys)
    assert (metric["RequestsNotServed"], metric["Code"]) == ([1], "not_yours")
    assert (line["level"], line["message"]) == ("WARNING", "access_to_other_customer_denied")


@pytest.mark.parametrize("run", [my_page, flow])
def test_a_body_over_64_kb_never_reaches_a_handler(run: Any) -> None:
    def handler(_request: Request) -> Response:
        pytest.fail("the handler ran")

    answer = run(handler, event("POST", body=b"x" * 65_537))
    assert answer["statusCode"] == 413
    assert body_of(answer)["code"] == "body_too_large"


@pytest.mark.parametrize("run", [my_page, flow])
@pytest.mark.parametrize("poor", [{}, {"headers": None, "requestContext": None}])
def test_an_event_that_is_no_request_is_answered_all_the_same(run: Any, poor: Event) -> None:
    answer = run(lambda request: Response(200, {"method": request.method}), poor)
    assert body_of(answer) == {"method": ""}
    assert answer["headers"]["X-Request-Id"]


# --- Flow ---------------------------------------------------------------------------------------


def test_an_action_that_was_carried_out_gives_flow_its_return_value() -> None:
    figures = Figures(approved=1, pending=2, total=3, lifetime=4, spent=5, hold=2**31)
    answer = flow(lambda _: flow_answer(Booked(("e-1", "e-2"), figures)))
    assert answer["statusCode"] == 200
    assert body_of(answer)["return_value"] == {
        "entry_id": "e-1",
        "duplicate": False,
        "approved": 1,
        "pending": 2,
        "total": 3,
        "lifetime": 4,
        "spent": 5,
        "hold": None,  # more than GraphQL's Int holds
    }


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.RATE_LIMITED])
def test_a_refused_action_shows_the_merchant_the_reason(code: Code) -> None:
    answer = flow(lambda _: flow_answer(Refusal(code, "Not enough points: 20 of 500.")))
    assert answer["statusCode"] == 422
    assert body_of(answer) == {"code": code, "message": "Not enough points: 20 of 500."}


FLOW_ERRORS: list[tuple[errors.PointbookError, int, str]] = [
    (errors.SignatureMissing(), 400, "signature_missing"),
    (errors.MalformedBody("no JSON"), 400, "malformed_body"),
    (errors.SignatureWrong(), 401, "signature_wrong"),
    (errors.MethodNotAllowed("GET", "POST"), 405, "method_not_allowed"),
    (errors.BodyTooLarge(65536), 413, "body_too_large"),
    (errors.InvalidRequest("points", "points is 0"), 422, "invalid_request"),
    (errors.UnknownShop("unknown"), 422, "unknown_shop"),
    (errors.LedgerUnavailable(3), 503, "ledger_unavailable"),
    (
        errors.Unavailable(5, code="secrets_unavailable", message="later"),
        503,
        "secrets_unavailable",
    ),
]


@pytest.mark.parametrize(("error", "status", "code"), FLOW_ERRORS)
def test_every_error_has_the_status_that_makes_flow_do_the_right_thing(
    error: errors.PointbookError, status: int, code: str
) -> None:
    answer = flow(raising(error))
    assert answer["statusCode"] == status
    assert answer["headers"]["Content-Type"] == "application/json"
    assert body_of(answer) == {"code": code, "message": str(error)}


def test_flows_answers_say_when_to_retry_and_which_method_to_use() -> None:
    assert flow(raising(errors.LedgerUnavailable(3)))["headers"]["Retry-After"] == "3"
    assert flow(raising(errors.MethodNotAllowed("GET", "POST")))["headers"]["Allow"] == "POST"
