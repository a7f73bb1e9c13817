"""Processes of the stack: they end with it, and no other process is ever signalled."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from local.options import ROOT
from local.problems import LocalProblem

_LOOK_EVERY_SECONDS = 0.05
_KILLED_WITHIN_SECONDS = 2.0
UP_WITHIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process, identified by its id and start time, because the system reuses ids."""

    pid: int
    started: str

    def runs(self) -> bool:
        """Whether this process is still running."""
        return _start_of(self.pid) == self.started

    def end(self, within_seconds: float) -> None:
        """Terminate it, and kill it if it does not end in time."""
        if self._signal_and_wait(signal.SIGTERM, within_seconds):
            return
        self._signal_and_wait(signal.SIGKILL, _KILLED_WITHIN_SECONDS)

    def _signal_and_wait(self, number: signal.Signals, seconds: float) -> bool:
        give_up = time.monotonic() + seconds
        if self.runs():
            os.kill(self.pid, number)
        while self.runs():
            if time.monotonic() > give_up:
                return False
            time.sleep(_LOOK_EVERY_SECONDS)
        return True


def end_family(leader: int) -> None:
    """End the remaining child processes of a part of the stack that has ended."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        give_up = time.monotonic() + _KILLED_WITHIN_SECONDS
        try:
            os.killpg(leader, number)
            while time.monotonic() < give_up:
                os.killpg(leader, 0)
                time.sleep(_LOOK_EVERY_SECONDS)
        except ProcessLookupError:
            return  # none is left


def this_process() -> Process:
    """Return the current process."""
    return identify(os.getpid())


def identify(pid: int) -> Process:
    """Return the process that has this id now."""
    return Process(pid, _start_of(pid) or "")


def start(
    command: Sequence[str | Path], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Start a part of the stack. It ends with this process, however this process ends.

    It has a session of its own, so that Ctrl-C in the terminal reaches only this process, which
    then ends the parts in order. It inherits no environment beyond `environment`.
    """
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "local.with_parent", *map(str, command)],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_until_up(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the URL answers; return False if the process ends or does not answer in time."""
    give_up = time.monotonic() + UP_WITHIN_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310
                return True
        except OSError:
            time.sleep(_LOOK_EVERY_SECONDS)
    return False


def write(file: Path, processes: Sequence[Process]) -> None:
    """Record the processes of a running stack, its own first."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps([asdict(process) for process in processes]), encoding="utf-8")
    new.replace(file)


def read(file: Path) -> list[Process]:
    """Return the recorded processes; none if the file does not exist. Raises LocalProblem."""
    try:
        noted = json.loads(file.read_text(encoding="utf-8"))
        return [Process(pid=int(one["pid"]), started=str(one["started"])) for one in noted]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError) as error:
        raise LocalProblem(f"{file} is damaged; delete it.") from error


def _start_of(pid: int) -> str | None:
    """Return the start time of a process as the system writes it; None if it does not run."""
    if Path("/proc/self/stat").exists():
        return _start_by_proc(pid)
    listed = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return listed.partition(" ")[2].strip() if listed and not listed.startswith("Z") else None


def _start_by_proc(pid: int) -> str | None:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in brackets, may hold blanks; state and start time are fields 3 and 22 (proc(5)).
    fields = status.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]
