"""Answers: JSON, or a problem (RFC 9457), with the headers that every answer carries."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointbook.domain.refusal import Refusal
from pointbook.entrypoints.request import Timing

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

_EXPOSED_HEADERS = (RETRY_AFTER_HEADER, REQUEST_ID_HEADER, SERVER_TIMING_HEADER, REPLAY_HEADER)

CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": ", ".join(_EXPOSED_HEADERS),
    "Timing-Allow-Origin": "*",
}
"""Any page may read the answers, without credentials: extensions have no origin of their own."""

_SAFETY_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_PROBLEMS = {
    "idempotency_key_missing": (400, "Idempotency key missing"),
    "token_missing": (401, "Not logged in"),
    "token_invalid": (401, "Session not valid"),
    "token_expired": (401, "Session ended"),
    "not_yours": (403, "Not your points"),
    "origin_not_allowed": (403, "Page not allowed"),
    "operator_missing": (403, "Not signed by an operator"),
    "hold_not_found": (404, "No such hold"),
    "method_not_allowed": (405, "Method not allowed"),
    "hold_open": (409, "Points are already held"),
    "hold_captured": (409, "Held points were used by an order"),
    "hold_ended": (409, "The hold has ended"),
    "holds_not_offered": (409, "Points are not held here"),
    "body_too_large": (413, "Body too large"),
    "insufficient_points": (422, "Not enough points"),
    "invalid_request": (422, "Request not valid"),
    "malformed_body": (422, "Request not valid"),
    "unknown_shop": (422, "Unknown shop"),
    "day_past": (422, "The last valid day is past"),
    "idempotency_mismatch": (422, "Idempotency key used for another request"),
    "rate_limited": (429, "Too many requests"),
    "internal_error": (500, "Something went wrong"),
    "ledger_unavailable": (503, "Points cannot be reached"),
    "hold_failed": (503, "Points could not be held"),
    "hold_releasing": (503, "Points are being released"),
}
"""Status and title of every code that the HTTP API answers with."""

_SAME_TO_CLIENTS = {"malformed_body": "invalid_request"}
"""Codes that the API does not tell apart."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: the status, what goes into the body as JSON, and headers of its own."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE


def problem(
    code: str, detail: str, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """Return the problem `code` as an answer; `members` are added to its body.

    A code without a status of its own is a refusal like any other: 422.
    """
    status, title = _PROBLEMS.get(code, (422, "Refused"))
    public_code = _SAME_TO_CLIENTS.get(code, code)
    body = {
        "type": PROBLEM_URN + public_code,
        "title": title,
        "status": status,
        "detail": detail,
        "code": public_code,
        **members,
    }
    return Response(status, body, headers or {}, PROBLEM_TYPE)


def refusal_problem(refusal: Refusal, **members: Any) -> Response:
    """Return what the ledger refuses as an answer, with the time after which it may succeed."""
    wait_seconds = refusal.retry_after_seconds
    headers = {} if wait_seconds is None else {RETRY_AFTER_HEADER: str(wait_seconds)}
    return problem(refusal.code, refusal.message, headers, **members)


def lambda_answer(
    response: Response, request_id: str, headers: Mapping[str, str]
) -> dict[str, Any]:
    """Return `response` in the form that API Gateway and function URLs take (payload 2.0)."""
    return {
        "statusCode": response.status,
        "headers": {
            "Content-Type": response.content_type,
            REQUEST_ID_HEADER: request_id,
            **_SAFETY_HEADERS,
            **headers,
            **response.headers,
        },
        "body": json.dumps(response.body, ensure_ascii=False),
        "isBase64Encoded": False,
    }


def server_timing(timing: Timing) -> str:
    """Return where the time went; a step that was not reached took none."""
    return ", ".join(f"{step};dur={timing.steps_ms.get(step, 0):.1f}" for step in TIMED_STEPS)
