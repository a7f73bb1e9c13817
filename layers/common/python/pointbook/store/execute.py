"""Sending one request to DynamoDB where nothing is repeated: its errors are ours."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pointbook.domain.ports import StoreUnavailable
from pointbook.errors import LedgerUnavailable
from pointbook.store.dynamodb import translated


def sent(send: Callable[[], Any]) -> Any:
    """Return what `send` returns.

    Raises LedgerUnavailable where another try may help, StoreRefused where none will.
    """
    try:
        return send()
    except (ClientError, BotoCoreError) as error:
        cause = translated(error)
        if isinstance(cause, StoreUnavailable):
            raise LedgerUnavailable(retry_after_seconds=1) from error
        raise cause from error
