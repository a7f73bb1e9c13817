"""Broken promises."""


class Violation(Exception):
    """A promise is broken. `promise` is its name in the list of `oracle`."""

    def __init__(self, promise: str, message: str) -> None:
        super().__init__(f"{promise}: {message}")
        self.promise = promise


def must(promise: str, holds: object, message: str) -> None:
    """Raise `Violation` unless it holds."""
    if not holds:
        raise Violation(promise, message)
