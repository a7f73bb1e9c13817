"""Privacy webhooks are recorded once, and carried out."""

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest

from pointbook.services.privacy import requests as driver
from pointbook.services.privacy import shops
from tests.support.harness import CUSTOMER, Functions, event

SHOP = "demo.myshopify.com"


def text_of(topic: str, payload: Mapping[str, object]) -> str:
    """A message on the queue."""
    return json.dumps(
        {
            "format": 1,
            "topic": topic,
            "shop": SHOP,
            "received_at": "2026-11-22T03:00:00.000Z",
            "event_id": "e-1",
            "payload": payload,
        }
    )


def redact(customer_id: object = int(CUSTOMER)) -> str:
    return text_of("customers/redact", {"customer": {"id": customer_id}, "orders_to_redact": [1]})


def test_an_erased_customer_sees_zeros_and_flow_is_refused(functions: Functions) -> None:
    assert functions.sample("flow_action_grant", "run").status == 200
    assert functions.sample("flow_action_grant", "run").body["return_value"]["duplicate"]

    assert functions.work("privacy_events", redact()) == []

    page = functions.sample("get_points", "by_header")
    assert page.status == 200
    assert set(page.body["figures"].values()) == {0}
    assert functions.sample("points_history", "by_header").body["entries"] == []
    for function in ("flow_action_grant", "flow_action_consume"):
        answer = functions.sample(function, "with_key")
        assert (answer.status, answer.body["code"]) == (422, "customer_erased")
    again = functions.sample("flow_action_grant", "run")
    assert (again.status, again.body["code"]) == (422, "customer_erased")


@pytest.mark.parametrize("worker", ["order_events", "customer_events"])
def test_late_webhooks_of_an_erased_customer_are_done_with(
    functions: Functions, worker: str
) -> None:
    cases = {"order_events": "orders_create", "customer_events": "customers_create"}
    late = event(worker, cases[worker])
    payload = json.loads(late["Records"][0]["body"])["payload"]
    customer = payload.get("customer", payload)["id"]
    functions.work("privacy_events", redact(customer))
    before = functions.table.items("points")

    answer = functions.invoke(worker, late, seconds=60)

    assert answer["batchItemFailures"] == []
    written = functions.table.items("points")
    added = written.keys() - before.keys()
    assert {sk.partition("#")[0] for _, sk in added} <= {"PROGRAMME", "ORDER"}, (
        "no entry: at most programme and order"
    )
    assert not [key for key in added if str(customer) in repr(written[key])]


def test_a_customers_data_is_put_into_the_bucket_and_the_operator_is_notified(
    functions: Functions,
) -> None:
    functions.sample("flow_action_grant", "run")
    payload = {"customer": {"id": int(CUSTOMER)}, "data_request": {"id": 77}}
    text = text_of("customers/data_request", payload)
    assert functions.work("privacy_events", text, text) == []

    key = f"data-requests/{SHOP}/{CUSTOMER}/77.json"
    assert list(functions.bucket.objects) == [key]
    (message,) = functions.operator.messages
    assert "77.json" in message
    assert CUSTOMER not in message


def test_every_sample_is_understood(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shops, "SENT_AFTER_MIN", timedelta())  # they are of one moment
    for case in (
        "customers_data_request",
        "customers_data_request_without_id",
        "customers_redact",
        "customers_redact_without_id",
        "app_uninstalled",
        "shop_redact",
    ):
        answer = functions.invoke("privacy_events", event("privacy_events", case), seconds=60)
        assert answer == {"batchItemFailures": []}, case
    assert {pk for pk, _ in functions.table.items("points")} == {"SHOP_ERASURES"}


def test_what_is_unreadable_comes_again_and_stops_nothing(functions: Functions) -> None:
    given = event("privacy_events", "unreadable_beside_another")
    answer = functions.invoke("privacy_events", given, seconds=60)
    assert answer["batchItemFailures"] == [{"itemIdentifier": given["Records"][1]["messageId"]}]


@pytest.mark.parametrize(
    "payload",
    [{}, {"customer": {"id": "Taro"}}, {"customer": {"id": 7}, "orders_to_redact": ["none"]}],
)
def test_a_payload_that_names_nobody_comes_again(
    functions: Functions, payload: dict[str, object]
) -> None:
    text = text_of("customers/redact", payload)
    assert functions.work("privacy_events", text) == [text]
    assert functions.table.items("points") == {}


def test_a_request_is_taken_in_even_where_nothing_can_be_done_yet(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "ONE_MESSAGE_SECONDS", 0)
    assert functions.work("privacy_events", redact()) == []
    ((key, item),) = functions.table.items("points").items()
    assert key == (f"SHOP#{SHOP}", f"PRIVACY_REQUEST#customers/redact#{CUSTOMER}")
    assert item["state"] == {"S": "open"}
    assert int(item["due_at"]["N"]) - int(item["received_at"]["N"]) == 30 * 86_400_000
