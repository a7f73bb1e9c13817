"""Asking the person at the terminal before something is done that they may not want."""

import sys

from ops.problems import OpsProblem


def is_agreed(question: str, to_do_it: str) -> bool:
    """Whether they type yes. Raises OpsProblem where nobody can be asked: they must say --yes."""
    if not sys.stdin.isatty():
        raise OpsProblem(f"Nobody can be asked here: say --yes {to_do_it}.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
