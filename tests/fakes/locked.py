"""A client that lets one thread in at a time: for engines that are not made for several."""

import threading
from collections.abc import Callable
from typing import Any


class LockedClient:
    """Passes everything on, one call after the other."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        return self._one_by_one(found) if callable(found) else found

    def _one_by_one(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def locked(*arguments: Any, **request: Any) -> Any:
            with self._lock:
                return call(*arguments, **request)

        return locked
