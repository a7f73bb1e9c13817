"""The functions that have to do with the till are allowed what they do, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.artifacts.roles import allowed
from tests.artifacts.shop import CUSTOMER
from tests.artifacts.shop_with_till import ShopWithTill, a_till
from tests.support.harness import event


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ShopWithTill]:
    with a_till() as url:
        yield ShopWithTill(monkeypatch, tmp_path / "clock.json", url)


def test_get_points_may_read_keep_what_the_till_says_and_ask_for_a_refresh(
    shop: ShopWithTill, resources: dict[str, Any]
) -> None:
    """Of a member never seen, without an answer in time, and on a merged account."""

    def look() -> None:
        shop.start_anew()
        shop.every_sample("get_points")

    shop.grant()
    shop.behave(hang=True)
    found = shop.needed(lambda: shop.functions.sample("get_points", "by_header"))
    shop.behave()
    for _ in range(2):  # the second one with the token of the first
        shop.forget_member()
        found |= shop.needed(look)
    shop.merge()
    found |= shop.needed(look)
    assert found == allowed(resources, "get_points")


def test_refresh_till_may_keep_members_probe_and_notify_the_operator(
    shop: ShopWithTill, resources: dict[str, Any]
) -> None:
    shop.behave(fail_with=503)
    found = shop.needed(lambda: shop.work_on_samples("refresh_till"))
    found |= shop.needed(lambda: shop.work_on_samples("refresh_till"))
    shop.behave()
    shop.functions.container.till_states().succeeded(shop.functions.container.wall_clock.now())
    for _ in range(2):  # the second one with the token of the first
        shop.start_anew()
        found |= shop.needed(lambda: shop.work_on_samples("refresh_till"))
        shop.forget_member()
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
    assert found == allowed(resources, "till_status")


@pytest.fixture
def pushing_shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ShopWithTill]:
    with a_till() as url:
        clock = tmp_path / "clock.json"
        yield ShopWithTill(monkeypatch, clock, url, PROGRAMME_TILL_PUSH="balance")


def test_compare_till_may_read_both_books_keep_what_it_finds_and_ask_for_pushes(
    pushing_shop: ShopWithTill, resources: dict[str, Any]
) -> None:
    """Equal, differing and unknown members, as runs and as pages; and a repair."""
    shop = pushing_shop
    shop.put_member(1250)
    shop.grant()
    shop.move(3600)  # nothing is on its way to the till by now
    found = shop.needed(lambda: shop.functions.invoke("compare_till", {}, 60))
    shop.put_member(7)
    shop.start_anew()
    found |= shop.needed(lambda: shop.work_on_samples("compare_till"))
    repair = event("compare_till", "repair")
    repair["push"][0] |= {"ledger": 1250, "till": 7}
    outcome = {"outcomes": {CUSTOMER: "queued"}}

    def carry_out() -> None:
        assert shop.functions.invoke("compare_till", repair, 60) == outcome

    found |= shop.needed(carry_out)
    assert found == allowed(resources, "compare_till")
