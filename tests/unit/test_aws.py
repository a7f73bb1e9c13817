"""What AWS beside the table is asked for, and what becomes of its refusals."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ConnectTimeoutError

from pointbook.aws import queues
from pointbook.errors import Unavailable

QUEUE = "https://sqs.ap-northeast-1.amazonaws.com/000000000000/order_events"


@pytest.fixture(autouse=True)
def new_client() -> Iterator[None]:
    queues._queues.cache_clear()
    yield
    queues._queues.cache_clear()


def test_a_message_is_put_on_the_queue_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(BaseClient, "_make_api_call", lambda _, *call: asked.append(call))
    queues.send_message(QUEUE, "{}")
    assert asked == [("SendMessage", {"QueueUrl": QUEUE, "MessageBody": "{}"})]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessage"),
        ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessage"),
        ConnectTimeoutError(endpoint_url=QUEUE),
    ],
)
def test_a_queue_that_did_not_surely_take_it_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(BaseClient, "_make_api_call", fail)
    with pytest.raises(Unavailable) as raised:
        queues.send_message(QUEUE, "{}")
    assert (raised.value.code, raised.value.retry_after_seconds) == ("queue_unavailable", 10)


def test_a_slow_queue_is_given_up_before_shopify_gives_us_up() -> None:
    config = queues._queues().meta.config
    attempts = config.retries["total_max_attempts"]
    assert attempts * (config.connect_timeout + config.read_timeout) <= 5
    assert attempts >= 2, "one lost connection is no reason to send Shopify away"
