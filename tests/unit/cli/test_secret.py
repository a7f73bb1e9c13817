"""`pointbook secret`: members are set and rotated, none is lost or shown."""

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from cli import target
from cli.app import main
from pointbook.settings import Secrets, Stage
from tests.support.commands import failure

NEW = "a-new-secret-0123456789-abcdefghij"
OLD = "the-old-secret-0123456789-abcdefghij"
OLDER = "the-secret-before-0123456789-abcdefghij"
PAGE = "the-secret-of-my-page-0123456789-abcdefghij"
STORED = {
    "client_secret": OLD,
    "client_secret_previous": OLDER,
    "my_page_secret": PAGE,
    "till": {"contract_id": "sb_1", "client_id": "id", "client_secret": "s", "rank_2": "ゴールド"},
    "a_member_of_tomorrow": [1],
}


class SecretsManager:
    """Secrets Manager with one secret; its versions, and which labels each has."""

    def __init__(self, text: str) -> None:
        self.versions = {"v0": text}
        self.labels = {"AWSCURRENT": "v0"}
        self.meanwhile: Callable[[], object] = lambda: None
        self.error: Exception | None = None

    @property
    def current(self) -> str:
        return self.versions[self.labels["AWSCURRENT"]]

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        assert SecretId == "the-secret"
        if self.error:
            raise self.error
        version = self.labels["AWSCURRENT"]
        return {"SecretString": self.versions[version], "VersionId": version}

    def put_secret_value(
        self,
        SecretId: str,  # noqa: N803
        SecretString: str,  # noqa: N803
        VersionStages: list[str],  # noqa: N803
    ) -> dict[str, str]:
        version = f"v{len(self.versions)}"
        self.versions[version] = SecretString
        self.labels |= dict.fromkeys(VersionStages, version)
        self.meanwhile()
        return {"VersionId": version}

    def update_secret_version_stage(
        self,
        SecretId: str,  # noqa: N803
        VersionStage: str,  # noqa: N803
        RemoveFromVersionId: str,  # noqa: N803
        MoveToVersionId: str = "",  # noqa: N803
    ) -> None:
        if self.labels.get(VersionStage) != RemoveFromVersionId:
            raise ClientError({"Error": {"Code": "InvalidParameterException"}}, "Update")
        del self.labels[VersionStage]
        if MoveToVersionId:
            self.labels[VersionStage] = MoveToVersionId


class Stack:
    """A deployed stack."""

    name = "pointbook-prod"
    settings = SimpleNamespace(secrets_name="the-secret", stage=Stage.PROD, till_provider="smaregi")

    def __init__(self) -> None:
        self.secrets = SecretsManager(json.dumps(STORED))

    def client(self, service: str) -> SecretsManager:
        assert service == "secretsmanager"
        return self.secrets

    @property
    def members(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.secrets.current)
        return found


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    found = Stack()
    monkeypatch.setattr(target, "target_of", lambda _: found)
    return found


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a text on standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


type TypeIn = Callable[[str], None]
type Printed = pytest.CaptureFixture[str]


def test_show_says_which_members_are_set_and_no_value(stack: Stack, capsys: Printed) -> None:
    assert main(["secret", "show", "--json"]) == 0
    printed = capsys.readouterr()
    states = json.loads(printed.out)["members"]
    assert {name for name, state in states.items() if state == "set"} == {
        "client_secret",
        "client_secret_previous",
        "my_page_secret",
        "till.contract_id",
        "till.client_id",
        "till.client_secret",
        "till.rank_2",
        "a_member_of_tomorrow",
    }
    assert states["my_page_secret_previous"] == "not set"
    for value in (OLD, OLDER, PAGE, "sb_1", "ゴールド"):
        assert value not in printed.out + printed.err


