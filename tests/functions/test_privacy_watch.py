"""What a webhook left undone is done by the schedule, and its age is told until it is."""

import json

import pytest

from pointbook.services.privacy import requests as driver
from tests.support.harness import Functions, event

CUSTOMERS_REDACT = event("privacy_events", "customers_redact")


@pytest.fixture
def left_open(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Functions:
    """A stack with one request that nobody has begun."""
    monkeypatch.setattr(driver, "ONE_MESSAGE_SECONDS", 0)
    functions.invoke("privacy_events", CUSTOMERS_REDACT, seconds=60)
    return functions


def metrics(printed: str) -> dict[str, float]:
    """The metrics in what a function printed."""
    lines = [json.loads(line) for line in printed.splitlines() if "_aws" in line]
    return {
        line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"]: value
        for line in lines
        for value in line[line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"]]
    }


def test_what_was_left_is_done(left_open: Functions, capsys: pytest.CaptureFixture[str]) -> None:
    watched = left_open.invoke("privacy_watch", {})
    assert (watched["done"], watched["open"], watched["failed"]) == (1, 0, 0)
    assert left_open.invoke("privacy_watch", {})["done"] == 0
    assert metrics(capsys.readouterr().out)["PrivacyRequestAge"] == 0


def test_without_time_it_stays_open_and_its_age_is_told(
    left_open: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = left_open.invoke("privacy_watch", {}, seconds=4)
    assert (watched["done"], watched["open"]) == (0, 1)
    assert metrics(capsys.readouterr().out)["PrivacyRequestAge"] == watched["oldest_seconds"]


def test_one_request_that_fails_stops_no_other(
    left_open: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = "SHOP#demo.myshopify.com"
    broken = next(
        item for (pk, _), item in left_open.table.items("points").items() if pk == shop
    ) | {
        "sk": {"S": "PRIVACY_REQUEST#customers/redact#1"},
        "subject": {"S": "1"},
        "customer": {"S": "Taro"},
    }
    left_open.table.put_item(TableName="points", Item=broken)
    watched = left_open.invoke("privacy_watch", {})
    assert (watched["done"], watched["open"], watched["failed"]) == (1, 1, 1)
    assert metrics(capsys.readouterr().out)["PrivacyRequestFailures"] == 1
