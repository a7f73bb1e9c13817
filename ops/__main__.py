"""`.venv/bin/python -m ops <command> ...`: see docs/programme.md and docs/operations.md."""

import os
import sys
from collections.abc import Callable

from ops import adjust, imports, privacy, programme, publish, redrive
from ops.problems import OpsProblem
from pointbook.errors import PointbookError

_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "adjust": adjust.main,
    "import": imports.main,
    "privacy": privacy.main,
    "programme": programme.main,
    "publish": publish.main,
    "redrive": redrive.main,
}

_RUN_AGAIN = {
    "adjust": " To finish, run it again with --key and the key it printed, if any; it counts once.",
    "import": " To finish, run it again; rows that were booked are not booked twice.",
}
"""What Ctrl-C prints in addition, for commands that can be resumed."""


def main(arguments: list[str]) -> int:
    """Run one command and return the exit status.

    0 success, 1 failure, 2 usage error, 130 Ctrl-C, 141 the reader closed the pipe (`| head`).
    """
    command = _COMMANDS.get(arguments[0]) if arguments else None
    if command is None:
        print(f"usage: .venv/bin/python -m ops {'|'.join(_COMMANDS)} --help", file=sys.stderr)
        return 2
    try:
        return _written(command, arguments[1:])
    except BrokenPipeError:
        _write_nothing_more()
        return 141
    except (OpsProblem, PointbookError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped.{_RUN_AGAIN.get(arguments[0], '')}", file=sys.stderr)
        return 130


def _written(command: Callable[[list[str]], int], arguments: list[str]) -> int:
    """Run a command and flush its output; return its status."""
    try:
        return command(arguments)
    finally:
        sys.stdout.flush()


def _write_nothing_more() -> None:
    """Discard buffered output, so that Python's shutdown does not fail on the closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
