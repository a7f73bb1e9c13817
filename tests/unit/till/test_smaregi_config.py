"""What the stack's secret says about the contract with Smaregi."""

import pytest

from pointbook.errors import SettingsError
from pointbook.till.smaregi import SmaregiConfig
from pointbook.till.smaregi_config import smaregi_config

CREDENTIALS = {"contract_id": "c", "client_id": "i", "client_secret": "s"}


def test_the_secret_names_the_contract_and_the_ranks() -> None:
    config = smaregi_config(CREDENTIALS | {"rank_1": "silver", "rank_2": "gold"}, None)
    assert config == SmaregiConfig(
        contract_id="c",
        client_id="i",
        client_secret="s",
        id_url="https://id.smaregi.jp",
        api_url="https://api.smaregi.jp",
        ranks={"1": "silver", "2": "gold"},
    )
    assert "'s'" not in repr(config)


def test_the_sandbox_and_the_laptop_have_other_addresses() -> None:
    hosts = {"id_url": "https://id.smaregi.dev", "api_url": "https://api.smaregi.dev"}
    sandbox = smaregi_config(CREDENTIALS | hosts, None)
    assert (sandbox.id_url, sandbox.api_url) == (hosts["id_url"], hosts["api_url"])
    local = smaregi_config(CREDENTIALS | hosts, "http://127.0.0.1:8085")
    assert (local.id_url, local.api_url) == ("http://127.0.0.1:8085",) * 2


@pytest.mark.parametrize("name", ["contract_id", "client_id", "client_secret"])
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        smaregi_config(CREDENTIALS | {name: ""}, None)
