"""`local webhook`: a file is signed and posted as Shopify would."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local import demo, webhooks
from local.problems import LocalProblem
from pointbook.shopify.signature import WEBHOOK_SIGNATURE_HEADERS, verify_body
from tests.support.serving import QuietHandler, serving, url_of

SAMPLE = Path(__file__).resolve().parents[3] / "events/shopify_webhook/customers_create.json"


class Entrance(QuietHandler, BaseHTTPRequestHandler):
    """Notes what is posted; answers with its status."""

    seen: list[tuple[str, dict[str, str], bytes]]
    status = 200
    url = ""

    def do_POST(self) -> None:
        self.seen.append((self.path, dict(self.headers), self.read_body()))
        self.answer(self.status, b'{"status": "queued"}')


@pytest.fixture
def entrance() -> Iterator[type[Entrance]]:
    Entrance.seen, Entrance.status = [], 200
    with serving(HTTPServer(("127.0.0.1", 0), Entrance)) as server:
        Entrance.url = url_of(server)
        yield Entrance


def stack(entrance: Any) -> Any:
    return SimpleNamespace(
        api_url=f"{entrance.url}/api",
        shop_domain=demo.SHOP_DOMAIN,
        shopify_client_secret=demo.CLIENT_SECRET,
    )


def test_a_sample_is_signed_and_posted_with_its_own_topic(
    entrance: type[Entrance], capsys: pytest.CaptureFixture[str]
) -> None:
    assert webhooks.post_file(stack(entrance), SAMPLE) == 0
    ((path, headers, body),) = entrance.seen
    assert path == "/api/v1/webhooks/shopify"
    assert body.decode() == json.loads(SAMPLE.read_text())["body"]
    assert headers["X-Shopify-Topic"] == "customers/create"
    verify_body(body, headers, [demo.CLIENT_SECRET], WEBHOOK_SIGNATURE_HEADERS)
    assert capsys.readouterr().out == 'customers/create: 200 {"status": "queued"}\n'


def test_a_plain_body_needs_a_topic(entrance: type[Entrance], tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_text('{"id": 7}', encoding="utf-8")
    with pytest.raises(LocalProblem, match="has no topic"):
        webhooks.post_file(stack(entrance), file)
    entrance.status = 403
    assert webhooks.post_file(stack(entrance), file, "customers/create") == 1
    ((_, headers, body),) = entrance.seen
    assert (headers["X-Shopify-Topic"], body) == ("customers/create", b'{"id": 7}')


def test_a_missing_file_or_stack_is_reported(entrance: type[Entrance], tmp_path: Path) -> None:
    with pytest.raises(LocalProblem, match="cannot be read"):
        webhooks.post_file(stack(entrance), tmp_path / "none.json")
    nobody = stack(entrance)
    nobody.api_url = "http://127.0.0.1:1"
    with pytest.raises(LocalProblem, match="does not answer"):
        webhooks.post_file(nobody, SAMPLE)
