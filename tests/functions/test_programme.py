"""Under which programme functions work when their parameters have just changed."""

import pytest

from local import demo
from pointbook import environment, wiring
from tests.support.harness import Functions


def hold_seconds_after_a_deploy(patch: pytest.MonkeyPatch, **variables: str) -> int:
    """What functions go by that start with other parameters than those before them."""
    Functions(patch, **variables)
    assert wiring.programme(demo.SHOP_DOMAIN).hold_seconds == 600
    patch.setenv("PROGRAMME_HOLD_SECONDS", "5")
    patch.setattr(environment, "_memory", {})
    environment.settings.cache_clear()
    wiring.first_programme.cache_clear()
    return wiring.programme(demo.SHOP_DOMAIN).hold_seconds


def test_on_a_laptop_parameters_hold_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hold_seconds_after_a_deploy(monkeypatch) == 5


def test_a_deployed_programme_stands_while_two_releases_may_run_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert hold_seconds_after_a_deploy(monkeypatch, STAGE="prod", LOCAL_SECRETS="") == 600
