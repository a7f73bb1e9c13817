"""What `sam build` made, and what template.yaml says about each function."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import deployment
from pointbook.settings import DEAD_LETTERS

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".aws-sam" / "build"
SAM_PYTHON = ROOT / ".venv-sam" / "bin" / "python"
MACHINE = deployment.machine_architecture()
"""This machine's processor, as SAM names it; the build in `BUILD` is for it."""

TEMPLATE: dict[str, Any] = deployment.read_template(ROOT)

RESOURCES: dict[str, Any] = TEMPLATE["Resources"]

FUNCTIONS = {
    deployment.snake_case(logical_id.removesuffix("Function")): logical_id
    for logical_id, resource in RESOURCES.items()
    if resource["Type"] == "AWS::Serverless::Function"
}
"""The logical id of each function, by its name in this repository (`get_points`)."""


QUEUES = {
    "order_events": "OrderEvents",
    "customer_events": "CustomerEvents",
    "privacy_events": "PrivacyEvents",
}
"""The queues of webhooks, and how the names of their resources begin."""

SCHEDULES = {
    function: name
    for function, logical_id in FUNCTIONS.items()
    for name, event in RESOURCES[logical_id]["Properties"].get("Events", {}).items()
    if event["Type"] == "ScheduleV2"
}
"""The event of each function that runs on schedule."""

ANSWERS_HTTP = tuple(
    function
    for function, logical_id in FUNCTIONS.items()
    if (own := RESOURCES[logical_id]["Properties"])
    and (
        "FunctionUrlConfig" in own
        or any(event["Type"] == "HttpApi" for event in own.get("Events", {}).values())
    )
)
"""The functions that answer a request."""

WORKERS = tuple(queue for queue in QUEUES if queue in FUNCTIONS)
"""The functions that work on them."""

TILL_QUEUE = {"till_refreshes": "TillRefreshes"}
"""The queue of refresh_till, in the same form."""

IMPORT_QUEUE = {"import_rows": "ImportRows"}
"""The queue of imports, in the same form."""

DEAD_LETTER_QUEUES = {queue: queue.title().replace("_", "") for queue in DEAD_LETTERS}
ALL_QUEUES = QUEUES | TILL_QUEUE | IMPORT_QUEUE | DEAD_LETTER_QUEUES

QUEUE_URLS = {
    f"{name}Queue": f"https://sqs.example.com/{queue}" for queue, name in ALL_QUEUES.items()
}
"""Addresses of the queues, by their resources: what a reference to them stands for."""

NO_VALUE = {"Ref": "AWS::NoValue"}
"""As a value in a template: there is no such entry."""


def properties(name: str) -> dict[str, Any]:
    """The properties of a resource."""
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type."""
    return {
        name: resource.get("Properties", {})
        for name, resource in RESOURCES.items()
        if resource["Type"] == kind
    }


def function_property(function: str, name: str) -> Any:
    """A property of a function, its own or that of all functions."""
    own = RESOURCES[FUNCTIONS[function]]["Properties"]
    return own.get(name, TEMPLATE["Globals"]["Function"].get(name))


def variables(function: str, values: Mapping[str, str]) -> dict[str, str]:
    """The environment that the template gives a function.

    `values` are those of parameters and resources; a parameter that is not among them has its
    default. What refers to AWS::NoValue is not there.
    """
    parts = (
        TEMPLATE["Globals"]["Function"],
        RESOURCES[FUNCTIONS[function]]["Properties"],
    )
    defaults = {
        name: parameter["Default"]
        for name, parameter in TEMPLATE["Parameters"].items()
        if "Default" in parameter
    }
    given = {**defaults, **values}
    return {
        name: str(given[value["Ref"]] if isinstance(value, dict) else value)
        for part in parts
        for name, value in part["Environment"]["Variables"].items()
        if value != NO_VALUE
    }


def expanded() -> dict[str, Any]:
    """The template as plain CloudFormation, by the translator that AWS itself uses."""
    template = deployment.read_template(ROOT)
    for resource in template["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = "s3://artifacts/built.zip"
    done = subprocess.run(
        [SAM_PYTHON, "-m", "local.expand", "ap-northeast-1"],
        cwd=ROOT,
        input=json.dumps(template).encode(),
        capture_output=True,
        check=True,
    )
    plain: dict[str, Any] = json.loads(done.stdout)
    return plain
