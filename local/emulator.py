"""MiniStack, the local AWS endpoint, as a process of the stack."""

import os
import subprocess
from datetime import datetime
from pathlib import Path

from local import processes
from local.options import ROOT, Options
from local.problems import LocalProblem

REGION = "ap-northeast-1"
ACCOUNT = "000000000000"

_RUNNING = "running"
"""A file of the state whose date is the start of the last run."""

_SAVED = "dynamodb.json"
"""A file of MiniStack's state."""


def python() -> Path:
    """Return the interpreter that runs MiniStack and the handlers. Raises LocalProblem."""
    interpreter = ROOT / ".venv-stack" / "bin" / "python"
    if not interpreter.exists():
        raise LocalProblem(f"{interpreter} is missing: run `make setup`.")
    return interpreter


def credentials() -> dict[str, str]:
    """Return the SDK's environment variables for the emulator, whatever account the user has."""
    return {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def start(options: Options, port: int) -> subprocess.Popen[bytes]:
    """Start MiniStack on 127.0.0.1 with a clean environment: handlers inherit all of it."""
    state = options.state_directory / "ministack"
    temporary = options.directory / "tmp"
    for directory in (state, temporary):
        directory.mkdir(parents=True, exist_ok=True)
    environment = {
        **credentials(),
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",  # these two services listen on every interface
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ACCOUNT_CONCURRENCY": "0",  # local.ministack_patches.workers queues instead
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state),
        "LOG_LEVEL": "WARNING",
    }
    command: list[str | Path] = [python(), "-m", "local.ministack_launcher"]
    return processes.start(command, environment, options.log("ministack"))


def mark_running(options: Options) -> None:
    """Record that from now on there is something to lose until the state is saved."""
    (options.state_directory / _RUNNING).touch()


def lost_since(options: Options) -> datetime | None:
    """The time from which on everything is lost: MiniStack saves its state only as it stops.

    None if the last run ended with its state saved, or if there was none.
    """
    running = options.state_directory / _RUNNING
    saved = options.state_directory / "ministack" / _SAVED
    if not running.exists():
        return None
    since = running.stat().st_mtime
    if saved.exists() and saved.stat().st_mtime >= since:
        return None
    return datetime.fromtimestamp(since).astimezone()


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until MiniStack answers. Raises LocalProblem if it ends or does not answer in time."""
    if processes.wait_until_up(f"{url}/_ministack/health", process):
        return
    if process.poll() is not None:
        raise LocalProblem(f"MiniStack ended while starting; last lines of {log}:\n{_tail(log)}")
    within = processes.UP_WITHIN_SECONDS
    raise LocalProblem(f"MiniStack did not answer within {within:.0f} s; see {log}.")


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-15:])
