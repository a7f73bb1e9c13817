"""The books of a period as one HTML page, which needs nothing else: to read, to print, to file."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from html import escape

from cli import books_charts as charts
from cli.books import Found
from cli.books_style import STYLE
from cli.books_words import Words, number, signed
from pointbook.domain.books.breakage import Breakage, estimate
from pointbook.domain.books.journal import Line, worth_of
from pointbook.domain.books.liability import by_age, by_expiry, by_programme, in_lots
from pointbook.domain.books.movements import Movement, available
from pointbook.domain.books.periods import month_of
from pointbook.domain.books.statement import NEVER_EXPIRES, RUN_OFF_MONTHS, Statement
from pointbook.domain.buckets import Balances

EXPIRY_MONTHS_MAX = 24
"""Months that the chart of expiry has; later ones are one bar."""

_INTO = frozenset({Movement.GRANTED, Movement.APPROVED})
_USED = frozenset({Movement.SPENT, Movement.RETURNED})


def report(found: Found, lines: Sequence[Line], worth: Decimal, words: Words) -> str:
    """The page."""
    page = _Page(found, lines, worth, words)
    title = f"{page.title} · {found.file.shop}"
    return (
        f'<!doctype html>\n<html lang="{words.language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"{'\n'.join(page.parts())}\n</main>\n</body>\n</html>\n"
    )


class _Page:
    """The parts of one report."""

    def __init__(self, found: Found, lines: Sequence[Line], worth: Decimal, words: Words) -> None:
        self.found = found
        self.file = found.file
        self.statement: Statement = found.file.statement
        self.lines = lines
        self.worth = worth
        self.of = words.of
        self.words = words
        self.month = month_of(self.file.period.last)
        self.breakage: Breakage = estimate(self.statement, self.month)
        days = words.period(self.file.period.first, self.file.period.last)
        days += words.so_far(is_over=found.is_over)
        self.title = self.of(f"Points statement, {days}", f"ポイント残高報告書 {days}")

    def parts(self) -> Iterator[str]:
        """Everything, from top to bottom."""
        yield from self._head()
        yield self._tiles()
        yield self._section(self.of("Movements", "増減の内訳"), self._movements())
        if len(self.statement.days) > 1:
            yield self._section(self.of("Day by day", "日別の推移"), self._days())
        yield self._section(self.of("Outstanding points", "未利用残高の内訳"), self._outstanding())
        yield self._section(
            self.of("Breakage estimate", "失効見込み（非行使分の見積り）"), self._breakage()
        )
        yield self._section(self.of("Journal", "仕訳"), self._journal())
        yield self._notes()

    # --- head -----------------------------------------------------------------------------------

    def _head(self) -> Iterator[str]:
        file, source = self.file, self.found.source
        where = {
            "files": self.of("from the daily statements on file", "日次報告ファイルより"),
            "ledger": self.of("computed from the ledger", "台帳より再計算"),
        }[source]
        about = [file.shop, file.period.time_zone, where]
        if not self.found.is_over:
            about.append(self.of("period not over yet", "期間途中"))
        yield f"<header><h1>{escape(self.title)}</h1><p>{escape(' · '.join(about))}</p>"
        if self.found.is_right:
            closes = self.of(
                "Closes: opening points and movements, by the entries, equal the closing points,"
                " by the accounts.",
                "一致：明細による期首残高と増減は、口座による期末残高と一致しています。",
            )
            yield f'<p class="verdict right">✓ {escape(closes)}</p></header>'
        else:
            open_ = (
                self.of("Does not close. Differences: ", "不一致があります。差異：")
                + self._differences()
            )
            yield f'<p class="verdict wrong">✗ {escape(open_)}</p></header>'

    def _differences(self) -> str:
        statement = self.statement
        differences = statement.difference._asdict()
        found = [f"{self.words.bucket(one)} {signed(n)}" for one, n in differences.items() if n]
        if statement.lots_difference:
            found.append(f"{self.of('lots', '有効なポイント')} {signed(statement.lots_difference)}")
        if statement.unreadable:
            found.append(f"{self.of('unreadable', '読取不能の口座')} {statement.unreadable}")
        return ", ".join([*found, *(day.isoformat() for day in self.found.changed)])

    def _tiles(self) -> str:
        statement = self.statement
        closing, opening = available(statement.closing), available(statement.opening)
        moved = statement.movements
        granted = sum(available(moved[one].changes) for one in moved if one in _INTO)
        used = -sum(available(moved[one].changes) for one in moved if one in _USED)
        expired = -sum(available(s.changes) for one, s in moved.items() if one is Movement.EXPIRED)
        tiles = (
            (
                self.of("Outstanding at the end", "期末残高"),
                number(closing),
                self._money(worth_of(closing, self.worth)),
            ),
            (self.of("Change", "期中増減"), signed(closing - opening), self._share(opening)),
            (self.of("Newly approved", "付与・確定"), number(granted), ""),
            (self.of("Used, net", "利用（取消控除後）"), number(used), ""),
            (self.of("Expired", "失効"), number(expired), ""),
        )
        shown = (
            f"<div><dt>{escape(name)}</dt><dd>{figure}</dd><p>{escape(more)}</p></div>"
            for name, figure, more in tiles
        )
        return f'<dl class="tiles">{"".join(shown)}</dl>'

    def _share(self, opening: int) -> str:
        change = available(self.statement.closing) - opening
        if opening <= 0:
            return ""
        share = f"{change / opening:+.1%}".replace("-", "−")
        return self.of(f"{share} of the opening points", f"期首比 {share}")

    # --- movements ------------------------------------------------------------------------------

    def _movements(self) -> Iterator[str]:
        statement, words = self.statement, self.words
        changes = {
            kind: available(moved.changes)
            for kind, moved in statement.movements.items()
            if available(moved.changes)
        }
        opening, closing = self.of("Opening", "期首残高"), self.of("Closing", "期末残高")
        steps = [
            charts.Step(opening, available(statement.opening), is_total=True),
            *(charts.Step(words.movement(kind), points) for kind, points in changes.items()),
            charts.Step(closing, available(statement.closing), is_total=True),
        ]
        yield charts.waterfall(self.of("Movements", "増減の内訳"), steps)
        heads = [
            self.of("Movement", "区分"),
            self.of("Entries", "件数"),
            self.of("Available", "利用可能"),
            self.of("Held", "確保中"),
            self.of("Outstanding", "残高"),
            self.of("Pending", "付与予定"),
            self.of("Of earlier days", "うち前日以前分"),
        ]
        rows = [[opening, "", *self._columns(statement.opening, number), ""]]
        for kind, moved in statement.movements.items():
            earlier = number(moved.earlier_points) if moved.earlier_entries else ""
            columns = self._columns(moved.changes, signed)
            rows.append([words.movement(kind), number(moved.entries), *columns, earlier])
        rows.append([closing, "", *self._columns(statement.closing, number), ""])
        yield self._table(heads, rows, totals=(0, len(rows) - 1))
        yield self._small(
            self.of(
                "Outstanding points are available and held ones together. Each day has what was"
                " recorded on it; what took effect on an earlier day is in the last column.",
                "残高は利用可能と確保中の合計です。各日には当日に記録した明細を計上し、"
                "前日以前に効力が生じていた分は右端の列に示します。",
            )
        )

    def _columns(self, balances: Balances, form: Callable[[int], str]) -> list[str]:
        figures = (balances.approved, balances.hold, available(balances), balances.pending)
        return [form(one) for one in figures]

    def _days(self) -> Iterator[str]:
        days = list(self.file.period.days())
        kinds = {
            "granted": (self.of("granted", "付与"), _INTO),
            "used": (self.of("used, less returned", "利用（取消控除後）"), _USED),
            "lapse": (self.of("expired", "失効"), frozenset({Movement.EXPIRED})),
        }
        named = frozenset[Movement]().union(*(movements for _, movements in kinds.values()))
        kinds["other"] = (self.of("other", "その他"), frozenset(Movement) - named)
        series = []
        for kind, (name, movements) in kinds.items():
            points = [
                sum(
                    available(moved.changes)
                    for movement, moved in self.statement.days.get(day, {}).items()
                    if movement in movements
                )
                for day in days
            ]
            if any(points):
                series.append(charts.Series(name, kind, points))
        labels = [str(day.day) for day in days]
        level, levels = available(self.statement.opening), []
        for place in range(len(days)):
            level += sum(one.points[place] for one in series)
            levels.append(level)
        legend = "".join(
            f'<span><i class="{one.kind}"></i>{escape(one.name)}</span>' for one in series
        )
        title = self.of("Points granted, used and expired each day", "日別の付与・利用・失効")
        yield f"<h3>{escape(title)}</h3><p class='legend'>{legend}</p>"
        yield charts.stacked(title, labels, series)
        title = self.of("Outstanding points at the end of each day", "日次の残高")
        yield f"<h3>{escape(title)}</h3>"
        yield charts.area(title, labels, levels)

    # --- outstanding ----------------------------------------------------------------------------

    def _outstanding(self) -> Iterator[str]:
        statement, words = self.statement, self.words
        total, owed = in_lots(statement), statement.owed
        figures = [
            [self.of("Points in lots", "有効なポイント"), number(total)],
            [self.of("Owed by customers", "会員のマイナス残高"), number(-owed)],
            [self.of("Outstanding", "残高"), number(available(statement.closing))],
            [
                self.of("Pending, not included", "付与予定（残高に含まず）"),
                number(statement.closing.pending),
            ],
        ]
        value = [
            self._money(worth_of(int(row[1].replace(",", "").replace("−", "-")), self.worth))
            for row in figures
        ]
        heads = ["", self.of("Points", "ポイント"), self.of("Value", "金額")]
        rows = [[*row, money] for row, money in zip(figures, value, strict=True)]
        yield self._table(heads, rows, totals=(2,))
        if not total:
            return
        title = self.of("By the month in which they expire", "有効期限の月別")
        yield f"<h3>{escape(title)}</h3>"
        months = [(words.month(one), points) for one, points in self._months()]
        yield charts.bars(title, [self._bar(name, points, total) for name, points in months])
        title = self.of("By age, since they were granted", "付与からの経過月数別")
        yield f"<h3>{escape(title)}</h3>"
        ages = by_age(statement, self.month).items()
        yield charts.bars(title, [self._bar(words.band(one), n, total) for one, n in ages])
        title = self.of("By the programme in force when they were granted", "付与時の規約（版）別")
        yield f"<h3>{escape(title)}</h3>"
        versions = by_programme(statement).items()
        yield charts.bars(title, [self._bar(words.programme(v), n, total) for v, n in versions])

    def _months(self) -> list[tuple[str, int]]:
        """The months in which points expire; beyond the last that is shown, they are added up."""
        found = by_expiry(self.statement)
        never = found.pop(NEVER_EXPIRES, 0)
        months = list(found.items())
        shown, later = months[:EXPIRY_MONTHS_MAX], months[EXPIRY_MONTHS_MAX:]
        if later:
            last, points = shown[-1]
            shown[-1] = (last, points + sum(points for _, points in later))
        return [*shown, (NEVER_EXPIRES, never)] if never else shown

    def _bar(self, name: str, points: int, total: int) -> tuple[str, int, str]:
        money = self._money(worth_of(points, self.worth))
        return name, points, f"{number(points)} · {money} · {points / total:.1%}"

    # --- breakage -------------------------------------------------------------------------------

    def _breakage(self) -> Iterator[str]:
        found = self.breakage
        if not found.is_estimated:
            yield self._small(
                self.of(
                    f"Not estimated: no lot has run off within the last {RUN_OFF_MONTHS} months.",
                    f"直近{RUN_OFF_MONTHS}か月に有効期限を迎えたポイントがないため、見積りはありません。",
                )
            )
            return
        rate = found.points / found.base if found.base else 0.0
        observed = found.observed_expired / found.observed if found.observed else 0.0
        rows = [
            [
                self.of("Points that can expire", "期限のある残高"),
                number(found.base),
                self._money(worth_of(found.base, self.worth)),
            ],
            [
                self.of("Of these expected to expire", "うち失効見込み"),
                f"{number(found.points)} ({rate:.1%})",
                self._money(worth_of(found.points, self.worth)),
            ],
            [
                self.of("Expected to be used", "うち利用見込み"),
                number(found.base - found.points),
                self._money(worth_of(found.base - found.points, self.worth)),
            ],
        ]
        heads = ["", self.of("Points", "ポイント"), self.of("Value", "金額")]
        yield self._table(heads, rows, totals=())
        title = self.of(
            "Share that expired in the end, of points still there at each age",
            "経過月数別：その時点で残っていたポイントのうち最終的に失効した割合",
        )
        yield f"<h3>{escape(title)}</h3>"
        rates = [(age, float(rate)) for age, rate in found.rates.items()]
        yield charts.curve(title, rates, self.of("age in months", "付与からの経過月数"))
        yield self._small(
            self.of(
                f"Method: run-off. Lots whose last day was within the last {RUN_OFF_MONTHS} months"
                f" are known to their end: {number(found.observed)} points, of which"
                f" {observed:.1%} expired and the rest was used. The share at its age is the"
                " estimate for each outstanding point. Points taken back count for neither side;"
                " points that never expire are left out.",
                f"算定方法：直近{RUN_OFF_MONTHS}か月に有効期限を迎えたポイント（{number(found.observed)}"
                f"ポイント、うち失効{observed:.1%}、残りは利用）の実績から、経過月数ごとの失効割合を求め、"
                "期末の残高に適用しています。返品等で取り消された分は除き、期限のないポイントは対象外です。",
            )
        )

    # --- journal --------------------------------------------------------------------------------

    def _journal(self) -> Iterator[str]:
        words, file = self.words, self.file
        heads = [
            self.of("Date", "日付"),
            self.of("Debit", "借方科目"),
            self.of("Amount", "借方金額"),
            self.of("Credit", "貸方科目"),
            self.of("Amount", "貸方金額"),
            self.of("Description", "摘要"),
        ]
        rows, total = [], 0
        for line in self.lines:
            amount = self._money(line.amount_minor)
            total += line.amount_minor
            points = self.of(f"{number(line.points)} pt", f"{number(line.points)}ポイント")
            about = f"{words.movement(line.movement)} {points}"
            about += words.so_far(is_over=self.found.is_over)
            debit, credit = words.account(line.debit), words.account(line.credit)
            rows.append([str(file.period.last), debit, amount, credit, amount, about])
        if not rows:
            yield self._small(self.of("Nothing to book.", "仕訳はありません。"))
            return
        sums = self._money(total)
        rows.append(["", self.of("Total", "合計"), sums, "", sums, ""])
        yield self._table(heads, rows, totals=(len(rows) - 1,), numbers=(2, 4))
        worth = self.words.worth(self.worth, file.currency)
        yield self._small(
            self.of(
                f"One point is valued at {worth}. Holds, releases, merges and pending points change"
                " no liability. Breakage is booked here only once points have expired.",
                f"1ポイントの評価額は{worth}です。確保・確保の解除・会員統合・付与予定は負債に影響しません。"
                "失効見込みはここでは計上せず、失効時に計上します。",
            )
        )

    def _notes(self) -> str:
        words = self.of(
            "This page is a record of points. How they are booked is for the shop and its"
            " accountants to decide.",
            "本書はポイントの記録です。会計処理は貴社および会計専門家の判断によります。",
        )
        return f"<footer>{escape(words)}</footer>"

    # --- forms ----------------------------------------------------------------------------------

    def _money(self, minor: int) -> str:
        return self.words.money(minor, self.file.currency)

    def _section(self, title: str, parts: Iterator[str]) -> str:
        return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"

    def _small(self, words: str) -> str:
        return f'<p class="small">{escape(words)}</p>'

    def _table(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[str]],
        totals: Sequence[int],
        numbers: Sequence[int] | None = None,
    ) -> str:
        """A table; columns with numbers are aligned to the right: all but the first by default."""
        right = set(range(1, len(heads)) if numbers is None else numbers)

        def cell(tag: str, place: int, words: str) -> str:
            kind = ' class="n"' if place in right else ""
            return f"<{tag}{kind}>{escape(words)}</{tag}>"

        head = "".join(cell("th", place, words) for place, words in enumerate(heads))
        body = []
        for row_place, row in enumerate(rows):
            cells = "".join(cell("td", place, words) for place, words in enumerate(row))
            kind = ' class="total"' if row_place in totals else ""
            body.append(f"<tr{kind}>{cells}</tr>")
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
