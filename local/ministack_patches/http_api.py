"""Routes and CORS of an HTTP API that is defined by an OpenAPI body, as SAM writes it.

MiniStack creates such an API without any route, and takes every OPTIONS request for a preflight. On
AWS an API without a CORS configuration routes OPTIONS like any other method; an API with one
answers preflights itself and ignores the CORS headers of its functions
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html).
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from local.ministack_patches import PatchError, module, part, replace

type _Json = dict[str, Any]

_RESOURCE = "AWS::ApiGatewayV2::Api"
_FUNCTION_IN_URI = re.compile(r".*/functions/(arn:[^/]+)/invocations$")
_ANY_METHOD = "x-amazon-apigateway-any-method"


def apply() -> None:
    """Import the body whenever an HTTP API is created or updated."""
    provisioners = module("services.cloudformation.provisioners")
    handler = part(provisioners, "_RESOURCE_HANDLERS").get(_RESOURCE)
    if not handler or not {"create", "update"} <= handler.keys():
        raise PatchError(f"there is no handler of {_RESOURCE}")
    importer = _Importer(module("services.apigateway"))
    create, update = handler["create"], handler["update"]

    def create_with_routes(logical_id: str, properties: _Json, stack: str) -> Any:
        created = create(logical_id, properties, stack)
        importer.import_body(created[0], properties.get("Body") or {})
        return created

    def update_with_routes(
        physical_id: str,
        old: _Json,
        new: _Json,
        stack: str,
        logical_id: str | None = None,
    ) -> Any:
        updated = update(physical_id, old, new, stack, logical_id)
        importer.import_body(updated[0], new.get("Body") or {})
        return updated

    handler["create"], handler["update"] = create_with_routes, update_with_routes
    _answer_cross_origin_requests_as_aws(module("services.apigateway"))


class _Importer:
    """Puts the routes of an OpenAPI body into MiniStack's API Gateway."""

    def __init__(self, gateway: object) -> None:
        self._routes = part(gateway, "_routes")
        self._integrations = part(gateway, "_integrations")
        self._create_route: Callable[[str, _Json], Any] = part(gateway, "_create_route")
        self._create_integration: Callable[[str, _Json], Any] = part(gateway, "_create_integration")
        self._update_api: Callable[[str, _Json], Any] = part(gateway, "_update_api")

    def import_body(self, api_id: str, body: _Json) -> None:
        """Replace all routes of the API with those in `body`."""
        self._routes[api_id] = {}
        self._integrations[api_id] = {}
        cors = body.get("x-amazon-apigateway-cors")
        if cors:
            if cors.get("allowCredentials") and "*" in cors.get("allowOrigins", []):
                raise ValueError("AWS refuses the origin * together with credentials")
            self._made(self._update_api(api_id, {"corsConfiguration": cors}))
        integrations: dict[str, str] = {}
        for path, operations in (body.get("paths") or {}).items():
            for method, operation in operations.items():
                integration = operation.get("x-amazon-apigateway-integration")
                if not integration:
                    continue
                function = _FUNCTION_IN_URI.sub(r"\1", integration["uri"])
                if function not in integrations:
                    integrations[function] = self._integrate(api_id, function)
                route = {"routeKey": _route_key(path, method)}
                route["target"] = f"integrations/{integrations[function]}"
                route["authorizationType"] = _authorization(path, operation)
                self._made(self._create_route(api_id, route))

    def _integrate(self, api_id: str, function: str) -> str:
        integration = {
            "integrationType": "AWS_PROXY",
            "integrationUri": function,
            "payloadFormatVersion": "2.0",
        }
        made = self._made(self._create_integration(api_id, integration))
        return str(made["integrationId"])

    @staticmethod
    def _made(response: tuple[int, Mapping[str, str], bytes]) -> _Json:
        status, _, content = response
        if status >= 400:
            raise ValueError(f"MiniStack refused a part of the HTTP API: {content!r}")
        made: _Json = json.loads(content)
        return made


_PREFLIGHT = "OPTIONS"
_ROUTED = "options"
"""An OPTIONS request that is routed: MiniStack compares methods, and knows this one not."""


def _answer_cross_origin_requests_as_aws(gateway: object) -> None:
    """Route OPTIONS where the API has no CORS configuration; drop functions' headers elsewhere."""
    apis = part(gateway, "_apis")
    execute = part(gateway, "_handle_execute_in_scope")
    match_route = part(gateway, "_match_route")
    invoke = part(gateway, "_invoke_lambda_proxy")

    def configured(api_id: str) -> bool:
        return bool((apis.get(api_id) or {}).get("corsConfiguration"))

    async def execute_as_aws(
        api_id: str, stage: str, path: str, method: str, *more: Any, **named: Any
    ) -> Any:
        routed = method == _PREFLIGHT and not configured(api_id)
        return await execute(api_id, stage, path, _ROUTED if routed else method, *more, **named)

    def match_route_as_aws(api_id: str, method: str, path: str) -> Any:
        return match_route(api_id, method.upper(), path)

    async def invoke_as_aws(
        integration: _Json,
        api_id: str,
        stage: str,
        path: str,
        method: str,
        *more: Any,
        **named: Any,
    ) -> Any:
        status, headers, body = await invoke(
            integration, api_id, stage, path, method.upper(), *more, **named
        )
        if configured(api_id):
            headers = {
                name: value
                for name, value in headers.items()
                if not name.lower().startswith("access-control-")
            }
        return status, headers, body

    replace(gateway, "_handle_execute_in_scope", execute_as_aws)
    replace(gateway, "_match_route", match_route_as_aws)
    replace(gateway, "_invoke_lambda_proxy", invoke_as_aws)


def _authorization(path: str, operation: _Json) -> str:
    match operation.get("security") or []:
        case []:
            return "NONE"
        case [{"AWS_IAM": []}]:
            return "AWS_IAM"
        case _:
            raise NotImplementedError(f"{path} has an authorizer, which is not imported")


def _route_key(path: str, method: str) -> str:
    if path == "/$default":
        return "$default"
    return f"{'ANY' if method == _ANY_METHOD else method.upper()} {path}"
