"""`python -m local.stop` ends the stack that runs from this checkout.

Needs the standard library only, so that it works while an environment is missing or half made.
"""

import os
import shutil
import sys

from local import processes
from local.options import Options
from local.problems import LocalProblem
from local.processes import Process

_ENDS_WITHIN_SECONDS = 30.0


def stop(options: Options) -> int:
    """Stop the stack that runs from this checkout; return the exit status. Raises LocalProblem."""
    noted = processes.read(options.processes_file)
    running = [process for process in noted if process.runs()]
    # The first is the stack itself, which ends its parts; any that are left are ended afterwards.
    for process in noted[:1]:
        process.end(_ENDS_WITHIN_SECONDS)
    end_parts(noted[1:])
    clean_up(options)
    print("The local stack has stopped." if running else "No local stack is running here.")
    return 0


def end_parts(parts: list[Process]) -> None:
    """End remaining parts of a stack; a reused process id is left alone."""
    for part in parts:
        if part.runs():
            part.end(_ENDS_WITHIN_SECONDS)
            processes.end_family(part.pid)


def clean_up(options: Options) -> None:
    """Delete the files that describe a running stack."""
    options.stack_file.unlink(missing_ok=True)
    options.processes_file.unlink(missing_ok=True)
    shutil.rmtree(options.directory / "tmp", ignore_errors=True)


def main() -> int:
    """Stop it."""
    try:
        return stop(Options.from_env(os.environ))
    except LocalProblem as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
