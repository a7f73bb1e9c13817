"""Access tokens that all instances of the functions share: one instance fetches for all."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A stored token; `text` is "" if there is none yet.

    `version` counts the writes. Until `leased_until` an instance is fetching the next token.
    """

    text: str = field(repr=False)
    expires_at: datetime
    version: int
    leased_until: datetime | None = None


class TokenStore(Protocol):
    """The store of the shops' tokens. Raises Unavailable while it cannot be reached."""

    def read(self, shop: str) -> StoredToken | None:
        """Return the stored token; None if none was ever stored."""
        ...

    def write(self, shop: str, token: StoredToken) -> bool:
        """Replace the previous version (version 1: none) by `token`; False if it has changed."""
        ...
