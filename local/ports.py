"""Free ports on 127.0.0.1."""

import socket

from local.problems import LocalProblem

_HOST = "127.0.0.1"
_SEARCHED = 200


def require_free(port: int) -> None:
    """Raise LocalProblem if something already listens on `port`."""
    if not _is_free(port):
        raise LocalProblem(
            f"Port {port} is taken. Stop the process that listens on it, or choose another port, "
            f"for example `make run PORT={port + 10}`."
        )


def free_ports_above(port: int, count: int) -> list[int]:
    """Return the first `count` free ports above `port`. Raises LocalProblem if there are none."""
    candidates = range(port + 1, port + 1 + _SEARCHED)
    found: list[int] = []
    for candidate in candidates:
        if len(found) == count:
            break
        if _is_free(candidate):
            found.append(candidate)
    if len(found) < count:
        raise LocalProblem(
            f"There are no {count} free ports from {candidates[0]} to {candidates[-1]}."
        )
    return found


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without this a port counts as taken for a minute after its last connection has closed.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True
