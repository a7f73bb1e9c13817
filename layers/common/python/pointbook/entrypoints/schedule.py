"""The wrapper around the handlers that EventBridge Scheduler invokes."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

from pointbook import log
from pointbook.base_container import BaseContainer

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MARGIN_SECONDS = 5.0
"""The part of a function's time that is reserved for an orderly end."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: the event, and how many seconds it may take."""

    event: Mapping[str, Any]
    seconds: float


type Handler[C] = Callable[[Run, C], "DataclassInstance | dict[str, Any]"]
type LambdaHandler = Callable[..., dict[str, Any]]
"""Called with the event and Lambda's context; a test passes its own container as well."""


def scheduled[C: BaseContainer](build: Callable[[], C]) -> Callable[[Handler[C]], LambdaHandler]:
    """Make a Lambda handler of a scheduled function; `build` makes the process's container.

    The handler returns its result as a dataclass, or as the dictionary that Lambda expects.
    """
    own = build()

    def wrap(handler: Handler[C]) -> LambdaHandler:
        def lambda_handler(
            event: Mapping[str, Any], context: Any, container: C = own
        ) -> dict[str, Any]:
            log.bind(stage=container.settings.stage, request_id=context.aws_request_id)
            seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
            result = handler(Run(event, seconds), container)
            return asdict(result) if is_dataclass(result) else result

        return lambda_handler

    return wrap
