"""Invoke one function of the running stack with a sample event, without a container engine.

make run DETACH=1 && .venv-stack/bin/python -m local.invoke get_points by_header
"""

import json
import sys

import boto3
from botocore.exceptions import BotoCoreError

from local import emulator
from local.options import ROOT
from local.problems import LocalProblem
from local.stack import Stack

EVENTS = ROOT / "events"

_USAGE = "usage: .venv-stack/bin/python -m local.invoke FUNCTION CASE"


def main(arguments: list[str]) -> int:
    """Do what the arguments say; return the exit status."""
    samples = _samples()
    match arguments:
        case [function, case] if case in samples.get(function, ()):
            try:
                invoke(function, case)
            except LocalProblem as problem:
                print(problem, file=sys.stderr)
                return 1
            return 0
        case [function, *cases] if function in samples:
            unknown = f"no case {cases[0]!r}; " if len(cases) == 1 else ""
            choice = f"{unknown}cases of {function}: {', '.join(samples[function])}"
        case _:
            unknown = f"no function {arguments[0]!r}; " if arguments else ""
            choice = f"{unknown}functions: {', '.join(samples)}"
    print(f"{_USAGE}\n{choice}", file=sys.stderr)
    return 2


def _samples() -> dict[str, list[str]]:
    """Return the names of the sample events of each function."""
    return {
        folder.name: sorted(file.stem for file in folder.glob("*.json"))
        for folder in sorted(EVENTS.iterdir())
    }


def invoke(function: str, case: str) -> None:
    """Print the response of the function. Raises LocalProblem."""
    stack = Stack.read(ROOT / ".local" / "stack.json")
    client = boto3.client(
        "lambda",
        endpoint_url=stack.aws_endpoint_url,
        region_name=stack.aws_region,
        aws_access_key_id=emulator.ACCOUNT,
        aws_secret_access_key="local",  # noqa: S106 - the emulator checks none
    )
    event = (EVENTS / function / f"{case}.json").read_bytes()
    try:
        answer = client.invoke(FunctionName=stack.functions[function], Payload=event)
    except BotoCoreError as error:
        raise LocalProblem(f"The local stack does not answer: {error}") from error
    payload = json.loads(answer["Payload"].read())
    if isinstance(payload.get("body"), str):
        payload["body"] = json.loads(payload["body"])
    print(json.dumps(payload, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
