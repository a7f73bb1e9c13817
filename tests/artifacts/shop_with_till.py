"""The functions in process, as in shop.py, of a shop that has a till."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from local import demo
from local.fakes.server import FakeServer
from local.fakes.till import Account, TillService
from pointbook.store import keys
from tests.artifacts.cloud import TABLE
from tests.artifacts.shop import CUSTOMER, Shop
from tests.support.harness import SECRETS
from tests.support.serving import serving


@contextmanager
def a_till() -> Iterator[str]:
    """The address of a Smaregi."""
    with serving(FakeServer(TillService(Account()), 0)) as till:
        yield till.url


class ShopWithTill(Shop):
    """A shop with a Smaregi that a test lets fail."""

    def __init__(
        self, patch: pytest.MonkeyPatch, clock: Path, till_url: str, **variables: str
    ) -> None:
        super().__init__(
            patch, clock, TILL_PROVIDER="smaregi", LOCAL_TILL_URL=till_url, **variables
        )
        self.till_url = till_url
        self.aws.secret = json.dumps({**SECRETS, "till": demo.TILL_CREDENTIALS})

    def behave(self, **behaviour: object) -> None:
        """Let the till behave so from now on."""
        url, clear = f"{self.till_url}/_behave", {"times": 0}
        for given in (clear, behaviour):
            requests.post(url, json=given, timeout=5).raise_for_status()

    def put_member(self, balance: int) -> None:
        """Change the customer's points at the till by hand."""
        member = {"member_number": CUSTOMER, "balance": balance}
        requests.post(f"{self.till_url}/_member", json=member, timeout=5).raise_for_status()

    def forget_member(self) -> None:
        """Keep nothing of the customer at the till any more."""
        key = keys.till_member(demo.SHOP_DOMAIN, CUSTOMER)
        self.functions.table.delete_item(TableName=TABLE, Key=key)
