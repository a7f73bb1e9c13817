"""The schedule completes what a webhook left undone; until then its age is a metric."""

import pytest

from pointbook.services.privacy import requests as driver
from tests.support.harness import Functions, event
from tests.support.logs import metric_sums

CUSTOMERS_REDACT = event("privacy_events", "customers_redact")


@pytest.fixture
def left_open(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Functions:
    """A stack with one request that nobody has begun."""
    monkeypatch.setattr(driver, "ONE_MESSAGE_SECONDS", 0)
    functions.invoke("privacy_events", CUSTOMERS_REDACT, seconds=60)
    return functions


def test_what_was_left_is_done(left_open: Functions, capsys: pytest.CaptureFixture[str]) -> None:
    result = left_open.invoke("privacy_watch", {})
    assert (result["done"], result["open"], result["failed"]) == (1, 0, 0)
    assert left_open.invoke("privacy_watch", {})["done"] == 0
    assert metric_sums(capsys)["PrivacyRequestAge"] == 0


def test_without_time_a_request_stays_open_and_its_age_is_a_metric(
    left_open: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    result = left_open.invoke("privacy_watch", {}, seconds=4)
    assert (result["done"], result["open"]) == (0, 1)
    assert metric_sums(capsys)["PrivacyRequestAge"] == result["oldest_seconds"]


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
    result = left_open.invoke("privacy_watch", {})
    assert (result["done"], result["open"], result["failed"]) == (1, 1, 1)
    assert metric_sums(capsys)["PrivacyRequestFailures"] == 1
