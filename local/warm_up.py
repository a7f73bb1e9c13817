"""Warm-up: one call of each function, so that no first request waits for a cold start."""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.deployment import Emulator, snake_case
from local.problems import LocalProblem
from local.stack import Stack

_CALL_SECONDS = 60.0
_AT_ONCE = 4
_BODIES = {"GET": None, "POST": b"{}"}

type _Json = dict[str, Any]
type _Call = Callable[[], int]


def warm_up(aws: Emulator, stack: Stack, template: _Json) -> None:
    """Call each function through its own trigger; a refusal warms it up as well as a success.

    Raises LocalProblem if a function fails.
    """
    calls = dict(_calls(aws, stack, template))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        statuses = dict(zip(calls, pool.map(lambda call: call(), calls.values()), strict=True))
    failed = sorted({name for (name, _), status in statuses.items() if status >= 500})
    if failed:
        why = "\n".join(_last_words(aws, stack.functions[name]) for name in failed)
        raise LocalProblem(f"These functions fail: {', '.join(failed)}.\n{why}")


def _calls(aws: Emulator, stack: Stack, template: _Json) -> Iterator[tuple[tuple[str, str], _Call]]:
    workers = _workers(template)
    for logical, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        name = snake_case(logical.removesuffix("Function"))
        properties = resource["Properties"]
        if "FunctionUrlConfig" in properties:
            yield (name, "url"), _request(stack.function_urls[name], b"{}")
        for event in properties.get("Events", {}).values():
            if event["Type"] == "HttpApi" and event["Properties"]["Method"] in _BODIES:
                path = event["Properties"]["Path"].replace("{customer}", "me")
                body = _BODIES[event["Properties"]["Method"]]
                yield (name, path), _request(stack.api_url + path, body)
            elif event["Type"] == "ScheduleV2":
                yield (name, "schedule"), _invocation(aws, stack.functions[name])
        if logical in workers:
            yield (name, "queue"), _invocation(aws, stack.functions[name])


def _workers(template: _Json) -> set[str]:
    """Return the functions of event source mappings; an event without records is a no-op."""
    return {
        resource["Properties"]["FunctionName"]["Ref"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::EventSourceMapping"
    }


def _request(url: str, body: bytes | None) -> _Call:
    def call() -> int:
        try:
            with urllib.request.urlopen(url, body, timeout=_CALL_SECONDS) as response:  # noqa: S310
                return int(response.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    return call


def _invocation(aws: Emulator, function_name: str) -> _Call:
    def call() -> int:
        answer = aws.functions.invoke(FunctionName=function_name, Payload=b"{}")
        return 500 if answer.get("FunctionError") else 200

    return call


def _last_words(aws: Emulator, function_name: str) -> str:
    """Return the last lines of a function's log."""
    configuration = aws.functions.get_function_configuration(FunctionName=function_name)
    group = configuration["LoggingConfig"]["LogGroup"]
    events = aws.logs.filter_log_events(logGroupName=group)["events"]
    return "\n".join([f"{group}:", *(event["message"] for event in events[-8:])])
