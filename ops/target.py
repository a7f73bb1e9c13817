"""Which stack a command works on: one of samconfig.toml, or the one on the laptop.

What holds there is asked of the stack itself: its outputs name a function, and the function's own
variables say the table, the shops and the parameters of the programme.
"""

import os
import tomllib
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local import emulator
from local.deployment import STACK_NAME
from local.options import ROOT, Options
from local.problems import LocalProblem
from local.stack import Stack
from ops.problems import OpsProblem
from pointbook.clock import MovedClock, SystemClock
from pointbook.errors import SettingsError
from pointbook.settings import Settings

_ASKED = "GetPointsFunctionName"
"""The output that names the function whose variables are read; they are the same for all."""


@dataclass(frozen=True, slots=True)
class Target:
    """A stack: its name, what its functions are told, and the way to its services.

    `outputs` are CloudFormation's; of a stack on the laptop, the names of its functions only.
    `api_url` is the root of the HTTP API; paths start with /v1.
    """

    name: str
    settings: Settings
    session: Any
    endpoint_url: str | None
    outputs: dict[str, str]
    api_url: str = ""

    def client(self, service: str) -> Any:
        """A client of one of AWS's services."""
        return self.session.client(service, endpoint_url=self.endpoint_url)

    def clock(self) -> SystemClock:
        """The ledger's clock, as the functions see it."""
        file = self.settings.local_clock_file
        return MovedClock(Path(file)) if file else SystemClock()

    def shop(self, wanted: str | None) -> str:
        """The shop of this name, or the main one. Raises OpsProblem."""
        shops = self.settings.shops
        if wanted is not None and wanted not in shops:
            raise OpsProblem(f"{self.name} has no shop {wanted}; it has {', '.join(shops)}.")
        return wanted or shops[0]


def add_arguments(parser: ArgumentParser) -> None:
    """Let the engineer say which stack."""
    stack = parser.add_mutually_exclusive_group()
    stack.add_argument("--env", help="an environment of samconfig.toml: dev, staging, prod")
    stack.add_argument("--local", action="store_true", help="the stack of `make run` (usual)")
    parser.add_argument("--shop", help="such as demo.myshopify.com; usual is the stack's main shop")


def target_of(options: Namespace) -> Target:
    """The stack that the engineer named. Raises OpsProblem."""
    return _deployed(options.env) if options.env else _local()


def is_running_here() -> bool:
    """Whether there is a stack on this laptop."""
    return Options.from_env(os.environ).stack_file.exists()


def _local() -> Target:
    try:
        stack = Stack.read(Options.from_env(os.environ).stack_file)
    except LocalProblem as problem:
        raise OpsProblem(f"{problem} Start one by `make run`, or say --env.") from None
    session = boto3.Session(
        aws_access_key_id=emulator.ACCOUNT,
        aws_secret_access_key="local",  # noqa: S106 (the emulator checks none)
        region_name=stack.aws_region,
    )
    return _asked(STACK_NAME, session, stack.aws_endpoint_url, stack.api_url)


def _deployed(environment: str) -> Target:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    config.pop("version")
    if environment not in config:
        raise OpsProblem(f"samconfig.toml has no {environment!r}; it has {', '.join(config)}.")
    given = config[environment]["global"]["parameters"]
    return _asked(given["stack_name"], boto3.Session(region_name=given["region"]), None)


def _asked(name: str, session: Any, endpoint_url: str | None, api_url: str | None = None) -> Target:
    cloudformation = session.client("cloudformation", endpoint_url=endpoint_url)
    functions = session.client("lambda", endpoint_url=endpoint_url)
    try:
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
        function = outputs.get(_ASKED)
        if function is None:
            raise OpsProblem(f"The stack {name} is {found['StackStatus']} and names no functions.")
        asked = functions.get_function_configuration(FunctionName=function)
        settings = Settings.from_env(asked["Environment"]["Variables"])
        settings.first_programme()
    except (ClientError, BotoCoreError, SettingsError) as error:
        raise OpsProblem(f"The stack {name} does not say what it goes by: {error}") from error
    api_url = api_url or outputs.get("ApiUrl", "")
    return Target(name, settings, session, endpoint_url, outputs, api_url)
