"""What the stack's secret says about the till, for each provider."""

from zoneinfo import ZoneInfo

import pytest

from pointbook.clock import SystemClock
from pointbook.deadline import Deadline
from pointbook.errors import SettingsError
from pointbook.till.errors import TillRefusedLogin
from pointbook.till.providers import (
    CREDENTIALS,
    NAMES,
    ROTATED,
    Surroundings,
    check_credentials,
    name_of,
    recore_config,
    smaregi_config,
    square_config,
    till_of,
)
from pointbook.till.recore import RecoreConfig
from pointbook.till.smaregi import SmaregiConfig
from pointbook.till.square import SquareConfig
from tests.fakes.admin_api import MemoryTokenStore

SMAREGI = {"contract_id": "c", "client_id": "i", "client_secret": "s"}
SQUARE = {"access_token": "t"}
RECORE = {"api_key": "k"}
TOKYO = ZoneInfo("Asia/Tokyo")
LOCAL = "http://127.0.0.1:8085"


def test_the_secret_names_smaregis_contract_and_the_ranks() -> None:
    config = smaregi_config(SMAREGI | {"rank_1": "silver", "rank_2": "gold"}, None)
    assert config == SmaregiConfig(
        contract_id="c",
        client_id="i",
        client_secret="s",
        id_url="https://id.smaregi.jp",
        api_url="https://api.smaregi.jp",
        ranks={"1": "silver", "2": "gold"},
        read_only=False,
    )
    assert "'s'" not in repr(config)


def test_square_needs_a_token_and_recore_a_key() -> None:
    square, recore = square_config(SQUARE, None, TOKYO), recore_config(RECORE, None, TOKYO)
    assert square == SquareConfig("t", "https://connect.squareup.com", TOKYO)
    assert recore == RecoreConfig("k", "https://co-api.recore-pos.com", TOKYO)
    assert "'t'" not in repr(square)
    assert "'k'" not in repr(recore)
    more = recore_config(RECORE | {"store_id": "7", "rank_2": "gold"}, None, TOKYO)
    assert (more.store_id, more.ranks) == ("7", {"2": "gold"})


def test_sandboxes_and_the_laptop_have_other_addresses() -> None:
    hosts = {"id_url": "https://id.smaregi.dev", "api_url": "https://api.smaregi.dev"}
    sandbox = smaregi_config(SMAREGI | hosts, None)
    assert (sandbox.id_url, sandbox.api_url) == (hosts["id_url"], hosts["api_url"])
    local = smaregi_config(SMAREGI | hosts, LOCAL)
    assert (local.id_url, local.api_url) == (LOCAL, LOCAL)
    for config, given in ((square_config, SQUARE), (recore_config, RECORE)):
        assert config({**given, "api_url": "https://sandbox"}, None, TOKYO).api_url == (
            "https://sandbox"
        )
        assert config({**given, "api_url": "https://sandbox"}, LOCAL, TOKYO).api_url == LOCAL


@pytest.mark.parametrize(
    ("provider", "name"), [(one, name) for one, names in CREDENTIALS.items() for name in names]
)
def test_what_is_missing_is_named(provider: str, name: str) -> None:
    credentials = {**SMAREGI, **SQUARE, **RECORE}
    check_credentials(provider, credentials)
    with pytest.raises(SettingsError, match=rf"till\.{name}"):
        check_credentials(provider, credentials | {name: ""})


@pytest.mark.parametrize("name", ["access_token", "api_key", "store_id"])
def test_what_no_header_can_hold_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"till\.{name}"):
        check_credentials("square", {**SQUARE, name: "two words"})


def test_read_only_is_yes_or_no() -> None:
    check_credentials("square", SQUARE | {"read_only": "no"})
    with pytest.raises(SettingsError, match=r"till\.read_only"):
        check_credentials("square", SQUARE | {"read_only": "perhaps"})


def test_every_provider_has_a_name_and_something_to_rotate() -> None:
    assert CREDENTIALS.keys() == NAMES.keys() == ROTATED.keys()


@pytest.mark.parametrize(
    ("provider", "credentials", "time_zone", "reason"),
    [
        ("smaregi", {}, "Asia/Tokyo", "till.contract_id"),
        ("airregi", SQUARE, "Asia/Tokyo", "TILL_PROVIDER"),
        ("square", SQUARE, "Mars/Olympus", "PROGRAMME_TIME_ZONE"),
        ("recore", RECORE, "../etc", "PROGRAMME_TIME_ZONE"),
    ],
)
def test_a_till_with_unusable_settings_fails_when_it_is_called(
    provider: str, credentials: dict[str, str], time_zone: str, reason: str
) -> None:
    around = Surroundings(MemoryTokenStore(), SystemClock(), time_zone=time_zone)
    till = till_of(provider, credentials, around)
    assert not till.capabilities.ranks
    with pytest.raises(TillRefusedLogin, match=reason):
        till.member("1", Deadline.after(1))


@pytest.mark.parametrize(
    ("provider", "pushes"), [("smaregi", True), ("square", True), ("recore", False)]
)
def test_changes_for_a_till_without_usable_credentials_wait_for_them(
    provider: str, *, pushes: bool
) -> None:
    around = Surroundings(MemoryTokenStore(), SystemClock())
    assert till_of(provider, {}, around).capabilities.pushes is pushes


def test_a_till_is_told_from_another_one_but_not_by_credentials_that_are_replaced() -> None:
    name = name_of("smaregi", SMAREGI)
    assert name_of("smaregi", SMAREGI | {"client_secret": "new", "read_only": "yes"}) == name
    sandbox = name_of("smaregi", SMAREGI | {"api_url": "https://api.smaregi.dev"})
    contract = name_of("smaregi", SMAREGI | {"contract_id": "d"})
    assert len({name, sandbox, contract, name_of("square", SQUARE)}) == 4


def test_a_till_without_usable_credentials_is_not_told_from_another_one() -> None:
    assert name_of("smaregi", {"contract_id": "c"}) == ""
