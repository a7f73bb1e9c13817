"""Logs (one JSON object for each line) and metrics.

Lines go through Powertools' Logger (service and level: POWERTOOLS_SERVICE_NAME and
POWERTOOLS_LOG_LEVEL), which is imported with the first line, so that a cold start that logs nothing
does not load it. A metric is one line in CloudWatch's embedded metric format and needs neither an
import nor a call. Whatever looks like a token, a secret or an e-mail address is redacted.
"""

import json
import re
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

METRICS_NAMESPACE = "Pointbook"
REDACTED = "[redacted]"

_CALLER = 3
"""Stack frames from Powertools to the code that logs."""

_SECRET_NAMES = re.compile(
    r"authorization|cookie|discount_code|email|hmac|password|phone|secret|signature|token",
    re.IGNORECASE,
)
_SECRET_TEXTS = re.compile(
    # The lookbehinds make this linear: a run of letters is matched from its beginning only.
    r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # an e-mail address
    r"|(?<![\w-])(?=[\w-]*?\beyJ)[\w-]+\.[\w-]+\.[\w-]*"  # a JWT, and a word joined to it
    r"|\bBearer +\S+"
    r"|\bshp[a-z]{2,3}_\w+",  # Shopify's access tokens and secrets
    re.IGNORECASE,
)

_stage: ContextVar[str] = ContextVar("stage", default="unset")
_bound: ContextVar[Mapping[str, str]] = ContextVar("bound", default=MappingProxyType({}))


def bind(*, stage: str | None = None, **fields: str) -> None:
    """Add fields, such as `request_id`, to all later lines of this request.

    Replaces the fields that were bound before. `stage` becomes the first dimension of every metric
    until another one is bound.
    """
    if stage is not None:
        _stage.set(stage)
    _bound.set(fields)


def info(event: str, **fields: Any) -> None:
    """Log an event, with ids and numbers as fields."""
    _logger().info(event, stacklevel=_CALLER, extra={**_bound.get(), **fields})


def warning(event: str, **fields: Any) -> None:
    """Log an event that a person should investigate if it is frequent."""
    _logger().warning(event, stacklevel=_CALLER, extra={**_bound.get(), **fields})


def error(event: str, **fields: Any) -> None:
    """Log an event that a person has to investigate."""
    _logger().error(event, stacklevel=_CALLER, extra={**_bound.get(), **fields})


def exception(event: str, **fields: Any) -> None:
    """Log an error with the stack trace of the exception that is being handled."""
    _logger().exception(event, stacklevel=_CALLER, extra={**_bound.get(), **fields})


def metric(name: str, value: float = 1, unit: str = "Count", **dimensions: str) -> None:
    """Write one metric (units are CloudWatch's) with the stage and these dimensions.

    Each value of a dimension is a metric of its own and costs money, so ids are not dimensions.
    """
    labels = {"Stage": _stage.get()} | dimensions
    directive = {
        "Namespace": METRICS_NAMESPACE,
        "Dimensions": [list(labels)],
        "Metrics": [{"Name": name, "Unit": unit}],
    }
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    _write_line(json.dumps({"_aws": about, **labels, name: [value]}))


def redacted(value: Any) -> Any:
    """Return `value` with JSON's types, and with secrets and e-mail addresses redacted."""
    if isinstance(value, dict):
        return {
            name: REDACTED if _SECRET_NAMES.search(str(name)) else redacted(member)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(member) for member in value]
    if value is None or isinstance(value, int | float):
        return value
    return _SECRET_TEXTS.sub(REDACTED, str(value))


@cache
def _logger() -> "Logger":
    import logging  # noqa: PLC0415 -- loaded with the first line

    from aws_lambda_powertools import Logger  # noqa: PLC0415 -- same

    class Stdout(logging.Handler):
        """Writes each line to the current standard output."""

        def emit(self, record: logging.LogRecord) -> None:
            _write_line(self.format(record))

    return Logger(
        logger_handler=Stdout(),
        json_serializer=lambda line: json.dumps(redacted(line), ensure_ascii=False),
        serialize_stacktrace=False,
    )


def _write_line(line: str) -> None:
    sys.stdout.write(line + "\n")
