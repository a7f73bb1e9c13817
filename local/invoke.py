"""Invoke one function of the running stack with a sample event, without a container engine.

make run DETACH=1 && .venv-stack/bin/python -m local.invoke get_points by_header
"""

import json
import sys

import boto3

from local import emulator
from local.options import ROOT
from local.stack import Stack


def main(function: str, case: str) -> None:
    """Print what the function answers."""
    stack = Stack.read(ROOT / ".local" / "stack.json")
    client = boto3.client(
        "lambda",
        endpoint_url=stack.aws_endpoint_url,
        region_name=stack.aws_region,
        aws_access_key_id=emulator.ACCOUNT,
        aws_secret_access_key="local",  # noqa: S106 - the emulator asks for none
    )
    event = (ROOT / "events" / function / f"{case}.json").read_bytes()
    answer = client.invoke(FunctionName=stack.functions[function], Payload=event)
    payload = json.loads(answer["Payload"].read())
    if isinstance(payload.get("body"), str):
        payload["body"] = json.loads(payload["body"])
    print(json.dumps(payload, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:3])
