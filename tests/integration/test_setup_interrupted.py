"""An environment that was interrupted at any moment is made by the next command."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("one", "two", "three")
MOMENTS = 20

PIP = """
import pathlib, sys, time

if sys.argv[1] == "install":
    folder = pathlib.Path(__file__).parents[1]
    for line in pathlib.Path(sys.argv[-1]).read_text().split():
        name = line.partition("==")[0]
        if not (folder / f"{name}.dist-info").exists():
            (folder / f"{name}.dist-info").mkdir()
            time.sleep(0.05)
            (folder / f"{name}.py").touch()
"""
"""A pip that calls a package installed which it had only begun to install."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a path with blanks and Japanese letters; its lock file has small packages."""
    made = tmp_path / "ポイント 台帳"
    (made / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "environment", made / "tools")
    _script(made / "tools" / "python313", f"echo '{made}/bin/python3.13'")
    # Makes environments as Python does, with a small pip: Python's own takes seconds each time.
    (made / "bin").mkdir()
    _script(
        made / "bin" / "python3.13",
        f'"{sys.executable}" "${{@:1:2}}" --without-pip "${{@:3}}"\n'
        "sleep 0.1\n"
        f'cp -R "{made}/a-pip" "${{@: -1}}/lib/python3.13/site-packages/pip"',
    )
    (made / "a-pip").mkdir()
    (made / "a-pip" / "__main__.py").write_text(PIP, encoding="utf-8")
    lock = "".join(f"{name}==1.0\n" for name in PACKAGES)
    (made / "lock.txt").write_text(lock, encoding="utf-8")
    return made


def _seconds_to_make(checkout: Path) -> float:
    """How long it takes from nothing; the machine may have been busy once."""
    shutil.rmtree(checkout / ".venv", ignore_errors=True)
    began = time.monotonic()
    _must_be_made(checkout)
    return time.monotonic() - began


def test_whenever_it_is_interrupted_the_next_command_makes_it(checkout: Path) -> None:
    whole_seconds = min(_seconds_to_make(checkout), _seconds_to_make(checkout))
    unfinished = 0
    for moment in range(MOMENTS):
        shutil.rmtree(checkout / ".venv", ignore_errors=True)
        number = (signal.SIGINT, signal.SIGKILL)[moment % 2]
        running = _start(checkout)
        time.sleep(whole_seconds * (moment + 0.5) / MOMENTS)
        os.killpg(running.pid, number)
        running.communicate(timeout=10)
        unfinished += not (checkout / ".venv" / ".ready").exists()
        _must_be_made(checkout)
    assert unfinished, "it was too late to interrupt each time"


def test_an_update_that_was_interrupted_starts_from_nothing(checkout: Path) -> None:
    _must_be_made(checkout)
    (checkout / "lock.txt").write_text("four==1.0\n", encoding="utf-8")
    begun = checkout / ".venv" / "lib" / "python3.13" / "site-packages" / "four.dist-info"
    running = _start(checkout)
    give_up = time.monotonic() + 30
    while not begun.exists():
        assert time.monotonic() < give_up
        time.sleep(0.005)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=10)
    _must_be_made(checkout, "four")


def test_what_is_ready_is_not_made_again(checkout: Path) -> None:
    _must_be_made(checkout)
    ready = (checkout / ".venv" / ".ready").stat().st_mtime_ns
    _must_be_made(checkout)
    assert (checkout / ".venv" / ".ready").stat().st_mtime_ns == ready


def _start(checkout: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [checkout / "tools" / "environment", ".venv", "lock.txt"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _must_be_made(checkout: Path, *packages: str) -> None:
    running = _start(checkout)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 0, said
    imported = f"import {', '.join(packages or PACKAGES)}"
    python = checkout / ".venv" / "bin" / "python"
    subprocess.run([python, "-c", imported], check=True)


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/usr/bin/env bash\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
