"""Runs the stack, in the foreground or in the background, until it is stopped."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from types import FrameType
from typing import TextIO

from local import emulator, ports, processes
from local.options import ROOT, Options
from local.parts import start_all
from local.problems import LocalProblem
from local.progress import Progress
from local.stack import Stack
from local.stop import clean_up, end_parts

_READY_WITHIN_SECONDS = 300.0
_LOOK_EVERY_SECONDS = 0.1


class _Ended(BaseException):
    """A signal to stop. A BaseException, like KeyboardInterrupt, so that nothing catches it."""


def run_here(options: Options) -> int:
    """Run the stack until Ctrl-C or `make stop`; return the exit status. Raises LocalProblem."""
    progress = Progress()
    options.directory.mkdir(parents=True, exist_ok=True)
    _require_alone(options)
    ports.require_free(options.port)
    clean_up(options)  # files of a stack that was killed
    if options.fresh:
        shutil.rmtree(options.state_directory, ignore_errors=True)
    if lost := emulator.lost_since(options):
        progress.say(
            f"the last run ended without saving its state: what came after {lost:%Y-%m-%d %H:%M:%S}"
            " is lost"
        )
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _end)
    try:
        with ExitStack() as ending:
            ending.callback(clean_up, options)
            parts = start_all(options, progress, ending)
            while True:
                for name, process in parts.items():
                    if process.poll() is not None:
                        log = options.log(name)
                        raise LocalProblem(f"{name} has ended unexpectedly; see {log}.")
                time.sleep(_LOOK_EVERY_SECONDS)
    except _Ended:
        progress.say("stopped; the next run has the same points (FRESH=1 deletes them)")
        return 0


def run_detached(options: Options) -> int:
    """Start the stack in the background; return when it answers. Raises LocalProblem."""
    options.directory.mkdir(parents=True, exist_ok=True)
    _require_alone(options)
    options.stack_file.unlink(missing_ok=True)
    log = options.log("run")
    with log.open("wb") as output:
        runner = subprocess.Popen(
            [sys.executable, "-m", "local", "run"],
            cwd=ROOT,
            env={**os.environ, "DETACH": ""},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with log.open(encoding="utf-8") as lines:
        try:
            return _follow(options, runner, lines)
        except KeyboardInterrupt:
            runner.terminate()
            return runner.wait() or 1


def _follow(options: Options, runner: subprocess.Popen[bytes], lines: TextIO) -> int:
    """Print the output of a stack in the background until it answers or has ended."""
    give_up = time.monotonic() + _READY_WITHIN_SECONDS
    while time.monotonic() < give_up:
        ended = runner.poll() is not None
        ready = options.stack_file.exists()
        print(lines.read(), end="", flush=True)
        if ended:
            return runner.returncode or 1
        if ready:
            print("It runs in the background; `make stop` stops it.")
            return 0
        time.sleep(_LOOK_EVERY_SECONDS)
    runner.terminate()
    raise LocalProblem(
        f"The stack did not answer within {_READY_WITHIN_SECONDS:.0f} s; see {options.log('run')}."
    )


def _require_alone(options: Options) -> None:
    noted = processes.read(options.processes_file)
    if noted and noted[0].runs():
        raise LocalProblem(
            f"A local stack is already running from this checkout{_address(options)};"
            " `make stop` stops it."
        )
    end_parts(noted[1:])


def _address(options: Options) -> str:
    """Return where the running stack's page is, or that it is starting."""
    if not options.stack_file.exists():
        return " and is starting"
    return f": my page is at {Stack.read(options.stack_file).front_url}/"


def _end(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # a second signal must not interrupt the cleanup
    raise _Ended
