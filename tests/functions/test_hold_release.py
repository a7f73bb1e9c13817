"""Holds whose time has passed are free at that moment, and are written down once."""

import json
from pathlib import Path

import pytest

from local import demo
from pointbook.domain.chain import Cause
from pointbook.domain.commands import PlaceHold
from pointbook.errors import ShopifyUnavailable
from pointbook.ledger.instruction import Booked, Instruction
from tests.functions.hold_shop import HoldShop
from tests.support.harness import Functions

CUSTOMER = "8840734670934"


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """The file that moves the clock."""
    file = tmp_path / "clock.json"
    file.write_text(json.dumps({"offset_seconds": 0}), encoding="utf-8")
    return file


@pytest.fixture
def shop(clock: Path) -> Functions:
    """A stack whose customer has 1,250 points and holds 500 of them for 600 seconds."""
    functions = Functions(LOCAL_CLOCK_FILE=str(clock))
    assert functions.sample("flow_action_grant", "run").status == 200
    instruction = Instruction(
        shop=demo.SHOP_DOMAIN,
        customer_id=CUSTOMER,
        command=PlaceHold(500, "hold-1", 600, code="PTS-1"),
        cause=Cause("test"),
    )
    assert isinstance(functions.ledger.execute(instruction), Booked)
    return functions


def move(clock: Path, seconds: int) -> None:
    """Move the clock ahead."""
    clock.write_text(json.dumps({"offset_seconds": seconds}), encoding="utf-8")


def figures(functions: Functions) -> tuple[int, int]:
    """Approved and held points as my page shows them."""
    found = functions.sample("get_points", "by_header").body["figures"]
    return found["approved"], found["hold"]


def test_a_hold_is_over_at_its_time_and_written_down_once(shop: Functions, clock: Path) -> None:
    assert shop.invoke("hold_release", {})["entries"] == 0
    assert figures(shop) == (750, 500)
    shown = shop.sample("get_points", "by_header").body["hold"]
    assert (shown["hold_id"], shown["points"]) == ("hold-1", 500)
    move(clock, 600)
    assert figures(shop) == (1250, 0), "before any sweep"
    assert shop.invoke("hold_release", {})["entries"] == 1
    assert shop.invoke("hold_release", {})["entries"] == 0
    newest = shop.sample("points_history", "by_header").body["entries"][0]
    assert (newest["topic"], newest["approved_delta"]) == ("points/add/hold", 500)


def test_expiry_leaves_holds_to_their_own_sweep(shop: Functions, clock: Path) -> None:
    move(clock, 600)
    assert shop.invoke("expiry", {})["due"] == 0


def test_a_hold_is_over_at_its_time_in_whatever_state_it_was_left(tmp_path: Path) -> None:
    shop = HoldShop(tmp_path / "clock.json")
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
    assert shop.topics().count("points/add/hold") == 2
