"""What a command prints: words and tables for people, or one JSON document for programs.

With --json the document is all there is on standard output; words and progress are on standard
error, where progress always is.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cli.errors import CommandFailed

_WIDTH_OF_A_FILE = 10_000
"""Lines that no terminal shows are not wrapped."""


class Advance(Protocol):
    """Reports progress: how many are done by now, and of how many if that has become known."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Show it."""


class Output:
    """The output of one command."""

    def __init__(self, *, as_json: bool = False) -> None:
        """Print words, or JSON."""
        self.as_json = as_json

    def say(self, *lines: object) -> None:
        """Print words."""
        for line in lines:
            print(line, file=sys.stderr if self.as_json else sys.stdout)

    def document(self, content: Any) -> None:
        """Print the JSON document; nothing unless --json was given."""
        if self.as_json:
            print(json.dumps(content, ensure_ascii=False, indent=2))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table that fits the terminal; numbers are aligned to the right."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for number, column in enumerate(columns):
            values = [row[number] for row in rows]
            is_number = all(isinstance(value, int) for value in values)
            table.add_column(column, justify="right" if is_number and values else "left")
        for row in rows:
            table.add_row(*(f"{one:,}" if isinstance(one, int) else str(one) for one in row))
        console = Console(stderr=self.as_json, highlight=False)
        if console.is_terminal:
            console.print(table)
            return
        console.width = _WIDTH_OF_A_FILE
        with console.capture() as captured:
            console.print(table)
        self.say(*(line.rstrip() for line in captured.get().splitlines()))

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Advance]:
        """Show a progress bar on a terminal, such as "accounts"; nothing where there is none."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(
            *columns,
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        ) as bar:
            task = bar.add_task(what, total=total)

            def advance(done: int, total: int | None = None) -> None:
                bar.update(task, completed=done, total=total or bar.tasks[0].total)

            yield advance


def is_confirmed(question: str) -> bool:
    """Ask the person at the terminal. Raises CommandFailed if there is no terminal."""
    if not sys.stdin.isatty():
        raise CommandFailed("Not a terminal; pass --yes to confirm.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
