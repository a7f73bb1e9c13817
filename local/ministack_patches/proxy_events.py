"""HTTP events as AWS shapes them (payload format 2.0), and its response to a failed function.

AWS moves cookies from `headers` to the event's `cookies` list, decodes path parameters fully, and
answers "Internal Server Error", without details, when a function raises an error.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from local.ministack_patches import module, part, replace

type _Json = dict[str, Any]

_FAILED = {
    "statusCode": 500,
    "headers": {"Content-Type": "application/json"},
    "body": '{"message":"Internal Server Error"}',
}


def apply() -> None:
    """Shape events and failures as AWS does."""
    functions = module("services.lambda_svc")
    execute: Callable[[_Json, _Json], _Json] = part(
        functions, "_execute_function_with_config_scope"
    )
    respond: Callable[[_Json], tuple[_Json | None, str | None]] = part(
        functions, "lambda_execute_result_to_api_proxy_response"
    )

    def execute_as_aws(function: _Json, event: _Json) -> _Json:
        return execute(function, _as_aws(event))

    def respond_discreetly(result: _Json) -> tuple[_Json | None, str | None]:
        return (dict(_FAILED), None) if result.get("error") else respond(result)

    replace(functions, "_execute_function_with_config_scope", execute_as_aws)
    replace(functions, "lambda_execute_result_to_api_proxy_response", respond_discreetly)


def _as_aws(event: _Json) -> _Json:
    if not isinstance(event, dict) or event.get("version") != "2.0" or "rawPath" not in event:
        return event
    shaped = dict(event)
    headers = dict(event.get("headers") or {})
    cookies = headers.pop("cookie", None)
    if cookies:
        shaped["headers"] = headers
        shaped["cookies"] = [one.strip() for one in cookies.split(";")]
    if event.get("pathParameters"):
        parameters = event["pathParameters"].items()
        shaped["pathParameters"] = {name: unquote(value) for name, value in parameters}
    return shaped
