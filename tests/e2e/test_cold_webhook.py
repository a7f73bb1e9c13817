"""Shopify waits 5 s for a webhook's answer: a function that has to start is far quicker."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack
from tests.e2e.calls import aws, new_customer, post
from tests.e2e.queues import Queues
from tools import shopify_payloads

FUNCTION = "shopify_webhook"
SECONDS_MAX = 1.0
TRIES = 5
"""The machine may be busy with something else just now: the best of so many counts."""


@pytest.fixture
def functions(stack: Stack) -> Iterator[Any]:
    """Lambda's API, while the webhooks' workers are paused."""
    queues = [Queues(stack, name) for name in ("order_events", "customer_events", "privacy_events")]
    for queue in queues:
        queue.enable(on=False)
    yield aws(stack, "lambda")
    for queue in queues:
        queue.enable(on=True)


def test_a_webhook_is_taken_within_a_second_by_a_function_that_has_to_start(
    stack: Stack, functions: Any
) -> None:
    """Also while the workers are paused: then it waits on its queue."""
    seconds = [cold_call(stack, functions) for _ in range(TRIES)]
    assert min(seconds) < SECONDS_MAX, seconds


def cold_call(stack: Stack, functions: Any) -> float:
    """Seconds until a webhook is answered by a process that did not run before.

    Without the time in which anything on this machine waited for a processor; but never less than
    the processor time of that process.
    """
    name = stack.functions[FUNCTION]
    before = processes_of(stack, name)
    same = functions.get_function_configuration(FunctionName=name)["Environment"]
    functions.update_function_configuration(FunctionName=name, Environment=same)
    body = shopify_payloads.customer(int(new_customer()))
    started, waited = time.monotonic(), waited_seconds()
    post(stack, "customers/create", body)
    seconds = time.monotonic() - started - (waited_seconds() - waited)
    after = processes_of(stack, name)
    assert after
    assert not before & after, "it was answered by a process that ran before"
    return max(seconds, worked_seconds(min(after, key=int)))


def worked_seconds(process: str) -> float:
    """The processor time of a process's first thread (Linux, proc(5), schedstat)."""
    worked_nanoseconds, *_ = Path(f"/proc/{process}/schedstat").read_text().split()
    return int(worked_nanoseconds) / 1e9


def waited_seconds() -> float:
    """How long, since this machine started, anything waited for a processor (Linux, PSI)."""
    try:
        some = Path("/proc/pressure/cpu").read_text().splitlines()[0]
    except OSError:
        return 0.0  # a kernel that does not count it
    return int(some.rpartition("total=")[2]) / 1e6


def processes_of(stack: Stack, function_name: str) -> set[str]:
    """The ids of the stack's processes that run a function."""
    variables = {
        f"AWS_LAMBDA_FUNCTION_NAME={function_name}".encode(),
        f"AWS_ENDPOINT_URL={stack.aws_endpoint_url}".encode(),
    }
    found = set()
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if variables <= set(file.read_bytes().split(b"\0")):
                found.add(file.parent.name)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found
