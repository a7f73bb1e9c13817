"""An operator's commands against answers that a test gives, or those of the functions."""

import json
import re
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urlencode

from botocore.credentials import Credentials

from cli.operator_api import Answer
from cli.target import Target
from pointbook.settings import Settings
from tests.support.harness import Functions, event

ENVIRONMENT = {
    "STAGE": "dev",
    "TABLE_NAME": "ledger",
    "SHOP_DOMAIN": "demo.myshopify.com",
    "SHOPIFY_CLIENT_ID": "client-id",
    "SECRETS_NAME": "secret",
}


def a_target(api_url: str = "https://api.example.com") -> Target:
    """A deployed stack, and somebody who may sign for it."""
    session = SimpleNamespace(
        get_credentials=lambda: Credentials("AKIDEXAMPLE", "secret-key"),
        region_name="ap-northeast-1",
    )
    return Target("pointbook-dev", Settings.from_env(ENVIRONMENT), session, None, {}, api_url)


@dataclass(slots=True)
class Api:
    """Gives these answers one after the other, the last one for ever; notes what it was sent."""

    answers: list[Answer | None]
    sent: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)

    known: dict[str, Any] | None = None
    """What the check of a customer's id answers; None: the customer is known."""

    def get(self, _: Target, path: str, **query: object) -> Answer | None:
        assert path.endswith("/check"), path
        unknown = {"has_entries": False, "at_shopify": True, "why": None}
        return Answer(200, unknown if self.known is None else self.known)

    def post(self, _: Target, path: str, content: Any, headers: dict[str, str]) -> Answer | None:
        self.sent.append((path, content, headers))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


READS: Final = {
    r"/v1/operator/customers/(?P<customer>[^/]+)": "show_account",
    r"/v1/operator/customers/(?P<customer>[^/]+)/history": "account_history",
    r"/v1/operator/customers/(?P<customer>[^/]+)/check": "check_customer",
    r"/v1/operator/orders/(?P<order_id>[^/]+)": "explain_order",
}
WRITES: Final = {
    r"/v1/operator/customers/(?P<customer>[^/]+)/adjustments": ("adjust_points", "add"),
    r"/v1/operator/customers/(?P<customer>[^/]+)/extensions": ("extend_points", "extend"),
}


class FunctionsApi:
    """The operators' API as the functions answer it."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions

    def get(self, _: Target, path: str, **query: object) -> Answer | None:
        given = {name: value for name, value in query.items() if value is not None}
        for pattern, function in READS.items():
            if found := re.fullmatch(pattern, path):
                request = event(function, "get") | {"pathParameters": found.groupdict()}
                request["rawQueryString"] = urlencode(given)
                answer = self.functions.request(function, request)
                return Answer(answer.status, answer.body)
        raise AssertionError(f"{path} is no read of operators")

    def post(self, _: Target, path: str, content: Any, headers: dict[str, str]) -> Answer | None:
        for pattern, (function, case) in WRITES.items():
            if found := re.fullmatch(pattern, path):
                request = event(function, case) | {"pathParameters": found.groupdict()}
                request["headers"] |= {"idempotency-key": headers["Idempotency-Key"]}
                request["body"] = json.dumps(content)
                answer = self.functions.request(function, request)
                repeated = answer.headers.get("Idempotent-Replay") == "true"
                return Answer(answer.status, answer.body, repeated)
        raise AssertionError(f"{path} is no write of operators")
