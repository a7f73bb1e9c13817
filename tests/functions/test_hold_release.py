"""Holds whose time has passed are free at that moment, and are written down once."""

from pathlib import Path

import pytest

from pointbook.domain.commands import PlaceHold
from pointbook.errors import ShopifyUnavailable
from tests.functions.hold_shop import HoldShop
from tests.functions.moved import ClockFile
from tests.support.harness import Functions


@pytest.fixture
def shop(clock: ClockFile) -> Functions:
    """A stack whose customer has 1,250 points and holds 500 of them for 600 seconds."""
    functions = Functions(LOCAL_CLOCK_FILE=str(clock))
    assert functions.sample("flow_action_grant", "run").status == 200
    functions.execute(PlaceHold(500, "hold-1", 600, code="PTS-1"))
    return functions


def figures(functions: Functions) -> tuple[int, int]:
    """Approved and held points as my page shows them."""
    found = functions.sample("get_points", "by_header").body["figures"]
    return found["approved"], found["hold"]


def test_a_hold_ends_at_its_time_and_is_written_down_once(
    shop: Functions, clock: ClockFile
) -> None:
    assert shop.invoke("hold_release", {})["entries"] == 0
    assert figures(shop) == (750, 500)
    shown = shop.sample("get_points", "by_header").body["hold"]
    assert (shown["hold_id"], shown["points"]) == ("hold-1", 500)
    clock.move(seconds=600)
    assert figures(shop) == (1250, 0), "before any sweep"
    assert shop.invoke("hold_release", {})["entries"] == 1
    assert shop.invoke("hold_release", {})["entries"] == 0
    newest = shop.sample("points_history", "by_header").body["entries"][0]
    assert (newest["topic"], newest["approved_delta"]) == ("points/add/hold", 500)


def test_expiry_leaves_holds_to_their_own_sweep(shop: Functions, clock: ClockFile) -> None:
    clock.move(seconds=600)
    assert shop.invoke("expiry", {})["due"] == 0


def test_a_hold_is_over_at_its_time_in_whatever_state_it_was_left(tmp_path: Path) -> None:
    shop = HoldShop(tmp_path)
    shop.codes.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        shop.hold("preparing")
    assert shop.page()["hold"]["state"] == "preparing"
    shop.move(600)
    assert shop.figures() == (1250, 0)
    ready = shop.hold("releasing").body
    shop.codes.fault = ShopifyUnavailable(1)
    assert shop.release(ready["hold_id"]).body["code"] == "hold_releasing"
    assert shop.page()["hold"]["state"] == "releasing"
    shop.move(1200)
    assert shop.figures() == (1250, 0), "before any sweep"
    assert shop.functions.invoke("hold_release", {})["entries"] == 1, "the first is written down"
    assert shop.functions.invoke("hold_release", {})["entries"] == 0
    assert shop.functions.topics().count("points/add/hold") == 2
