"""Invoke one function of the running local stack with a sample event, without a container engine.

    make run DETACH=1 && .venv-stack/bin/python docs/invoke.py get_points by_header
"""

import json
import sys
from pathlib import Path

import boto3

ROOT = Path(__file__).parents[1]


def main(function: str, case: str) -> None:
    """Print what the function answers."""
    stack = json.loads((ROOT / ".local" / "stack.json").read_text())
    client = boto3.client(
        "lambda",
        endpoint_url=stack["aws_endpoint_url"],
        region_name=stack["aws_region"],
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the laptop stack asks for none
    )
    event = (ROOT / "events" / function / f"{case}.json").read_bytes()
    answer = client.invoke(FunctionName=stack["functions"][function], Payload=event)
    payload = json.loads(answer["Payload"].read())
    if isinstance(payload.get("body"), str):
        payload["body"] = json.loads(payload["body"])
    print(json.dumps(payload, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:3])
