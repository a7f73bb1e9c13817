"""Lots that have lapsed stop counting at once, and are written down once, whatever else fails."""

import json
from pathlib import Path

import pytest

from local import signing
from tests.fakes.dynamodb import refused
from tests.support.harness import Functions, event

DAY_SECONDS = 86_400


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """The file that moves the clock."""
    file = tmp_path / "clock.json"
    file.write_text(json.dumps({"offset_seconds": 0}), encoding="utf-8")
    return file


@pytest.fixture
def shop(clock: Path) -> Functions:
    """A stack whose clock can be moved."""
    return Functions(LOCAL_CLOCK_FILE=str(clock))


def grant(functions: Functions, customer_id: int) -> None:
    """100 points, valid through tomorrow."""
    properties = {
        "customer_id": customer_id,
        "points": 100,
        "reason": "Campaign",
        "days_to_expire": 1,
    }
    body = signing.flow_request("grant-points", properties, f"run-{customer_id}")
    payload = event("flow_action_grant", "run")
    payload["headers"]["x-shopify-hmac-sha256"] = signing.flow_signature(body)
    answer = functions.ask("flow_action_grant", payload | {"body": body.decode()})
    assert answer.status == 200


def move(clock: Path, days: int) -> None:
    """Move the clock ahead."""
    clock.write_text(json.dumps({"offset_seconds": days * DAY_SECONDS}), encoding="utf-8")


def test_lapsed_points_do_not_count_before_any_sweep_and_are_written_down_once(
    shop: Functions, clock: Path
) -> None:
    grant(shop, 8840734670934)
    move(clock, 1)
    assert shop.invoke("expiry", {})["entries"] == 0
    assert shop.sample("get_points", "by_header").body["figures"]["approved"] == 100
    move(clock, 2)
    assert shop.sample("get_points", "by_header").body["figures"]["approved"] == 0
    assert len(shop.sample("points_history", "by_header").body["entries"]) == 1
    swept = shop.invoke("expiry", {})
    assert swept == {"due": 1, "entries": 1, "failed": 0, "complete": True}
    assert shop.invoke("expiry", {})["entries"] == 0
    newest = shop.sample("points_history", "by_header").body["entries"][0]
    assert (newest["topic"], newest["approved_delta"]) == ("points/sub/expire", -100)


def test_one_bad_account_neither_stops_nor_starves_the_others(shop: Functions, clock: Path) -> None:
    customers = range(8840734670930, 8840734670940)
    for customer_id in customers:
        grant(shop, customer_id)
    key = {"pk": {"S": "SHOP#demo.myshopify.com#CUSTOMER#8840734670933"}, "sk": {"S": "ACCOUNT"}}
    item = shop.table.get_item(TableName="points", Key=key, ConsistentRead=True)["Item"]
    shop.table.damage("points", item | {"balances": {"S": "damaged"}})
    move(clock, 3)
    swept = shop.invoke("expiry", {})
    assert swept == {"due": 10, "entries": 9, "failed": 1, "complete": True}


def test_a_run_without_time_says_that_it_is_not_complete(shop: Functions, clock: Path) -> None:
    grant(shop, 8840734670934)
    move(clock, 3)
    assert shop.invoke("expiry", {}, seconds=4)["complete"] is False
    assert shop.invoke("expiry", {})["entries"] == 1


def fill(shop: Functions, clock: Path, customers: range) -> None:
    """Customers whose points have lapsed, spread over the shards."""
    for customer_id in customers:
        grant(shop, customer_id)
    move(clock, 3)


@pytest.mark.parametrize(
    "damage",
    [{"balances": {"S": "damaged"}}, {"as_of": {"N": "9" * 30}}, {"lots": {"L": [{"L": []}]}}],
)
def test_no_kind_of_damage_to_one_account_stops_a_run(
    shop: Functions, clock: Path, damage: dict[str, object]
) -> None:
    fill(shop, clock, range(8840734670900, 8840734670912))
    key = {"pk": {"S": "SHOP#demo.myshopify.com#CUSTOMER#8840734670903"}, "sk": {"S": "ACCOUNT"}}
    item = shop.table.get_item(TableName="points", Key=key, ConsistentRead=True)["Item"]
    shop.table.damage("points", item | damage)
    swept = shop.invoke("expiry", {})
    assert (swept["due"], swept["entries"], swept["failed"]) == (12, 11, 1)


def test_a_shard_that_cannot_be_read_leaves_the_others_alone(
    shop: Functions, clock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(shop, clock, range(8840734670900, 8840734670940))
    query = shop.table.query

    def throttled(**request: dict[str, dict[str, str]]) -> object:
        if request["ExpressionAttributeValues"][":shard"]["S"] == "DUE#lot#3":
            raise refused("ThrottlingException", "slower, please")
        return query(**request)

    monkeypatch.setattr(shop.table, "query", throttled)
    first = shop.invoke("expiry", {})
    assert (first["failed"], first["complete"]) == (1, False)
    assert 0 < first["entries"] < 40
    monkeypatch.setattr(shop.table, "query", query)
    assert shop.invoke("expiry", {})["entries"] == 40 - first["entries"]
