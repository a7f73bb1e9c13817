"""Access tokens that all instances of the functions share, so that one fetches for all."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token as it is kept, `text` being "" where there is none yet.

    `version` counts the writes. Until `leased_until` somebody is fetching the next one.
    """

    text: str = field(repr=False)
    expires_at: datetime
    version: int
    leased_until: datetime | None = None


class TokenStore(Protocol):
    """Where the tokens of shops are kept. Raises Unavailable while it cannot be reached."""

    def read(self, shop: str) -> StoredToken | None:
        """What is kept now; None: nothing was ever kept."""
        ...

    def write(self, shop: str, token: StoredToken) -> bool:
        """Keep `token` over the version before, version 1 over nothing; False: it has changed."""
        ...
