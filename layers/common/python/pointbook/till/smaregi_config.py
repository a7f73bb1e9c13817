"""The contract with Smaregi out of the stack's secret."""

from collections.abc import Mapping

from pointbook import log
from pointbook.errors import SettingsError
from pointbook.till.errors import TillRefusedLogin
from pointbook.till.member import Member, Till
from pointbook.till.smaregi import SmaregiConfig, SmaregiTill

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


def till_of(credentials: Mapping[str, str], local_url: str | None) -> Till:
    """The till of these credentials; where they are not complete, one that lets nobody in.

    So a till that is switched on before its credentials are there spoils its own section only.
    """
    try:
        return SmaregiTill(smaregi_config(credentials, local_url))
    except SettingsError as error:
        log.error("till_not_configured", reason=str(error))
        return _ClosedTill(str(error))


class _ClosedTill:
    """A till that we have no way into."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def member(self, member_number: str, timeout_seconds: float) -> Member:
        """Raises TillRefusedLogin, whoever is asked for and however long one would wait."""
        raise TillRefusedLogin(f"{self._reason} ({member_number}, {timeout_seconds} s)")
