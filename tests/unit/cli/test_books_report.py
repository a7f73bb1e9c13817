"""The report is one page that needs nothing else, in English and Japanese."""

import re
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from cli.books import LEDGER, Found
from cli.books_charts import Step, waterfall
from cli.books_report import report
from cli.books_words import ACCOUNTS, MOVEMENTS, Language, Words
from pointbook.domain.books.journal import LedgerAccount, Practice, journal
from pointbook.domain.books.movements import Movement
from pointbook.domain.books.periods import Period
from pointbook.domain.books.statement import Statement
from pointbook.services.statement_lines import StatementFile
from tests.support.book_days import TOKYO, Shop, busy_shop
from tools.make_books_picture import sample

DAY = date(2026, 11, 21)
MONTH = Period.month(2026, 11, TOKYO)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return busy_shop(seed=3, per_day=1_000, customers=60)


def page(
    statement: Statement, language: Language = Language.EN, shop: str = "demo", **of: object
) -> str:
    period = of.pop("period", MONTH)
    assert isinstance(period, Period)
    found = Found(StatementFile(shop, period, "JPY", 1, statement), LEDGER, **of)  # type: ignore[arg-type]
    lines = journal(statement, Practice.CONTRACT_LIABILITY, Decimal(1))
    return report(found, lines, Decimal(1), Words(language))


class Tags(HTMLParser):
    """Checks that every tag is closed; collects the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{data}\n"


def text(html: str) -> str:
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    return tags.text


@pytest.mark.parametrize("language", Language)
def test_the_page_is_well_formed_and_needs_no_other_file(shop: Shop, language: Language) -> None:
    html = page(shop.statement(MONTH), language)
    text(html)
    assert f'<html lang="{language}">' in html
    assert not re.search(r"(?:src|href)=|url\(|@import|<script|https?://", html)


def test_the_figures_are_on_the_page(shop: Shop) -> None:
    statement = shop.statement(MONTH)
    words = text(page(statement))
    closing = statement.closing.approved + statement.closing.hold
    assert f"{closing:,}" in words
    assert f"¥{closing:,}" in words
    assert "✓ Closes" in words
    for kind in statement.movements:
        assert MOVEMENTS[kind][0] in words


def test_japanese_is_japanese_throughout(shop: Shop) -> None:
    words = text(page(shop.statement(MONTH), Language.JA))
    words = words.partition("</style>")[2] or words.rpartition("}")[2]
    for allowed in ("Asia/Tokyo", "demo", "pt"):
        words = words.replace(allowed, "")
    assert re.findall(r"[A-Za-z]{2,}", words) == []
    assert "契約負債" in words


def test_what_does_not_close_is_said_first(shop: Shop) -> None:
    statement = shop.statement(MONTH)
    statement.closing = statement.closing._replace(approved=statement.closing.approved + 7)
    statement.unreadable = 2
    words = text(page(statement, changed=(DAY,)))
    assert "✗ Does not close." in words
    assert "approved +7" in words
    assert "unreadable 2" in words
    assert "2026-11-21" in words


def test_a_period_under_way_says_so(shop: Shop) -> None:
    assert "period not over yet" in text(page(shop.statement(MONTH), is_over=False))


def test_one_day_has_no_chart_of_days(shop: Shop) -> None:
    period = Period(DAY, DAY, TOKYO)
    assert "Day by day" not in text(page(shop.statement(period), period=period))


@pytest.mark.parametrize("language", Language)
def test_an_empty_shop_has_a_page_too(language: Language) -> None:
    text(page(Statement(), language))


def test_names_are_escaped() -> None:
    assert "<b>" not in page(Statement(), shop="<b>")


def test_every_kind_and_account_has_words() -> None:
    assert MOVEMENTS.keys() == set(Movement)
    assert ACCOUNTS.keys() == set(LedgerAccount)
    for pair in (*MOVEMENTS.values(), *ACCOUNTS.values()):
        assert all(pair)


@pytest.mark.parametrize(
    ("minor", "currency", "english", "japanese"),
    [
        (1_250, "JPY", "¥1,250", "1,250円"),
        (-1_250, "JPY", "−¥1,250", "−1,250円"),
        (1_234_56, "USD", "1,234.56 USD", "1,234.56 USD"),
        (-5, "USD", "−0.05 USD", "−0.05 USD"),
    ],
)
def test_amounts(minor: int, currency: str, english: str, japanese: str) -> None:
    assert Words(Language.EN).money(minor, currency) == english
    assert Words(Language.JA).money(minor, currency) == japanese


def test_the_value_of_a_point_may_be_a_part_of_the_smallest_unit() -> None:
    assert Words(Language.JA).worth(Decimal("0.85"), "JPY") == "0.85円"
    assert Words(Language.EN).worth(Decimal(1), "USD") == "0.01 USD"
    assert Words(Language.EN).worth(Decimal(100), "JPY") == "¥100"


def test_the_picture_in_the_documentation_is_of_a_statement_that_closes() -> None:
    assert sample().is_right


@pytest.mark.parametrize("language", Language)
def test_labels_of_the_movements_stand_apart(language: Language) -> None:
    words = Words(language)
    kinds = [Movement.GRANTED, Movement.APPROVED, Movement.SPENT, Movement.RETURNED]
    kinds += [Movement.EXPIRED, Movement.REVERSED, Movement.UNDONE, Movement.REMOVED]
    kinds += [Movement.RESTORED, Movement.OTHER]
    steps = [Step(words.movement(one), 1_112_345 if one in kinds[:2] else -1_234) for one in kinds]
    steps = [Step("Opening", 1_123_456, is_total=True), *steps]
    steps.append(Step("Closing", 3_338_274, is_total=True))
    texts = re.findall(
        r'<text class="value middle" x="([0-9.]+)" y="([0-9.]+)">([^<]+)<', waterfall("", steps)
    )
    boxes = [(float(x), float(y), 3.5 * len(shown)) for x, y, shown in texts]
    assert len(boxes) == len(steps)
    for (x1, y1, half1), (x2, y2, half2) in pairwise(boxes):
        assert x2 - half2 >= x1 + half1 or abs(y2 - y1) >= 12
    assert min(y for _, y, _ in boxes) > 9, "none is cut off at the top"
    labels = re.findall(r'<text class="tick middle"[^>]*>([^<]+)<', waterfall("", steps))
    whole = "".join(step.label for step in steps).replace(" ", "")
    assert "".join(labels).replace(" ", "") == whole, "no label is cut off"
