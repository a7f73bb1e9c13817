"""Deploys the output of `sam build` to the emulator with the SDK: `sam deploy` takes eight seconds.

The template is deployed as it is, with two additions: environment variables of the stage `local`
(LOCAL_...), which the template itself never has, and names for the table and the secret, which
local/env.json refers to.
"""

import copy
import hashlib
import io
import json
import math
import platform
import re
import subprocess
import time
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.client import Config
from botocore.exceptions import ClientError

from local import emulator
from local.options import ROOT
from local.problems import LocalProblem

STACK_NAME = "pointbook-local"
TABLE_NAME = "pointbook-local"
SECRETS_NAME = "pointbook-local"

_BUCKET = "pointbook-local-artifacts"
_TEMPLATE = "template.json"
_ARTIFACTS = ("CodeUri", "ContentUri")
_DEPLOYED_WITHIN_SECONDS = 120.0
_LOOK_EVERY_SECONDS = 0.05
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)

type _Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deployment:
    """The deployed resources, by the names used in this repository (`get_points`).

    `functions` has the names at Lambda, `function_url_ids` the ids of function URLs.
    """

    api_id: str
    table_name: str
    secrets_name: str
    functions: Mapping[str, str]
    function_url_ids: Mapping[str, str]


class Emulator:
    """SDK clients for the emulator's services that a deployment needs."""

    def __init__(self, url: str) -> None:
        session = boto3.Session(
            aws_access_key_id=emulator.ACCOUNT,
            aws_secret_access_key="local",  # noqa: S106 (the emulator checks none)
            region_name=emulator.REGION,
        )
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        self.cloudformation = session.client("cloudformation", endpoint_url=url, config=config)
        self.functions = session.client(
            "lambda", endpoint_url=url, config=config.merge(Config(read_timeout=320))
        )
        self.logs = session.client("logs", endpoint_url=url, config=config)
        self.secrets = session.client("secretsmanager", endpoint_url=url, config=config)
        self.s3 = session.client("s3", endpoint_url=url, config=config)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A template ready for the emulator, and the zip files that it refers to, by S3 key."""

    template: _Json
    artifacts: Mapping[str, bytes]


def machine_architecture() -> str:
    """This machine's processor, as SAM names it; `make build` builds for it."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def prepare(
    template: _Json, build: Path, local_environment: Mapping[str, str], cache: Path
) -> Prepared:
    """Zip the built folders and expand the template. Needs no emulator. Raises LocalProblem.

    `cache` is a folder with the results of earlier runs, by the digest of their input.
    """
    template = copy.deepcopy(template)
    _add_environment(template, local_environment)
    _name(template)
    artifacts = _zip_artifacts(template, build, cache)
    text = json.dumps(template)
    expanded = f"{_digest(text.encode())}.json"
    prepared = Prepared(json.loads(_cached(cache / expanded, lambda: _expand(text))), artifacts)
    for file in cache.iterdir():
        if file.name not in (expanded, *artifacts):
            file.unlink()
    return prepared


def deploy(
    aws: Emulator, template: _Json, prepared: Prepared, parameters: Mapping[str, str]
) -> Deployment:
    """Create or update the stack and return its resources. Raises LocalProblem.

    `template` is the built one; `parameters` are checked against its rules.
    """
    _check_parameters(template, parameters)
    with suppress(aws.s3.exceptions.BucketAlreadyOwnedByYou):
        aws.s3.create_bucket(
            Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": emulator.REGION}
        )
    for key, content in prepared.artifacts.items():
        aws.s3.put_object(Bucket=_BUCKET, Key=key, Body=content)
    # A template within the request may have 51,200 bytes at most.
    aws.s3.put_object(Bucket=_BUCKET, Key=_TEMPLATE, Body=json.dumps(prepared.template).encode())
    _create_or_update(aws, parameters)
    return _deployed(aws, template)


def read_template(build: Path) -> _Json:
    """Read the built template, every intrinsic function in its long form. Raises LocalProblem."""
    file = build / "template.yaml"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LocalProblem(f"{file} is missing: run `make build`.") from None
    template: _Json = yaml.load(text, Loader=_TemplateLoader)  # noqa: S506 (a SafeLoader)
    return template


