"""The words of my page that are written in JavaScript."""

import re
from pathlib import Path

import pytest

from pointbook.domain.entry import Topic

TEXTS = Path(__file__).resolve().parents[3] / "web" / "points-texts.js"


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_every_topic_of_the_history_has_words(locale: str) -> None:
    texts = TEXTS.read_text(encoding="utf-8")
    part = re.search(rf"^  {locale}: {{$(.*?)^  }},$", texts, re.MULTILINE | re.DOTALL)
    assert part, f"there are no texts of {locale}"
    named = re.findall(r'^ +"(points/[a-z_/]+)": ".+",$', part[1], re.MULTILINE)
    assert sorted(named) == sorted(topic.value for topic in Topic)
