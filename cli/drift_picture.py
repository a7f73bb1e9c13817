"""The picture of `pointbook drift`: ledger and till in one SVG file that needs nothing else.

On the left every member is at (ledger, till): whoever agrees is on the diagonal. On the right are
the largest differences. Scales are square roots, so small accounts are seen beside large ones.
Shapes, not colours, say who has more; words are few and in English and Japanese.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from math import log10, sqrt

from cli.drift_report import DIFFERS, Report, Row

LISTED_MAX = 15
"""Members that are listed by name; they have numbers in the plot."""

_WIDTH, _MARGIN = 1180, 36
_PLOT, _PLOT_TOP, _PLOT_LEFT = 470, 196, 96
_LIST_LEFT, _ROW = 640, 31
_TICK_ROOM = 44
_BIN = 5
"""Members nearer to each other than these pixels are drawn as one, the larger the more they are."""

_STYLE = """
  svg { --paper: #ffffff; --ink: #16202c; --soft: #5b6775; --line: #d5dbe2; --equal: #8a96a3;
        --more: #f0a12b; --less: #1c4fa3; background: var(--paper); }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #12171d; --ink: #eef2f6; --soft: #a3afbc; --line: #333d48; --equal: #75818e;
          --more: #ffc766; --less: #5f97f5; } }
  text { font-family: system-ui, "Hiragino Sans", "Noto Sans CJK JP", "Noto Sans JP", sans-serif;
         font-size: 13px; fill: var(--ink); }
  .paper { fill: var(--paper); } .soft { fill: var(--soft); }
  .title { font-size: 22px; font-weight: 700; }
  .big { font-size: 30px; font-weight: 700; } .bold { font-weight: 700; }
  .digits { font-variant-numeric: tabular-nums; }
  .end { text-anchor: end; } .middle { text-anchor: middle; }
  .grid { stroke: var(--line); stroke-width: 1; }
  .diagonal { stroke: var(--soft); stroke-dasharray: 5 5; }
  .equal { fill: var(--equal); fill-opacity: .55; }
  .more { fill: var(--more); stroke: var(--paper); }
  .less { fill: var(--less); stroke: var(--paper); }
  .rank { font-size: 11px; font-weight: 700; }
  .rank { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
"""


@dataclass(frozen=True, slots=True)
class _Scale:
    """Points to pixels: a square root with its sign, from `low` to `high` over `length`."""

    low: int
    high: int
    length: float

    def __call__(self, points: int) -> float:
        low, high = _root(self.low), _root(self.high)
        return (_root(points) - low) / (high - low) * self.length

    def ticks(self) -> list[int]:
        """Round numbers far enough from each other to be labelled."""
        top = int(log10(max(self.high, -self.low, 1))) + 1
        nice = [
            0,
            *(sign * base * 10**n for n in range(top) for base in (1, 2, 5) for sign in (1, -1)),
        ]
        chosen: list[int] = []
        for one in sorted(filter(self._has, nice), key=lambda one: (one != 0, -abs(one))):
            if all(abs(self(one) - self(other)) >= _TICK_ROOM for other in chosen):
                chosen.append(one)
        return sorted(chosen)

    def _has(self, points: int) -> bool:
        return self.low <= points <= self.high


def picture(report: Report) -> str:
    """The report as an SVG document."""
    rows = report.of(DIFFERS)
    listed = rows[:LISTED_MAX]
    height = max(_PLOT_TOP + _PLOT + 100, _PLOT_TOP + 40 + len(listed) * _ROW + 80)
    parts = [
        *_head(report),
        *_plot(report, rows, listed),
        *_list(listed, len(rows)),
        *_foot(report, height),
    ]
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    named = 'role="img" aria-labelledby="title about"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {named}>',
            f'<title id="title">{escape(report.shop)}: ledger and till</title>',
            f'<desc id="about">{escape(_in_words(report))}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{_WIDTH}" height="{height}"/>',
            *parts,
            "</svg>\n",
        )
    )


def _in_words(report: Report) -> str:
    totals = report.totals()
    return (
        f"{totals['compared']:,} members compared, {totals['equal']:,} equal,"
        f" {totals['differing']:,} differ by {totals['sum_of_differences']:+,} points in all."
    )


# --- parts ----------------------------------------------------------------------------------------


def _head(report: Report) -> Iterator[str]:
    totals = report.totals()
    yield _text(_MARGIN, 50, "Ledger and till · 台帳とPOS", "title")
    yield _text(_MARGIN, 74, f"{report.shop} · {report.finished_at or report.began_at}", "soft")
    tiles = (
        (f"{totals['compared']:,}", "compared 照合"),
        (f"{totals['equal']:,}", "equal 一致"),
        (f"{totals['differing']:,}", "differ 不一致"),
        (_signed(totals["sum_of_differences"]), "till − ledger 差の合計"),
    )
    for place, (number, label) in enumerate(tiles):
        left = _MARGIN + place * 190
        yield _text(left, 128, number, "big digits")
        yield _text(left, 150, label, "soft")
    yield _mark("more", _LIST_LEFT + 170, 124)
    yield _text(_LIST_LEFT + 184, 128, f"till has more POSが多い: {totals['till_more']:,}")
    yield _mark("less", _LIST_LEFT + 170, 146)
    yield _text(_LIST_LEFT + 184, 150, f"till has less POSが少ない: {totals['till_less']:,}")


def _plot(report: Report, rows: list[Row], listed: list[Row]) -> Iterator[str]:
    figures = [*report.equal, *(row[book] for row in rows for book in ("ledger", "till"))]
    scale = _Scale(min(0, *figures, 0), max(10, *figures, 0), _PLOT)
    bottom = _PLOT_TOP + _PLOT

    def at(ledger: int, till: int) -> tuple[float, float]:
        return _PLOT_LEFT + scale(ledger), bottom - scale(till)

    for tick in scale.ticks():
        x, y = at(tick, tick)
        yield _line(_PLOT_LEFT, y, _PLOT_LEFT + _PLOT, y, "grid")
        yield _line(x, _PLOT_TOP, x, bottom, "grid")
        yield _text(_PLOT_LEFT - 8, y + 4, f"{tick:,}", "soft digits end")
        yield _text(x, bottom + 20, f"{tick:,}", "soft digits middle")
    yield _line(_PLOT_LEFT, bottom, _PLOT_LEFT + _PLOT, _PLOT_TOP, "diagonal")
    yield _text(_PLOT_LEFT + _PLOT / 2, bottom + 44, "ledger 台帳 →", "bold middle")
    turned = f'transform="rotate(-90 {_MARGIN} {_PLOT_TOP + _PLOT / 2})"'
    yield _text(_MARGIN, _PLOT_TOP + _PLOT / 2, "till POS →", "bold middle", turned)
    for (x, y), members in _bins(at(points, points) for points in report.equal):
        radius = 3 + 2 * log10(members)
        yield f'<circle class="equal" cx="{x:.0f}" cy="{y:.0f}" r="{radius:.1f}"/>'
    for which in ("more", "less"):
        places = (at(row["ledger"], row["till"]) for row in rows if _which(row) == which)
        for (x, y), members in _bins(places):
            yield _mark(which, x, y, 6 + 2 * log10(members))
    yield from _ranks([at(row["ledger"], row["till"]) for row in listed])


def _ranks(places: list[tuple[float, float]]) -> Iterator[str]:
    """Numbers beside the listed members, where there is room for them."""
    taken: list[tuple[float, float]] = []
    for rank, (x, y) in enumerate(places, start=1):
        if all(abs(x - left) > 24 or abs(y - top) > 13 for left, top in taken):
            taken.append((x, y))
            yield _text(x + 8, y + 4, str(rank), "rank digits")


def _list(listed: list[Row], of_all: int) -> Iterator[str]:
    top = _PLOT_TOP + 6
    id_at, ledger_at, till_at, change_at = 34, 214, 292, 384
    bar_left, bar_room = _LIST_LEFT + 396, 53
    heads = (
        (id_at, "customer 顧客", ""),
        (ledger_at, "ledger 台帳", " end"),
        (till_at, "till POS", " end"),
    )
    for left, head, anchor in (*heads, (change_at, "difference 差", " end")):
        yield _text(_LIST_LEFT + left, top, head, f"soft{anchor}")
    if not listed:
        yield _text(_LIST_LEFT + id_at, top + _ROW + 6, "no difference · 差はありません", "bold")
        return
    largest = max(abs(row["difference"]) for row in listed)
    for rank, row in enumerate(listed, start=1):
        y = top + 6 + rank * _ROW
        yield _line(_LIST_LEFT, y + 11, _WIDTH - _MARGIN, y + 11, "grid")
        yield _text(_LIST_LEFT + 20, y, str(rank), "soft digits end")
        yield _text(_LIST_LEFT + id_at, y, str(row["customer_id"]), "digits")
        yield _text(_LIST_LEFT + ledger_at, y, f"{row['ledger']:,}", "digits end")
        yield _text(_LIST_LEFT + till_at, y, f"{row['till']:,}", "digits end")
        yield _text(_LIST_LEFT + change_at, y, _signed(row["difference"]), "bold digits end")
        length = max(2.0, bar_room * sqrt(abs(row["difference"]) / largest))
        which = _which(row)
        start = bar_left + bar_room - (0 if which == "more" else length)
        size = f'width="{length:.1f}" height="15"'
        yield f'<rect class="{which}" x="{start:.1f}" y="{y - 12}" {size}/>'
    middle, last = bar_left + bar_room, top + 17 + len(listed) * _ROW
    yield _line(middle, top + 12, middle, last, "diagonal")
    if of_all > len(listed):
        yield _text(_LIST_LEFT + id_at, last + 22, f"+ {of_all - len(listed):,}", "soft digits")


def _foot(report: Report, height: int) -> Iterator[str]:
    totals = report.totals()
    others = (
        ("not registered at the till POS未登録", totals["not_registered"]),
        ("several of one number 番号の重複", totals["ambiguous"]),
        ("not compared 未照合", totals["not_compared"]),
    )
    words = " · ".join(f"{label}: {count:,}" for label, count in others)
    yield _text(_MARGIN, height - 20, words, "soft digits")


# --- drawing --------------------------------------------------------------------------------------


def _text(x: float, y: float, words: str, classes: str = "", more: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{classes}" {more}>{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _mark(which: str, x: float, y: float, size: float = 6) -> str:
    """A triangle: upwards where the till has more, downwards where it has less."""
    tip = -size if which == "more" else size
    return (
        f'<path class="{which}" d="M{x - size:.1f} {y - tip / 1.6:.1f} H{x + size:.1f}'
        f' L{x:.1f} {y + tip:.1f} Z"/>'
    )


def _bins(
    places: Iterable[tuple[float, float]],
) -> Iterator[tuple[tuple[float, float], int]]:
    """Places on a grid, and how many are at each."""
    on_grid: Callable[[float], int] = lambda pixel: round(pixel / _BIN) * _BIN  # noqa: E731
    found = Counter((on_grid(x), on_grid(y)) for x, y in places)
    yield from found.items()


def _which(row: Row) -> str:
    return "more" if row["difference"] > 0 else "less"


def _signed(points: int) -> str:
    return f"{points:+,}".replace("-", "−") if points else "0"


def _root(points: int) -> float:
    return sqrt(points) if points >= 0 else -sqrt(-points)
