"""An operator's commands against answers that a test gives."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.credentials import Credentials

from cli.operator_api import Answer
from cli.target import Target
from pointbook.settings import Settings

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

    def post(self, _: Target, path: str, content: Any, headers: dict[str, str]) -> Answer | None:
        self.sent.append((path, content, headers))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