def test_a_ranks_name_is_among_the_members_before_any_is_set(stack: Stack, capsys: Printed) -> None:
    stack.secrets.versions["v0"] = json.dumps({"client_secret": OLD})
    assert main(["secret", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["members"]["till.rank_2"] == "not set"


def test_one_member_is_set_and_all_others_stay(
    stack: Stack, type_in: TypeIn, capsys: Printed
) -> None:
    type_in("Silber\n")
    assert main(["secret", "set", "till.rank_3"]) == 0
    assert stack.members == STORED | {"till": {**STORED["till"], "rank_3": "Silber"}}  # type: ignore[dict-item]
    printed = capsys.readouterr().out
    assert "till.rank_3: was not set, is set" in printed
    assert "Silber" not in printed
    assert set(stack.secrets.labels) == {"AWSCURRENT"}, "no label is left behind"


def test_a_value_is_typed_without_echo(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("getpass.getpass", lambda _: NEW)
    assert main(["secret", "set", "client_secret"]) == 0
    assert stack.members == STORED | {"client_secret": NEW}


def test_a_member_can_be_set_in_a_secret_as_cloudformation_made_it(
    stack: Stack, type_in: TypeIn
) -> None:
    fresh = {"client_secret": "", "client_secret_previous": "", "my_page_secret": PAGE}
    stack.secrets.versions["v0"] = json.dumps(fresh)
    type_in("sb_1")
    assert main(["secret", "set", "till.contract_id"]) == 0
    assert stack.members == fresh | {"till": {"contract_id": "sb_1"}}
    type_in(f"{NEW}\r\n")
    assert main(["secret", "set", "client_secret"]) == 0
    assert Secrets.from_json(stack.secrets.current, Stage.PROD).client_secret == NEW


@pytest.mark.parametrize("member", ["clientsecret", "till", "till.password", "till.rank_x", ""])
@pytest.mark.parametrize("command", ["set", "remove"])
def test_an_unknown_member_is_refused_and_the_known_ones_are_named(
    stack: Stack, type_in: TypeIn, command: str, member: str
) -> None:
    type_in(NEW)
    message = failure("secret", command, member, status=2)
    assert f"no member {member!r}" in message
    assert "till.client_secret" in message
    assert stack.members == STORED


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "empty"),
        ("\n", "empty"),
        ("  ", "empty"),
        (f" {NEW}", "white space"),
        (f"{NEW}\n{NEW}", "line break"),
        (f"{NEW}\x1b", "control character"),
        (NEW[:31], "at least 32 characters"),
        ("x" * 40, "different characters"),
    ],
)
@pytest.mark.parametrize("command", ["set", "rotate"])
def test_a_value_that_no_function_could_use_is_refused_and_not_shown(
    stack: Stack, type_in: TypeIn, command: str, value: str, why: str
) -> None:
    type_in(value)
    message = failure("secret", command, "client_secret")
    assert why in message
    assert "Nothing has been changed" in message
    assert not value.strip() or value.strip() not in message
    assert stack.members == STORED


@pytest.mark.parametrize("member", ["client_secret", "my_page_secret"])
def test_a_rotation_keeps_the_one_before_as_the_previous_one(
    stack: Stack, type_in: TypeIn, capsys: Printed, member: str
) -> None:
    type_in(NEW)
    assert main(["secret", "rotate", member, "--json"]) == 0
    before = STORED[member]
    assert stack.members == STORED | {member: NEW, f"{member}_previous": before}
    printed = capsys.readouterr()
    assert "within a minute" in printed.err
    assert json.loads(printed.out)["used_from"]
    assert NEW not in printed.out + printed.err


def test_a_my_page_secret_can_be_drawn_at_random(stack: Stack, capsys: Printed) -> None:
    assert main(["secret", "rotate", "my_page_secret", "--generate"]) == 0
    drawn = stack.members["my_page_secret"]
    assert len(drawn) == 48
    assert drawn not in capsys.readouterr().out
    assert Secrets.from_json(stack.secrets.current, Stage.PROD).my_page_secret_previous == PAGE


@pytest.mark.parametrize("member", ["client_secret", "till"])
def test_what_others_draw_is_not_generated(stack: Stack, member: str) -> None:
    failure("secret", "rotate", member, "--generate", status=2)
    assert stack.members == STORED


def test_the_tills_credentials_are_replaced_together(stack: Stack, type_in: TypeIn) -> None:
    type_in('{"client_id": "id-2", "client_secret": "s-2"}\n')
    assert main(["secret", "rotate", "till"]) == 0
    assert stack.members["till"] == STORED["till"] | {"client_id": "id-2", "client_secret": "s-2"}  # type: ignore[operator]


