"""The stack that a command works on: one of samconfig.toml, or the one on the laptop.

Its settings are read from the environment of one of its functions, which has the table, the shops
and the parameters of the programme.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from cli.aws_errors import AWS_ERRORS, code_of, in_words
from cli.errors import CommandFailed, NotReachable, UsedWrongly
from local import emulator
from local.deployment import STACK_NAME
from local.options import ROOT, Options
from local.problems import LocalProblem
from local.stack import Stack
from pointbook.clock import MovedClock, SystemClock
from pointbook.errors import SettingsError
from pointbook.settings import Settings
from pointbook.store.table import Table

_FUNCTION = "GetPointsFunction"
"""Logical id of the function whose variables are read; all functions share them."""

_URL_OUTPUTS = {
    "flow_action_consume": "FlowActionConsumeUrl",
    "flow_action_grant": "FlowActionGrantUrl",
    "flow_action_report": "FlowActionReportUrl",
}
"""The outputs with the addresses of functions that have one of their own."""

_NO_STACK = "ValidationError"
"""The code with which CloudFormation answers that there is no such stack or resource."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Target:
    """A stack: its name, the settings of its functions, its outputs, and clients for its services.

    `api_url` is the root of the HTTP API; paths start with /v1. `function_urls` are those of Flow's
    actions, by function. `env` is the environment of
    samconfig.toml, None for the laptop's stack, which has not run before `started_at`.
    """

    name: str
    settings: Settings
    session: Any
    endpoint_url: str | None
    outputs: dict[str, str]
    api_url: str = ""
    function_urls: Mapping[str, str] = field(default_factory=dict)
    env: str | None = None
    started_at: datetime = _LONG_AGO

    def client(self, service: str) -> Any:
        """A client of one of AWS's services."""
        return self.session.client(service, endpoint_url=self.endpoint_url)

    def table(self) -> Table:
        """The ledger's table."""
        return Table(self.client("dynamodb"), self.settings.table_name)

    def items(self) -> int:
        """How many items the table has, as DynamoDB counted them some hours ago."""
        described = self.client("dynamodb").describe_table(TableName=self.settings.table_name)
        return int(described["Table"].get("ItemCount", 0))

    def clock(self) -> SystemClock:
        """The ledger's clock, as the functions see it."""
        file = self.settings.local_clock_file
        return MovedClock(Path(file)) if file else SystemClock()

    def resources(self, kind: str) -> dict[str, str]:
        """The names or ids of the stack's resources of a type, by their logical ids."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in pages.paginate(StackName=self.name)
            for one in page["StackResourceSummaries"]
            if one["ResourceType"] == kind
        }

    def shop(self, shop_domain: str | None) -> str:
        """The shop of this name, or the main one. Raises CommandFailed."""
        shops = self.settings.shops
        if shop_domain is not None and shop_domain not in shops:
            raise UsedWrongly(f"{self.name} has no shop {shop_domain}; it has {', '.join(shops)}.")
        return shop_domain or shops[0]


def target_of(env: str | None) -> Target:
    """The stack of an environment of samconfig.toml, or the laptop's. Raises CommandFailed."""
    return _deployed(env) if env else _local()


def is_running_here() -> bool:
    """Return whether a stack runs on this laptop."""
    return Options.from_env(os.environ).stack_file.exists()


def _local() -> Target:
    try:
        stack = Stack.read(Options.from_env(os.environ).stack_file)
    except LocalProblem as problem:
        raise NotReachable(f"{problem} Start one with `make run`, or pass --env.") from None
    session = boto3.Session(
        aws_access_key_id=emulator.ACCOUNT,
        aws_secret_access_key="local",  # noqa: S106 (the emulator checks none)
        region_name=stack.aws_region,
    )
    started = Options.from_env(os.environ).stack_file.stat().st_mtime
    found = _describe(STACK_NAME, session, stack.aws_endpoint_url, stack.api_url)
    urls = stack.function_urls
    return replace(found, function_urls=urls, started_at=datetime.fromtimestamp(started, UTC))


def _deployed(env: str) -> Target:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    config.pop("version")
    if env not in config:
        raise UsedWrongly(f"samconfig.toml has no {env!r}; it has {', '.join(config)}.")
    given = config[env]["global"]["parameters"]
    try:
        session = boto3.Session(region_name=given["region"])
    except AWS_ERRORS as error:
        raise CommandFailed(in_words(error)) from error
    found = _describe(given["stack_name"], session, None)
    return replace(found, env=env)


def _describe(
    name: str, session: Any, endpoint_url: str | None, api_url: str | None = None
) -> Target:
    cloudformation = session.client("cloudformation", endpoint_url=endpoint_url)
    functions = session.client("lambda", endpoint_url=endpoint_url)
    try:
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
        # One resource by its name: describe_stack_resources ends after 100, and there are more.
        function_name = _physical_id(cloudformation, name, _FUNCTION)
        if not function_name:
            raise CommandFailed(f"The stack {name} is {found['StackStatus']} and has no functions.")
        function = functions.get_function_configuration(FunctionName=function_name)
        settings = Settings.from_env(function["Environment"]["Variables"])
        settings.default_programme()
    except AWS_ERRORS as error:
        if code_of(error) == _NO_STACK:
            raise CommandFailed(
                f"There is no stack {name} in this account and region; `make deploy` makes it."
            ) from error
        raise NotReachable(f"The stack {name} cannot be reached. {in_words(error)}") from error
    except SettingsError as error:
        raise CommandFailed(f"The settings of the stack {name} cannot be read: {error}") from error
    api_url = api_url or outputs.get("ApiUrl", "")
    urls = {name: outputs[output] for name, output in _URL_OUTPUTS.items() if output in outputs}
    return Target(name, settings, session, endpoint_url, outputs, api_url, urls)


def _physical_id(cloudformation: Any, stack: str, logical_id: str) -> str | None:
    """The name of a resource of a stack; None if the stack does not have it."""
    try:
        found = cloudformation.describe_stack_resource(
            StackName=stack, LogicalResourceId=logical_id
        )
    except ClientError as error:
        if code_of(error) == _NO_STACK:
            return None
        raise
    name: str | None = found["StackResourceDetail"].get("PhysicalResourceId")
    return name
