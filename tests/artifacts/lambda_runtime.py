"""Runs a built function as Lambda does: AWS's runtime interface emulator and runtime client.

The emulator comes with the SAM CLI, the client (`awslambdaric`) and boto3 from `.venv-runtime`,
which has nothing else: what a function needs besides has to be in its layer.
"""

import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from local import processes
from tests.artifacts.built import MACHINE, ROOT
from tests.support.ports import free_port

PYTHON = ROOT / ".venv-runtime" / "bin" / "python"
EMULATORS = ROOT / ".venv-sam" / "lib" / "python3.13" / "site-packages" / "samcli/local/rapid"

HOST = "127.0.0.1"
_UP_WITHIN_SECONDS = 30.0
_ANSWERS_WITHIN_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.02
_IN_ITS_FOLDER = 'cd "$LAMBDA_TASK_ROOT" && exec "$0" "$@"'


@dataclass(frozen=True, slots=True)
class RunningFunction:
    """One function in its runtime. One call at a time: the emulator takes no more."""

    url: str
    log_file: Path

    def invoke(self, payload: Mapping[str, Any]) -> Any:
        """What the function returns to Lambda."""
        answer = requests.post(
            f"{self.url}/2015-03-31/functions/function/invocations",
            json=payload,
            timeout=_ANSWERS_WITHIN_SECONDS,
        )
        return answer.json()

    @property
    def log(self) -> str:
        """What emulator, runtime and function have written so far."""
        return self.log_file.read_text(encoding="utf-8")


@contextmanager
def running(
    task: Path, layer: Path, environment: Mapping[str, str], log_file: Path, timeout_seconds: int
) -> Iterator[RunningFunction]:
    """Run `app.handler` of the folder `task` on the layer's `python` folder.

    Nothing of this machine's environment gets in, and `environment` last.
    """
    emulator = EMULATORS / f"aws-lambda-rie-{MACHINE}"
    if not (PYTHON.exists() and emulator.exists()):
        pytest.fail("Lambda's runtime is missing: run `make .venv-runtime/.ready .venv-sam/.ready`")
    front = free_port(room_above=1)
    api_port = front + 1
    command: list[str | Path] = ["/bin/sh", "-c", _IN_ITS_FOLDER, emulator]
    command += ["--runtime-interface-emulator-address", f"{HOST}:{front}"]  # else all interfaces
    command += ["--runtime-api-address", f"{HOST}:{api_port}"]  # same
    command += [PYTHON, "-m", "awslambdaric", "app.handler"]
    process = processes.start(
        command,
        {
            "PATH": "/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":/etc/localtime",  # as on Amazon Linux 2023: not every library takes it
            "PYTHONTZPATH": "",  # the layer brings time zones, the runtime may have none
            "PYTHONPATH": str(layer),
            "LAMBDA_TASK_ROOT": str(task),
            "_HANDLER": "app.handler",
            "AWS_LAMBDA_FUNCTION_NAME": task.name,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_seconds),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_REGION": os.environ["AWS_REGION"],
            "AWS_DEFAULT_REGION": os.environ["AWS_REGION"],
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            **environment,
        },
        log_file,
    )
    try:
        wait_for_port(front, log_file)
        yield RunningFunction(f"http://{HOST}:{front}", log_file)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_port(port: int, log_file: Path) -> None:
    """Return as soon as a process takes connections; what it writes is in `log_file`."""
    give_up = time.monotonic() + _UP_WITHIN_SECONDS
    while time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(_LOOK_EVERY_SECONDS)
    pytest.fail(f"A process did not start: {log_file.read_text()[-2000:]}")
