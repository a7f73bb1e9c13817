"""The wrapper around the handlers of Shopify Flow's actions, and the answers that Flow expects."""

from collections.abc import Callable, Mapping
from typing import Any

from pointbook import log
from pointbook.base_container import BaseContainer
from pointbook.domain.refusal import Code, Refusal
from pointbook.entrypoints.http import (
    INTERNAL_ERROR,
    SORRY,
    Build,
    Handler,
    LambdaHandler,
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

    Flow retries 5xx, so only errors that a retry may overcome are 5xx. Unexpected errors are among
    them: the identity of a run makes a retry safe.
    """

    def error_response(error: Refused | Unavailable, _container: C) -> Response:
        status = problem_of_error(error).flow
        return _declined(status, error.code, str(error), error_headers(error))

    unexpected = ("flow_action_failed", _declined(500, INTERNAL_ERROR, SORRY))
    return endpoint(build, error_response, unexpected)


def flow_answer(result: Booked | Refusal) -> Response:
    """Return Flow's answer: the result, the same for every repetition, or the refusal."""
    if not isinstance(result, Refusal):
        return Response(200, {"return_value": _return_value(result)})
    if result.code is Code.LOOP_REFUSED:
        log.error("loop_refused", why=result.message)
        log.metric("LoopsRefused")
    return _declined(problem_of(result.code).flow, result.code, result.message)


def _declined(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer whose message the merchant reads."""
    return Response(status, {"code": code, "message": message}, headers or {})


def _return_value(booked: Booked) -> dict[str, Any]:
    return {
        "entry_id": booked.entry_ids[0] if booked.entry_ids else None,
        "duplicate": booked.duplicate,
        **{name: _int_or_none(points) for name, points in booked.figures._asdict().items()},
    }


def _int_or_none(points: int) -> int | None:
    """Return `points`, or None if GraphQL's Int cannot hold them.

    Flow would treat such an answer as a failure and retry the finished action for 36 hours.
    """
    return points if -INT_MAX - 1 <= points <= INT_MAX else None
