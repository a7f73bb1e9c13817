"""A fake Shopify of two shops, new for each test."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from local.fakes import shopify as fake
from local.fakes.server import FakeServer
from local.fakes.shopify import App, ShopifyService
from local.fakes.shopify_graphql import AdminApi
from local.fakes.shopify_schema import SCHEMA_FILE
from tests.integration.test_fakes import OTHER_SHOP, SHOP, Admin
from tests.support.serving import serving


@pytest.fixture(scope="session", autouse=True)
def schema_read_once() -> Iterator[None]:
    """Every fake answers by the same schema, as it takes a second to read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fake, "AdminApi", cache(AdminApi))
        yield


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    """The file of the shops' clock, which has the time of the machine."""
    file = tmp_path / "clock.json"
    file.write_text('{"offset_seconds": 0}', encoding="utf-8")
    return file


@pytest.fixture
def server(clock_file: Path) -> Iterator[FakeServer]:
    service = ShopifyService(App((SHOP, OTHER_SHOP), clock_file=clock_file), SCHEMA_FILE)
    with serving(FakeServer(service, 0)) as server:
        yield server


@pytest.fixture
def shopify(server: FakeServer) -> Admin:
    return Admin(server.url, SHOP)
