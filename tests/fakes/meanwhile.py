"""A DynamoDB client before whose nth call something else happens."""

from collections.abc import Callable

from tests.support.engine import Engine


class Meanwhile:
    """A client before whose call number `at`, counted from 0, something else happens."""

    def __init__(self, engine: Engine, at: int, act: Callable[[], object]) -> None:
        self._engine = engine
        self._at = at
        self._act = act
        self.calls = 0

    def __getattr__(self, operation: str) -> object:
        self.calls += 1
        if self.calls - 1 == self._at:
            self._act()
        return getattr(self._engine.client, operation)
