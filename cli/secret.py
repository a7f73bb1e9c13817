"""The stack's secret: show what is set, set a member, rotate one while everything runs.

    pointbook secret show --env prod
    pointbook secret set client_secret --env prod
    pointbook secret rotate client_secret --env prod < new_secret

Values are typed without echo, or come from standard input; they are never shown.
"""

import getpass
import json
import secrets
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli import target
from cli.errors import CommandFailed, UsedWrongly
from cli.options import Env, Json
from cli.output import Output
from cli.stack_secret import Members, StackSecret, changed, is_member, member_names, value_of
from cli.target import Target
from pointbook.base_container import CACHE_SECONDS
from pointbook.errors import SettingsError
from pointbook.settings import Secrets
from pointbook.till.providers import ROTATED

_GENERATED_BYTES = 36
"""48 characters."""

Member = Annotated[
    str, typer.Argument(help="As `pointbook secret show` lists them, such as till.client_secret.")
]


class Rotated(StrEnum):
    """What can be rotated."""

    CLIENT_SECRET = "client_secret"  # noqa: S105 (a name)
    MY_PAGE_SECRET = "my_page_secret"  # noqa: S105 (a name)
    TILL = "till"


def show(env: Env = None, json: Json = False) -> int:
    """Show which members are set; never their values."""
    stack, out = target.target_of(env), Output(as_json=json)
    members, _ = StackSecret(stack).read()
    states = {name: _state(value_of(members, name)) for name in member_names(members)}
    meanings = {name: _meaning(name) for name in states}
    out.say(f"{stack.name}, secret {stack.settings.secrets_name}")
    out.table(("member", "", "meaning"), [(name, states[name], meanings[name]) for name in states])
    out.document({"secret": stack.settings.secrets_name, "members": states})
    return 0


def set_(member: Member, env: Env = None, json: Json = False) -> int:
    """Set one member; all others stay. The value is typed without echo, or standard input.

    Functions use it within a minute. To replace a secret that is in use, rotate it instead.
    """
    _require_member(member)
    stack, out = target.target_of(env), Output(as_json=json)
    value = _given(member)
    _check(stack, {member: value})
    if member in (Rotated.CLIENT_SECRET, Rotated.MY_PAGE_SECRET):
        out.say(f"What is signed with another {member} will be refused; `rotate` accepts both.")
    return _write(stack, out, lambda _: {member: value})


def remove(member: Member, env: Env = None, json: Json = False) -> int:
    """Remove a member that is no longer needed, such as client_secret_previous.

    What is signed with a removed secret is refused within a minute.
    """
    _require_member(member)
    if member in (Rotated.CLIENT_SECRET, Rotated.MY_PAGE_SECRET):
        raise CommandFailed(f"{member} is needed; rotate it to replace it.")
    stack, out = target.target_of(env), Output(as_json=json)
    return _write(stack, out, lambda _: {member: ""})


def rotate(
    member: Annotated[Rotated, typer.Argument(help="What to rotate.")],
    generate: Annotated[
        bool, typer.Option("--generate", help="Draw a random my_page_secret.")
    ] = False,
    env: Env = None,
    json: Json = False,
) -> int:
    """Replace a secret while everything runs; the one before stays accepted.

    client_secret and my_page_secret: the current one becomes ..._previous. till: one line of JSON
    with Smaregi's client_id and client_secret, Square's access_token or ReCORE's api_key, or typed;
    they are replaced together.
    """
    if generate and member is not Rotated.MY_PAGE_SECRET:
        raise typer.BadParameter("--generate is for my_page_secret; others draw the rest.")
    stack, out = target.target_of(env), Output(as_json=json)
    if member is Rotated.TILL:
        given = _given_till(stack.settings.till_provider)
        return _write(stack, out, lambda _: given)
    value = secrets.token_urlsafe(_GENERATED_BYTES) if generate else _given(member)
    _check(stack, {member: value})

    def rotated(members: Members) -> dict[str, str]:
        current = value_of(members, member)
        if not current:
            raise CommandFailed(f"{member} is not set; use `pointbook secret set {member}`.")
        if current == value:
            raise CommandFailed(f"{member}: this is the current one. Nothing has been changed.")
        return {member: value, f"{member}_previous": current}

    return _write(stack, out, rotated)


