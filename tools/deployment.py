"""`python -m tools.deployment before|after ENV`: what `make deploy` checks first and prints last.

Before: credentials of AWS and what samconfig.toml still lacks, so that nothing is built in vain.
After: what is left to do, with the addresses of this stack.
"""

import sys
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cli import target
from cli.errors import CommandFailed
from cli.stack_secret import StackSecret, value_of
from cli.target import Target
from local.options import ROOT
from pointbook.till.providers import CREDENTIALS

_PLACEHOLDER = "your-"
_MUST_HAVE_EMAIL = ("staging", "prod")
_HOSTS = {
    "fill-in-api.example.com": "ApiUrl",
    "fill-in-consume.example.com": "FlowActionConsumeUrl",
    "fill-in-grant.example.com": "FlowActionGrantUrl",
    "fill-in-report.example.com": "FlowActionReportUrl",
}
"""Placeholders of the app's files in shopify/, and the outputs whose hosts take their place."""

_QUICKLY = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})


def main(arguments: list[str]) -> int:
    """Check or print; return the exit status."""
    when, environment = arguments
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    if when == "before":
        problems = [*missing(environment, config[environment]["global"]["parameters"])]
        problems += [*no_credentials(config[environment]["global"]["parameters"]["region"])]
        print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
        return int(bool(problems))
    try:
        stack = target.target_of(environment)
        print(*next_steps(stack, environment), sep="\n")
    except CommandFailed as failed:
        print(f"The stack is deployed, but cannot be read: {failed}", file=sys.stderr)
        return failed.status
    return 0


def missing(environment: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield what samconfig.toml lacks for this environment, a line each."""
    given = dict(one.split("=", 1) for one in parameters["parameter_overrides"])
    for name, value in given.items():
        if _PLACEHOLDER in value:
            yield f"samconfig.toml, [{environment}.*]: {name} is still {value!r}; give your own."
    for name in ("ShopDomain", "ShopifyClientId"):
        if not given.get(name):
            yield f"samconfig.toml, [{environment}.*]: {name} is not set; give your own."
    if environment in _MUST_HAVE_EMAIL and not given.get("OperatorEmail"):
        yield (
            f"samconfig.toml, [{environment}.*]: OperatorEmail is not set, so nobody would be told"
            " of alarms; give an address that somebody reads."
        )


def no_credentials(region: str) -> Iterator[str]:
    """Yield why AWS does not know who we are; print who we are otherwise."""
    try:
        who = boto3.client("sts", region_name=region, config=_QUICKLY).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        yield (
            f"AWS: {error}. Sign in (`aws sso login`, `aws configure`) or set AWS_PROFILE, and run"
            " it again. Nothing has been built."
        )
    else:
        print(f"AWS account {who['Account']}, {region}, as {who['Arn']}")


def next_steps(stack: Target, environment: str) -> Iterator[str]:
    """Yield what is left to do after a deployment."""
    env = f"--env {environment}"
    members, _ = StackSecret(stack).read()
    yield f"{stack.name} is deployed."
    if not value_of(members, "client_secret"):
        yield "Set the app's client secret; until then every request is answered with an error:"
        yield f"    .venv/bin/pointbook secret set client_secret {env}"
    for name in CREDENTIALS.get(stack.settings.till_provider, ()):
        if not value_of(members, f"till.{name}"):
            yield f"    .venv/bin/pointbook secret set till.{name} {env}"
    yield "The app's files (a copy of shopify/, see shopify/README.md) must have these:"
    yield f"    fill-in-client-id            {stack.settings.shopify_client_id}"
    for placeholder, output in _HOSTS.items():
        yield f"    {placeholder:28} {urlsplit(stack.outputs[output]).hostname}"
    yield "If they are new: `shopify app deploy` in that copy, then install the app in the shop."
    yield "Check the stack, now and after installing the app:"
    yield f"    .venv/bin/pointbook doctor {env}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
