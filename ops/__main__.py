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
    "adjust": " Run it again with --key and the key it printed, if any: it counts once.",
    "import": " Run it again: what was booked is repeated, not booked twice.",
}
"""What is said to Ctrl-C, where running again is not just starting anew."""


def main(arguments: list[str]) -> int:
    """Run one command and return the exit status.

    0 done, 1 refused, 2 not understood, 130 ended by Ctrl-C, 141 as nobody reads on (`| head`).
    """
    command = _COMMANDS.get(arguments[0]) if arguments else None
    if command is None:
        usage = f".venv/bin/python -m ops {'|'.join(_COMMANDS)} --help"
        print(f"Say what to do: {usage}", file=sys.stderr)
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
    """The status of a command, once its reader has all that it printed."""
    try:
        return command(arguments)
    finally:
        sys.stdout.flush()


def _write_nothing_more() -> None:
    """Nothing is left for Python to write, and to fail on, when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
