"""How long a piece of work may go on before the rest is left to the next run."""

from pointbook.domain.ports import Clock


class TimeIsUp(Exception):
    """What is left is done by the next run; nothing has gone wrong."""


class Allowance:
    """Some seconds. Work asks between its steps, each of which takes a second or so at most."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        """Begin now."""
        self._clock = clock
        self._until = clock.monotonic() + seconds

    @property
    def left_seconds(self) -> float:
        """What is left, below zero once it is over."""
        return self._until - self._clock.monotonic()

    def check(self) -> None:
        """Raise TimeIsUp when the time is up."""
        if self.left_seconds <= 0:
            raise TimeIsUp
