"""The words of my page that are written in JavaScript."""

import re
from pathlib import Path

import pytest

from pointbook.domain.entry import Topic
from pointbook.page.history_rows import KINDS, RESERVED

TEXTS = Path(__file__).resolve().parents[3] / "web" / "points-texts.js"


def part(locale: str, name: str) -> str:
    """The texts of one language under a name."""
    texts = TEXTS.read_text(encoding="utf-8")
    found = re.search(
        rf"^  {locale}: {{$.*?^    {name}: {{$(.*?)^    }},$", texts, re.MULTILINE | re.DOTALL
    )
    assert found, f"there are no {name} of {locale}"
    return found[1]


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_every_kind_of_row_has_words(locale: str) -> None:
    named = re.findall(r'^ +([a-z_]+): ".+",$', part(locale, "kinds"), re.MULTILINE)
    assert sorted(named) == sorted({*KINDS.values(), RESERVED})


def test_every_topic_is_a_kind_of_row() -> None:
    assert set(KINDS) == set(Topic)


def test_both_languages_have_the_same_texts() -> None:
    texts = TEXTS.read_text(encoding="utf-8")
    english, japanese = texts.split("\n  ja: {\n")
    names = [re.findall(r"^ +([a-z_A-Z]+):", one, re.MULTILINE) for one in (english, japanese)]
    assert names[0][1:] == names[1], "a text is missing, or stands elsewhere"
