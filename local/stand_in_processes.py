"""The stand-ins for Shopify and the till, as processes of the stack."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from local import processes
from local.options import ROOT, Options
from local.problems import LocalProblem

_NAMES = ("shopify", "till")

_UP_WITHIN_SECONDS = 30.0
_LOOK_EVERY_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class StandIn:
    """A stand-in that is starting or runs."""

    url: str
    process: subprocess.Popen[bytes]


def present() -> list[str]:
    """The stand-ins that this checkout has."""
    folder = ROOT / "local" / "stand_ins"
    return [name for name in _NAMES if (folder / f"{name}.py").exists()]


def start(options: Options, name: str, port: int) -> StandIn:
    """Start the stand-in `name` on 127.0.0.1. Raises LocalProblem."""
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists():
        raise LocalProblem(f"{python} is missing: run `make setup`.")
    command: list[str | Path] = [python, "-m", f"local.stand_ins.{name}", "--port", str(port)]
    if name == "shopify":
        command += ["--clock-file", options.clock_file]  # codes end when their holds do
        for shop in options.shops:
            command += ["--shop", shop]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT / "layers" / "common" / "python"),
        "PYTHONUNBUFFERED": "1",
    }
    process = processes.start(command, environment, options.log(name))
    return StandIn(f"http://127.0.0.1:{port}", process)


def wait_until_up(options: Options, name: str, stand_in: StandIn) -> None:
    """Return as soon as it answers. Raises LocalProblem when it ends or stays silent."""
    give_up = time.monotonic() + _UP_WITHIN_SECONDS
    while time.monotonic() < give_up and stand_in.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{stand_in.url}/_log", timeout=2):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(_LOOK_EVERY_SECONDS)
    raise LocalProblem(f"The stand-in for {name} does not answer; see {options.log(name)}.")
