"""A command that is stopped in the middle: its client answers so many calls, and then none."""

from typing import Any


class CutOff(Exception):
    """The command was stopped."""


class Interrupted:
    """A client that answers so many calls of operations that begin with `counted`, then none."""

    def __init__(self, client: Any, calls: int, counted: tuple[str, ...] = ("",)) -> None:
        self._client = client
        self._left = calls
        self._counted = counted

    def __getattr__(self, operation: str) -> Any:
        if operation.startswith(self._counted):
            if not self._left:
                raise CutOff
            self._left -= 1
        return getattr(self._client, operation)


WRITES = ("put", "delete", "batch_write", "transact_write")
"""DynamoDB's operations that write."""
