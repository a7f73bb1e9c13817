"""Sending one request to DynamoDB where nothing is repeated: its errors are ours."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pointbook.domain.ports import StoreUnavailable
from pointbook.errors import LedgerUnavailable
from pointbook.store.dynamodb import translated
from pointbook.store.values import Stored

_CONDITION_FAILED = "ConditionalCheckFailedException"


class ConditionFailed(Exception):
    """The state of an item forbade a write: `item` as it is, empty if absent or not asked for."""

    def __init__(self, item: Stored) -> None:
        """Keep the item."""
        super().__init__(_CONDITION_FAILED)
        self.item = item


def sent(send: Callable[[], Any]) -> Any:
    """Return what `send` returns.

    Raises LedgerUnavailable where another try may help, StoreRefused where none will, and
    ConditionFailed for a single write whose condition does not hold.
    """
    try:
        return send()
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] == _CONDITION_FAILED:
            found: Any = error.response.get("Item", {})
            raise ConditionFailed(found) from error
        cause = translated(error)
        if isinstance(cause, StoreUnavailable):
            raise LedgerUnavailable(retry_after_seconds=1) from error
        raise cause from error


def done_if(send: Callable[[], Any]) -> bool:
    """Send a single write; False: its condition does not hold. Raises as `sent`."""
    try:
        sent(send)
    except ConditionFailed:
        return False
    return True
