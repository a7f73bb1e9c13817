"""`pointbook programme`: show, check, change and history."""

import io
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import target
from cli.app import main
from cli.target import Target
from pointbook.domain.programme import Programme, default_programme
from pointbook.errors import LedgerUnavailable
from pointbook.settings import Settings
from pointbook.store import programmes as kept
from pointbook.store.programmes import Deployment, Programmes
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support.ledgers import SetClock
from tests.support.table import table_request

SHOP = "demo.myshopify.com"
OTHER = "other.myshopify.com"
VARIABLES = {
    "STAGE": "prod",
    "TABLE_NAME": "points",
    "SHOP_DOMAIN": f"{SHOP},{OTHER}",
    "SHOPIFY_CLIENT_ID": "client-id",
    "SECRETS_NAME": "pointbook/prod",
    "PROGRAMME_SIGN_UP_POINTS": "50",
}


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


class Session:
    """The way to a table in memory."""

    def __init__(self, table: MemoryDynamoDB) -> None:
        self.table = table

    def client(self, service: str, *, endpoint_url: str | None) -> MemoryDynamoDB:
        assert (service, endpoint_url) == ("dynamodb", None)
        return self.table


class Shell:
    """An engineer at a deployed stack."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.table = MemoryDynamoDB()
        self.table.create_table(**table_request("points"))
        self.settings = Settings.from_env(VARIABLES)
        self.clock = SetClock(datetime(2026, 11, 22, 3, tzinfo=UTC))
        self.programmes = Programmes(
            Table(self.table, "points"), self.clock, Deployment(self.settings.default_programme())
        )
        self.stack = Target("pointbook-prod", self.settings, Session(self.table), None, {})
        self._directory = directory
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str]:
        """The exit status and what was printed."""
        status = main(["programme", *arguments])
        printed = self._capsys.readouterr()
        return status, printed.out + printed.err

    def file(self, text: str) -> str:
        """A file of rules."""
        path = self._directory / "programme.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def in_force(self, shop: str = SHOP) -> Programme:
        version = self.programmes.latest(shop)
        assert version is not None
        return version.programme


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    shell = Shell(tmp_path, capsys)
    monkeypatch.setattr(target, "target_of", lambda _: shell.stack)
    monkeypatch.setattr(target, "is_running_here", lambda: False)
    monkeypatch.setattr(Target, "clock", lambda _: shell.clock)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    shell.programmes.in_force(SHOP)
    return shell


# --- show -----------------------------------------------------------------------------------------


def test_the_output_of_show_is_a_file_that_changes_nothing(shell: Shell) -> None:
    shell.programmes.set(SHOP, {"rank_multipliers": '"ゴールド"=150'}, "hanako", 1)
    status, text = shell.run("show", "--env", "prod")
    assert status == 0
    assert text.startswith(f"# {SHOP}: version 2, 2026-11-22 12:00:00 +0900, by hanako\n")
    assert tomllib.loads(text) == shell.in_force().texts()
    status, said = shell.run("change", shell.file(text))
    assert (status, said.splitlines()[-1]) == (0, f"{SHOP}: nothing to change.")


def test_a_shop_without_a_version_shows_the_deployments_parameters(shell: Shell) -> None:
    status, text = shell.run("show", "--shop", OTHER)
    assert status == 0
    assert text.startswith(f"# {OTHER}: not in use yet")
    assert tomllib.loads(text) == default_programme(sign_up_points="50").texts()


def test_an_unknown_shop_lists_the_shops_of_the_stack(shell: Shell) -> None:
    status, text = shell.run("show", "--shop", "third.myshopify.com")
    assert status == 2
    assert "third.myshopify.com" in text
    assert f"{SHOP}, {OTHER}" in text


# --- check ----------------------------------------------------------------------------------------


def test_all_errors_of_a_file_are_reported_by_rule(shell: Shell) -> None:
    wrong = shell.file('hold_seconds = "soon"\nbirthday_points = 10\npending_days = 366\n')
    status, text = shell.run("check", wrong)
    assert status == 1
    lines = text.splitlines()
    assert all(line.startswith("error    ") for line in lines)
    named = {line.split()[1].rstrip(":") for line in lines}
    assert named == {"hold_seconds", "birthday_points", "pending_days"}


def test_a_valid_file_may_have_warnings(shell: Shell) -> None:
    status, text = shell.run("check", shell.file('rank_multipliers = "gold=2500"\n'))
    assert status == 0
    assert text.splitlines()[0].startswith("warning  points_per_unit: gold get back 25 %")
    assert text.splitlines()[1].endswith("all others of the default programme.")


def test_a_file_is_checked_together_with_the_rules_in_force(shell: Shell) -> None:
    shell.programmes.set(SHOP, {"point_worth_minor": "10"}, "hanako", 1)
    file = shell.file("points_per_unit = 3\n")
    status, text = shell.run("check", file, "--env", "prod")
    assert status == 0
    assert "without a rank get back 30 %" in text
    assert text.splitlines()[-1].endswith(f"all others of version 2 of {SHOP}.")
    assert "warning" not in shell.run("check", file)[1]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("points_per_unit = 1.5\n", "points_per_unit"),
        ("gift_cards_earn = true\n", "gift_cards_earn"),
        ("reminder_days = [30, 7]\n", "reminder_days"),
        ("points per unit\n", "programme.toml"),
    ],
)
def test_a_file_with_values_of_other_types_is_refused(shell: Shell, text: str, named: str) -> None:
    for command in ("check", "change"):
        status, printed = shell.run(command, shell.file(text))
        assert status == 2
        assert named in printed


def test_a_missing_file_is_reported(shell: Shell) -> None:
    status, printed = shell.run("check", "nowhere.toml")
    assert status == 2
    assert "nowhere.toml" in printed


# --- change ---------------------------------------------------------------------------------------


def test_a_change_prints_old_and_new_values_and_records_its_author(shell: Shell) -> None:
    file = shell.file('hold_seconds = 300\nexcluded_tag = "wholesale"\n')
    status, text = shell.run("change", file, "--yes", "--by", "hanako")
    assert status == 0
    assert "hold_seconds  600 → 300" in text
    assert "excluded_tag  (empty) → wholesale" in text
    assert "Version 2 is in force" in text
    texts = {"sign_up_points": "50", "hold_seconds": "300", "excluded_tag": "wholesale"}
    assert shell.in_force() == default_programme(2, **texts)
    assert [version.by for version in shell.programmes.history(SHOP)] == ["deployment", "hanako"]


def test_a_change_may_come_before_any_function_has_run(shell: Shell) -> None:
    file = shell.file("hold_seconds = 300\n")
    assert shell.run("change", file, "--yes", "--shop", OTHER)[0] == 0
    assert shell.in_force(OTHER) == default_programme(1, sign_up_points="50", hold_seconds="300")


def test_a_change_warns_of_what_it_brings_and_not_of_what_was_before(shell: Shell) -> None:
    status, text = shell.run("set", "rank_multipliers=gold=2500", "--yes")
    assert (status, text.count("warning")) == (0, 1)
    assert "gold get back 25 %" in text
    status, text = shell.run("set", "hold_seconds=300", "--yes")
    assert (status, "warning" in text) == (0, False)
    status, text = shell.run("set", "rank_multipliers=gold=3000", "--yes")
    assert "gold get back 30 %" in text


def test_nothing_is_changed_by_a_file_with_an_error(shell: Shell) -> None:
    status, text = shell.run("change", shell.file("hold_seconds = 0\n"), "--yes")
    assert status == 1
    assert text.startswith("error    hold_seconds")
    assert shell.in_force().version == 1


def test_without_a_terminal_yes_is_required(shell: Shell) -> None:
    status, text = shell.run("change", shell.file("hold_seconds = 300\n"))
    assert status == 1
    assert "--yes" in text
    assert shell.in_force().version == 1


@pytest.mark.parametrize(("said", "version"), [("y", 2), ("Yes", 2), ("", 1), ("no", 1)])
def test_on_a_terminal_a_change_asks_for_confirmation(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, said: str, version: int
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(f"{said}\n"))
    status, text = shell.run("change", shell.file("hold_seconds = 300\n"))
    assert shell.in_force().version == version
    assert status == (0 if version == 2 else 1)
    assert ("Nothing has been changed." in text) is (version == 1)


def test_a_change_based_on_another_version_is_refused(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def agree_slowly(_: str) -> str:
        shell.programmes.set(SHOP, {"hold_seconds": "60"}, "taro", 1)
        return "y"

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", agree_slowly)
    status, text = shell.run("change", shell.file("hold_seconds = 300\n"))
    assert status == 1
    assert "version 2 is in force, not 1" in text
    assert shell.in_force().hold_seconds == 60


def test_an_unreachable_table_is_reported_without_a_traceback(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise LedgerUnavailable(1)

    monkeypatch.setattr(kept.Programmes, "latest", unreachable)
    assert shell.run("show") == (3, f"{LedgerUnavailable(1)}\n")


# --- history --------------------------------------------------------------------------------------


def test_the_history_has_time_author_and_changes(shell: Shell) -> None:
    shell.clock.pass_time(days=1)
    shell.programmes.set(SHOP, {"hold_seconds": "60", "points_per_unit": "2"}, "hanako", 1)
    status, text = shell.run("history")
    assert status == 0
    assert [line.split() for line in text.splitlines()] == [
        ["version", "when", "who", "what", "changed"],
        ["1", "2026-11-22", "12:00:00", "+0900", "deployment", "first", "version"],
        ["2", "2026-11-23", "12:00:00", "+0900", "hanako", "points_per_unit", "1", "→", "2"],
        ["hold_seconds", "600", "→", "60"],
    ]
    first, second = text.splitlines()[2:]
    assert first.index("points_per_unit") == second.index("hold_seconds")


def test_a_version_without_a_time_says_unknown(shell: Shell) -> None:
    key = {"pk": {"S": f"SHOP#{SHOP}"}, "sk": {"S": "PROGRAMME#000001"}}
    item = shell.table.get_item(TableName="points", Key=key)["Item"]
    old = {name: value for name, value in item.items() if name not in ("at", "by")}
    shell.table.put_item(TableName="points", Item=old)
    line = shell.run("history")[1].splitlines()[1]
    assert line.split()[:4] == ["1", "unknown", "deployment", "first"]


# --- the command itself ---------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["nothing"]])
def test_an_unknown_subcommand_lists_the_subcommands(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["programme", *arguments]) == 2
    printed = capsys.readouterr()
    assert "programme" in printed.out + printed.err


# --- set ------------------------------------------------------------------------------------------


def test_single_rules_are_set_without_a_file(shell: Shell) -> None:
    status, said = shell.run("set", "earning=paused", "spending=paused", "--yes", "--by", "hanako")
    assert status == 0
    assert "  earning  on → paused\n  spending  on → paused\n" in said
    programme = shell.in_force()
    assert (programme.earning_paused, programme.spending_paused) == (True, True)
    assert programme.sign_up_points == 50, "other rules stay"


def test_earning_can_begin_now(shell: Shell) -> None:
    assert shell.run("set", "earning=on", "earn_from=now", "--yes")[0] == 0
    assert shell.in_force().texts()["earn_from"] == "2026-11-22T12:00:00+09:00"


@pytest.mark.parametrize(
    "wrong", [["earning"], ["earning=off"], ["earn=on"], ["holds=on", "holds=paused"]]
)
def test_what_is_no_rule_changes_nothing(shell: Shell, wrong: list[str]) -> None:
    before = shell.in_force()
    status, said = shell.run("set", *wrong, "--yes")
    assert (status, shell.in_force()) == (2, before)
    assert wrong[0].partition("=")[0] in said
