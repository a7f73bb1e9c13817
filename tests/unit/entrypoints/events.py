"""Lambda events as the gateways make them (API Gateway payload 2.0), and a container for them."""

import base64
from typing import Any

from pointbook.base_container import BaseContainer
from pointbook.settings import Settings, Stage

LOGIN_URL = "https://demo.myshopify.com/account/login"
ALLOWED_ORIGIN = "https://www.example.com"


def event(
    method: str = "GET",
    path: str = "/v1/customers/me/points",
    *,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    cookies: list[str] | None = None,
    query: str = "",
    as_base64: bool = False,
    **more: Any,
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers or {},
        "pathParameters": {"customer": "me"},
        "requestContext": {
            "requestId": "request-1",
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
        },
        "isBase64Encoded": as_base64,
    }
    if body is not None:
        made["body"] = base64.b64encode(body).decode() if as_base64 else body.decode()
    if cookies is not None:
        made["cookies"] = cookies
    return made | more


def container() -> BaseContainer:
    """The container of a laptop's function."""
    return BaseContainer(
        Settings(
            stage=Stage.LOCAL,
            table_name="points",
            shops=("demo.myshopify.com",),
            shopify_client_id="client",
            secrets_name="secret",
            login_url=LOGIN_URL,
            allowed_origins=frozenset({ALLOWED_ORIGIN}),
        )
    )
