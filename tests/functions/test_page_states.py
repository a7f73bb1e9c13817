"""The made-up answers of the page's states have what the API answers, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from tests.functions.hold_shop import HoldShop
from tools import page_states


@pytest.fixture
def shop(tmp_path: Path) -> HoldShop:
    return HoldShop(tmp_path)


def members(content: Any) -> Any:
    """The names of the members, without their values."""
    if isinstance(content, dict):
        return {name: members(value) for name, value in content.items()}
    return None


def test_points_without_and_with_a_hold(shop: HoldShop) -> None:
    made_up = page_states.points("en")
    assert members(made_up) == members(shop.page())
    shop.hold("a")
    assert members(page_states.points("en", held=page_states.hold())) == members(shop.page())


def test_a_history(shop: HoldShop) -> None:
    answer = shop.functions.sample("points_history", "by_header").body
    _, made_up = page_states.history()("en")
    assert set(made_up) == set(answer)
    (real,) = answer["entries"]
    example = made_up["entries"][0] | {"figures": real["figures"]}
    assert members(example) == members(real)
