"""The points programme of a shop: show it, check a file of rules, change it, see its history."""

import getpass
import tomllib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli import target
from cli.errors import CommandFailed, UsedWrongly
from cli.files import unread
from cli.options import Env, Json, Shop, Yes
from cli.output import Output, is_confirmed
from cli.target import Target
from pointbook.domain import programme_check
from pointbook.domain.programme import Programme, default_programme, programme_of
from pointbook.domain.programme_check import rules_file
from pointbook.store.programmes import Deployment, Programmes, Version

_NONE_YET = 0
"""The version in force before any function has loaded the shop's programme."""


Rules = Annotated[
    Path, typer.Argument(help="TOML, one rule per line, as printed by `pointbook programme show`.")
]

By = Annotated[str | None, typer.Option(help="Name for the history; default: login.")]
_NOW = "now"


def show(shop: Shop = None, env: Env = None, json: Json = False) -> int:
    """Print the programme in force as a file of rules."""
    stack, out = target.target_of(env), Output(as_json=json)
    shop = stack.shop(shop)
    version = _programmes(stack).latest(shop)
    if version is None:
        out.say(f"# {shop}: not in use yet; the parameters of the deployment")
    else:
        out.say(f"# {shop}: version {version.programme.version}, {_when(version)}, by {version.by}")
    texts = _in_force(stack, version).texts()
    out.say(*rules_file(texts.items()).splitlines())
    number = version.programme.version if version else None
    out.document({"shop": shop, "version": number, "rules": texts})
    return 0


def check(file: Rules, shop: Shop = None, env: Env = None, json: Json = False) -> int:
    """Report errors and warnings of a file of rules."""
    given, out = _read(file), Output(as_json=json)
    if env or target.is_running_here():
        stack = target.target_of(env)
        shop = stack.shop(shop)
        before = _in_force(stack, _programmes(stack).latest(shop))
        others = f"version {before.version} of {shop}"
    else:
        before, others = default_programme(), "the default programme"
    found = _checked(before.texts() | given, datetime.now(UTC), out)
    out.document(found)
    if found["errors"]:
        return 1
    out.say(f"These rules are valid, together with all others of {others}.")
    return 0


def change(
    file: Rules,
    by: By = None,
    yes: Yes = False,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Put the rules of a file into force; other rules stay as they are."""
    given = _read(file)
    stack, out = target.target_of(env), Output(as_json=json)
    return _change(stack, stack.shop(shop), given, by, out, yes=yes)


def _change(
    stack: Target,
    shop: str,
    given: dict[str, str],
    by: str | None,
    out: Output,
    *,
    yes: bool,
    wrong: int = CommandFailed.status,
) -> int:
    """Check rules and put them into force; `wrong` if they have errors, 1 if somebody says no."""
    programmes = _programmes(stack)
    version = programmes.latest(shop)
    before = _in_force(stack, version)
    changed = before.texts() | given
    now = stack.clock().now()
    known = programme_check.check(before.texts(), now).warnings
    found = _checked(changed, now, out, known)
    if found["errors"]:
        out.document(found)
        return wrong
    differences = _differences(before, programme_of(changed, before.version))
    if not differences:
        out.say(f"{shop}: nothing to change.")
        out.document({**found, "changes": []})
        return 0
    out.say(f"{shop}, {stack.name}:", *(f"  {one}" for one in differences))
    if not yes and not is_confirmed("Change it?"):
        out.say("Nothing has been changed.")
        return 1
    seen = version.programme.version if version else _NONE_YET
    written = programmes.set(shop, given, by or getpass.getuser(), seen)
    out.say(f"Version {written.version} is in force; every function uses it within a minute.")
    out.document({**found, "changes": differences, "version": written.version})
    return 0


def set_(
    assignments: Annotated[
        list[str], typer.Argument(metavar="RULE=VALUE...", help="Such as earning=paused.")
    ],
    by: By = None,
    yes: Yes = False,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Put single rules into force, such as earning=paused; earn_from=now is the present time."""
    stack, out = target.target_of(env), Output(as_json=json)
    given, wrong = _assigned(assignments, stack), UsedWrongly.status
    return _change(stack, stack.shop(shop), given, by, out, yes=yes, wrong=wrong)


def history(shop: Shop = None, env: Env = None, json: Json = False) -> int:
    """List every version: when, who, and what changed."""
    stack, out = target.target_of(env), Output(as_json=json)
    found: list[tuple[Version, list[str]]] = []
    before: Programme | None = None
    for version in _programmes(stack).history(stack.shop(shop)):
        changes = _differences(before, version.programme) if before else ["first version"]
        found.append((version, changes or ["nothing"]))
        before = version.programme
    rows = [
        (*((str(v.programme.version), _when(v), v.by) if is_first else ("", "", "")), change)
        for v, changes in found
        for is_first, change in zip((True, *repeat(False, len(changes))), changes, strict=False)
    ]
    out.table(("version", "when", "who", "what changed"), rows)
    names = ("version", "at", "by", "changes")
    out.document(
        [
            dict(zip(names, (v.programme.version, _when(v), v.by, changes), strict=True))
            for v, changes in found
        ]
    )
    return 0


def _programmes(stack: Target) -> Programmes:
    deployment = Deployment(stack.settings.default_programme())
    return Programmes(stack.table(), stack.clock(), deployment)


def _in_force(stack: Target, version: Version | None) -> Programme:
    return version.programme if version else stack.settings.default_programme()


def _assigned(assignments: list[str], stack: Target) -> dict[str, str]:
    """The rules that are given as RULE=VALUE, each once. Raises UsedWrongly."""
    given: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or name in given:
            raise UsedWrongly(f"{assignment!r} must be RULE=VALUE, and each rule is given once.")
        given[name] = value
    if given.get("earn_from") == _NOW:
        zone = ZoneInfo(stack.settings.default_programme().time_zone)
        given["earn_from"] = stack.clock().now().astimezone(zone).isoformat(timespec="seconds")
    return given


def _read(file: Path) -> dict[str, str]:
    try:
        rules = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise unread(file, error) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsedWrongly(f"{file} cannot be read: {error}") from error
    for name, value in rules.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise UsedWrongly(f'{name} must be a string, such as {name} = "..."')
    return {name: str(value) for name, value in rules.items()}


def _checked(
    texts: Mapping[str, str], now: datetime, out: Output, known: Collection[str] = ()
) -> dict[str, list[str]]:
    """The errors of a programme, or its warnings if it has no errors; they are printed too.

    Warnings that are `known`, since they are of the programme in force, are left out.
    """
    check = programme_check.check(texts, now)
    warnings = [one for one in check.warnings if one not in known]
    found = {"errors": list(check.errors), "warnings": warnings}
    for kind, lines in found.items():
        out.say(*(f"{kind.removesuffix('s'):7}  {line}" for line in lines))
    return found


def _differences(before: Programme, after: Programme) -> list[str]:
    return [
        f"{one.rule}  {one.before or '(empty)'} → {one.after or '(empty)'}"
        for one in programme_check.changes(before, after)
    ]


def _when(version: Version) -> str:
    if version.at is None:
        return "unknown"
    return f"{version.at.astimezone(ZoneInfo(version.programme.time_zone)):%Y-%m-%d %H:%M:%S %z}"
