"""The wrappers around HTTP handlers: my page, staff, operators, a page; `endpoint` for all of them.

A handler takes a `Request` and the container and returns a `Response` or raises; the wrapper reads
the event and turns every exception into a response. There is no routing, validation or
authentication here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pointbook import log
from pointbook.base_container import BaseContainer
from pointbook.entrypoints.cors import PREFLIGHT_METHOD, cors_headers, preflight
from pointbook.entrypoints.request import (
    BODY_BYTES_MAX,
    Event,
    Request,
    Timing,
    origin,
    read_request,
    request_id,
)
from pointbook.entrypoints.response import (
    ALLOW_HEADER,
    RETRY_AFTER_HEADER,
    SERVER_TIMING_HEADER,
    WWW_AUTHENTICATE_HEADER,
    Response,
    error_problem,
    lambda_answer,
    problem,
    server_timing,
)
from pointbook.errors import (
    HoldFailed,
    InvalidRequest,
    MethodNotAllowed,
    NotPermitted,
    NotYours,
    PointbookError,
    Refused,
    Unauthenticated,
    Unavailable,
)

type Build[C] = Callable[[], C]
type Handler[C] = Callable[[Request, C], Response]
type LambdaHandler = Callable[..., dict[str, Any]]
"""Called with the event and Lambda's context; a test passes its own container as well."""

INTERNAL_ERROR = "internal_error"
"""The code of an answer 500."""

SORRY = "Something went wrong on our side. Please try again."
_UNEXPECTED = ("request_failed", problem(INTERNAL_ERROR, SORRY))


def endpoint[C: BaseContainer](
    build: Build[C],
    error_response: Callable[[Refused | Unavailable, C], Response],
    unexpected: tuple[str, Response],
    *,
    body_bytes_max: int = BODY_BYTES_MAX,
    headers: Callable[[Event, C, Timing], Mapping[str, str]] = lambda *_: {},
) -> Callable[[Handler[C]], LambdaHandler]:
    """Make a Lambda handler out of a function from Request and container to Response.

    `build` makes the process's container, when the function is imported.
    `error_response` turns errors of the caller or of a dependency into responses; `unexpected` has
    the log event and the response of all others. `headers` are added to every response. A body over
    `body_bytes_max` is refused before anything is read.
    """
    own = build()

    def wrap(handler: Handler[C]) -> LambdaHandler:
        def lambda_handler(event: Event, _context: object, container: C = own) -> dict[str, Any]:
            identifier, timing = request_id(event), Timing()
            log.bind(stage=container.settings.stage, request_id=identifier)
            try:
                request = read_request(event, body_bytes_max=body_bytes_max, timing=timing)
                response = handler(request, container)
            except (Refused, Unavailable) as error:
                _count(error.code)
                response = error_response(error, container)
            except Exception:  # noqa: BLE001 -- the caller gets an answer, never a stack trace
                log.exception(unexpected[0])
                _count(INTERNAL_ERROR)
                response = unexpected[1]
            return lambda_answer(response, identifier, headers(event, container, timing))

        return lambda_handler

    return wrap


def _count(code: str) -> None:
    """Count a request that was not served, by the code of its answer."""
    log.metric("RequestsNotServed", Code=code)


def my_page_endpoint[C: BaseContainer](build: Build[C]) -> Callable[[Handler[C]], LambdaHandler]:
    """Make a Lambda handler of my page's API; `build` makes the process's container.

    Errors become `application/problem+json`; a 401 says where to log in. Every response has CORS
    headers, a request id and `Server-Timing`. A preflight is answered without the handler.
    """
    wrap = endpoint(
        build,
        lambda error, container: _as_problem(error, container.settings.login_url),
        _UNEXPECTED,
        headers=_my_page_headers,
    )
    return _with_preflight(wrap)


def staff_endpoint[C: BaseContainer](build: Build[C]) -> Callable[[Handler[C]], LambdaHandler]:
    """Make a Lambda handler of the staff's API; `build` makes the process's container.

    Errors become `application/problem+json`. Every page may read the answer, but none with a
    cookie: extensions of the admin and the POS have origins of Shopify's or none, and the token is
    all that counts. A preflight is answered without the handler.
    """
    wrap = endpoint(build, lambda error, _: _as_problem(error), _UNEXPECTED, headers=_staff_headers)
    return _with_preflight(wrap)


def _with_preflight[C: BaseContainer](
    wrap: Callable[[Handler[C]], LambdaHandler],
) -> Callable[[Handler[C]], LambdaHandler]:
    def with_preflight(handler: Handler[C]) -> LambdaHandler:
        return wrap(
            lambda request, container: (
                preflight() if request.method == PREFLIGHT_METHOD else handler(request, container)
            )
        )

    return with_preflight


def _my_page_headers(event: Event, container: BaseContainer, timing: Timing) -> dict[str, str]:
    cors = cors_headers(origin(event), container.settings.allowed_origins)
    return {**cors, SERVER_TIMING_HEADER: server_timing(timing)}


def _staff_headers(_event: Event, _container: BaseContainer, timing: Timing) -> dict[str, str]:
    return {**cors_headers(None, frozenset()), SERVER_TIMING_HEADER: server_timing(timing)}


def html_endpoint[C: BaseContainer](build: Build[C]) -> Callable[[Handler[C]], LambdaHandler]:
    """Make a Lambda handler of a page for people; `build` makes the process's container.

    Errors become `application/problem+json`: the page itself is shown whatever is asked.
    """
    return endpoint(build, lambda error, _: _as_problem(error), _UNEXPECTED)


def operator_endpoint[C: BaseContainer](
    build: Build[C], *, body_bytes_max: int = BODY_BYTES_MAX
) -> Callable[[Handler[C]], LambdaHandler]:
    """Make a Lambda handler of the operators' API; `build` makes the process's container.

    Errors become `application/problem+json`.
    """
    return endpoint(
        build, lambda error, _: _as_problem(error), _UNEXPECTED, body_bytes_max=body_bytes_max
    )


def _as_problem(error: Refused | Unavailable, login_url: str | None = None) -> Response:
    members: dict[str, str | bool] = {}
    if isinstance(error, Unauthenticated) and login_url is not None:
        members["login_url"] = login_url
    if isinstance(error, InvalidRequest):
        members["field"] = error.field
    if isinstance(error, HoldFailed):
        members["may_be_retried"] = error.may_be_retried
    if isinstance(error, NotYours):
        log.warning("access_to_other_customer_denied")
    if isinstance(error, NotPermitted):
        log.warning("staff_not_permitted", rule=error.rule)
    return error_problem(error, error_headers(error), **members)


def error_headers(error: PointbookError) -> dict[str, str]:
    """Return the header that HTTP requires or suggests with the status."""
    if isinstance(error, Unauthenticated):
        return {WWW_AUTHENTICATE_HEADER: "Bearer"}
    if isinstance(error, MethodNotAllowed):
        return {ALLOW_HEADER: error.allowed}
    if isinstance(error, Unavailable):
        return {RETRY_AFTER_HEADER: str(error.retry_after_seconds)}
    return {}
