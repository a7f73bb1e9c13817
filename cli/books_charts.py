"""The charts of the books' report, as SVG without any script."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

from cli.books_words import number, signed

WIDTH = 720
_LEFT, _RIGHT, _TOP = 64, 12, 14
_PLOT = WIDTH - _LEFT - _RIGHT
_TICKS = 5
_VALUE_LINE, _VALUE_SIGN = 13, 7
"""Pixels that a value above a bar takes: its line, and the widest of its signs."""


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a waterfall: a total, or a change of it."""

    label: str
    points: int
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of stacked bars, by its class in the style sheet."""

    name: str
    kind: str
    points: Sequence[int]


class _Scale:
    """Points to pixels from the bottom of a plot, with round ticks."""

    def __init__(self, low: float, high: float, top: float, height: float) -> None:
        step = _nice((max(high, 0) - min(low, 0)) / _TICKS or 1)
        self.low = floor(min(low, 0) / step) * step
        self.high = -floor(-max(high, 0) / step) * step or step
        self.ticks = [
            self.low + place * step for place in range(round((self.high - self.low) / step) + 1)
        ]
        self._top, self._height = top, height

    def __call__(self, points: float) -> float:
        share = (points - self.low) / (self.high - self.low)
        return self._top + self._height * (1 - share)


def waterfall(title: str, steps: Sequence[Step]) -> str:
    """How one total became another: a bar for each change, between two for the totals."""
    height, labels = 242, 62
    level, levels = 0, [0]
    for step in steps:
        level = step.points if step.is_total else level + step.points
        levels.append(level)
    top_most = _TOP + 8 + _VALUE_LINE
    scale = _Scale(min(levels), max(levels), top_most, height - top_most - labels)
    parts, room, before = [*_grid(scale)], _PLOT / len(steps), 0
    last: tuple[float, float] | None = None
    width = min(56.0, room * 0.62)
    for place, step in enumerate(steps):
        center = _LEFT + room * (place + 0.5)
        after = step.points if step.is_total else before + step.points
        start = 0 if step.is_total else before
        top, bottom = scale(max(start, after)), scale(min(start, after))
        kind = "total" if step.is_total else ("up" if step.points >= 0 else "down")
        parts.append(_bar(center - width / 2, top, width, max(1.0, bottom - top), kind))
        shown = number(after) if step.is_total else signed(step.points)
        half = len(shown) * _VALUE_SIGN / 2
        y = top - 5
        if last and center - half < last[0] and abs(y - last[1]) < _VALUE_LINE:
            y = last[1] - _VALUE_LINE
        last = center + half, y
        parts.append(_text(center, y, shown, "value middle"))
        parts += _label(center, height - labels + 16, step.label, room)
        if place < len(steps) - 1:
            level_at = scale(after)
            link = center + width / 2, level_at, center + room - width / 2, level_at
            parts.append(_line(*link, "link"))
        before = after
    return _svg(title, height, parts)


def stacked(title: str, labels: Sequence[str], series: Sequence[Series]) -> str:
    """Bars side by side: what is above zero upwards, what is below it downwards."""
    height, bottom = 220, 34
    columns = list(zip(*(one.points for one in series), strict=True))
    ups = [sum(max(0, points) for points in column) for column in columns]
    downs = [sum(min(0, points) for points in column) for column in columns]
    scale = _Scale(min([0, *downs]), max([0, *ups]), _TOP, height - _TOP - bottom)
    parts, room = [*_grid(scale)], _PLOT / max(1, len(labels))
    width = min(40.0, room * 0.7)
    for place, column in enumerate(columns):
        above = below = 0
        for one, points in zip(series, column, strict=True):
            if not points:
                continue
            start = above if points > 0 else below
            top, low = scale(max(start, start + points)), scale(min(start, start + points))
            left = _LEFT + room * (place + 0.5) - width / 2
            parts.append(_bar(left, top, width, low - top, one.kind))
            above, below = above + max(0, points), below + min(0, points)
    parts += _axis_labels(labels, room, height - bottom + 18)
    return _svg(title, height, parts)


def area(title: str, labels: Sequence[str], points: Sequence[int]) -> str:
    """A line over days, filled down to zero."""
    height, bottom = 170, 34
    scale = _Scale(min([0, *points]), max([0, *points]), _TOP, height - _TOP - bottom)
    room = _PLOT / max(1, len(points))
    places = [(_LEFT + room * (n + 0.5), scale(one)) for n, one in enumerate(points)]
    path = " L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    zero = scale(0)
    parts = [*_grid(scale)]
    if places:
        parts.append(
            f'<path class="fill" d="M{places[0][0]:.1f} {zero:.1f} L{path}'
            f' L{places[-1][0]:.1f} {zero:.1f} Z"/>'
        )
        parts.append(f'<path class="stroke" d="M{path}"/>')
        x, y = places[-1]
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
    parts += _axis_labels(labels, room, height - bottom + 18)
    return _svg(title, height, parts)


def curve(title: str, rates: Sequence[tuple[int, float]], axis: str) -> str:
    """Shares by age in months, as steps."""
    height, bottom = 190, 44
    scale = _Scale(0, 1, _TOP, height - _TOP - bottom)
    room = _PLOT / max(1, len(rates))
    width = min(36.0, room * 0.7)
    parts: list[str] = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = scale(share)
        parts.append(_line(_LEFT, y, WIDTH - _RIGHT, y, "grid"))
        parts.append(_text(_LEFT - 8, y + 4, f"{share:.0%}", "tick end"))
    for place, (_, share) in enumerate(rates):
        center, top = _LEFT + room * (place + 0.5), scale(share)
        parts.append(_bar(center - width / 2, top, width, scale(0) - top, "lapse"))
        if room >= 34:
            parts.append(_text(center, top - 4, f"{share:.0%}", "value middle"))
    parts += _axis_labels([str(age) for age, _ in rates], room, height - bottom + 16)
    parts.append(_text(_LEFT + _PLOT / 2, height - 6, axis, "tick middle"))
    return _svg(title, height, parts)


def bars(title: str, rows: Sequence[tuple[str, int, str]], kind: str = "total") -> str:
    """Lying bars: a label, points, and what is said of them."""
    row, label, said = 24, 150, 190
    height = row * max(1, len(rows)) + 8
    largest = max([1, *(points for _, points, _ in rows)])
    parts: list[str] = []
    for place, (name, points, words) in enumerate(rows):
        y = 4 + row * place
        length = (WIDTH - label - said) * max(0, points) / largest
        parts.append(_text(label - 10, y + 16, name, "tick end"))
        parts.append(_bar(label, y + 4, max(1.0 if points else 0.0, length), row - 8, kind))
        parts.append(_text(label + length + 8, y + 16, words, "value"))
    return _svg(title, height, parts)


def _grid(scale: _Scale) -> Iterator[str]:
    for tick in scale.ticks:
        y = scale(tick)
        yield _line(_LEFT, y, WIDTH - _RIGHT, y, "grid" if tick else "zero")
        yield _text(_LEFT - 8, y + 4, number(round(tick)), "tick end")


def _axis_labels(labels: Sequence[str], room: float, y: float) -> Iterator[str]:
    """As many labels as there is room for."""
    widest = max([1, *(len(one) + sum(ord(sign) > 0x2E80 for sign in one) for one in labels)])
    every = max(1, -(-int(widest * 7 + 8) // max(1, int(room))))
    for place, label in enumerate(labels):
        if place % every == 0:
            yield _text(_LEFT + room * (place + 0.5), y, label, "tick middle")


def _label(x: float, y: float, label: str, room: float) -> Iterator[str]:
    """A label in up to four lines."""
    is_wide = any(ord(sign) > 0x2E80 for sign in label)
    most = max(3, int(room / (11.5 if is_wide else 6.2)))
    lines, line = [], ""
    for word in list(label) if is_wide else label.split(" "):
        joint = "" if is_wide or not line else " "
        if line and len(line + joint + word) > most:
            lines.append(line)
            line = word
        else:
            line += joint + word
    for place, text in enumerate([*lines, line][:4]):
        yield _text(x, y + 14 * place, text, "tick middle")


def _nice(step: float) -> float:
    """The next 1, 2 or 5 with zeros; whole."""
    power: float = 10 ** floor(log10(max(1, step)))
    return next(base * power for base in (1, 2, 5, 10) if base * power >= step)


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )


def _bar(x: float, y: float, width: float, height: float, kind: str) -> str:
    size = f'width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" {size} rx="1.5"/>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'
