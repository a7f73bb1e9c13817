"""The wrapper around the webhooks' handler: what Shopify is answered.

Shopify waits 1 s for the connection and 5 s for the answer, takes any 2xx for done, and sends
anything else again eight times over four hours. A wrong signature has to be 401
(https://shopify.dev/docs/apps/build/privacy-law-compliance).
"""

from collections.abc import Callable

from pointbook import log
from pointbook.entrypoints.http import Handler, LambdaHandler, count, endpoint, error_headers
from pointbook.entrypoints.response import Response
from pointbook.errors import Refused, Unavailable

_REFUSED = 400
_STATUS = {
    "signature_missing": 401,
    "signature_wrong": 401,
    "unknown_shop": 403,
    "method_not_allowed": 405,
    "body_too_large": 413,
    "message_too_large": 413,
}
"""Status of what is wrong with a webhook; all else that is refused is 400."""


def webhook_endpoint(*, stage: str, body_bytes_max: int) -> Callable[[Handler], LambdaHandler]:
    """Make a Lambda handler of the webhooks' address out of a function from Request to Response.

    A body over `body_bytes_max` is refused before anything is read. Every answer is small JSON;
    nothing of a request is repeated in it or written to the log.
    """
    return endpoint(stage=stage, failed=_as_answer, body_bytes_max=body_bytes_max)


def _as_answer(error: Exception) -> Response:
    if not isinstance(error, Refused | Unavailable):
        return _unexpected()
    count(error)
    status = 503 if isinstance(error, Unavailable) else _STATUS.get(error.code, _REFUSED)
    return Response(status, {"code": error.code}, error_headers(error))


def _unexpected() -> Response:
    log.exception("webhook_not_accepted")
    return Response(500, {"code": "internal_error"})
