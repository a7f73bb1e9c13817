"""Shopify waits 5 s for a webhook's answer: a function that has to start is far quicker."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import webhooks
from local.stack import Stack
from tools import shopify_payloads
from tools.make_events_webhooks import body_of

FUNCTION = "shopify_webhook"
SECONDS_MAX = 1.0
TRIES = 5
"""The machine may be busy with something else just now: the best of so many counts."""


@pytest.fixture
def functions(stack: Stack) -> Iterator[Any]:
    """Lambda's API, while nobody works on the webhooks' queues."""
    where: Any = {"endpoint_url": stack.aws_endpoint_url, "region_name": stack.aws_region}
    client: Any = boto3.client("lambda", **where)
    mappings = [
        mapping["UUID"]
        for worker in ("order_events", "customer_events", "privacy_events")
        for mapping in client.list_event_source_mappings(FunctionName=stack.functions[worker])[
            "EventSourceMappings"
        ]
    ]
    assert len(mappings) == 3
    for one in mappings:
        client.update_event_source_mapping(UUID=one, Enabled=False)
    yield client
    for one in mappings:
        client.update_event_source_mapping(UUID=one, Enabled=True)


def test_a_webhook_is_taken_within_a_second_by_a_function_that_has_to_start(
    stack: Stack, functions: Any
) -> None:
    """Also while its workers stand still: then it waits on its queue."""
    seconds = [cold_call(stack, functions) for _ in range(TRIES)]
    assert min(seconds) < SECONDS_MAX, seconds


def cold_call(stack: Stack, functions: Any) -> float:
    """Seconds until a webhook is answered by a process that did not run before.

    Without those in which anybody on this machine waited for a processor, be it for other work; but
    never less than the processor time of that process.
    """
    name = stack.functions[FUNCTION]
    before = processes_of(stack, name)
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]
    functions.update_function_configuration(FunctionName=name, Environment=environment)
    body = body_of(shopify_payloads.customer(9_100_000_000_000 + uuid.uuid4().int % 1_000_000_000))
    started, waited = time.monotonic(), waited_seconds()
    answer = webhooks.post(stack, "customers/create", body)
    seconds = time.monotonic() - started - (waited_seconds() - waited)
    assert answer.status == 200
    after = processes_of(stack, name)
    assert after
    assert not before & after, "it was answered by a process that ran before"
    return max(seconds, worked_seconds(min(after, key=int)))


def worked_seconds(process: str) -> float:
    """The processor time of a process's first thread (Linux, proc(5), schedstat)."""
    worked_nanoseconds, *_ = Path(f"/proc/{process}/schedstat").read_text().split()
    return int(worked_nanoseconds) / 1e9


def waited_seconds() -> float:
    """How long, since this machine started, anybody waited for a processor (Linux, PSI)."""
    try:
        some = Path("/proc/pressure/cpu").read_text().splitlines()[0]
    except OSError:
        return 0.0  # a kernel that does not count it
    return int(some.rpartition("total=")[2]) / 1e6


def processes_of(stack: Stack, function_name: str) -> set[str]:
    """The ids of the stack's processes that run a function."""
    wanted = {
        f"AWS_LAMBDA_FUNCTION_NAME={function_name}".encode(),
        f"AWS_ENDPOINT_URL={stack.aws_endpoint_url}".encode(),
    }
    found = set()
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted <= set(file.read_bytes().split(b"\0")):
                found.add(file.parent.name)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found
