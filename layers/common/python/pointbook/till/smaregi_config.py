"""The contract with Smaregi out of the stack's secret."""

from collections.abc import Mapping

from pointbook.errors import SettingsError
from pointbook.till.smaregi import SmaregiConfig

ID_URL = "https://id.smaregi.jp"
API_URL = "https://api.smaregi.jp"

_RANK_PREFIX = "rank_"


def smaregi_config(credentials: Mapping[str, str], local_url: str | None) -> SmaregiConfig:
    """The contract that `credentials` (the secret's member `till`) describe.

    `contract_id`, `client_id` and `client_secret` are required; `id_url` and `api_url` name other
    hosts, such as the sandbox's; `rank_2` is the shop's word for rank code 2. `local_url` replaces
    both hosts on a laptop. Raises SettingsError with what is missing.
    """
    for name in ("contract_id", "client_id", "client_secret"):
        if not credentials.get(name):
            raise SettingsError(f"SECRETS_NAME (till.{name})", "is missing; Smaregi gives it")
    return SmaregiConfig(
        contract_id=credentials["contract_id"],
        client_id=credentials["client_id"],
        client_secret=credentials["client_secret"],
        id_url=local_url or credentials.get("id_url") or ID_URL,
        api_url=local_url or credentials.get("api_url") or API_URL,
        ranks={
            name.removeprefix(_RANK_PREFIX): word
            for name, word in credentials.items()
            if name.startswith(_RANK_PREFIX)
        },
    )
