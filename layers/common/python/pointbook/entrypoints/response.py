"""HTTP responses: JSON, or a problem (RFC 9457), with the headers that every response has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointbook.domain.refusal import Refusal
from pointbook.entrypoints.problems import Problem, problem_of, problem_of_error
from pointbook.entrypoints.request import Timing
from pointbook.errors import PointbookError

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"
PROBLEM_URN = "urn:pointbook:problem:"

ALLOW_HEADER = "Allow"
WWW_AUTHENTICATE_HEADER = "WWW-Authenticate"
RETRY_AFTER_HEADER = "Retry-After"
REQUEST_ID_HEADER = "X-Request-Id"
SERVER_TIMING_HEADER = "Server-Timing"
REPLAY_HEADER = "Idempotent-Replay"
TIMED_STEPS = ("token", "ledger", "till", "display")

EXPOSED_HEADERS = (RETRY_AFTER_HEADER, REQUEST_ID_HEADER, SERVER_TIMING_HEADER, REPLAY_HEADER)

_SAFETY_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_PUBLIC_CODES = {"malformed_body": "invalid_request"}
"""Codes that the API reports as another one."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response: status, body and headers of its own.

    A text is sent as it is, anything else as JSON; "" is no body, and has no content type.
    """

    status: int
    body: Mapping[str, Any] | str
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE


def problem(
    code: str, detail: str, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """Return the problem `code` as a response; `members` are added to its body."""
    return _problem(problem_of(code), code, detail, headers or {}, members)


def error_problem(error: PointbookError, headers: Mapping[str, str], **members: Any) -> Response:
    """Return an exception as a problem; `members` are added to its body."""
    return _problem(problem_of_error(error), error.code, str(error), headers, members)


def refusal_problem(refusal: Refusal, **members: Any) -> Response:
    """Return a refusal of the ledger as a response; `Retry-After` says when it may succeed."""
    wait_seconds = refusal.retry_after_seconds
    headers = {} if wait_seconds is None else {RETRY_AFTER_HEADER: str(wait_seconds)}
    return problem(refusal.code, refusal.message, headers, **members)


def lambda_answer(
    response: Response, request_id: str, headers: Mapping[str, str]
) -> dict[str, Any]:
    """Return `response` as API Gateway and function URLs expect it (payload version 2.0)."""
    body = response.body
    content_type = {"Content-Type": response.content_type} if body != "" else {}
    return {
        "statusCode": response.status,
        "headers": {
            **content_type,
            REQUEST_ID_HEADER: request_id,
            **_SAFETY_HEADERS,
            **headers,
            **response.headers,
        },
        "body": body if isinstance(body, str) else json.dumps(body, ensure_ascii=False),
        "isBase64Encoded": False,
    }


def _problem(
    row: Problem, code: str, detail: str, headers: Mapping[str, str], members: Mapping[str, Any]
) -> Response:
    public_code = _PUBLIC_CODES.get(code, code)
    body = {
        "type": PROBLEM_URN + public_code,
        "title": row.title,
        "status": row.api,
        "detail": detail,
        "code": public_code,
        **members,
    }
    return Response(row.api, body, headers, PROBLEM_TYPE)


def server_timing(timing: Timing) -> str:
    """Return the `Server-Timing` header; a step that was not reached has duration 0."""
    return ", ".join(f"{step};dur={timing.steps_ms.get(step, 0):.1f}" for step in TIMED_STEPS)
