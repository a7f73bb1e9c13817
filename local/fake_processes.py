"""The fake Shopify and the fake of the till as processes of the stack."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local import processes
from local.options import ROOT, Options
from local.problems import LocalProblem

_TILLS = {"smaregi": "till", "square": "square", "recore": "recore"}
"""The module of each provider's fake."""


@dataclass(frozen=True, slots=True)
class FakeProcess:
    """A fake that is starting or running."""

    url: str
    process: subprocess.Popen[bytes]


def modules(options: Options) -> dict[str, str]:
    """Return the modules of the fakes to start, by the part that each plays.

    Raises LocalProblem for a till that there is none of.
    """
    provider = options.till_provider
    if provider == "none":
        return {"shopify": "shopify"}
    if provider not in _TILLS:
        known = ", ".join(_TILLS)
        raise LocalProblem(f"TILL_PROVIDER is {provider!r}; give none or one of {known}.")
    return {"shopify": "shopify", "till": _TILLS[provider]}


def start(options: Options, name: str, module: str, port: int) -> FakeProcess:
    """Start the fake that plays the part `name` on 127.0.0.1. Raises LocalProblem."""
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists():
        raise LocalProblem(f"{python} is missing: run `make setup`.")
    command: list[str | Path] = [python, "-m", f"local.fakes.{module}", "--port", str(port)]
    if name == "shopify":
        command += ["--clock-file", options.clock_file]  # discount codes end by the ledger's clock
        for shop in options.shops:
            command += ["--shop", shop]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT / "layers" / "common" / "python"),
        "PYTHONUNBUFFERED": "1",
    }
    process = processes.start(command, environment, options.log(name))
    return FakeProcess(f"http://127.0.0.1:{port}", process)


def wait_until_up(options: Options, name: str, fake: FakeProcess) -> None:
    """Wait until it answers. Raises LocalProblem if it ends or does not answer in time."""
    if not processes.wait_until_up(f"{fake.url}/_log", fake.process):
        raise LocalProblem(f"The fake for {name} does not answer; see {options.log(name)}.")
