"""Free ports on 127.0.0.1 for what tests start."""

import random
import socket

HOST = "127.0.0.1"

_FIRST, _LAST = 10_000, 32_000
"""Below the ports that systems give to outgoing connections: none of those can take one of these
while its server starts, or starts again."""

_TRIES = 200
_CHANCE = random.SystemRandom()  # not the generator that tests seed


def free_port(room_above: int = 0) -> int:
    """Return a port that is free now, as are the `room_above` ports that follow it.

    Chosen at random, so that two stacks of one run do not meet.
    """
    for _ in range(_TRIES):
        first = _CHANCE.randint(_FIRST, _LAST - room_above)
        if all(_is_free(port) for port in range(first, first + room_above + 1)):
            return first
    raise AssertionError(f"No {1 + room_above} free ports in a row from {_FIRST} to {_LAST}.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
