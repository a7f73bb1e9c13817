"""The two engines that are processes of their own: MiniStack, and AWS's DynamoDB Local.

Each listens on a free port of 127.0.0.1 and ends with the tests, whatever becomes of them.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from local import emulator, processes
from local.options import Options
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
MINISTACK = ROOT / ".venv-stack" / "bin" / "ministack"
EMULATOR = ROOT / ".local" / "dynamodb-local" / "emulator"

_HOST = "127.0.0.1"
_UP_WITHIN_SECONDS = 60.0
_DOWN_WITHIN_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.05


@contextmanager
def ministack(directory: Path, services: str = "dynamodb") -> Iterator[str]:
    """MiniStack as published, these services only. Its URL; `directory` takes log and files."""
    if not MINISTACK.exists():
        pytest.fail("MiniStack is missing: run `make setup`.")
    port = free_port()
    environment = {
        **_bare_environment(directory),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": os.environ["AWS_DEFAULT_REGION"],
        "BIND_HOST": _HOST,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",  # these two would listen on every interface
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "0",
        "SERVICES": services,
        "STATE_DIR": str(directory / "state"),
    }
    with _running("MiniStack", [MINISTACK], environment, port, directory):
        yield f"http://{_HOST}:{port}"


@contextmanager
def patched_ministack(directory: Path) -> Iterator[str]:
    """The address of MiniStack as the laptop stack starts it, patches and all."""
    port = free_port()
    environ = {**os.environ, "LOCAL_DIRECTORY": str(directory), "PORT": str(port)}
    options = replace(Options.from_env(environ), port=port)
    process = emulator.start(options, port)
    url = f"http://127.0.0.1:{port}"
    try:
        emulator.wait_until_up(url, process, options.log("ministack"))
        yield url
    finally:
        process.terminate()
        with suppress(TimeoutError):
            process.wait(20)


@contextmanager
def dynamodb_local(directory: Path) -> Iterator[str]:
    """AWS's DynamoDB Local. Its URL; `directory` takes its log and files."""
    java = shutil.which("java")
    if java is None or not EMULATOR.is_dir():
        pytest.fail("AWS's DynamoDB Local is missing: run `make dynamodb-local`.")
    port = free_port()
    command: list[str | Path] = [
        java,
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Dsqlite4java.library.path={EMULATOR / 'DynamoDBLocal_lib'}",
        f"-Djava.io.tmpdir={directory}",
        "-cp",
        f"{EMULATOR / 'DynamoDBLocal.jar'}:{EMULATOR / 'DynamoDBLocal_lib'}/*",
        ROOT / "tools" / "DynamoLocal.java",
        str(port),
    ]
    environment = _bare_environment(directory)
    with _running("DynamoDB Local", command, environment, port, directory):
        yield f"http://{_HOST}:{port}"


@contextmanager
def _running(
    name: str,
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    port: int,
    directory: Path,
) -> Iterator[None]:
    log = directory / "log"
    process = processes.start(command, environment, log)
    try:
        _wait_until_it_listens(name, process, port, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_DOWN_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_DOWN_WITHIN_SECONDS)


def _wait_until_it_listens(
    name: str, process: subprocess.Popen[bytes], port: int, log: Path
) -> None:
    give_up = time.monotonic() + _UP_WITHIN_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if probe.connect_ex((_HOST, port)) == 0:
                return
        time.sleep(_LOOK_EVERY_SECONDS)
    pytest.fail(f"{name} did not start; its log ends with: {log.read_text()[-2000:]}")


def _bare_environment(directory: Path) -> dict[str, str]:
    """Nothing of the developer's but where programs are."""
    return {
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "PATH": os.environ.get("PATH", os.defpath),
        "TMPDIR": str(directory),
        "TZ": "UTC",
    }
