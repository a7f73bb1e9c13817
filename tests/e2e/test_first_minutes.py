"""A second start says where the first stack is; one after a crash, since when all is lost."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from local.options import ROOT
from local.stack import Stack
from tests.e2e.calls import wait_until
from tests.e2e.conftest import OwnStack
from tests.support.ports import free_port

LOST = re.compile(r"ended without saving its state: what came after (\S+ \S+) is lost")


def run_log(directory: Path) -> str:
    return (directory / "run.log").read_text(encoding="utf-8")


def again(stack: Stack, directory: Path) -> str:
    """What a second start of the same checkout is told."""
    done = subprocess.run(
        [sys.executable, "-m", "local", "run"],
        cwd=ROOT,
        env=os.environ | {"LOCAL_DIRECTORY": str(directory), "PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


def test_a_start_says_where_the_running_stack_is_and_what_a_crash_has_lost(
    own: OwnStack, tmp_path: Path
) -> None:
    before = datetime.now().astimezone()
    stack = own.start()
    assert LOST.search(run_log(tmp_path)) is None
    assert f"my page is at {stack.front_url}/;" in again(stack, tmp_path)
    noted = json.loads((tmp_path / "processes.json").read_text(encoding="utf-8"))
    os.kill(noted[1]["pid"], signal.SIGKILL)  # the emulator
    wait_until(lambda: not (tmp_path / "stack.json").exists(), 30)
    after = datetime.now().astimezone()
    own.start()
    found = LOST.search(run_log(tmp_path))
    assert found is not None, run_log(tmp_path)
    since = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").astimezone()
    assert int(before.timestamp()) <= since.timestamp() <= after.timestamp()
    own.stop()
    own.start()
    assert LOST.search(run_log(tmp_path)) is None, "what was stopped in order has been saved"
