"""`python -m local.with_parent COMMAND ...` becomes COMMAND, which ends when its parent ends.

So no process is left even if the stack itself is killed. Linux only; elsewhere `make stop` ends
what is left.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> None:
    """Become `command`."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before the line above
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 (the command is the stack's own)


if __name__ == "__main__":
    main(sys.argv[1:])