@pytest.mark.parametrize(("provider", "name"), [("square", "access_token"), ("recore", "api_key")])
def test_what_is_rotated_is_the_providers(
    stack: Stack, type_in: TypeIn, monkeypatch: pytest.MonkeyPatch, provider: str, name: str
) -> None:
    monkeypatch.setattr(stack.settings, "till_provider", provider)
    type_in('{"client_id": "id-2", "client_secret": "s-2"}\n')
    assert name in failure("secret", "rotate", "till")
    type_in(json.dumps({name: "new"}))
    assert main(["secret", "rotate", "till"]) == 0
    assert stack.members["till"] == STORED["till"] | {name: "new"}  # type: ignore[operator]


def test_without_a_till_there_is_nothing_of_it_to_rotate(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack.settings, "till_provider", "none")
    assert "no till" in failure("secret", "rotate", "till")
    assert stack.members == STORED


@pytest.mark.parametrize(
    "member",
    [
        *("till.access_token", "till.api_key", "till.api_url", "till.id_url"),
        *("till.read_only", "till.store_id"),
    ],
)
def test_every_tills_credentials_can_be_set(stack: Stack, type_in: TypeIn, member: str) -> None:
    type_in("value")
    assert main(["secret", "set", member]) == 0
    assert stack.members["till"] == STORED["till"] | {member.removeprefix("till."): "value"}  # type: ignore[operator]


@pytest.mark.parametrize(
    "text", ["", "id-2", "[]", '{"client_id": "id-2"}', '{"client_id": "a", "client_secret": ""}']
)
def test_half_of_the_tills_credentials_is_refused(stack: Stack, type_in: TypeIn, text: str) -> None:
    type_in(text)
    assert "Nothing has been changed" in failure("secret", "rotate", "till")
    assert stack.members == STORED


def test_the_current_secret_is_no_new_one(stack: Stack, type_in: TypeIn) -> None:
    """Else the previous one would be lost by rotating twice."""
    type_in(OLD)
    assert "this is the current one" in failure("secret", "rotate", "client_secret")
    assert stack.members == STORED


def test_what_was_never_set_is_set_and_not_rotated(stack: Stack, type_in: TypeIn) -> None:
    stack.secrets.versions["v0"] = json.dumps(STORED | {"client_secret": ""})
    type_in(NEW)
    assert "secret set client_secret" in failure("secret", "rotate", "client_secret")


def test_a_previous_secret_can_be_removed_and_one_in_use_cannot(stack: Stack) -> None:
    assert main(["secret", "remove", "client_secret_previous"]) == 0
    assert main(["secret", "remove", "till.rank_2"]) == 0
    assert stack.members["client_secret_previous"] == ""
    assert "rank_2" not in stack.members["till"]
    assert "rotate it" in failure("secret", "remove", "client_secret")
    assert stack.members["client_secret"] == OLD


def test_setting_the_same_value_again_writes_nothing(
    stack: Stack, type_in: TypeIn, capsys: Printed
) -> None:
    type_in(OLD)
    assert main(["secret", "set", "client_secret"]) == 0
    assert "Nothing to change." in capsys.readouterr().out
    assert list(stack.secrets.versions) == ["v0"]


def test_a_change_by_somebody_else_at_the_same_time_is_not_overwritten(
    stack: Stack, type_in: TypeIn
) -> None:
    theirs = json.dumps(STORED | {"my_page_secret": OLDER})

    def meanwhile() -> None:
        stack.secrets.versions["theirs"] = theirs
        stack.secrets.labels["AWSCURRENT"] = "theirs"

    stack.secrets.meanwhile = meanwhile
    type_in(NEW)
    assert "Somebody else has changed" in failure("secret", "rotate", "client_secret")
    assert stack.secrets.current == theirs
    assert set(stack.secrets.labels) == {"AWSCURRENT"}


@pytest.mark.parametrize("text", ["shpss_0123456789abcdef0123456789abcdef", "[]"])
def test_a_secret_that_is_no_object_is_left_alone_and_not_shown(
    stack: Stack, type_in: TypeIn, text: str
) -> None:
    stack.secrets.versions["v0"] = text
    type_in(NEW)
    message = failure("secret", "set", "client_secret")
    assert "does not hold a JSON object" in message
    assert "shpss" not in message
    assert stack.secrets.current == text


def test_a_secret_that_cannot_be_reached_is_status_3(stack: Stack) -> None:
    stack.secrets.error = EndpointConnectionError(endpoint_url="https://secretsmanager")
    assert "cannot be read" in failure("secret", "show", status=3)
