"""Every rule of the programme has its place and its texts on the staff's page."""

import pytest

from pointbook.domain.programme_rules import DEFAULTS
from pointbook.page.locale import Locale
from pointbook.page.programme_texts import GROUPS, RuleTexts


def test_every_rule_is_in_one_group() -> None:
    shown = [rule for rules in GROUPS.values() for rule in rules]
    assert sorted(shown) == sorted(DEFAULTS)


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_every_rule_and_group_has_a_name_of_its_own_and_a_meaning(locale: Locale) -> None:
    texts = RuleTexts(locale)
    assert len({texts.group(group) for group in GROUPS}) == len(GROUPS)
    assert len({texts.name(rule) for rule in DEFAULTS}) == len(DEFAULTS)
    assert all(texts.meaning(rule).strip() for rule in DEFAULTS)
