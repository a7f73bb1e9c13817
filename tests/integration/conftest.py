"""A fake Shopify of two shops, new for each test."""

from collections.abc import Iterator

import pytest

from local.fakes.server import FakeServer
from local.fakes.shopify import App, ShopifyService
from local.fakes.shopify_schema import SCHEMA_FILE
from tests.integration.test_fakes import OTHER_SHOP, SHOP, Admin
from tests.support.serving import serving


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving(FakeServer(ShopifyService(App((SHOP, OTHER_SHOP)), SCHEMA_FILE), 0)) as server:
        yield server


@pytest.fixture
def shopify(server: FakeServer) -> Admin:
    return Admin(server.url, SHOP)
