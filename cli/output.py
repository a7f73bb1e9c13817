"""What a command prints: words and tables for people, or one JSON document for programs.

With --json the document is all there is on standard output; words and progress are on standard
error, where progress always is.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from cli.errors import CommandFailed

_WIDTH_OF_A_FILE = 10_000
"""Lines that no terminal shows are not wrapped."""

_TEXT_LEAST = 8
"""A text is wrapped into no narrower a column."""


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
        """Print a table that fits the terminal, in which Japanese is two columns wide.

        Numbers are aligned to the right, and neither they nor ids, which have no spaces, are
        broken; other texts are wrapped. Where that is too wide, each row becomes a list.
        """
        console = Console(stderr=self.as_json, highlight=False)
        cells = [[_cell(one) for one in row] for row in rows]
        table = _table(columns, rows, cells)
        if console.is_terminal:
            fits = _least_width(table, cells) <= console.width
            console.print(table if fits else _list(columns, cells), soft_wrap=not fits)
            return
        console.width = _WIDTH_OF_A_FILE
        with console.capture() as captured:
            console.print(table)
        self.say(*(line.rstrip() for line in captured.get().splitlines()))

    @property
    def shows_progress(self) -> bool:
        """Whether there is a terminal for a progress bar."""
        return sys.stderr.isatty()

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Advance]:
        """Show a progress bar on a terminal, such as "accounts"; nothing where there is none."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(
            *columns,
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not self.shows_progress,
        ) as bar:
            task = bar.add_task(what, total=total)

            def advance(done: int, total: int | None = None) -> None:
                bar.update(task, completed=done, total=total or bar.tasks[0].total)

            yield advance


def _table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], cells: Sequence[Sequence[Text]]
) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        is_number = bool(rows) and all(isinstance(row[number], int) for row in rows)
        is_broken = any(" " in row[number].plain or _is_wide(row[number]) for row in cells)
        table.add_column(
            Text(column),
            justify="right" if is_number else "left",
            no_wrap=is_number or not is_broken,
            overflow="fold",
        )
    for row in cells:
        table.add_row(*row)
    return table


def _least_width(table: Table, cells: Sequence[Sequence[Text]]) -> int:
    """The width below which a column that is not wrapped, or too much of a text, is cut."""
    width = len(table.columns) - 1
    for number, column in enumerate(table.columns):
        longest = max((row[number].cell_len for row in cells), default=0)
        header = str(column.header)
        width += max(cell_len(header), longest if column.no_wrap else min(longest, _TEXT_LEAST))
    return width


def _list(columns: Sequence[str], cells: Sequence[Sequence[Text]]) -> Text:
    """Each row as lines of name and value, with an empty line between two rows."""
    width = max(map(cell_len, columns))
    return Text("\n\n").join(
        Text("\n").join(
            Text.assemble((set_cell_size(name, width), "bold"), "  ", cell)
            for name, cell in zip(columns, row, strict=True)
        )
        for row in cells
    )


def _cell(value: object) -> Text:
    """A value as text: never markup, and without what would control the terminal."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(f"{value:,}")
    return Text("".join(one if one.isprintable() else " " for one in str(value)))


def _is_wide(cell: Text) -> bool:
    """Whether it has characters of two columns, between which a line may be broken."""
    return cell.cell_len > len(cell.plain)


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 entry", "1,250 entries". The plural ends with s unless given."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def is_confirmed(question: str) -> bool:
    """Ask the person at the terminal. Raises CommandFailed if there is no terminal."""
    if not sys.stdin.isatty():
        raise CommandFailed("Not a terminal; pass --yes to confirm.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
