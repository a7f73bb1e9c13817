"""The points programme of a shop: show it, check a file of rules, change it, see its history."""

import getpass
import json
import tomllib
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ops import target
from ops.confirmation import is_confirmed
from ops.problems import OpsProblem
from ops.target import Target
from pointbook.domain.programme import Programme, default_programme, errors, programme_of
from pointbook.domain.programme_warnings import warnings
from pointbook.store.programmes import Deployment, Programmes, Version

_NONE_YET = 0
"""The version in force before any function has loaded the shop's programme."""


def main(arguments: list[str]) -> int:
    """Run one subcommand. Raises OpsProblem, PointbookError."""
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m ops programme", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, run, about in (
        ("show", _show, "print the programme in force as a file of rules"),
        ("check", _check, "report errors and warnings of a file of rules"),
        ("change", _change, "put the rules of a file into force; other rules stay as they are"),
        ("history", _history, "list every version: when, who, and what changed"),
    ):
        command = commands.add_parser(name, help=about, description=about)
        command.set_defaults(run=run)
        target.add_arguments(command)
        if name in ("check", "change"):
            command.add_argument(
                "file", type=Path, help="TOML, one rule per line, as printed by `show`"
            )
        if name == "change":
            command.add_argument("--yes", action="store_true", help="do not ask for confirmation")
            command.add_argument("--by", help="name for the history (default: your login)")
    return parser


def _show(options: Namespace) -> int:
    stack = target.target_of(options)
    shop = stack.shop(options.shop)
    version = _programmes(stack).latest(shop)
    if version is None:
        print(f"# {shop}: not in use yet; the parameters of the deployment")
    else:
        print(f"# {shop}: version {version.programme.version}, {_when(version)}, by {version.by}")
    for name, text in _in_force(stack, version).texts().items():
        print(f"{name} = {json.dumps(text, ensure_ascii=False)}")
    return 0


def _check(options: Namespace) -> int:
    given = _read(options.file)
    if options.env or options.local or target.is_running_here():
        stack = target.target_of(options)
        shop = stack.shop(options.shop)
        before = _in_force(stack, _programmes(stack).latest(shop))
        others = f"version {before.version} of {shop}"
    else:
        before, others = default_programme(), "the default programme"
    if not _is_usable(before.texts() | given, datetime.now(UTC)):
        return 1
    print(f"These rules are valid, together with all others of {others}.")
    return 0


def _change(options: Namespace) -> int:
    given = _read(options.file)
    stack = target.target_of(options)
    shop = stack.shop(options.shop)
    programmes = _programmes(stack)
    version = programmes.latest(shop)
    before = _in_force(stack, version)
    changed = before.texts() | given
    if not _is_usable(changed, stack.clock().now()):
        return 1
    differences = _differences(before, programme_of(changed, before.version))
    if not differences:
        print(f"{shop}: nothing to change.")
        return 0
    print(f"{shop}, {stack.name}:", *differences, sep="\n  ")
    if not options.yes and not is_confirmed("Change it?"):
        print("Nothing has been changed.")
        return 1
    seen = version.programme.version if version else _NONE_YET
    written = programmes.set(shop, given, options.by or getpass.getuser(), seen)
    print(f"Version {written.version} is in force; every function uses it within a minute.")
    return 0


def _history(options: Namespace) -> int:
    stack = target.target_of(options)
    shop = stack.shop(options.shop)
    print(f"{'version':>7}  {'when':<25}  {'who':<16}  what changed")
    before: Programme | None = None
    for version in _programmes(stack).history(shop):
        changes = _differences(before, version.programme) if before else ["first version"]
        first, *others = changes or ["nothing"]
        print(f"{version.programme.version:>7}  {_when(version):<25}  {version.by:<16}  {first}")
        for change in others:
            print(f"{'':54}{change}")
        before = version.programme
    return 0


def _programmes(stack: Target) -> Programmes:
    deployment = Deployment(stack.settings.default_programme())
    return Programmes(stack.table(), stack.clock(), deployment)


def _in_force(stack: Target, version: Version | None) -> Programme:
    return version.programme if version else stack.settings.default_programme()


def _read(file: Path) -> dict[str, str]:
    try:
        rules = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OpsProblem(f"{file} cannot be read: {error}") from error
    for name, value in rules.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise OpsProblem(f'{name} must be a string, such as {name} = "..."')
    return {name: str(value) for name, value in rules.items()}


def _is_usable(texts: Mapping[str, str], now: datetime) -> bool:
    """Whether the programme is valid; prints errors and warnings."""
    wrong = errors(texts)
    for error in wrong:
        print(f"error    {error}")
    if wrong:
        return False
    programme = programme_of(texts, version=1)
    today = now.astimezone(ZoneInfo(programme.time_zone)).date()
    for warning in warnings(programme, today):
        print(f"warning  {warning}")
    return True


def _differences(before: Programme, after: Programme) -> list[str]:
    return list(_changed(before.texts(), after.texts()))


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name, text in after.items():
        if text != before[name]:
            yield f"{name}  {before[name] or '(empty)'} → {text or '(empty)'}"


def _when(version: Version) -> str:
    if version.at is None:
        return "unknown"
    return f"{version.at.astimezone(ZoneInfo(version.programme.time_zone)):%Y-%m-%d %H:%M:%S %z}"
