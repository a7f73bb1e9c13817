"""Tables on terminals: as wide as these are, with Japanese two columns wide, and nothing else."""

import io
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from rich.cells import cell_len
from rich.console import Console

from cli import output
from cli.output import Output

type Shown = Callable[[int, Sequence[Sequence[object]]], list[str]]

COLUMNS = ("no.", "customer", "reason", "points")
ROWS = [
    (1, "8840734670934", "お買い上げありがとうございます。またのご来店をお待ちしております", 1_250),
    (20, "8840734670935", "Sorry for the delay", -3),
]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The lines of a table on a terminal of a width."""

    def lines(width: int, rows: Sequence[Sequence[object]]) -> list[str]:
        file = io.StringIO()
        terminal = partial(
            Console,
            file=file,
            force_terminal=True,
            width=width,
            color_system=None,
            legacy_windows=False,
        )
        with monkeypatch.context() as patch:
            patch.setattr(output, "Console", lambda **_: terminal())
            Output().table(COLUMNS, rows)
        return file.getvalue().splitlines()

    return lines


def at(line: str, column: int) -> str:
    """What is printed from a column of the terminal on."""
    width = 0
    for place, character in enumerate(line):
        if width == column:
            return line[place:]
        width += cell_len(character)
    return ""


@pytest.mark.parametrize("width", [120, 80, 60, 45])
def test_no_line_is_wider_than_the_terminal(shown: Shown, width: int) -> None:
    lines = shown(width, ROWS)
    assert max(map(cell_len, lines)) <= width
    assert lines[0].split() == list(COLUMNS)


def test_columns_stand_one_below_the_other_beside_japanese(shown: Shown) -> None:
    first, second = shown(120, ROWS)[1:]
    end = cell_len(first.rstrip())
    assert first.rstrip().endswith("1,250")
    assert cell_len(second.rstrip()) == end, "numbers end at one column"
    start = first.index("お")
    assert at(second, start).startswith("Sorry")


@pytest.mark.parametrize("width", [60, 45, 36])
def test_texts_are_wrapped_and_neither_numbers_nor_ids_are(shown: Shown, width: int) -> None:
    text = "\n".join(shown(width, ROWS))
    for whole in ("8840734670934", "8840734670935", "1,250"):
        assert whole in text
    assert "…" not in text
    squeezed = "".join(text.split())
    assert "".join(one for one in squeezed if cell_len(one) == 2) == ROWS[0][2], "nothing is cut"


def test_a_table_that_fits_no_terminal_becomes_a_list(shown: Shown) -> None:
    lines = shown(20, ROWS)
    assert lines[:2] == ["no.       1", "customer  8840734670934"]
    assert "points    -3" in lines


def test_what_a_customer_wrote_is_neither_markup_nor_a_command_to_the_terminal(
    shown: Shown,
) -> None:
    rows = [(1, "1", "[red]x[/] [/nope] \x1b[2J\x07 two\nlines", 1)]
    (line,) = shown(80, rows)[1:]
    assert "[red]x[/] [/nope]" in line
    assert not {"\x1b", "\x07"} & set(line)


def test_a_file_gets_whole_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    Output().table(COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert ROWS[0][2] in lines[1]


def test_a_file_gets_lines_as_wide_as_columns_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    Output().table(COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 3
    assert max(map(cell_len, lines)) <= 60


def test_days_and_words_are_not_broken_where_a_list_can_be_read_instead(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    row = ("2026-12-01 09:00:00", "flow customer-8840734670934", "2026-12-31 points")
    Output().table(("at", "who", "until"), [row])
    printed = capsys.readouterr().out
    for whole in ("2026-12-01", "09:00:00", "2026-12-31"):
        assert whole in printed
