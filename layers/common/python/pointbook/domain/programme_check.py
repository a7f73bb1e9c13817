"""What a change of a programme's rules would do: errors, warnings, and the rules that differ."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from json import dumps

from pointbook.domain.expiry import day_of
from pointbook.domain.programme import Programme, errors, programme_of
from pointbook.domain.programme_warnings import warnings


@dataclass(frozen=True, slots=True)
class Check:
    """The errors of a programme, or its warnings if it has no errors; each begins with the rule."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A rule that differs, with its text before and after."""

    rule: str
    before: str
    after: str


def check(texts: Mapping[str, str], now: datetime) -> Check:
    """Check a programme with these rules, as of `now`."""
    if wrong := errors(texts):
        return Check(errors=tuple(map(str, wrong)))
    programme = programme_of(texts, version=1)
    return Check(warnings=warnings(programme, day_of(now, programme.time_zone)))


def changes(before: Programme, after: Programme) -> Iterator[Change]:
    """The rules that differ, in the order in which rules are shown."""
    earlier = before.texts()
    for name, text in after.texts().items():
        if text != earlier[name]:
            yield Change(name, earlier[name], text)


def rules_file(rules: Iterable[tuple[str, str]]) -> str:
    """Rules with their texts as a file in TOML, as `pointbook programme` prints and reads it."""
    return "".join(f"{name} = {dumps(text, ensure_ascii=False)}\n" for name, text in rules)
