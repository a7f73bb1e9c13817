"""The functions that have to do with the till are allowed what they do, and nothing else."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local import demo
from local.fakes.server import FakeServer
from local.fakes.till import Account, TillService
from pointbook.store import keys
from pointbook.till.errors import TillTimeout, TillUnavailable
from tests.artifacts.cloud import TABLE
from tests.artifacts.roles import allowed
from tests.artifacts.shop import CUSTOMER, Shop
from tests.fakes.till import FakeTill
from tests.support.harness import SECRETS, event
from tests.support.serving import serving

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
"""What the till said then has to be refreshed."""


USES_TOKEN_KEY = {("kms:Encrypt", "TokenKey"), ("kms:Decrypt", "TokenKey")}


class ShopWithTill(Shop):
    """A shop whose till a test sets; real time is as well."""

    def __init__(self, patch: pytest.MonkeyPatch, clock: Path) -> None:
        self.till = FakeTill()
        self.till.put(CUSTOMER, 1250, LONG_AGO)
        super().__init__(patch, clock, TILL_PROVIDER="smaregi")

    def start_anew(self) -> None:
        super().start_anew()
        vars(self.functions.container)["till_adapter"] = self.till.adapter

    def refresh(self) -> None:
        """Every sample of `refresh_till`."""
        self.work_on_samples("refresh_till")


class ShopAtSmaregi(Shop):
    """A shop whose till is the fake Smaregi, over HTTP: its token is shared by the table."""

    def __init__(self, patch: pytest.MonkeyPatch, clock: Path, till_url: str) -> None:
        super().__init__(patch, clock, TILL_PROVIDER="smaregi", LOCAL_TILL_URL=till_url)
        self.aws.secret = json.dumps(SECRETS | {"till": demo.TILL_CREDENTIALS})

    def forget_members(self) -> None:
        """As if no view had been answered yet."""
        for pk, sk in self.functions.table.items(TABLE):
            if sk == keys.TILL_MEMBER:
                key = {"pk": {"S": pk}, "sk": {"S": sk}}
                self.functions.table.delete_item(TableName=TABLE, Key=key)


@pytest.fixture
def at_smaregi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ShopAtSmaregi]:
    with serving(FakeServer(TillService(Account()), 0)) as fake:
        yield ShopAtSmaregi(monkeypatch, tmp_path / "smaregi-clock.json", fake.url)


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ShopWithTill:
    return ShopWithTill(monkeypatch, tmp_path / "clock.json")


def test_get_points_may_read_keep_what_the_till_says_and_ask_for_a_refresh(
    shop: ShopWithTill, at_smaregi: ShopAtSmaregi, resources: dict[str, Any]
) -> None:
    """A token fetched or stored; a member never seen, or kept; no answer; a merged account."""

    def look() -> None:
        shop.start_anew()
        shop.every_sample("get_points")

    shop.grant()
    shop.till.error = TillTimeout("late")
    found = shop.needed(look)
    shop.till.error = None
    found |= shop.needed(look)
    shop.till.error = TillUnavailable("503")
    shop.merge()
    found |= shop.needed(look)
    token_rights = at_smaregi.needed(lambda: at_smaregi.every_sample("get_points"))
    at_smaregi.forget_members()
    at_smaregi.start_anew()
    token_rights |= at_smaregi.needed(lambda: at_smaregi.every_sample("get_points"))
    assert token_rights >= USES_TOKEN_KEY
    assert found | token_rights == allowed(resources, "get_points")


def test_refresh_till_may_keep_members_probe_and_notify_the_operator(
    shop: ShopWithTill, at_smaregi: ShopAtSmaregi, resources: dict[str, Any]
) -> None:
    found = shop.needed(shop.refresh)
    token_rights = at_smaregi.needed(lambda: at_smaregi.work_on_samples("refresh_till"))
    at_smaregi.forget_members()
    at_smaregi.start_anew()
    token_rights |= at_smaregi.needed(lambda: at_smaregi.work_on_samples("refresh_till"))
    assert token_rights >= USES_TOKEN_KEY
    found |= token_rights
    shop.till.error = TillUnavailable("503")
    for _ in range(3):
        found |= shop.needed(shop.refresh)
    # What Lambda does for the queue's mapping, by the function's role.
    works = {
        (f"sqs:{action}", "TillRefreshesQueue")
        for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    }
    assert found | works == allowed(resources, "refresh_till")


def test_till_status_may_read_the_tills_state(
    shop: ShopWithTill, resources: dict[str, Any]
) -> None:
    found = shop.needed(lambda: shop.functions.sample("till_status", "get"))
    found |= shop.needed(lambda: shop.functions.invoke("till_status", event("till_status", "get")))
    assert found == allowed(resources, "till_status")
