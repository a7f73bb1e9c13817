"""The queues' client: its requests, and what becomes of its errors."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from pointbook.aws import queues
from pointbook.errors import Unavailable

QUEUE = "https://sqs.ap-northeast-1.amazonaws.com/000000000000/order_events"


def test_a_message_is_put_on_the_queue_that_is_named() -> None:
    requests: list[dict[str, Any]] = []
    client = SimpleNamespace(send_message=lambda **request: requests.append(request))
    queues.send_message(client, QUEUE, "{}")
    assert requests == [{"QueueUrl": QUEUE, "MessageBody": "{}"}]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessage"),
        ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessage"),
        ConnectTimeoutError(endpoint_url=QUEUE),
    ],
)
def test_a_queue_that_did_not_surely_take_it_is_unavailable(error: Exception) -> None:
    def fail(**_: object) -> None:
        raise error

    with pytest.raises(Unavailable) as raised:
        queues.send_message(SimpleNamespace(send_message=fail), QUEUE, "{}")
    assert (raised.value.code, raised.value.retry_after_seconds) == ("queue_unavailable", 10)


def test_a_slow_queue_is_given_up_before_shopify_gives_us_up() -> None:
    config = queues.connect().meta.config
    attempts = config.retries["total_max_attempts"]
    assert attempts * (config.connect_timeout + config.read_timeout) <= 5
    assert attempts >= 2, "one lost connection is no reason to send Shopify away"
