"""Every rule of the programme is a parameter of the template, and both allow the same."""

import re
from typing import Any

import pytest

from pointbook.domain.programme import ProgrammeError, default_programme
from pointbook.domain.programme_rules import DEFAULTS, RULES
from tests.artifacts.built import ROOT, TEMPLATE

VARIABLES: dict[str, Any] = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
PREFIX = "PROGRAMME_"
PARAMETERS = {
    name.removeprefix(PREFIX).lower(): value["Ref"]
    for name, value in VARIABLES.items()
    if name.startswith(PREFIX)
}
"""The parameter of each rule."""

WITHOUT_PATTERN = ("time_zone",)
"""Whether there is such a time zone, no pattern can say."""

WITHOUT_BLANKS = """
none 0 1 365 366 86400 86401 1000000 1000001 999999999 1000000000 -1 1.5 yes no true en ja fr
JPY jpy Asia/Tokyo Etc/GMT+9 ledger till changes balance included excluded floor half_up ceil round
paid created carry cancelled share clamp expire never date:2027-03-31 days:36500
months:12:month_end months:12:week_end rolling:days:90:year_end rolling:never
gold=150 ゴールド=150 gold=0 gold=10000 =150 gold=150, wholesale a,b 30,7 30, 1000,7 5,4,3,2,1
6,5,4,3,2,1 order order,product,shipping order,everything
on off paused 2026-12-01 2026-12-01T03:00:00 2026-12-01T03:00:00+09:00 2026-12-01T03:00Z
2026-12-01T24:00Z 2026-13-01T03:00Z 20261201T030000Z
"""
SAMPLES = (
    *("", *WITHOUT_BLANKS.split()),
    *("gold=150, silver member=9999", "gold =150", "no points", " blanks ", "30, 7"),
    "shipping, order",
    *("all", "70000000001,70000000002", "70000000001, 70000000002", "all,70000000001", "0123"),
    *("7" * 20, "7" * 21, ",".join(str(number) for number in range(1, 51))),
    ",".join(str(number) for number in range(1, 52)),
    *("digits", "prefix:EC-", "prefix:", "prefix:EC 1", f"prefix:{'x' * 44}", f"prefix:{'x' * 45}"),
    *("metafield:custom.member_number", "metafield:member_number", "metafield:ab.number"),
    *(
        "gold:en=Gold Member, gold:ja=ゴールド会員",
        "VIP 1:ja=特別:会員",
        "gold:fr=Or",
        "gold:en= Gold",
    ),
    *("gold:en=A=B", "gold :en=Gold", f"gold:en={'x' * 80}", f"gold:en={'x' * 81}"),
    *(f"{'x' * 64}:en=Gold", f"{'x' * 65}:en=Gold"),
    ",".join(f"{number}:en=x" for number in range(40)),
    ",".join(f"{number}:en=x" for number in range(41)),
    ",".join(f"{number}:en={'x' * 80}" for number in range(12)),
    ",".join(f"rank{number}=150" for number in range(20)),
    ",".join(f"rank{number}=150" for number in range(21)),
    ",".join(f"{number}{'x' * 100}=150" for number in range(10)),
    "x" * 255,
    "x" * 256,
)


def allows(parameter: dict[str, Any], text: str) -> bool:
    """Whether CloudFormation takes this value."""
    if "AllowedValues" in parameter:
        return text in parameter["AllowedValues"]
    if parameter["Type"] == "Number":
        number = int(text) if re.fullmatch(r"-?\d+", text) else None
        return number is not None and parameter["MinValue"] <= number <= parameter["MaxValue"]
    long_enough = len(text) <= parameter.get("MaxLength", 4096)
    return long_enough and bool(re.fullmatch(parameter["AllowedPattern"], text))


def is_read(rule: str, text: str) -> bool:
    """Whether functions start with this value."""
    try:
        default_programme(**{rule: text})
    except ProgrammeError:
        return False
    return True


def test_every_rule_has_a_parameter_and_every_parameter_is_in_a_group() -> None:
    assert list(PARAMETERS) == list(RULES)
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(TEMPLATE["Parameters"])
    assert [name for name in shown if name in PARAMETERS.values()] == list(PARAMETERS.values())


def test_a_deployment_without_parameters_has_the_default_programme() -> None:
    defaults = {rule: TEMPLATE["Parameters"][name]["Default"] for rule, name in PARAMETERS.items()}
    assert {rule: str(default) for rule, default in defaults.items()} == dict(DEFAULTS)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in WITHOUT_PATTERN])
def test_a_parameter_allows_only_what_functions_accept(rule: str) -> None:
    parameter = TEMPLATE["Parameters"][PARAMETERS[rule]]
    taken = [text for text in SAMPLES if allows(parameter, text)]
    assert taken == [text for text in SAMPLES if is_read(rule, text)]
    assert 0 < len(taken) < len(SAMPLES)


@pytest.mark.parametrize("rule", WITHOUT_PATTERN)
def test_a_parameter_allows_all_that_functions_accept(rule: str) -> None:
    parameter = TEMPLATE["Parameters"][PARAMETERS[rule]]
    read = [text for text in SAMPLES if is_read(rule, text)]
    assert read
    assert [text for text in read if not allows(parameter, text)] == []
    assert not allows(parameter, "a,b")


def test_the_documented_table_has_every_rule_with_its_parameter_and_default() -> None:
    text = (ROOT / "docs" / "programme.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| .+? \| (`[^`]+`|empty) \|", text, re.MULTILINE)
    documented = {
        rule: (name, "" if default == "empty" else default.strip("`"))
        for rule, name, default in rows
    }
    assert documented == {rule: (PARAMETERS[rule], default) for rule, default in DEFAULTS.items()}
