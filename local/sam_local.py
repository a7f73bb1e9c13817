"""`sam local` against the running stack. Needs a container engine.

    .venv-stack/bin/python -m local.sam_local invoke HealthFunction -e events/health/get.json

The stack listens on 127.0.0.1 only, which no container can reach. While `sam local` runs, a relay
listens on this machine's address on the engine's bridge. BRIDGE sets that address if it is not
Docker's: `BRIDGE=10.88.0.1` for Podman.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from local import emulator
from local.deployment import machine_architecture
from local.options import ROOT, Options
from local.problems import LocalProblem
from local.relay import Address, Relay
from local.stack import Stack

SAM = ROOT / ".venv-sam" / "bin" / "sam"

ENV_VARS = ROOT / "local" / "env.json"
"""Environment variables that override the template's for functions in containers."""

_DOCKERS_BRIDGE = "172.17.0.1"


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Run `sam local` with `arguments`; return its exit status. Raises LocalProblem."""
    if not SAM.exists():
        raise LocalProblem(f"{SAM} is missing: run `make setup`.")
    stack = Stack.read(Options.from_env(environ).stack_file)
    bridge = environ.get("BRIDGE") or _DOCKERS_BRIDGE
    host, port = _address(json.loads(ENV_VARS.read_bytes())["Parameters"]["AWS_ENDPOINT_URL"])
    try:
        relay = Relay((bridge, port), _address(stack.aws_endpoint_url))
    except OSError as error:
        raise LocalProblem(
            f"Cannot listen on {bridge}:{port}: {error}. Set BRIDGE to the bridge's address."
        ) from error
    with relay:
        threading.Thread(target=relay.serve_forever, daemon=True, name="relay").start()
        added = [f"--env-vars={ENV_VARS}", f"--add-host={host}:{bridge}"]
        added += ["--parameter-overrides", f"Architecture={machine_architecture()}"]
        command: list[str | Path] = [SAM, "local", *arguments, *added]
        done = subprocess.run(command, env=_environment(environ), check=False)
        relay.shutdown()
    return done.returncode


def _address(url: str) -> Address:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for SAM, which passes its AWS credentials on: here the emulator's."""
    others = {name: value for name, value in environ.items() if not name.startswith("AWS_")}
    return {**others, **emulator.credentials(), "SAM_CLI_TELEMETRY": "0"}


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for SAM, which stops its container
    try:
        sys.exit(main(sys.argv[1:], os.environ))
    except LocalProblem as problem:
        sys.exit(str(problem))
