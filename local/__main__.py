"""`python -m local run`, `stop`, and `webhook FILE [TOPIC]`."""

import os
import sys
from pathlib import Path

from local import webhooks
from local.options import Options
from local.problems import LocalProblem
from local.run import run_detached, run_here
from local.stack import Stack
from local.stop import stop

_USAGE = "usage: .venv-stack/bin/python -m local run | stop | webhook FILE [TOPIC]"


def main(arguments: list[str]) -> int:
    """Do what the arguments say; return the exit status."""
    if {"-h", "--help"} & {*arguments}:
        print(_USAGE)
        if "webhook" in arguments:
            print(f"\n{webhooks.__doc__}".rstrip())
        return 0
    _stay_on_this_machine()
    try:
        options = Options.from_env(os.environ)
        match arguments:
            case ["run"]:
                return run_detached(options) if options.detach else run_here(options)
            case ["stop"]:
                return stop(options)
            case ["webhook", file, *topic] if len(topic) <= 1:
                return webhooks.post_file(Stack.read(options.stack_file), Path(file), *topic)
    except LocalProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    print(_USAGE, file=sys.stderr)
    return 2


def _stay_on_this_machine() -> None:
    """Forget which AWS account and which proxy the terminal uses: nothing here leaves 127.0.0.1."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
