"""Measures the steps of a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Stopwatch(Protocol):
    """Measures named steps, for the `Server-Timing` header."""

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add what the block takes to a step."""
        ...
