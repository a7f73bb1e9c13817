"""What the template's alarms make of the metric lines that functions write."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from local import deployment
from local.options import ROOT
from pointbook.log import METRICS_NAMESPACE

STAGE = "local"

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Average": lambda values: sum(values) / len(values),
    "Maximum": max,
    "Minimum": min,
    "Sum": sum,
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of the template on one metric; the stage is the laptop's."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    threshold: float

    def value(self, output: str) -> float | None:
        """The statistic over all lines of this very metric in a function's output.

        None if there is no such line: other dimensions make another metric.
        """
        values = [
            value
            for line in output.splitlines()
            for found in _metrics(line)
            for value in found.get((self.namespace, self.metric, *sorted(self.dimensions)), ())
            if all(found["line"].get(name) == one for name, one in self.dimensions.items())
        ]
        return _STATISTICS[self.statistic](values) if values else None

    def fires(self, output: str) -> bool:
        """Whether it would fire if all of the output were of each of its periods."""
        value = self.value(output)
        assert value is not None, f"nothing was written that {self.metric} watches"
        return value > self.threshold


def alarms(namespace: str = METRICS_NAMESPACE) -> dict[str, Alarm]:
    """All alarms of the template in a namespace, by their logical ids."""
    return {
        name: Alarm(
            namespace=given["Namespace"],
            metric=given["MetricName"],
            dimensions={one["Name"]: _value(one["Value"]) for one in given.get("Dimensions", [])},
            statistic=given["Statistic"],
            threshold=given["Threshold"],
        )
        for name, given in declared()
        if given["Namespace"] == namespace
    }


def alarm(name: str) -> Alarm:
    """The alarm with this logical id, such as `SignaturesWrongAlarm`."""
    return alarms()[name]


def declared() -> Iterator[tuple[str, dict[str, Any]]]:
    """Logical id and properties of every alarm of the template."""
    for name, resource in _resources().items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            yield name, resource["Properties"]


@cache
def _resources() -> dict[str, Any]:
    resources: dict[str, Any] = deployment.read_template(ROOT)["Resources"]
    return resources


def _value(value: Any) -> str:
    return STAGE if value == {"Ref": "Stage"} else str(value)


def _metrics(line: str) -> Iterator[dict[Any, Any]]:
    """The values of a line by namespace, name and dimensions, as CloudWatch extracts them."""
    if not line.startswith('{"_aws"'):
        return
    written = json.loads(line)
    for directive in written["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            yield {
                "line": written,
                **{
                    (directive["Namespace"], one["Name"], *sorted(names)): written[one["Name"]]
                    for one in directive["Metrics"]
                },
            }
