"""The webhooks' entrance: a genuine one is on its queue before Shopify has its 200."""

import json
from datetime import datetime

import pytest

from pointbook.services.message import read_message
from pointbook.shopify.webhook import BODY_BYTES_MAX, QUEUES
from tests.support.harness import Answer, Functions, event
from tests.support.logs import logged
from tools import shopify_payloads
from tools.make_events_webhooks import TRIGGERED_AT, headers, messages

WEBHOOK = "shopify_webhook"
BODIES = shopify_payloads.bodies()


def post(functions: Functions, topic: str, body: bytes) -> Answer:
    """Another body, signed."""
    given = event(WEBHOOK, "orders_create")
    return functions.request(
        WEBHOOK, given | {"body": body.decode(), "headers": headers(topic, body)}
    )


@pytest.mark.parametrize("case", BODIES)
def test_a_webhook_of_every_topic_goes_to_its_queue(functions: Functions, case: str) -> None:
    answer = functions.sample(WEBHOOK, case)
    assert (answer.status, answer.body) == (200, {"status": "queued"})
    ((queue, text),) = functions.queues.sent
    topic, _ = BODIES[case]
    assert queue == QUEUES[topic]
    message, sample = read_message(text), read_message(messages()[case][1])
    assert (message.topic, message.shop) == (topic, "demo.myshopify.com")
    assert (message.event_id, message.payload) == (sample.event_id, sample.payload)


def test_a_body_of_something_else_is_logged_and_counted_by_its_code(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.sample(WEBHOOK, "order_as_redaction")
    said, counted = logged(capsys)
    assert (said["message"], said["topic"]) == ("webhook_topic_mismatch", "customers/redact")
    assert said["why"] == "orders_to_redact is missing"
    assert (counted["Code"], counted["RequestsNotServed"]) == ("topic_mismatch", [1])


def test_a_compliance_webhook_without_the_shop_s_header_is_taken_by_its_signed_body(
    functions: Functions,
) -> None:
    assert functions.sample(WEBHOOK, "customers_redact_without_shop").status == 200
    ((queue, text),) = functions.queues.sent
    assert (queue, read_message(text).shop) == ("privacy_events", "demo.myshopify.com")


def test_the_time_at_which_it_happened_goes_along(functions: Functions) -> None:
    functions.sample(WEBHOOK, "orders_create")
    ((_, text),) = functions.queues.sent
    expected = datetime.fromisoformat(TRIGGERED_AT).replace(microsecond=123_000)
    assert read_message(text).triggered_at == expected


@pytest.mark.parametrize("version", ["2027-01", "Hanako Yamada"])
def test_a_webhook_of_another_version_is_worked_on_and_counted(
    functions: Functions, capsys: pytest.CaptureFixture[str], version: str
) -> None:
    given = event(WEBHOOK, "orders_create")
    given["headers"]["x-shopify-api-version"] = version
    assert functions.request(WEBHOOK, given).status == 200
    assert len(functions.queues.sent) == 1
    said, counted = logged(capsys)
    assert (said["message"], counted["WebhooksOfOtherVersions"]) == (
        "webhook_of_another_version",
        [1],
    )
    assert said["version"] == (version if version == "2027-01" else "(not a version)")


def test_a_webhook_without_a_version_is_none_of_another(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    given = event(WEBHOOK, "orders_create")
    del given["headers"]["x-shopify-api-version"]
    assert functions.request(WEBHOOK, given).status == 200
    assert logged(capsys) == []


@pytest.mark.parametrize("case", ["new_header_names", "previous_secret", "base64_body"])
def test_every_way_to_send_it_counts(functions: Functions, case: str) -> None:
    assert functions.sample(WEBHOOK, case).status == 200
    assert [queue for queue, _ in functions.queues.sent] == ["order_events"]


def test_an_unknown_topic_is_accepted_counted_and_queued_nowhere(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = functions.sample(WEBHOOK, "unknown_topic")
    assert (answer.status, answer.body) == (200, {"status": "ignored"})
    assert functions.queues.sent == []
    said, counted = logged(capsys)
    assert (said["message"], said["topic"]) == ("webhook_topic_unknown", "products/update")
    assert counted["UnknownWebhookTopics"] == [1]
    assert counted["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Stage"]]


def test_a_topic_that_is_no_topic_is_not_repeated(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    assert post(functions, "Hanako Yamada", b"{}").status == 200
    assert "Hanako" not in capsys.readouterr().out


def test_a_body_over_five_megabytes_is_refused_before_it_is_read(functions: Functions) -> None:
    customer = b'{"id": 7}'
    answer = post(functions, "customers/create", customer.ljust(BODY_BYTES_MAX + 1))
    assert (answer.status, answer.body) == (413, {"code": "body_too_large"})
    assert post(functions, "customers/create", customer.ljust(BODY_BYTES_MAX)).status == 200


def test_a_webhook_of_which_too_much_is_left_is_refused_aloud(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [2**63 + number * 7_919_111_333_777 for number in range(200_000)]
    redact = BODIES["customers_redact"][1] | {"orders_to_redact": ids}
    answer = post(functions, "customers/redact", json.dumps(redact).encode())
    assert (answer.status, answer.body) == (413, {"code": "message_too_large"})
    said, counted = logged(capsys)
    assert (said["level"], said["message"]) == ("ERROR", "message_too_large")
    assert (said["topic"], said["shop"]) == ("customers/redact", "demo.myshopify.com")
    assert counted["Code"] == "message_too_large"


def test_nothing_of_a_body_is_logged_whatever_becomes_of_it(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    for case in BODIES:
        functions.sample(WEBHOOK, case)
    functions.sample(WEBHOOK, "not_json")
    functions.queues.error = ZeroDivisionError()
    answer = functions.sample(WEBHOOK, "orders_create")
    assert (answer.status, answer.body) == (500, {"code": "internal_error"})
    written = capsys.readouterr().out
    assert "webhook_not_accepted" in written
    assert [words for words in shopify_payloads.PERSONAL if words in written] == []


def test_a_queue_without_an_address_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    functions = Functions(CUSTOMER_EVENTS_QUEUE_URL="")
    assert functions.sample(WEBHOOK, "customers_create").status == 500
    assert "CUSTOMER_EVENTS_QUEUE_URL" in capsys.readouterr().out
