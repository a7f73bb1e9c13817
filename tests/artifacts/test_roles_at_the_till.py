"""The functions that have to do with the till are allowed what they do, and nothing else."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pointbook.till.errors import TillTimeout, TillUnavailable
from tests.artifacts.roles import allowed
from tests.artifacts.shop import CUSTOMER, Shop
from tests.fakes.till import FakeTill
from tests.support.harness import event

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
"""What the till said then has to be refreshed."""


class ShopWithTill(Shop):
    """A shop whose till a test sets; real time is as well."""

    def __init__(self, patch: pytest.MonkeyPatch, clock: Path) -> None:
        self.till = FakeTill()
        self.till.put(CUSTOMER, 1250, LONG_AGO)
        super().__init__(patch, clock, TILL_PROVIDER="smaregi")

    def start_anew(self) -> None:
        super().start_anew()
        vars(self.functions.container)["till_adapter"] = lambda _: self.till

    def refresh(self) -> None:
        """Every sample of `refresh_till`."""
        self.work_on_samples("refresh_till")


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ShopWithTill:
    return ShopWithTill(monkeypatch, tmp_path / "clock.json")


def test_get_points_may_read_keep_what_the_till_says_and_ask_for_a_refresh(
    shop: ShopWithTill, resources: dict[str, Any]
) -> None:
    """Of a member never seen, of one that is kept, without an answer, and on a merged account."""

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
    assert found == allowed(resources, "get_points")


def test_refresh_till_may_keep_members_probe_and_notify_the_operator(
    shop: ShopWithTill, resources: dict[str, Any]
) -> None:
    found = shop.needed(shop.refresh)
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
