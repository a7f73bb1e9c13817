"""Plants bugs one at a time into a copy of the package, and sees what finds each of them.

A text that does not stand in its file exactly once is an error, so that the list cannot rot.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.simulation.mutations.bugs import Bug

ROOT: Final = Path(__file__).resolve().parents[3]
PACKAGE: Final = ROOT / "layers" / "common" / "python" / "pointbook"
SECONDS_MAX: Final = 600


@dataclass(frozen=True, slots=True)
class Finding:
    """What found a bug, and its words; empty where nothing did."""

    bug: Bug
    caught_by: str
    detail: str


def broken(bug: Bug, package: Path = PACKAGE) -> str:
    """The file's text with the bug in it. Raises ValueError unless `old` stands there once."""
    text = (package / bug.file).read_text()
    if text.count(bug.old) != 1:
        raise ValueError(f"{bug.name}: {bug.file} has {text.count(bug.old)} of {bug.old!r}, not 1")
    return text.replace(bug.old, bug.new)


def search(
    bugs: Sequence[Bug], seeds: int, workers: int = 1, detector: str = "detect"
) -> Iterator[Finding]:
    """What finds each bug, in their order. All are planted in the package as it is now.

    `detector` is the module of this folder that looks for them.
    """
    with (
        tempfile.TemporaryDirectory(prefix="pointbook-") as folder,
        ThreadPoolExecutor(workers) as pool,
    ):
        package = Path(folder) / "pointbook"
        shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
        texts = [broken(bug, package) for bug in bugs]
        yield from pool.map(
            lambda bug, text: _searched(bug, text, package, seeds, detector), bugs, texts
        )


def plant(
    bugs: Sequence[Bug], harmless: Sequence[Bug], seeds: int, workers: int, detector: str
) -> Iterator[tuple[str, bool]]:
    """Plant every bug; lines, and whether they are about one that was not caught.

    What is harmless must be accepted.
    """
    for finding in search((*bugs, *harmless), seeds, workers, detector):
        is_harmless = finding.bug in harmless
        by = finding.caught_by or ("rightly accepted" if is_harmless else "NOT CAUGHT")
        yield f"  {finding.bug.name:56} {by}", bool(finding.caught_by) is is_harmless


def _searched(bug: Bug, text: str, package: Path, seeds: int, detector: str) -> Finding:
    """Run the detector on a copy of the package that has the bug."""
    with tempfile.TemporaryDirectory(prefix="pointbook-bug-") as folder:
        copied = Path(folder) / "pointbook"
        shutil.copytree(package, copied)
        (copied / bug.file).write_text(text)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((folder, str(ROOT))),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", f"tests.simulation.mutations.{detector}", folder, str(seeds)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    if done.returncode != 0:
        last = (done.stderr.strip() or "no words").splitlines()[-1]
        return Finding(bug, "it does not even start", last)
    told = json.loads(done.stdout.splitlines()[-1])
    return Finding(bug, told["caught_by"], told["detail"])
