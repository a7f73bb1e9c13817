"""What a command prints: words and tables for people, or one JSON document for programs.

With --json the document is all there is on standard output; words and progress are on standard
error, where progress always is.
"""

import json
import os
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

_GAP = 2
"""Between two columns."""

_WORD_MOST = 16
"""A text is wrapped between its words, and within a word only if that is longer."""

_WIDE_LEAST = 8
"""Japanese is wrapped anywhere, but into no narrower a column."""


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
        broken; other texts are wrapped. Where that is too wide, each row becomes a list. Without a
        terminal lines are as long as they are, unless COLUMNS says how wide they may be.
        """
        console = Console(stderr=self.as_json, highlight=False)
        cells = [[_cell(one) for one in row] for row in rows]
        if console.is_terminal or os.environ.get("COLUMNS"):
            if widths := _widths(columns, cells, console.width):
                console.print(_table(columns, rows, cells, widths))
            else:
                console.print(_list(columns, cells), soft_wrap=True)
            return
        console.width = _WIDTH_OF_A_FILE
        with console.capture() as captured:
            console.print(_table(columns, rows, cells, [None] * len(columns)))
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
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    cells: Sequence[Sequence[Text]],
    widths: Sequence[int | None],
) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, (column, width) in enumerate(zip(columns, widths, strict=True)):
        is_number = bool(rows) and all(isinstance(row[number], int) for row in rows)
        table.add_column(
            Text(column),
            justify="right" if is_number else "left",
            overflow="fold",
            width=width,
        )
    for row in cells:
        table.add_row(*row)
    return table


def _widths(
    columns: Sequence[str], cells: Sequence[Sequence[Text]], terminal: int
) -> list[int] | None:
    """A width for each column in which its texts can be read; None if the terminal has no room.

    What is left over goes to the columns that need the least more, then to the others.
    """
    wanted, widths = [], []
    for number, column in enumerate(columns):
        texts = [row[number] for row in cells]
        wanted.append(max([cell_len(column), *(one.cell_len for one in texts)]))
        widths.append(max([cell_len(column), *map(_least, texts)]))
    left = terminal - _GAP * (len(columns) - 1) - sum(widths)
    if left < 0:
        return None
    waiting = sorted(range(len(columns)), key=lambda number: wanted[number] - widths[number])
    for place, number in enumerate(waiting):
        more = min(wanted[number] - widths[number], left // (len(waiting) - place))
        widths[number] += more
        left -= more
    return widths


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


def _least(cell: Text) -> int:
    """The width of the narrowest column in which a text can be read."""
    if _is_wide(cell):
        return min(cell.cell_len, _WIDE_LEAST)
    words = cell.plain.split()
    longest = max(map(len, words), default=0)
    return longest if len(words) < 2 else min(longest, _WORD_MOST)


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
