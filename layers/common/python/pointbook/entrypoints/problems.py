"""HTTP status and title of every error code, for each kind of caller.

My page and operators get problems (RFC 9457). Shopify Flow treats 4xx as a permanent failure, whose
text the merchant reads, and retries 5xx
(https://shopify.dev/docs/apps/build/flow/actions/endpoints). Webhooks are retried unless they are
answered with 2xx, and a wrong signature has to be answered with 401
(https://shopify.dev/docs/apps/build/privacy-law-compliance).
"""

from typing import NamedTuple

from pointbook.errors import PointbookError, Unavailable


class Problem(NamedTuple):
    """The title for people, and the status for the API, for Flow and for webhooks."""

    title: str = "Refused"
    api: int = 422
    flow: int = 422
    webhook: int = 400


_REFUSED = Problem()
_UNAVAILABLE = Problem("Not available right now", 503, 503, 503)

_PROBLEMS = {
    "idempotency_key_missing": Problem("Idempotency key missing", 400),
    "signature_missing": Problem("Not signed", flow=400, webhook=401),
    "signature_wrong": Problem("Signature not valid", flow=401, webhook=401),
    "token_missing": Problem("Not logged in", 401),
    "token_invalid": Problem("Session not valid", 401),
    "token_expired": Problem("Session ended", 401),
    "not_yours": Problem("Not your points", 403),
    "not_permitted": Problem("Not permitted", 403),
    "origin_not_allowed": Problem("Page not allowed", 403),
    "operator_missing": Problem("Not signed by an operator", 403),
    "unknown_shop": Problem("Unknown shop", webhook=403),
    "hold_not_found": Problem("No such hold", 404),
    "order_not_found": Problem("No such order", 404),
    "import_not_found": Problem("No such import", 404),
    "method_not_allowed": Problem("Method not allowed", 405, 405, 405),
    "hold_open": Problem("Points are already held", 409),
    "hold_captured": Problem("Held points were used by an order", 409),
    "hold_ended": Problem("The hold has ended", 409),
    "holds_not_offered": Problem("Points are not held here", 409),
    "earning_paused": Problem("Earning is paused", 409),
    "spending_paused": Problem("Points cannot be used for now", 409),
    "holds_paused": Problem("Points cannot be used for now", 409),
    "body_too_large": Problem("Body too large", 413, 413, 413),
    "message_too_large": Problem("Webhook too large for its queue", webhook=413),
    "insufficient_points": Problem("Not enough points"),
    "invalid_request": Problem("Request not valid"),
    "malformed_body": Problem("Request not valid", flow=400),
    "day_past": Problem("The last valid day is past"),
    "lot_not_found": Problem("No points expire on that day"),
    "action_limit_exceeded": Problem("Too many points at once"),
    "daily_limit_reached": Problem("Too many points today", 429),
    "idempotency_mismatch": Problem("Idempotency key used for another request"),
    "rate_limited": Problem("Too many requests", 429, 503, 503),
    "internal_error": Problem("Something went wrong", 500, 500, 500),
    "ledger_unavailable": _UNAVAILABLE._replace(title="Points cannot be reached"),
    "hold_failed": _UNAVAILABLE._replace(title="Points could not be held"),
    "hold_releasing": _UNAVAILABLE._replace(title="Points are being released"),
}
"""A code without a row has the default row of its kind: refused or unavailable."""


def problem_of(code: str) -> Problem:
    """Return the row of a code."""
    return _PROBLEMS.get(code, _REFUSED)


def problem_of_error(error: PointbookError) -> Problem:
    """Return the row of an exception's code."""
    return _PROBLEMS.get(error.code, _UNAVAILABLE if isinstance(error, Unavailable) else _REFUSED)
