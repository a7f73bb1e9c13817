"""Lots that have lapsed stop counting at once, and are written down once, whatever else fails."""

from collections.abc import Iterable

import pytest

from tests.fakes.dynamodb import throttle
from tests.functions.moved import ClockFile
from tests.support.harness import CUSTOMER, Functions


@pytest.fixture
def shop(clock: ClockFile) -> Functions:
    """A stack whose clock can be moved."""
    return Functions(LOCAL_CLOCK_FILE=str(clock))


def grant(functions: Functions, customers: Iterable[int] = (int(CUSTOMER),)) -> None:
    """100 points for each customer, valid through tomorrow."""
    given = {"points": 100, "reason": "Campaign", "days_to_expire": 1}
    for customer_id in customers:
        answer = functions.flow("grant", f"run-{customer_id}", customer_id=customer_id, **given)
        assert answer.status == 200


def test_lapsed_points_do_not_count_before_any_sweep_and_are_written_down_once(
    shop: Functions, clock: ClockFile
) -> None:
    grant(shop)
    clock.move(days=1)
    assert shop.invoke("expiry", {})["entries"] == 0
    assert shop.sample("get_points", "by_header").body["figures"]["approved"] == 100
    clock.move(days=2)
    assert shop.sample("get_points", "by_header").body["figures"]["approved"] == 0
    assert len(shop.entries()) == 1, "it shows at once, but is not written"
    result = shop.invoke("expiry", {})
    assert result == {"due": 1, "entries": 1, "failed": 0, "complete": True}
    assert shop.invoke("expiry", {})["entries"] == 0
    newest = shop.sample("points_history", "by_header").body["entries"][0]
    assert (newest["topic"], newest["approved_delta"]) == ("points/sub/expire", -100)


def test_a_run_without_time_says_that_it_is_not_complete(shop: Functions, clock: ClockFile) -> None:
    grant(shop)
    clock.move(days=3)
    assert shop.invoke("expiry", {}, seconds=4)["complete"] is False
    assert shop.invoke("expiry", {})["entries"] == 1


@pytest.mark.parametrize(
    "damage",
    [{"balances": {"S": "damaged"}}, {"as_of": {"N": "9" * 30}}, {"lots": {"L": [{"L": []}]}}],
)
def test_no_kind_of_damage_to_one_account_stops_a_run_or_starves_the_others(
    shop: Functions, clock: ClockFile, damage: dict[str, object]
) -> None:
    grant(shop, range(8840734670900, 8840734670912))
    shop.damage("8840734670903", **damage)
    clock.move(days=3)
    result = shop.invoke("expiry", {})
    assert result == {"due": 12, "entries": 11, "failed": 1, "complete": True}


def test_a_shard_that_cannot_be_read_leaves_the_others_alone(
    shop: Functions, clock: ClockFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant(shop, range(8840734670900, 8840734670940))
    clock.move(days=3)
    with monkeypatch.context() as patch:
        throttle(patch, shop.table, "query", lambda one: "DUE#lot#3" in repr(one))
        first = shop.invoke("expiry", {})
    assert (first["failed"], first["complete"]) == (1, False)
    assert 0 < first["entries"] < 40
    assert shop.invoke("expiry", {})["entries"] == 40 - first["entries"]