def _write(stack: Target, out: Output, change: Callable[[Members], Mapping[str, str]]) -> int:
    """Change members, unless somebody else changes the secret meanwhile. Prints what was and is."""
    secret = StackSecret(stack)
    members, version = secret.read()
    changes = change(members)
    out.say(f"{stack.name}, secret {stack.settings.secrets_name}")
    described = []
    for name, value in changes.items():
        before = value_of(members, name)
        after = "the same" if before == value else _state(value)
        if before and value and before != value:
            after = "set to another value"
        described.append({"member": name, "before": _state(before), "after": after})
        out.say(f"{name}: was {_state(before)}, is {after}")
    if all(value_of(members, name) == value for name, value in changes.items()):
        out.say("Nothing to change.")
        out.document({"changes": described, "used_from": None})
        return 0
    secret.replace(version, changed(members, changes))
    at = datetime.now(UTC) + timedelta(seconds=CACHE_SECONDS)
    out.say(f"Every function uses it within a minute: from {at.astimezone():%H:%M:%S} on.")
    out.document({"changes": described, "used_from": at.isoformat(timespec="seconds")})
    return 0


def _require_member(member: str) -> None:
    if not is_member(member):
        names = ", ".join(member_names({}))
        raise UsedWrongly(f"There is no member {member!r}; it is one of {names}.")


def _check(stack: Target, values: Mapping[str, str]) -> None:
    """Refuse a value that the functions would refuse. Raises CommandFailed, without the value."""
    others = {"client_secret": secrets.token_urlsafe(_GENERATED_BYTES)}
    try:
        Secrets.from_json(json.dumps(changed(others, values)), stack.settings.stage)
    except SettingsError as error:
        raise CommandFailed(f"{error}. Nothing has been changed.") from error


def _given(member: str) -> str:
    """Read a value: typed without echo, or all of standard input. Raises CommandFailed."""
    if sys.stdin.isatty():
        value = getpass.getpass(f"{member} (not shown): ")
    else:
        value = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    return _clean(member, value)


def _given_till(provider: str) -> dict[str, str]:
    if provider not in ROTATED:
        raise CommandFailed("The stack has no till (TillProvider). Nothing has been changed.")
    names = ROTATED[provider]  # the till accepts the ones before until they are revoked there
    if sys.stdin.isatty():
        return {f"till.{name}": _given(f"till.{name}") for name in names}
    try:
        given = json.loads(sys.stdin.read())
    except ValueError:
        given = None
    if not isinstance(given, dict) or {*given} != {*names}:
        wanted = json.dumps(dict.fromkeys(names, "..."))
        raise CommandFailed(f"Standard input must be {wanted}. Nothing has been changed.")
    return {f"till.{name}": _clean(f"till.{name}", given[name]) for name in names}


def _clean(member: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise CommandFailed(f"{member}: the value is empty. Nothing has been changed.")
    if value != value.strip() or not value.isprintable():
        raise CommandFailed(
            f"{member}: the value has white space around it, or a line break or control character"
            " in it. Nothing has been changed."
        )
    return value


def _state(value: object) -> str:
    return "set" if value else "not set"


def _meaning(name: str) -> str:
    return _MEANINGS.get(name) or (
        f"the name of the till's rank {name.rpartition('_')[2]}"
        if is_member(name)
        else "unknown; it is kept"
    )


_MEANINGS = {
    "client_secret": "the Shopify app's client secret",
    "client_secret_previous": "the one before, accepted during a rotation",
    "my_page_secret": "signs cookies of a my page of your own; codes of holds come from it",
    "my_page_secret_previous": "the one before, accepted during a rotation",
    "till.contract_id": "Smaregi's contract id",
    "till.client_id": "the client id of the app at Smaregi",
    "till.client_secret": "its client secret",
    "till.access_token": "Square's access token",
    "till.api_key": "ReCORE's key",
    "till.api_url": "another host than the till's own, such as the sandbox's",
    "till.id_url": "another host than Smaregi's own, such as the sandbox's",
    "till.read_only": "yes: Pointbook never changes points at the till",
    "till.store_id": "the store at ReCORE, if the key has none",
}
