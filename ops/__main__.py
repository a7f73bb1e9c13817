"""`.venv/bin/python -m ops <command> ...`: see docs/programme.md and docs/operations.md."""

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


def main(arguments: list[str]) -> int:
    """Run one command and return the exit status: 0 done, 1 refused, 2 not understood."""
    command = _COMMANDS.get(arguments[0]) if arguments else None
    if command is None:
        usage = f".venv/bin/python -m ops {'|'.join(_COMMANDS)} --help"
        print(f"Say what to do: {usage}", file=sys.stderr)
        return 2
    try:
        return command(arguments[1:])
    except (OpsProblem, PointbookError) as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
