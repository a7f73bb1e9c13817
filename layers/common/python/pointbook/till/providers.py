"""The tills that Pointbook can read: which credentials each needs, and its adapter.

An adapter loads its HTTP library, so it is imported where it is built.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.errors import SettingsError
from pointbook.till.errors import TillRefusedLogin
from pointbook.till.member import Capabilities, Member, PointsChange, Till

if TYPE_CHECKING:
    from pointbook.domain.ports import Clock
    from pointbook.http.tokens import TokenStore
    from pointbook.till.client import Pace
    from pointbook.till.recore import RecoreConfig
    from pointbook.till.smaregi import SmaregiConfig
    from pointbook.till.square import SquareConfig

CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "smaregi": ("contract_id", "client_id", "client_secret"),
    "square": ("access_token",),
    "recore": ("api_key",),
}
"""The members of the secret's `till` that each provider needs."""

ROTATED: Mapping[str, tuple[str, ...]] = {
    "smaregi": ("client_id", "client_secret"),
    "square": ("access_token",),
    "recore": ("api_key",),
}
"""Those that are replaced together when credentials are rotated."""

OPTIONAL = ("api_url", "id_url", "read_only", "store_id")
"""Members that may be set in addition, and `rank_` with a rank's id."""

NAMES: Mapping[str, str] = {"smaregi": "Smaregi", "square": "Square", "recore": "ReCORE"}

PUSHING = frozenset({"smaregi", "square"})
"""The providers whose points can be changed, unless `read_only` is set."""

_URLS: Mapping[str, str] = {
    "smaregi": "https://api.smaregi.jp",
    "square": "https://connect.squareup.com",
    "recore": "https://co-api.recore-pos.com",
}
_SMAREGI_ID_URL = "https://id.smaregi.jp"
_RANK_PREFIX = "rank_"
_PRINTABLE = re.compile(r"[!-~]{1,8192}")
"""What a header of HTTP can hold."""
_CHOICES = {"": False, "no": False, "yes": True}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an adapter gets from the stack.

    `tokens` are shared by all instances; `clock` is the wall clock, never a moved one. `pace` is
    called before each request to the till. `time_zone` names the zone in which points expire at
    the end of a day. `local_url` replaces the till's hosts on a laptop.
    """

    tokens: "TokenStore"
    clock: "Clock"
    pace: "Pace | None" = None
    time_zone: str = "Asia/Tokyo"
    local_url: str | None = None


def till_of(provider: str, credentials: Mapping[str, str], around: Surroundings) -> Till:
    """Return the till of these credentials; if they are unusable, one that fails every call.

    `credentials` are the secret's member `till`. So a till that is enabled before its credentials
    are set affects only its own section of my page.
    """
    try:
        return _adapter(provider, credentials, around)
    except SettingsError as error:
        log.error("till_not_configured", reason=str(error))
        return _UnconfiguredTill(str(error), pushes=provider in PUSHING)


def check_credentials(provider: str, credentials: Mapping[str, str]) -> None:
    """Raise SettingsError, naming the member, if `credentials` do not fit the provider."""
    if provider not in CREDENTIALS:
        known = ", ".join(CREDENTIALS)
        raise SettingsError("TILL_PROVIDER", f"is {provider!r}; give none or one of {known}")
    for name in CREDENTIALS[provider]:
        if not credentials.get(name):
            raise SettingsError(_variable(name), f"is missing; {NAMES[provider]} gives it")
    for name in ("access_token", "api_key", "store_id"):
        if credentials.get(name) and not _PRINTABLE.fullmatch(credentials[name]):
            raise SettingsError(_variable(name), "must be printable ASCII without spaces")
    if credentials.get("read_only", "") not in _CHOICES:
        raise SettingsError(_variable("read_only"), "must be yes or no")


def name_of(provider: str, credentials: Mapping[str, str]) -> str:
    """Return what tells a till from another one; "" if the credentials are unusable.

    Replaced credentials leave it as it is.
    """
    try:
        check_credentials(provider, credentials)
    except SettingsError:
        return ""
    host = credentials.get("api_url") or _URLS[provider]
    return " ".join(filter(None, (provider, credentials.get("contract_id"), host)))


def smaregi_config(credentials: Mapping[str, str], local_url: str | None) -> "SmaregiConfig":
    """Return the contract with Smaregi that checked credentials describe."""
    from pointbook.till.smaregi import SmaregiConfig  # noqa: PLC0415 - only for this till

    return SmaregiConfig(
        contract_id=credentials["contract_id"],
        client_id=credentials["client_id"],
        client_secret=credentials["client_secret"],
        id_url=local_url or credentials.get("id_url") or _SMAREGI_ID_URL,
        api_url=local_url or credentials.get("api_url") or _URLS["smaregi"],
        ranks=_ranks(credentials),
        read_only=_CHOICES[credentials.get("read_only", "")],
    )


def square_config(
    credentials: Mapping[str, str], local_url: str | None, zone: tzinfo
) -> "SquareConfig":
    """Return the seller's account at Square that checked credentials describe."""
    from pointbook.till.square import SquareConfig  # noqa: PLC0415 - only for this till

    return SquareConfig(
        access_token=credentials["access_token"],
        api_url=local_url or credentials.get("api_url") or _URLS["square"],
        zone=zone,
        read_only=_CHOICES[credentials.get("read_only", "")],
    )


def recore_config(
    credentials: Mapping[str, str], local_url: str | None, zone: tzinfo
) -> "RecoreConfig":
    """Return the company at ReCORE that checked credentials describe."""
    from pointbook.till.recore import RecoreConfig  # noqa: PLC0415 - only for this till

    return RecoreConfig(
        api_key=credentials["api_key"],
        api_url=local_url or credentials.get("api_url") or _URLS["recore"],
        zone=zone,
        store_id=credentials.get("store_id", ""),
        ranks=_ranks(credentials),
    )


def _adapter(provider: str, credentials: Mapping[str, str], around: Surroundings) -> Till:
    from pointbook.till.client import unpaced  # noqa: PLC0415 - only with a till

    check_credentials(provider, credentials)
    local_url, pace = around.local_url, around.pace or unpaced
    if provider == "smaregi":
        from pointbook.till.smaregi import SmaregiTill  # noqa: PLC0415 - only for this till

        smaregi = smaregi_config(credentials, local_url)
        return SmaregiTill(smaregi, around.tokens, around.clock, pace)
    zone = _zone(around.time_zone)
    if provider == "square":
        from pointbook.till.square import SquareTill  # noqa: PLC0415 - only for this till

        return SquareTill(square_config(credentials, local_url, zone), pace)
    from pointbook.till.recore import RecoreTill  # noqa: PLC0415 - only for this till

    return RecoreTill(recore_config(credentials, local_url, zone), pace)


def _ranks(credentials: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(_RANK_PREFIX): word
        for name, word in credentials.items()
        if name.startswith(_RANK_PREFIX)
    }


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError("PROGRAMME_TIME_ZONE", f"is {name!r}, an unknown time zone") from error


def _variable(name: str) -> str:
    return f"SECRETS_NAME (till.{name})"


class _UnconfiguredTill:
    """A till without usable credentials.

    It `pushes` if its provider does: what is to be pushed to it waits for the credentials.
    """

    def __init__(self, reason: str, *, pushes: bool) -> None:
        self._reason = reason
        self.capabilities = Capabilities(pushes=pushes, expiry=False, lots=False, ranks=False)

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
