"""The wrapper around the handlers of Shopify Flow's actions, and Flow's form of an answer."""

from collections.abc import Callable, Mapping
from typing import Any

from pointbook import log
from pointbook.base_container import BaseContainer
from pointbook.domain.refusal import Code, Refusal
from pointbook.entrypoints.http import (
    SORRY,
    Build,
    Handler,
    LambdaHandler,
    count,
    endpoint,
    error_headers,
)
from pointbook.entrypoints.problems import problem_of, problem_of_error
from pointbook.entrypoints.response import Response
from pointbook.errors import Refused, Unavailable
from pointbook.ledger.instruction import Booked

INT_MAX = 2**31 - 1
"""The largest Int of GraphQL (https://spec.graphql.org/, section 3.5.1)."""


def flow_endpoint[C: BaseContainer](build: Build[C]) -> Callable[[Handler[C]], LambdaHandler]:
    """Make a Lambda handler of a Flow action; `build` makes the process's container.

    Only what is worth a retry is 5xx. An unexpected error is: the identity of a run makes a retry
    safe.
    """
    return endpoint(build, lambda error, _: _failed(error))


def flow_answer(result: Booked | Refusal) -> Response:
    """Return Flow's answer: the first result to every repetition, or why nothing was done."""
    if not isinstance(result, Refusal):
        return Response(200, {"return_value": _return_value(result)})
    if result.code is Code.LOOP_REFUSED:
        log.error("loop_refused", why=result.message)
        log.metric("LoopsRefused")
    return _declined(problem_of(result.code).flow, result.code, result.message)


def _failed(error: Exception) -> Response:
    if not isinstance(error, Refused | Unavailable):
        log.exception("flow_action_failed")
        return _declined(500, "internal_error", SORRY)
    count(error)
    return _declined(problem_of_error(error).flow, error.code, str(error), error_headers(error))


def _declined(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer whose message the merchant reads."""
    return Response(status, {"code": code, "message": message}, headers or {})


def _return_value(booked: Booked) -> dict[str, Any]:
    return {
        "entry_id": booked.entry_ids[0] if booked.entry_ids else None,
        "duplicate": booked.duplicate,
        **{name: _int(points) for name, points in booked.figures._asdict().items()},
    }


def _int(points: int) -> int | None:
    """Null for a number that GraphQL's Int cannot hold.

    Flow would take such an answer for a failure and retry the finished action for 36 hours.
    """
    return points if -INT_MAX - 1 <= points <= INT_MAX else None
