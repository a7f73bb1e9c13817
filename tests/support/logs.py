"""What the product wrote to its log: JSON, one object a line."""

import json
from typing import Any

import pytest


def logged(capsys: pytest.CaptureFixture[str], member: str = "") -> list[dict[str, Any]]:
    """The lines written since the last call; with `member`, those that have it, as a metric has."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if not member or member in line]


def metric_sums(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """The sum of each metric that has no dimension but the stage."""
    sums: dict[str, float] = {}
    for line in logged(capsys, "_aws"):
        declared = line["_aws"]["CloudWatchMetrics"][0]
        if ["Stage"] in declared["Dimensions"]:
            name = declared["Metrics"][0]["Name"]
            sums[name] = sums.get(name, 0) + sum(line[name])
    return sums


def dimensions(lines: list[dict[str, Any]]) -> list[list[list[str]]]:
    """The dimensions of metrics as CloudWatch reads them."""
    return [line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for line in lines]
