"""A running local stack, one for the whole run, of what `make build` built."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import demo
from local.options import ROOT
from local.stack import Stack
from tests.e2e.calls import must_flow, new_customer
from tests.support.browser import browser  # noqa: F401 - a fixture
from tests.support.ports import free_port

SECOND_SHOP = "second.myshopify.com"
"""A shop that the stack serves beside the demo shop."""

FOR_MANY_TESTS = {"HOLD_CALLS_PER_MINUTE": "100000"}
"""All tests hold points in one shop, many within a minute."""

_OTHER_PARTS = 9
"""Ports above the reverse proxy's for the emulator and the fakes, and some to spare."""


class OwnStack:
    """A stack on free ports; its state is in a folder of its own and outlives its end.

    It is not warmed up: few of its functions are called.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._variables = {
            **os.environ,
            "PORT": str(free_port(room_above=_OTHER_PARTS)),
            "DETACH": "1",
            "WARM_UP": "no",
            "LOCAL_DIRECTORY": str(directory),
            "SHOP_DOMAIN": f"{demo.SHOP_DOMAIN},{SECOND_SHOP}",
        }

    def start(self, **parameters: str) -> Stack:
        """Deploy it with these template parameters, by their names as variables, and start it."""
        self._local("run", **parameters)
        return Stack.read(self._directory / "stack.json")

    def stop(self) -> None:
        """End it; nothing may be left of it."""
        self._local("stop")
        assert not left_over(self._directory), "a process of the stack is still running"

    def _local(self, command: str, **parameters: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "local", command],
            cwd=ROOT,
            env=self._variables | parameters,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


@contextmanager
def own_stack(directory: Path, **parameters: str) -> Iterator[Stack]:
    """A running stack with these template parameters."""
    own = OwnStack(directory)
    try:
        yield own.start(**parameters)
    finally:
        own.stop()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for all tests. Its facts are those of stack.json."""
    parameters = {**FOR_MANY_TESTS, "WARM_UP": "yes"}
    with own_stack(tmp_path_factory.mktemp("stack"), **parameters) as started:
        yield started


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnStack]:
    """A stack of its own, which may be ended, and whose past may be changed."""
    own = OwnStack(tmp_path)
    try:
        yield own
    finally:
        own.stop()


@pytest.fixture
def customer(stack: Stack) -> str:
    """Somebody with 1,250 points whom no other test knows."""
    found = new_customer()
    must_flow(stack, "grant", found, points=1250, reason="Welcome")
    return found


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


@pytest.fixture
def local_commands(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have commands with --local find the stack of the tests."""
    stack.write(tmp_path / "stack.json")
    monkeypatch.setenv("LOCAL_DIRECTORY", str(tmp_path))
