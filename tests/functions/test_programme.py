"""Under which programme functions work when their parameters have just changed."""

from local import demo
from tests.support.harness import Functions


def hold_seconds_after_a_deploy(**variables: str) -> int:
    """What functions go by that start with other parameters than those before them."""
    before = Functions(None, **variables)
    assert before.container.programme(demo.SHOP_DOMAIN).hold_seconds == 600
    changed = {"PROGRAMME_HOLD_SECONDS": "5", **variables}
    after = Functions({"dynamodb": before.table}, **changed)
    return after.container.programme(demo.SHOP_DOMAIN).hold_seconds


def test_on_a_laptop_parameters_hold_at_once() -> None:
    assert hold_seconds_after_a_deploy() == 5


def test_a_deployed_programme_stands_while_two_releases_may_run_side_by_side() -> None:
    assert hold_seconds_after_a_deploy(STAGE="prod", LOCAL_SECRETS="") == 600
