"""Codes that nobody holds points for are switched off on schedule, each for itself."""

from pathlib import Path

import pytest

from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from tests.functions.hold_shop import HoldShop
from tests.support.harness import event

NOTHING = {"due": 0, "entries": 0, "failed": 0, "complete": True}


@pytest.fixture
def shop(tmp_path: Path) -> HoldShop:
    return HoldShop(tmp_path)


def sweep(shop: HoldShop, seconds: float = 50) -> dict[str, object]:
    """One run of the schedule."""
    return shop.functions.invoke("switch_off_codes", event("switch_off_codes", "schedule"), seconds)


def lose_a_code(shop: HoldShop, key: str) -> None:
    """A request whose discount is created, but whose reply is lost."""
    shop.codes.fault, shop.codes.does_it_first = ShopifyUnavailable(1), True
    assert shop.hold(key).body["code"] == "hold_failed"


def test_where_nothing_is_listed_nothing_is_done(shop: HoldShop) -> None:
    assert shop.hold("a").status == 201
    assert sweep(shop) == NOTHING
    assert len(shop.codes.usable()) == 1


def test_a_code_is_switched_off_at_the_next_run_and_once(shop: HoldShop) -> None:
    lose_a_code(shop, "a")
    assert sweep(shop) == NOTHING | {"due": 1}
    assert shop.codes.usable() == set()
    shop.move(600)
    assert sweep(shop) == NOTHING


@pytest.mark.parametrize("fault", [ShopifyUnavailable(1), ShopifyRefused("no", ("http_403",))])
def test_what_shopify_does_not_do_is_counted_and_done_by_a_later_run(
    shop: HoldShop, fault: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    lose_a_code(shop, "a")
    shop.codes.fault, shop.codes.does_it_first = fault, False
    assert sweep(shop) == NOTHING | {"due": 1, "failed": 1}
    assert "OrphanedCodesNotSwitchedOff" in capsys.readouterr().out
    shop.move(31)
    assert sweep(shop) == NOTHING | {"due": 1}
    assert shop.codes.usable() == set()


def test_one_code_that_fails_stops_no_other(shop: HoldShop) -> None:
    for key in ("a", "b", "c"):
        lose_a_code(shop, key)
    shop.codes.fault, shop.codes.does_it_first = ShopifyUnavailable(1), False
    assert sweep(shop) == NOTHING | {"due": 3, "failed": 1}
    assert len(shop.codes.usable()) == 1


def test_a_run_without_time_leaves_the_rest_to_the_next(shop: HoldShop) -> None:
    lose_a_code(shop, "a")
    assert sweep(shop, seconds=4)["complete"] is False
    assert len(shop.codes.usable()) == 1
    assert sweep(shop)["complete"] is True
    assert shop.codes.usable() == set()
