"""Plants bugs one at a time, each in a process of its own, and sees what finds them.

A bug replaces one function of the package, named as the object that it is: renaming the function,
or anything within it, breaks no bug. What calls the function calls the replacement, by whatever
name it was imported.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[3]
SECONDS_MAX: Final = 600

_REPLACEMENT: Final = "__replacement_of_the_planted_bug__"
_OWN_FAULTS: Final = (TypeError, AttributeError, NameError)


@dataclass(frozen=True, slots=True)
class Bug:
    """`instead` takes the place of `function`, and is called with the original and its arguments.

    `function` is a function, a method as its class has it, or a property.
    """

    name: str
    function: Any
    instead: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """What found a bug, and its words; empty where nothing did.

    `broken` says why the bug itself failed: it shows nothing about the package.
    """

    bug: Bug
    caught_by: str
    detail: str
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Detector:
    """`findings(seeds)` yields what is wrong, the cheapest first: a name, and its words."""

    name: str
    findings: Callable[[int], Iterator[tuple[str, str]]]
    seeds: int
    bugs: tuple[Bug, ...]
    harmless: tuple[Bug, ...] = field(default=())

    def named(self, name: str) -> Bug:
        """The bug of this name. Raises ValueError where there is not exactly one."""
        (found,) = [bug for bug in (*self.bugs, *self.harmless) if bug.name == name]
        return found


class BrokenBugError(Exception):
    """A bug that fails by itself: it no longer fits the function that it replaces."""


def plant(bug: Bug) -> list[str]:
    """Replace the bug's function in this process, for good.

    The list is filled with faults of the bug itself, such as an argument that the function does not
    have any more: they say nothing about the package.
    """
    function = plain_function(bug.function)
    original = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    original.__kwdefaults__ = function.__kwdefaults__
    faults: list[str] = []

    def replacement(*args: Any, **kwargs: Any) -> Any:
        try:
            return bug.instead(original, *args, **kwargs)
        except _OWN_FAULTS as error:
            if _is_of(bug, error):
                faults.append(f"{type(error).__name__}: {error}")
            raise

    function.__globals__[_REPLACEMENT] = replacement
    function.__code__ = _calling_code(function)
    function.__defaults__ = function.__kwdefaults__ = None
    return faults


def search(detector: Detector, bugs: Sequence[Bug], workers: int = 1) -> Iterator[Finding]:
    """What finds each bug, in their order."""
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda bug: _searched(detector, bug), bugs)


def report(detector: Detector, workers: int) -> Iterator[tuple[str, bool]]:
    """Plant every bug; lines, and whether they are about one that was not caught.

    What is harmless must be accepted.
    """
    for finding in search(detector, (*detector.bugs, *detector.harmless), workers):
        is_harmless = finding.bug in detector.harmless
        by = finding.caught_by or ("rightly accepted" if is_harmless else "NOT CAUGHT")
        by = f"BROKEN: {finding.broken}" if finding.broken else by
        is_wrong = bool(finding.broken) or bool(finding.caught_by) is is_harmless
        yield f"  {finding.bug.name:56} {by}", is_wrong


def first_finding(detector: Detector, bug: Bug, seeds: int) -> tuple[str, str]:
    """The first thing that is wrong with the bug planted in this process; empty if nothing is.

    Whatever is raised counts. Raises BrokenBugError where the bug itself failed.
    """
    faults = plant(bug)
    try:
        found = next(detector.findings(seeds), ("", ""))
    except Exception as error:  # noqa: BLE001 - a bug may break anything in any way
        found = f"it breaks: {type(error).__name__}", str(error)
    if faults:
        raise BrokenBugError(f"{bug.name}: {faults[0]}")
    return found


def plain_function(function: Any) -> FunctionType:
    """The function behind a property, a class method or a decorator. Raises BrokenBugError."""
    for attribute in ("fget", "__func__", "__wrapped__"):
        function = getattr(function, attribute, None) or function
    if not isinstance(function, FunctionType):
        raise BrokenBugError(f"{function!r} is no function of the package")
    return function


def _searched(detector: Detector, bug: Bug) -> Finding:
    """Run the detector in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.mutations.detect", detector.name, bug.name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    if done.returncode != 0:
        return Finding(bug, "", "", (done.stderr.strip() or "no words").splitlines()[-1])
    finding = json.loads(done.stdout.splitlines()[-1])
    return Finding(bug, finding["caught_by"], finding["detail"])


def _calling_code(function: FunctionType) -> CodeType:
    """Code that calls the replacement, with as many free variables as the function's own has."""
    free = function.__code__.co_freevars
    text = f"def outer({', '.join(free)}):\n def inner(*args, **kwargs):\n"
    text += "".join(f"  {name}\n" for name in free)
    text += f"  return {_REPLACEMENT}(*args, **kwargs)\n return inner\n"
    found: dict[str, Any] = {}
    exec(text, found)  # noqa: S102 - a function with these free variables can be had no other way
    code: CodeType = found["outer"](*free).__code__
    return code


def _is_of(bug: Bug, error: BaseException) -> bool:
    """Whether it was raised by the bug's own lines, or by calling it with other arguments."""
    traceback = error.__traceback__
    while traceback and traceback.tb_next:
        traceback = traceback.tb_next
    assert traceback
    return traceback.tb_frame.f_code.co_filename in {__file__, bug.instead.__code__.co_filename}
