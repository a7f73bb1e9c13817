"""A gateway in front of the handlers: HTTP requests become events, as API Gateway makes them.

Routes are those of docs/openapi.yaml, function URLs are below `/fn/`. A caller that has an AWS
signature of any kind is an operator. `X-Shopify-Hmac-Sha256: by the gateway` has the gateway sign
the raw body in Shopify's place, which no client can do that knows nothing but the description.
"""

import base64
import json
import re
import uuid
from collections import Counter
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from typing import Any, override
from urllib.parse import unquote

from local import signing
from tests.support.api_description import document, operations
from tests.support.harness import Functions
from tests.support.serving import QuietHandler
from tools import openapi

AWS_SIGNATURE = "AWS4-HMAC-SHA256"
SIGNED_HERE = "by the gateway"
_SIGNATURE_HEADER = "x-shopify-hmac-sha256"
_OPERATOR_ARN = "arn:aws:sts::000000000000:assumed-role/PointbookOperator/hanako"


class Route:
    """A path of the description, and the functions behind its methods."""

    def __init__(self, path: str, item: Mapping[str, Any]) -> None:
        names = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
        self._path = re.compile(names)
        self.functions = {
            one.method.upper(): one.function for one in operations().values() if one.path == path
        }
        self.for_operators = any(
            {"operator": []} in item.get(method, {}).get("security", ())
            for method in openapi.METHODS
        )

    def parameters(self, path: str) -> dict[str, str] | None:
        """The parameters of a path, decoded; None if it is another route's."""
        found = self._path.fullmatch(path)
        return found and {name: unquote(text) for name, text in found.groupdict().items()}


class Gateway(ThreadingHTTPServer):
    """Serves the functions of one stack on 127.0.0.1.

    One that is `careless` passes on what has no signature of AWS, as if a function were called
    another way. `answered` are the answers so far: method, function, status.
    """

    daemon_threads = True

    def __init__(self, functions: Functions, *, careless: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.functions = functions
        self.careless = careless
        self.answered: Counter[tuple[str, str, int]] = Counter()
        self.routes = [Route(path, item) for path, item in document()["paths"].items()]


class _Handler(QuietHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Gateway

    @override
    def parse_request(self) -> bool:
        """Read the request line and the headers; every method is answered alike."""
        if not super().parse_request():
            return False
        setattr(self, f"do_{self.command}", self._answer)
        return True

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        raw_path, _, query = self.path.partition("?")
        for route in self.server.routes:
            parameters = route.parameters(raw_path)
            if parameters is not None and self.command in route.functions:
                self._call(route, parameters, query, body)
                return
        self._send(404, {"message": "Not Found"})

    def _call(self, route: Route, parameters: dict[str, str], query: str, body: bytes) -> None:
        signed_by_aws = self.headers.get("Authorization", "").startswith(AWS_SIGNATURE)
        if route.for_operators and not signed_by_aws and not self.server.careless:
            self._send(403, {"message": "Forbidden"})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get(_SIGNATURE_HEADER) == SIGNED_HERE:
            headers[_SIGNATURE_HEADER] = signing.flow_signature(body)
        function = route.functions[self.command]
        answer = self.server.functions.invoke(
            function,
            {
                "version": "2.0",
                "rawPath": self.path.partition("?")[0],
                "rawQueryString": query,
                "headers": headers,
                "pathParameters": parameters,
                "requestContext": {
                    "http": {"method": self.command},
                    "requestId": str(uuid.uuid4()),
                    "authorizer": {"iam": {"userArn": _OPERATOR_ARN}} if signed_by_aws else None,
                },
                **_event_body(body),
            },
        )
        self.server.answered[self.command, function, answer["statusCode"]] += 1
        self._reply(answer["statusCode"], answer["headers"], answer["body"].encode())

    def _send(self, status: int, body: Mapping[str, str]) -> None:
        self._reply(status, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def _reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _event_body(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