def parameters_from(template: _Json, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the template parameters that the environment sets: HoldSeconds by HOLD_SECONDS."""
    found = {}
    for name in template.get("Parameters", {}):
        value = environ.get(snake_case(name).upper())
        if value:
            found[name] = value
    return found


def snake_case(name: str) -> str:
    """Turn GetPoints into get_points."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class _TemplateLoader(yaml.SafeLoader):
    """Loads short forms such as !Ref as the mappings that CloudFormation has in JSON."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> _Json:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_TemplateLoader.add_multi_constructor("!", _intrinsic)


def _check_parameters(template: _Json, parameters: Mapping[str, str]) -> None:
    """Check the rules that CloudFormation would check: the emulator accepts any value."""
    declared = template.get("Parameters", {})
    for name, value in parameters.items():
        rule = declared.get(name)
        if rule is None:
            raise LocalProblem(f"The template has no parameter {name}.")
        allowed = [str(one) for one in rule.get("AllowedValues", [])]
        if allowed and value not in allowed:
            raise LocalProblem(f"{name} is {value!r}; give one of {', '.join(allowed)}.")
        low, high = rule.get("MinValue", 0), rule.get("MaxValue", math.inf)
        if rule.get("Type") == "Number" and not (value.isdecimal() and low <= int(value) <= high):
            raise LocalProblem(f"{name} is {value!r}; give a whole number from {low} to {high}.")
        pattern = rule.get("AllowedPattern")
        if pattern and not re.fullmatch(pattern, value):
            raise LocalProblem(f"{name} is {value!r}: {rule.get('Description', 'not allowed')}")


def _add_environment(template: _Json, added: Mapping[str, str]) -> None:
    settings = template.setdefault("Globals", {}).setdefault("Function", {})
    variables = settings.setdefault("Environment", {}).setdefault("Variables", {})
    assert not variables.keys() & added.keys()
    variables.update(added)


def _name(template: _Json) -> None:
    template["Resources"]["LedgerTable"]["Properties"]["TableName"] = TABLE_NAME
    template["Resources"]["AppSecret"]["Properties"]["Name"] = SECRETS_NAME


def _zip_artifacts(template: _Json, build: Path, cache: Path) -> dict[str, bytes]:
    """Zip the folders that the template refers to, and refer to the zips instead."""
    artifacts = {}
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for name in _ARTIFACTS:
            if name in properties:
                files = _files(build / properties[name])
                key = f"{_digest(*(part for file in files.items() for part in file))}.zip"
                artifacts[key] = _cached(cache / key, partial(_zipped, files))
                properties[name] = f"s3://{_BUCKET}/{key}"
    return artifacts


def _files(directory: Path) -> dict[bytes, bytes]:
    """Return the contents of all files of a folder, by relative path."""
    found = sorted(path for path in directory.rglob("*") if path.is_file())
    return {file.relative_to(directory).as_posix().encode(): file.read_bytes() for file in found}


def _zipped(files: Mapping[bytes, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name.decode(), date_time=_ZIP_DATE)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()


def _cached(file: Path, make: Callable[[], bytes]) -> bytes:
    """Return the content of `file`, creating it with `make` if it does not exist."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_bytes(make())
        new.replace(file)
    return file.read_bytes()


def _expand(template: str) -> bytes:
    python = ROOT / ".venv-sam" / "bin" / "python"
    if not python.exists():
        raise LocalProblem(f"{python} is missing: run `make setup`.")
    done = subprocess.run(
        [python, "-m", "local.expand", emulator.REGION],
        cwd=ROOT,
        input=template.encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise LocalProblem(f"The template cannot be expanded:\n{done.stderr.decode()[-2000:]}")
    return done.stdout


def _create_or_update(aws: Emulator, parameters: Mapping[str, str]) -> None:
    request: Any = {
        "StackName": STACK_NAME,
        "TemplateURL": f"{aws.s3.meta.endpoint_url}/{_BUCKET}/{_TEMPLATE}",
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ],
    }
    before = _status(aws)
    try:
        if before is None:
            aws.cloudformation.create_stack(**request)
        else:
            aws.cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return
        raise LocalProblem(f"The emulator rejected the template: {error}") from error
    give_up = time.monotonic() + _DEPLOYED_WITHIN_SECONDS
    while (status := _status(aws)) is None or status.endswith("IN_PROGRESS"):
        if time.monotonic() > give_up:
            raise LocalProblem(f"The deployment did not finish in time; its status is {status}.")
        time.sleep(_LOOK_EVERY_SECONDS)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise LocalProblem(
            f"The deployment ended as {status}: {_failure_reasons(aws)}\n"
            "If it worked before, the persisted state may no longer fit: run `make run FRESH=1`."
        )


def _status(aws: Emulator) -> str | None:
    try:
        stacks = aws.cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    except ClientError:
        return None  # there is no such stack yet
    return stacks[0]["StackStatus"]


def _failure_reasons(aws: Emulator) -> str:
    events = aws.cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
    reasons = [
        f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason')}"
        for event in events
        if event.get("ResourceStatus", "").endswith("FAILED") and event.get("ResourceStatusReason")
    ]
    return "; ".join(reasons[:3]) or "no reason given"


def _deployed(aws: Emulator, template: _Json) -> Deployment:
    listed = aws.cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    physical = {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in listed}
    functions, urls = {}, {}
    for logical, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        name = snake_case(logical.removesuffix("Function"))
        functions[name] = physical[logical]
        if "FunctionUrlConfig" in resource["Properties"]:
            made = aws.functions.get_function_url_config(FunctionName=physical[logical])
            urls[name] = made["FunctionUrl"].removeprefix("https://").partition(".")[0]
    return Deployment(
        api_id=physical["PointsApi"],
        table_name=physical["LedgerTable"],
        secrets_name=physical["AppSecret"],
        functions=functions,
        function_url_ids=urls,
    )
