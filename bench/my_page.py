"""My page's view with a slow till, against the sequential way of reading the till for each view.

The sequential way is: verify the token, take the customer's id from it, ask the till, format the
answer. Its till gets a single call, with an access token that is there already, so it cannot be
done in less. Ours is the whole handler on a table, with the member cached as refresh_till keeps it.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from statistics import median
from types import SimpleNamespace
from typing import Any

import requests

from bench.services import Services
from local import demo
from local.fakes.server import FakeServer
from local.fakes.till import Account, TillService
from pointbook.container import Container
from pointbook.settings import Settings
from pointbook.store.table import Table
from pointbook.store.till_members import CachedMember, Membership, TillMembers
from tests.support.harness import SECRETS, event, handler
from tests.support.serving import serving

LATENCY_MS = 800
"""What the till takes for one call: the upper end of what merchants report."""

PAIRS = 20
CUSTOMER = "8840734670934"


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds of the views of both ways, which took turns."""

    sequential_ms: list[float]
    ours_ms: list[float]

    @property
    def ratio(self) -> float:
        """How many times longer the sequential way takes, by the medians."""
        return median(self.sequential_ms) / median(self.ours_ms)


def measure(services: Services) -> Result:
    """Measure both ways with one slow till."""
    with _slow_till() as till_url:
        view = _our_view(services, till_url)
        sequential = _sequential_view(till_url)
        _until_cached(view, services)
        pairs = [(_milliseconds(sequential), _milliseconds(view)) for _ in range(PAIRS)]
    return Result([pair[0] for pair in pairs], [pair[1] for pair in pairs])


def report(result: Result) -> str:
    """The section of the report."""
    return (
        "\n# My page with a slow till\n\n"
        f"One view with a till of {LATENCY_MS} ms a call, by the clock, in turns ({PAIRS} pairs,\n"
        "median): the sequential way (verify the token, take the id, call the till once, format)\n"
        "against the handler of get_points, warm, with a member that is cached.\n\n"
        "| sequential, ms | ours, ms | slowest of ours, ms | ratio |\n|---|---|---|---|\n"
        f"| {median(result.sequential_ms):.0f} | {median(result.ours_ms):.1f} "
        f"| {max(result.ours_ms):.1f} | {result.ratio:.0f} |\n"
    )


@contextmanager
def _slow_till() -> Iterator[str]:
    with serving(FakeServer(TillService(Account()), 0)) as fake:
        slow = {"latency_ms": LATENCY_MS}
        requests.post(f"{fake.url}/_behave", json=slow, timeout=5).raise_for_status()
        yield fake.url


def _our_view(services: Services, till_url: str) -> Callable[[], dict[str, Any]]:
    """A view by our handler, with its own clients; returns the answer's body."""
    environ = {
        **services.environ,
        "TILL_PROVIDER": "smaregi",
        "TILL_FRESH_SECONDS": "3600",
        "LOCAL_TILL_URL": till_url,
        "LOCAL_SECRETS": json.dumps({**SECRETS, "till": demo.TILL_CREDENTIALS}),
    }
    container = Container(Settings.from_env(environ), dynamodb=services.dynamodb)
    get_points, payload = handler("get_points"), event("get_points", "by_header")
    context = SimpleNamespace(aws_request_id="bench")

    def view() -> dict[str, Any]:
        with redirect_stdout(StringIO()):  # its metrics
            answer = get_points(payload, context, container)
        body: dict[str, Any] = json.loads(answer["body"])
        return body

    return view


def _until_cached(view: Callable[[], Mapping[str, Any]], services: Services) -> None:
    """Have the member cached, which is refresh_till's work: here its answer is put there."""
    now = datetime.now(UTC)
    cached = CachedMember(Membership.MEMBER, CUSTOMER, now, "1", 1250, None, "gold")
    TillMembers(Table(services.dynamodb, services.table)).save(demo.SHOP_DOMAIN, CUSTOMER, cached)
    assert view()["till"]["balance"] == 1250


def _sequential_view(till_url: str) -> Callable[[], dict[str, Any]]:
    token = event("get_points", "by_header")["headers"]["authorization"].removeprefix("Bearer ")
    account, session = demo.TILL_CREDENTIALS, requests.Session()
    granted = session.post(
        f"{till_url}/app/{account['contract_id']}/token",
        auth=(account["client_id"], account["client_secret"]),
        data={"grant_type": "client_credentials", "scope": "pos.customers:read"},
        timeout=10,
    ).json()
    session.headers["Authorization"] = f"Bearer {granted['access_token']}"

    def view() -> dict[str, Any]:
        signed, _, signature = token.rpartition(".")
        expected = hmac.digest(demo.CLIENT_SECRET.encode(), signed.encode(), hashlib.sha256)
        assert hmac.compare_digest(expected, _decoded(signature))
        claims = json.loads(_decoded(signed.partition(".")[2]))
        assert claims["exp"] > time.time()
        number = claims["sub"].rpartition("/")[2]
        url = f"{till_url}/{account['contract_id']}/pos/customers"
        (found,) = session.get(url, params={"customer_code": number}, timeout=10).json()
        day = datetime.fromisoformat(found["pointExpireDate"])
        return {"number": found["customerCode"], "expiry": f"{day:%B} {day.day}, {day.year}"}

    return view


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _milliseconds(view: Callable[[], object]) -> float:
    began = time.monotonic()
    view()
    return (time.monotonic() - began) * 1000
