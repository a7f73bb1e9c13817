"""A shop's programme: the deployment's until a person sets one, every version kept."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from pointbook.domain.programme import Programme, ProgrammeError, default_programme
from pointbook.errors import ProgrammeMoved
from pointbook.store.programmes import PARAMETERS_MIN_AGE, Deployment, Programmes, Version
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB, refused
from tests.support.engine import Engine
from tests.support.ledgers import SetClock
from tests.support.table import table_request

SHOP = "demo.myshopify.com"
DEFAULTS = default_programme()
SHORT_HOLDS = default_programme(hold_seconds="5")
DURING_THE_DEPLOY = PARAMETERS_MIN_AGE - timedelta(seconds=1)


class Releases:
    """Functions of several releases on one table and one clock."""

    def __init__(self, client: Any, table: str) -> None:
        self.client = client
        self.clock = SetClock(datetime(2026, 11, 22, tzinfo=UTC))
        self._table = table

    def with_parameters(self, programme: Programme) -> Programmes:
        """The programmes as functions with these parameters see them."""
        return Programmes(Table(self.client, self._table), self.clock, Deployment(programme))

    def change(self, version: int, by: str = "hanako", **rules: str) -> Programme:
        """A person changes rules of a version."""
        return self.with_parameters(DEFAULTS).set(SHOP, rules, by, version)

    def in_force(self, programme: Programme = DEFAULTS, shop: str = SHOP) -> Programme:
        """The programme of a function with these parameters."""
        return self.with_parameters(programme).in_force(shop)

    def wait(self, time: timedelta) -> None:
        """Let time pass."""
        self.clock.at += time

    def hold_seconds(self) -> list[int]:
        """All versions, by one of their rules."""
        versions = self.with_parameters(DEFAULTS).history(SHOP)
        return [version.programme.hold_seconds for version in versions]

    def change_item(self, **changes: dict[str, str] | None) -> None:
        """Change the stored programme as another release would have written it."""
        item = self.item()
        left = {name: value for name, value in (item | changes).items() if value is not None}
        self.client.put_item(TableName=self._table, Item=left)

    def item(self) -> dict[str, Any]:
        """The programme in force as it is stored."""
        key = {"pk": {"S": f"SHOP#{SHOP}"}, "sk": {"S": "PROGRAMME"}}
        answer = self.client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        found: dict[str, Any] = answer["Item"]
        return found


@pytest.fixture
def table() -> MemoryDynamoDB:
    """An empty table, of whose queries a page is short."""
    table = MemoryDynamoDB(page_items=2)
    table.create_table(**table_request("points"))
    return table


@pytest.fixture
def releases(table: MemoryDynamoDB) -> Releases:
    return Releases(table, "points")


def numbered(programme: Programme, version: int) -> Programme:
    """The same rules in another version."""
    return default_programme(version, **programme.texts())


def before_the_next_read_is_answered(
    table: MemoryDynamoDB, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]
) -> None:
    """Let somebody act after an item was read and before the reader has it."""
    read = table.get_item

    def read_before_the_other_wrote(**request: object) -> object:
        monkeypatch.setattr(table, "get_item", read)
        answer = read(**request)
        act()
        return answer

    monkeypatch.setattr(table, "get_item", read_before_the_other_wrote)


# --- the deployment's -----------------------------------------------------------------------------


def test_the_default_programme_is_the_deployments(releases: Releases) -> None:
    assert releases.in_force() == DEFAULTS
    assert releases.in_force() == DEFAULTS
    assert releases.hold_seconds() == [600]


def test_a_deployment_with_other_parameters_is_a_new_version(releases: Releases) -> None:
    releases.in_force()
    releases.wait(PARAMETERS_MIN_AGE)
    assert releases.in_force(SHORT_HOLDS) == numbered(SHORT_HOLDS, 2)
    assert releases.in_force(SHORT_HOLDS) == numbered(SHORT_HOLDS, 2)
    assert releases.hold_seconds() == [600, 5]


def test_while_a_deploy_lasts_old_functions_do_not_bring_their_parameters_back(
    releases: Releases,
) -> None:
    releases.in_force(DEFAULTS)
    releases.wait(timedelta(days=30))
    releases.in_force(SHORT_HOLDS)
    for _ in range(10):
        releases.wait(DURING_THE_DEPLOY / 10)
        assert releases.in_force(DEFAULTS).hold_seconds == 5
        assert releases.in_force(SHORT_HOLDS).hold_seconds == 5
    assert releases.hold_seconds() == [600, 5]


def test_a_deployment_that_is_rolled_back_is_followed_back(releases: Releases) -> None:
    releases.in_force(DEFAULTS)
    releases.wait(timedelta(days=30))
    releases.in_force(SHORT_HOLDS)
    releases.wait(PARAMETERS_MIN_AGE)
    assert releases.in_force(DEFAULTS).hold_seconds == 600
    assert releases.hold_seconds() == [600, 5, 600]


def test_a_programme_of_unknown_age_is_an_old_one(releases: Releases) -> None:
    releases.in_force(DEFAULTS)
    releases.change_item(at=None, by=None)
    assert releases.in_force(SHORT_HOLDS).hold_seconds == 5


def test_where_no_two_releases_run_side_by_side_parameters_hold_at_once(
    table: MemoryDynamoDB, releases: Releases
) -> None:
    releases.in_force(DEFAULTS)
    at_once = Deployment(SHORT_HOLDS, timedelta())
    programmes = Programmes(Table(table, "points"), releases.clock, at_once)
    assert programmes.in_force(SHOP).hold_seconds == 5


def test_shops_have_programmes_of_their_own(releases: Releases) -> None:
    releases.in_force(SHORT_HOLDS, "other.myshopify.com")
    assert releases.in_force().hold_seconds == 600


def test_two_that_start_at_once_agree(
    releases: Releases, table: MemoryDynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_the_next_read_is_answered(table, monkeypatch, releases.in_force)
    assert releases.in_force() == DEFAULTS
    assert releases.hold_seconds() == [600]


def test_the_loser_of_a_race_uses_the_rules_that_were_written(
    releases: Releases, table: MemoryDynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_the_next_read_is_answered(table, monkeypatch, lambda: releases.in_force(SHORT_HOLDS))
    assert releases.in_force(DEFAULTS) == SHORT_HOLDS
    assert releases.hold_seconds() == [5]


# --- rules of other releases ----------------------------------------------------------------------


def test_a_rule_of_a_later_release_is_left_alone(releases: Releases) -> None:
    releases.in_force()
    releases.change_item(birthday_points={"S": "14"})
    assert releases.in_force() == DEFAULTS
    releases.change(1, hold_seconds="5")
    assert releases.item()["birthday_points"] == {"S": "14"}


def test_a_rule_that_an_earlier_release_did_not_know_is_the_deployments(
    releases: Releases,
) -> None:
    releases.in_force()
    releases.change_item(hold_seconds=None)
    assert releases.in_force(SHORT_HOLDS) == SHORT_HOLDS
    assert releases.hold_seconds() == [600], "nothing has changed, so there is no new version"


# --- a person's -----------------------------------------------------------------------------------


def test_a_person_changes_rules_and_every_version_is_kept(engine: Engine) -> None:
    releases = Releases(engine.client, engine.table)
    programmes = releases.with_parameters(DEFAULTS)
    first_at = releases.clock.at
    programmes.in_force(SHOP)
    releases.wait(timedelta(hours=1))
    texts = {"hold_seconds": "5", "rank_multipliers": "gold=150", "reminder_days": "none"}
    written = programmes.set(SHOP, texts, "hanako", 1)
    assert written == default_programme(2, **texts)
    assert programmes.in_force(SHOP) == written
    versions = [
        Version(DEFAULTS, first_at, "deployment"),
        Version(written, releases.clock.at, "hanako"),
    ]
    assert list(programmes.history(SHOP)) == versions
    assert programmes.latest(SHOP) == versions[1]
    assert [programmes.version(SHOP, number) for number in (1, 2, 3)] == [DEFAULTS, written, None]
    with pytest.raises(ProgrammeMoved) as moved:
        programmes.set(SHOP, {"hold_seconds": "7"}, "taro", 1)
    assert "version 2 is in force, not 1" in str(moved.value)
    assert programmes.in_force(SHOP) == written


def test_what_a_person_has_set_outlives_deployments(releases: Releases) -> None:
    releases.in_force(DEFAULTS)
    releases.change(1, hold_seconds="60")
    releases.wait(timedelta(days=30))
    assert releases.in_force(SHORT_HOLDS) == default_programme(2, hold_seconds="60")
    assert releases.hold_seconds() == [600, 60]


def test_rules_that_a_person_does_not_name_stay_as_they_are(releases: Releases) -> None:
    releases.in_force(SHORT_HOLDS)
    written = releases.change(1, points_per_unit="2")
    assert (written.hold_seconds, written.points_per_unit) == (5, 2)


def test_a_person_may_come_before_every_function(releases: Releases) -> None:
    programmes = releases.with_parameters(SHORT_HOLDS)
    assert programmes.latest(SHOP) is None
    written = programmes.set(SHOP, {"points_per_unit": "2"}, "hanako", 0)
    assert written == default_programme(1, hold_seconds="5", points_per_unit="2")
    assert releases.in_force(DEFAULTS) == written


def test_a_rule_that_cannot_be_used_changes_nothing(releases: Releases) -> None:
    releases.in_force()
    for wrong in ({"hold_seconds": "soon"}, {"birthday_points": "1"}):
        with pytest.raises(ProgrammeError):
            releases.change(1, **wrong)
    assert releases.hold_seconds() == [600]


def test_of_two_persons_the_slower_one_is_refused(
    releases: Releases, table: MemoryDynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    releases.in_force()
    faster = partial(releases.change, 1, "taro", hold_seconds="5")
    before_the_next_read_is_answered(table, monkeypatch, faster)
    with pytest.raises(ProgrammeMoved):
        releases.change(1, hold_seconds="60")
    assert releases.hold_seconds() == [600, 5]


def test_a_change_of_which_only_the_reply_is_lost_has_happened_once(
    releases: Releases, table: MemoryDynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    releases.in_force()
    write = table.transact_write_items

    def write_and_lose_the_reply(**request: object) -> object:
        write(**request)
        raise refused("InternalServerError", "lost")

    monkeypatch.setattr(table, "transact_write_items", write_and_lose_the_reply)
    written = releases.change(1, hold_seconds="5")
    assert written == numbered(SHORT_HOLDS, 2)
    assert releases.hold_seconds() == [600, 5]
