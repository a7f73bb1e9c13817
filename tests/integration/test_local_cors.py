"""The laptop's API gateway answers pages of another origin as AWS's HTTP API does.

What is held here is local/ministack_patches/http_api.py, against the rules of
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html.
"""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests

from local import emulator
from tests.support.servers import patched_ministack

ORIGIN = "https://www.example.com"
FUNCTIONS_OWN = {
    "Access-Control-Allow-Origin": "https://only.function.example",
    "Access-Control-Allow-Credentials": "true",
}
CODE = f"""
def handler(event, context):
    method = event["requestContext"]["http"]["method"]
    return {{"statusCode": 200, "headers": {FUNCTIONS_OWN!r}, "body": method}}
"""

ROUTES = ("GET /points", "OPTIONS /points", "GET /other")


class Gateway:
    """HTTP APIs of the emulator, all in front of one function."""

    def __init__(self, url: str) -> None:
        session = boto3.Session("test", "test", region_name=emulator.REGION)
        self._url = url
        self._apis: Any = session.client("apigatewayv2", endpoint_url=url)
        functions: Any = session.client("lambda", endpoint_url=url)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", CODE)
        self._function = functions.create_function(
            FunctionName=f"t-{uuid.uuid4().hex}",
            Runtime="python3.13",
            Role="arn:aws:iam::000000000000:role/test",
            Handler="app.handler",
            Code={"ZipFile": buffer.getvalue()},
        )["FunctionArn"]

    def api(self, **given: Any) -> str:
        """The address of a new API; `given` is its CORS configuration."""
        cors = {"CorsConfiguration": given} if given else {}
        made = self._apis.create_api(Name=f"t-{uuid.uuid4().hex}", ProtocolType="HTTP", **cors)
        api = made["ApiId"]
        integration = self._apis.create_integration(
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationUri=self._function,
            PayloadFormatVersion="2.0",
        )["IntegrationId"]
        for route in ROUTES:
            target = f"integrations/{integration}"
            self._apis.create_route(ApiId=api, RouteKey=route, Target=target)
        self._apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        return f"{self._url}/_aws/execute-api/{api}"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """MiniStack as the laptop stack starts it, patches and all."""
    directory = tmp_path_factory.mktemp("gateway")
    with patched_ministack(directory) as url:
        yield Gateway(url)


def fetch(url: str, method: str = "GET", **headers: str) -> requests.Response:
    return requests.request(method, url, headers={"Origin": ORIGIN, **headers}, timeout=30)


def cors(answer: requests.Response) -> dict[str, str]:
    """What the answer tells a browser about other origins."""
    return {
        name: value
        for name, value in answer.headers.items()
        if name.lower().startswith("access-control-")
    }


def preflight(url: str) -> requests.Response:
    return fetch(url, "OPTIONS", **{"Access-Control-Request-Method": "GET"})


def test_without_a_configuration_the_function_answers_preflights(gateway: Gateway) -> None:
    answer = preflight(gateway.api() + "/points")
    assert (answer.status_code, answer.text) == (200, "OPTIONS")
    assert cors(answer) == FUNCTIONS_OWN


def test_without_a_configuration_a_preflight_needs_a_route(gateway: Gateway) -> None:
    answer = preflight(gateway.api() + "/other")
    assert (answer.status_code, cors(answer)) == (404, {})


def test_without_a_configuration_the_functions_headers_reach_the_browser(gateway: Gateway) -> None:
    answer = fetch(gateway.api() + "/points")
    assert (answer.text, cors(answer)) == ("GET", FUNCTIONS_OWN)


def test_with_a_configuration_the_gateway_answers_preflights_itself(gateway: Gateway) -> None:
    api = gateway.api(AllowOrigins=["*"], AllowMethods=["GET"], MaxAge=60)
    answer = preflight(api + "/points")
    assert (answer.status_code, answer.text) == (204, "")
    assert cors(answer) == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET",
        "Access-Control-Max-Age": "60",
    }


def test_with_a_configuration_the_functions_headers_are_ignored(gateway: Gateway) -> None:
    answer = fetch(gateway.api(AllowOrigins=["*"]) + "/points")
    assert (answer.text, cors(answer)) == ("GET", {"Access-Control-Allow-Origin": "*"})


def test_with_a_configuration_another_origin_gets_no_header_at_all(gateway: Gateway) -> None:
    answer = fetch(
        gateway.api(AllowOrigins=["https://a.example"], AllowCredentials=True) + "/points"
    )
    assert (answer.text, json.dumps(cors(answer))) == ("GET", "{}")
