"""The stack's secret in Secrets Manager: a JSON object that is read and replaced as a whole."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from cli.aws_errors import AWS_ERRORS, in_words
from cli.errors import CommandFailed, NotReachable
from cli.target import Target
from pointbook.errors import MalformedBody
from pointbook.till.providers import CREDENTIALS, OPTIONAL
from pointbook.validation import json_object

TILL = "till."
SIGNING = ("client_secret", "client_secret_previous", "my_page_secret", "my_page_secret_previous")
TILLS = tuple(
    TILL + name
    for name in dict.fromkeys(
        [*(one for names in CREDENTIALS.values() for one in names), *OPTIONAL]
    )
)

RANK = "till.rank_2"
"""The name of one of the till's ranks, which stands for those of all."""

_RANK = re.compile(r"till\.rank_[0-9]{1,4}")
_CURRENT = "AWSCURRENT"

type Members = Mapping[str, Any]


class StackSecret:
    """The secret of one stack."""

    def __init__(self, stack: Target) -> None:
        """Read nothing yet."""
        self._client = stack.client("secretsmanager")
        self._name = stack.settings.secrets_name

    def read(self) -> tuple[Members, str]:
        """Return the members and the id of their version. Raises CommandFailed, NotReachable."""
        try:
            found = self._client.get_secret_value(SecretId=self._name)
            return json_object(found["SecretString"].encode()), found["VersionId"]
        except AWS_ERRORS as error:
            why = in_words(error)
            raise NotReachable(f"The secret {self._name} cannot be read. {why}") from error
        except (KeyError, MalformedBody) as error:
            raise CommandFailed(
                f"The secret {self._name} does not hold a JSON object; nothing has been changed."
            ) from error

    def replace(self, version: str, members: Members) -> None:
        """Replace the members, only if `version` is still the current one.

        The new version is written beside it under a label of its own, then AWSCURRENT is moved
        from `version`: Secrets Manager refuses that if another version has it by now. Raises
        CommandFailed, NotReachable.
        """
        label = f"pointbook-{uuid.uuid4()}"
        text, staged = json.dumps(members, ensure_ascii=False), ""
        try:
            staged = self._client.put_secret_value(
                SecretId=self._name, SecretString=text, VersionStages=[label]
            )["VersionId"]
            try:
                self._move_label(_CURRENT, MoveToVersionId=staged, RemoveFromVersionId=version)
            finally:
                self._move_label(label, RemoveFromVersionId=staged)
        except AWS_ERRORS as error:
            if self.read()[1] not in (version, staged):
                raise CommandFailed(
                    f"Somebody else has changed the secret {self._name} in the meantime; this"
                    " command has changed nothing. Look at it, then run the command again."
                ) from error
            why = in_words(error)
            raise NotReachable(f"The secret {self._name} cannot be changed. {why}") from error

    def _move_label(self, label: str, **versions: str) -> None:
        self._client.update_secret_version_stage(
            SecretId=self._name, VersionStage=label, **versions
        )


def is_member(name: str) -> bool:
    """Whether the functions know a member of this name."""
    return name in (*SIGNING, *TILLS) or _RANK.fullmatch(name) is not None


def member_names(members: Members) -> list[str]:
    """Names of all members that the functions know, of one rank at least, then of others."""
    till = members.get("till")
    names = [name for name in members if name != "till"]
    names += [TILL + name for name in till] if isinstance(till, dict) else []
    return [*SIGNING, *TILLS, *sorted({RANK, *names} - {*SIGNING, *TILLS})]


def value_of(members: Members, name: str) -> Any:
    """The value of a member; "" if there is none."""
    if name.startswith(TILL):
        till = members.get("till")
        return till.get(name.removeprefix(TILL), "") if isinstance(till, dict) else ""
    return members.get(name) or ""


def changed(members: Members, changes: Mapping[str, str]) -> dict[str, Any]:
    """The members with these changes; "" removes one of the till's, and empties any other."""
    after: dict[str, Any] = dict(members)
    for name, value in changes.items():
        if not name.startswith(TILL):
            after[name] = value
            continue
        till = after.get("till")
        after["till"] = dict(till) if isinstance(till, dict) else {}
        after["till"][name.removeprefix(TILL)] = value
        if not value:
            del after["till"][name.removeprefix(TILL)]
    return after
