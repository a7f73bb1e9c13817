"""Take pictures of the report of `pointbook statement`, for a shop that is made up.

make pictures    takes them, too: docs/pictures/books-en.png and books-ja.png

The whole pages are in `.local/pictures/books`, to be looked at on a screen and printed.
"""

import os
from collections import Counter
from datetime import date
from decimal import Decimal
from random import Random

from playwright.sync_api import FloatRect, sync_playwright

from cli.books import FILES, Found
from cli.books_report import report
from cli.books_words import Language, Words
from local import demo
from local.options import ROOT
from pointbook.domain.books.journal import Practice, journal
from pointbook.domain.books.movements import Movement, Sum, available
from pointbook.domain.books.periods import Period
from pointbook.domain.books.statement import EXPIRED, NEVER_EXPIRES, USED, LotGroup, Statement
from pointbook.domain.buckets import Balances, Bucket, transfer
from pointbook.services.statement_lines import StatementFile
from tools.make_pictures import CHROMIUM, FLAGS

PAGES = ROOT / ".local" / "pictures" / "books"
TAKEN = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 920, 780
OPENING = Balances(-964_300, 1_800, 6_200, 402_100, 5_400, 431_000, 92_300, 18_200, 7_300)


def sample() -> Found:
    """A month of a shop with some thousand customers; always the same, and it closes."""
    random, period = Random(5), Period.month(2026, 11, "Asia/Tokyo")
    statement = Statement(accounts=4_213, opening=OPENING)
    for day in period.days():
        busy = 2.2 if day.weekday() >= 5 else 1.0
        _add(statement, day, Movement.PROMISED, Bucket.PENDING, int(900 * busy), random)
        _add(statement, day, Movement.APPROVED, Bucket.APPROVED, int(850 * busy), random)
        _add(statement, day, Movement.GRANTED, Bucket.APPROVED, int(1_900 * busy), random)
        _add(statement, day, Movement.SPENT, Bucket.SPENT, int(2_100 * busy), random)
        _add(statement, day, Movement.RETURNED, Bucket.APPROVED, 90, random)
        _add(statement, day, Movement.REVERSED, Bucket.REVERSED, 130, random)
    _add(statement, period.first, Movement.EXPIRED, Bucket.EXPIRED, 14_800, random)
    statement.closing = statement.expected_closing
    _outstanding(statement, random)
    for age in range(13):
        statement.run_off[age, USED] = int(64_000 * 0.8**age)
    statement.run_off = Counter({**statement.run_off, (12, EXPIRED): 41_000, (13, EXPIRED): 33_000})
    return Found(StatementFile(demo.SHOP_DOMAIN, period, "JPY", 1, statement), FILES)


def main() -> None:
    """Write the pages and take the pictures."""
    PAGES.mkdir(parents=True, exist_ok=True)
    found, worth = sample(), Decimal(1)
    lines = journal(found.file.statement, Practice.CONTRACT_LIABILITY, worth)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for language in Language:
            file = PAGES / f"books-{language}.html"
            file.write_text(report(found, lines, worth, Words(language)), encoding="utf-8")
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.goto(file.as_uri())
            clip: FloatRect = {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT}
            page.screenshot(path=os.fspath(TAKEN / f"books-{language}.png"), clip=clip)
            page.screenshot(path=os.fspath(file.with_suffix(".png")), full_page=True)
            page.pdf(path=os.fspath(file.with_suffix(".pdf")), prefer_css_page_size=True)
            page.close()
            print(file.relative_to(ROOT))
        browser.close()


_SOURCES = {
    Movement.PROMISED: Bucket.ISSUED,
    Movement.APPROVED: Bucket.PENDING,
    Movement.GRANTED: Bucket.ISSUED,
    Movement.RETURNED: Bucket.SPENT,
}


def _add(
    statement: Statement, day: date, kind: Movement, to: Bucket, about: int, random: Random
) -> None:
    """Add some entries of a kind, which move about so many points."""
    moved = statement.days.setdefault(day, {}).setdefault(kind, Sum())
    left = int(about * random.uniform(0.6, 1.4))
    while left > 0:
        points = min(left, random.randint(20, 400))
        moves = transfer(_SOURCES.get(kind, Bucket.APPROVED), to, points)
        moved.add(points, moves, is_of_earlier_day=random.random() < 0.02)
        statement.entries += 1
        left -= points


def _outstanding(statement: Statement, random: Random) -> None:
    """Spread the closing points over lots."""
    left, held = available(statement.closing), statement.closing.hold
    never = LotGroup(NEVER_EXPIRES, "2025-04", 1)
    statement.outstanding[never] = (9_000, 0)
    left -= 9_000
    for number in range(12, 0, -1):
        year, month = divmod(2026 * 12 + 10 + number, 12)
        group = LotGroup(f"{year}-{month + 1:02}", f"{year - 1}-{month + 1:02}", 1 + (number > 7))
        points = left if number == 1 else int(left * random.uniform(0.09, 0.17))
        statement.outstanding[group] = (points - held, held)
        left, held = left - points, 0


if __name__ == "__main__":
    main()
