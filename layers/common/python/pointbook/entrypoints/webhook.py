"""The wrapper around the handlers of Shopify's webhooks and Flow's lifecycle callback.

Shopify waits 1 s for the connection and 5 s for the response, and retries anything but 2xx eight
times over four hours.
"""

from collections.abc import Callable

from pointbook.base_container import BaseContainer
from pointbook.entrypoints.http import (
    INTERNAL_ERROR,
    Build,
    Handler,
    LambdaHandler,
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

    A body over `body_bytes_max` is refused before anything is read. No response or log line repeats
    anything of a request.
    """

    def error_response(error: Refused | Unavailable, _container: C) -> Response:
        status = problem_of_error(error).webhook
        return Response(status, {"code": error.code}, error_headers(error))

    unexpected = ("webhook_not_accepted", Response(500, {"code": INTERNAL_ERROR}))
    return endpoint(build, error_response, unexpected, body_bytes_max=body_bytes_max)
