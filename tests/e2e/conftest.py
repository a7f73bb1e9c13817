"""A running local stack, one for the whole run, of what `make build` built."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import demo
from local.options import ROOT
from local.stack import Stack
from tests.support.ports import free_port

SECOND_SHOP = "second.myshopify.com"
"""A shop that the stack serves beside the demo shop."""

FOR_MANY_TESTS = {"HOLD_CALLS_PER_MINUTE": "100000"}
"""All tests hold points in one shop, many within a minute."""

_OTHER_PARTS = 9
"""Ports above the reverse proxy's for the emulator and the fakes, and some to spare."""


class OwnStack:
    """A stack on free ports; its state is in a folder of its own and outlives its end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._environment = {
            **os.environ,
            "PORT": str(free_port(room_above=_OTHER_PARTS)),
            "DETACH": "1",
            "LOCAL_DIRECTORY": str(directory),
            "SHOP_DOMAIN": f"{demo.SHOP_DOMAIN},{SECOND_SHOP}",
        }

    def start(self, **parameters: str) -> Stack:
        """Deploy it with these template parameters, by their names as variables, and start it."""
        started = _local("run", self._environment | parameters)
        assert started.returncode == 0, started.stdout
        return Stack.read(self._directory / "stack.json")

    def stop(self) -> None:
        """End it; nothing may be left of it."""
        stopped = _local("stop", self._environment)
        assert stopped.returncode == 0, stopped.stdout
        assert not left_over(self._directory), "a process of the stack is still running"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for all tests. Its facts are those of stack.json."""
    own = OwnStack(tmp_path_factory.mktemp("stack"))
    try:
        yield own.start(**FOR_MANY_TESTS)
    finally:
        own.stop()


def left_over(directory: Path) -> list[str]:
    """Command lines of processes that have to do with a stack's folder."""
    found = []
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = status.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(directory) in command:
            found.append(command)
    return found


def _local(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
