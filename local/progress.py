"""Progress lines with the time elapsed."""

import time


class Progress:
    """Prints `  1.2 s  message`, counted from its construction."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, message: str) -> None:
        """Print one line at once."""
        print(f"{time.monotonic() - self._started:5.1f} s  {message}", flush=True)
