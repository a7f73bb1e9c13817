"""Refuse variables on make's command line that nothing reads, such as HOLD_SECOND=5.

Runs before any environment is there, so on the standard library alone. MAKEFLAGS has the variables;
known are those of the Makefile, of the local stack, and the template's parameters in capitals.
"""

import difflib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OF_THE_STACK = ("PORT", "DETACH", "FRESH", "LOCAL_DIRECTORY", "BUILD_DIRECTORY")


def given(makeflags: str) -> list[str]:
    """The names of the variables on make's command line."""
    _, _, variables = f" {makeflags}".partition(" -- ")
    # A blank within a value has a backslash before it.
    return [one.partition("=")[0] for one in re.split(r"(?<!\\)\s+", variables) if "=" in one]


def parameter_names() -> list[str]:
    """The names of all variables that something reads."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    parameters = template.partition("\nParameters:\n")[2].partition("\nConditions:\n")[0]
    declared = re.findall(r"(?m)^  ([A-Z]\w*):$", parameters)
    words = [re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper() for name in declared]
    return [*OF_THE_STACK, *words, *re.findall(r"(?m)^([A-Z_]+) [:?]?=", makefile)]


def problems(names: Iterable[str]) -> Iterator[str]:
    """Yield a line for each name that nothing reads."""
    all_names = parameter_names()
    for name in names:
        if name not in all_names:
            close = difflib.get_close_matches(name.upper(), all_names, n=1, cutoff=0.6)
            hint = f"did you mean {close[0]}?" if close else "docs/programme.md lists them all."
            yield f"There is no parameter {name}: {hint}"


def main() -> int:
    """Print the problems; return the exit status."""
    found = list(problems(given(os.environ.get("MAKEFLAGS", ""))))
    for one in found:
        print(one, file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
