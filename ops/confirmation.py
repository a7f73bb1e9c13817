"""A confirmation prompt."""

import sys

from ops.problems import OpsProblem


def is_confirmed(question: str) -> bool:
    """Ask the person at the terminal. Raises OpsProblem if there is no terminal."""
    if not sys.stdin.isatty():
        raise OpsProblem("Not a terminal; pass --yes to confirm.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
