"""The wrapper around the handlers of Shopify's webhooks and Flow's lifecycle callback.

Shopify waits 1 s for the connection and 5 s for the response, takes any 2xx for done, and retries
anything else eight times over four hours.
"""

from collections.abc import Callable

from pointbook import log
from pointbook.base_container import BaseContainer
from pointbook.entrypoints.http import (
    Build,
    Handler,
    LambdaHandler,
    count,
    endpoint,
    error_headers,
)
from pointbook.entrypoints.problems import problem_of_error
from pointbook.entrypoints.response import Response
from pointbook.errors import Refused, Unavailable


def webhook_endpoint[C: BaseContainer](
    build: Build[C], *, body_bytes_max: int
) -> Callable[[Handler[C]], LambdaHandler]:
    """Make a Lambda handler of Shopify's callbacks; `build` makes the process's container.

    A body over `body_bytes_max` is refused before anything is read. Every response is small JSON;
    nothing of a request is repeated in it or logged.
    """
    return endpoint(build, lambda error, _: _as_answer(error), body_bytes_max=body_bytes_max)


def _as_answer(error: Exception) -> Response:
    if not isinstance(error, Refused | Unavailable):
        return _unexpected()
    count(error)
    status = problem_of_error(error).webhook
    return Response(status, {"code": error.code}, error_headers(error))


def _unexpected() -> Response:
    log.exception("webhook_not_accepted")
    return Response(500, {"code": "internal_error"})
