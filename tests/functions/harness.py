"""Runs a function's handler on an in-memory table, with the laptop stack's settings."""

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local import demo
from pointbook import wiring
from tests.engines.memory import MemoryDynamo
from tests.engines.table import table_request

EVENTS = Path(__file__).resolve().parents[2] / "events"
TABLE = "points"

SECRETS = {
    "client_secret": demo.CLIENT_SECRET,
    "client_secret_previous": demo.CLIENT_SECRET_PREVIOUS,
    "my_page_secret": demo.MY_PAGE_SECRET,
}
_ENVIRONMENT = {
    "STAGE": "local",
    "TABLE_NAME": TABLE,
    "SECRETS_NAME": "unused",
    "SHOP_DOMAIN": demo.SHOP_DOMAIN,
    "SHOPIFY_CLIENT_ID": demo.SHOPIFY_CLIENT_ID,
    "LOCAL_SECRETS": json.dumps(SECRETS),
}
_CACHED = ("settings", "clock", "store", "_client")


@dataclass(slots=True)
class Answer:
    """What a handler answered over HTTP."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


def event(function: str, case: str) -> dict[str, Any]:
    """A sample event."""
    path = EVENTS / function / f"{case}.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


class Functions:
    """The functions of one stack: they share a table and the environment."""

    def __init__(self, patch: pytest.MonkeyPatch, **environment: str) -> None:
        self.table = MemoryDynamo()
        self.table.create_table(**table_request(TABLE))
        for name, value in {**_ENVIRONMENT, **environment}.items():
            patch.setenv(name, value)
        patch.setattr(wiring, "connect", lambda: self.table)
        patch.setattr(wiring, "_memory", {})
        patch.setattr(wiring, "_parts", {})
        for name in _CACHED:
            getattr(wiring, name).cache_clear()

    def handler(self, function: str) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
        """The handler, started anew as Lambda would."""
        module = f"functions.{function}.app"
        sys.modules.pop(module, None)
        found: Callable[[dict[str, Any], Any], dict[str, Any]] = importlib.import_module(
            module
        ).handler
        return found

    def invoke(self, function: str, payload: dict[str, Any], seconds: float = 30) -> dict[str, Any]:
        """What the handler returns to Lambda."""
        context = SimpleNamespace(
            aws_request_id="request", get_remaining_time_in_millis=lambda: int(seconds * 1000)
        )
        return self.handler(function)(payload, context)

    def ask(self, function: str, payload: dict[str, Any]) -> Answer:
        """What an HTTP client gets."""
        answer = self.invoke(function, payload)
        return Answer(answer["statusCode"], json.loads(answer["body"]), answer["headers"])

    def sample(self, function: str, case: str) -> Answer:
        """What a sample event is answered."""
        return self.ask(function, event(function, case))
