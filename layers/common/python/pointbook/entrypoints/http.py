"""The wrappers around handlers: one for my page's API, one for operators, one for Flow's actions.

A handler takes a `Request` and returns a `Response` or raises; the wrapper reads the event and
turns every error into an answer. Nothing else is done here: no routing, no validation, no identity.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pointbook import log
from pointbook.entrypoints.request import (
    BODY_BYTES_MAX,
    Event,
    Request,
    Timing,
    read_request,
    request_id,
)
from pointbook.entrypoints.response import (
    ALLOW_HEADER,
    CORS_HEADERS,
    RETRY_AFTER_HEADER,
    SERVER_TIMING_HEADER,
    WWW_AUTHENTICATE_HEADER,
    Response,
    lambda_answer,
    problem,
    server_timing,
)
from pointbook.errors import (
    InvalidRequest,
    MethodNotAllowed,
    NotYours,
    PointbookError,
    Refused,
    Unauthenticated,
    Unavailable,
)

type Handler = Callable[[Request], Response]
type LambdaHandler = Callable[[Event, object], dict[str, Any]]

_SORRY = "Something went wrong on our side. Please try again."

_FLOW_REFUSED = 422
_FLOW_STATUS = {
    "signature_missing": 400,
    "malformed_body": 400,
    "signature_wrong": 401,
    "method_not_allowed": 405,
    "body_too_large": 413,
}
"""Status of what is wrong with a Flow request as such; all else that is refused is 422."""


def endpoint(
    *,
    stage: str,
    failed: Callable[[Exception], Response],
    body_bytes_max: int = BODY_BYTES_MAX,
    headers: Callable[[Timing], Mapping[str, str]] = lambda _: {},
) -> Callable[[Handler], LambdaHandler]:
    """Make a Lambda handler out of a function from Request to Response.

    `failed` is what an error is answered with, whatever it is; `headers` are those of every answer.
    A body over `body_bytes_max` is refused before anything is read.
    """

    def wrap(handler: Handler) -> LambdaHandler:
        def lambda_handler(event: Event, _context: object) -> dict[str, Any]:
            identifier, timing = request_id(event), Timing()
            log.bind(stage=stage, request_id=identifier)
            try:
                request = read_request(event, body_bytes_max=body_bytes_max, timing=timing)
                response = handler(request)
            except Exception as error:  # noqa: BLE001 -- the last line: an answer, never a stack trace
                response = failed(error)
            return lambda_answer(response, identifier, headers(timing))

        return lambda_handler

    return wrap


def my_page_endpoint(*, stage: str, login_url: str) -> Callable[[Handler], LambdaHandler]:
    """Make a Lambda handler of my page's API out of a function from Request to Response.

    Errors become `application/problem+json`; a 401 says where to log in. Every answer has CORS
    headers, a request id and `Server-Timing`.
    """
    return endpoint(
        stage=stage,
        failed=lambda error: _as_problem(error, login_url),
        headers=lambda timing: CORS_HEADERS | {SERVER_TIMING_HEADER: server_timing(timing)},
    )


def operator_endpoint(
    *, stage: str, body_bytes_max: int = BODY_BYTES_MAX
) -> Callable[[Handler], LambdaHandler]:
    """Make a Lambda handler of an operator's call out of a function from Request to Response.

    Errors become `application/problem+json`.
    """
    return endpoint(stage=stage, failed=_as_problem, body_bytes_max=body_bytes_max)


def flow_endpoint(*, stage: str) -> Callable[[Handler], LambdaHandler]:
    """Make a Lambda handler of a Flow action out of a function from Request to Response.

    Flow takes 200 for done, 4xx for a permanent failure whose body the merchant reads, and sends
    again what ends in 5xx (https://shopify.dev/docs/apps/build/flow/actions/endpoints). So only
    what is worth sending again is 5xx. An unexpected error is: the identity of a run makes a
    resend safe.
    """
    return endpoint(stage=stage, failed=_as_flow_answer)


def flow_done(return_value: Mapping[str, Any]) -> Response:
    """Return the answer to an action that was carried out, now or before."""
    return Response(200, {"return_value": return_value})


def flow_refusal(code: str, message: str) -> Response:
    """Return the answer to an action that was declined; the merchant reads `message`."""
    status = _FLOW_STATUS.get(code, _FLOW_REFUSED)
    return Response(status, {"code": code, "message": message})


def _as_problem(error: Exception, login_url: str = "") -> Response:
    if not isinstance(error, Refused | Unavailable):
        return _unexpected_problem()
    count(error)
    members: dict[str, str] = {}
    if isinstance(error, Unauthenticated):
        members["login_url"] = login_url
    if isinstance(error, InvalidRequest):
        members["field"] = error.field
    if isinstance(error, NotYours):
        log.warning("not_yours")
    return problem(error.code, str(error), error_headers(error), **members)


def _as_flow_answer(error: Exception) -> Response:
    if not isinstance(error, Refused | Unavailable):
        return _unexpected_flow_answer()
    count(error)
    if isinstance(error, Unavailable):
        body = {"code": error.code, "message": str(error)}
        return Response(503, body, error_headers(error))
    answer = flow_refusal(error.code, str(error))
    return replace(answer, headers=error_headers(error))


def error_headers(error: PointbookError) -> dict[str, str]:
    """Return the header that HTTP asks for beside the status."""
    if isinstance(error, Unauthenticated):
        return {WWW_AUTHENTICATE_HEADER: "Bearer"}
    if isinstance(error, MethodNotAllowed):
        return {ALLOW_HEADER: error.allowed}
    if isinstance(error, Unavailable):
        return {RETRY_AFTER_HEADER: str(error.retry_after_seconds)}
    return {}


def count(error: PointbookError) -> None:
    """Count a request that was not served, by its code."""
    log.metric("RequestsNotServed", Code=error.code)


def _unexpected_problem() -> Response:
    log.exception("request_failed")
    return problem("internal_error", _SORRY)


def _unexpected_flow_answer() -> Response:
    log.exception("flow_action_failed")
    return Response(500, {"code": "internal_error", "message": _SORRY})
