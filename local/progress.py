"""Lines that say what is going on and how long it has taken so far."""

import time


class Progress:
    """Prints `  1.2 s  message`, counted from when it was made."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, message: str) -> None:
        """Print one line at once."""
        print(f"{time.monotonic() - self._started:5.1f} s  {message}", flush=True)
