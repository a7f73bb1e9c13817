"""The contract with Smaregi, read from the stack's secret."""

from collections.abc import Mapping

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.errors import SettingsError
from pointbook.till.errors import TillRefusedLogin
from pointbook.till.member import Capabilities, Member, PointsChange, Till
from pointbook.till.smaregi import SmaregiConfig, SmaregiTill

ID_URL = "https://id.smaregi.jp"
API_URL = "https://api.smaregi.jp"

_RANK_PREFIX = "rank_"


def smaregi_config(credentials: Mapping[str, str], local_url: str | None) -> SmaregiConfig:
    """Return the contract that `credentials` (the secret's member `till`) describe.

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
    """Return the till of these credentials; if they are incomplete, one that fails every read.

    So a till that is enabled before its credentials are set affects only its own section.
    """
    try:
        return SmaregiTill(smaregi_config(credentials, local_url))
    except SettingsError as error:
        log.error("till_not_configured", reason=str(error))
        return _UnconfiguredTill(str(error))


class _UnconfiguredTill:
    """A till without usable credentials."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    capabilities = Capabilities(pushes=False, expiry=False, lots=False, ranks=False)

    def member(self, member_number: str, deadline: Deadline, till_id: str | None = None) -> Member:
        """Raise TillRefusedLogin, whichever member is requested."""
        deadline.check()
        raise TillRefusedLogin(f"{self._reason} ({till_id or member_number})")

    def add_points(self, change: PointsChange, deadline: Deadline) -> int:
        """Raise TillRefusedLogin."""
        deadline.check()
        raise TillRefusedLogin(f"{self._reason} ({change.member_number})")

    def is_applied(self, change: PointsChange, deadline: Deadline) -> bool:
        """Raise TillRefusedLogin."""
        deadline.check()
        raise TillRefusedLogin(f"{self._reason} ({change.member_number})")
