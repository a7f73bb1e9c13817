"""A Shopify that answers from a script, and a clock that nobody has to wait for."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pointbook.deadline import Deadline
from pointbook.http.calls import Answer, Call, CallError
from pointbook.http.tokens import StoredToken
from pointbook.shopify.app_keys import AppKeys

SHOP = "demo.myshopify.com"
BASE_URL = f"https://{SHOP}"
START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

type Scripted = Answer | Exception | Callable[[Call], Answer]


class StandingClock:
    """Time passes only by sleeping, and by `pass_by`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds


class ScriptedCalls:
    """Answers the calls one after the other; keeps what was sent."""

    def __init__(self, *script: Scripted) -> None:
        self._script = list(script)
        self.sent: list[Call] = []

    def send(self, call: Call, deadline: Deadline) -> Answer:
        deadline.left_seconds()
        self.sent.append(call)
        assert self._script, f"nothing is scripted for call {len(self.sent)}"
        step = self._script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, Answer) else step(call)

    def done(self) -> bool:
        """Whether every step of the script was used."""
        return not self._script

    def bodies(self) -> list[Any]:
        return [json.loads(call.content or b"null") for call in self.sent]


@dataclass
class Tokens:
    """Gives the next token whenever the one before is refused."""

    refused: list[str] = field(default_factory=list)

    def token(self, deadline: Deadline, refused: str = "") -> str:
        if refused:
            self.refused.append(refused)
        return f"shpat_{len(self.refused)}"


class MemoryTokenStore:
    """A `TokenStore` as the table is one: a write only over the version before."""

    def __init__(self) -> None:
        self.by_shop: dict[str, StoredToken] = {}
        self._lock = threading.Lock()

    def read(self, shop: str) -> StoredToken | None:
        return self.by_shop.get(shop)

    def write(self, shop: str, token: StoredToken) -> bool:
        with self._lock:
            before = self.by_shop[shop].version if shop in self.by_shop else 0
            if token.version != before + 1:
                return False
            self.by_shop[shop] = token
            return True


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with this JSON."""
    return Answer(status, headers or {}, json.dumps(body).encode())


def data(root: str, payload: object) -> Answer:
    """What a document whose root field is `root` answered."""
    return answer({"data": {root: payload}})


def errors(*codes: str, **rest: object) -> Answer:
    """A 200 with top-level errors."""
    listed = [{"message": code.lower(), "extensions": {"code": code}} for code in codes]
    return answer({"errors": listed} | rest)


def keys(secret: str = "current", previous: str = "") -> AppKeys:
    return AppKeys("client-id", secret, previous, "", frozenset({SHOP}))


BROKEN_OFF = CallError("https://demo.myshopify.com: ConnectionError")
