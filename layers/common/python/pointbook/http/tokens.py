"""Access tokens that all instances of the functions share: one instance fetches for all.

The instance that finds the stored token about to expire takes a lease by a conditional write and
fetches the next one; all others use the old one, or wait if it is no longer valid.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.ports import Clock
from pointbook.errors import PointbookError

LEASE = timedelta(seconds=10)
"""How long one fetch, should it never end, may make the others wait."""

_NO_TIME = timedelta(0)
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A stored token; `text` is "" if there is none yet.

    `version` counts the writes. Until `leased_until` an instance is fetching the next token.
    """

    text: str = field(repr=False)
    expires_at: datetime
    version: int
    leased_until: datetime | None = None


_NONE_YET = StoredToken("", datetime(1970, 1, 1, tzinfo=UTC), version=0)


class TokenStore(Protocol):
    """The store of tokens, each of an owner. Raises Unavailable while it cannot be reached."""

    def read(self, owner: str) -> StoredToken | None:
        """Return the stored token; None if none was ever stored."""
        ...

    def write(self, owner: str, token: StoredToken) -> bool:
        """Replace the previous version (version 1: none) by `token`; False if it has changed."""
        ...


class TokenSource(Protocol):
    """Where tokens come from: a service's token endpoint."""

    def fetch(self, deadline: Deadline) -> tuple[str, timedelta]:
        """Return a new token and its lifetime. Raises a PointbookError by the deadline."""
        ...

    def gave_up(self) -> PointbookError:
        """Return the error for a caller whose deadline is too near to wait for another's fetch."""
        ...


class SharedToken:
    """The token of one owner. Safe to use from several threads."""

    def __init__(
        self, owner: str, source: TokenSource, store: TokenStore, clock: Clock, margin: timedelta
    ) -> None:
        """A token is renewed `margin` before its end; `clock` is the wall clock, never moved."""
        self._owner = owner
        self._source = source
        self._store = store
        self._clock = clock
        self._margin = margin
        self._cached = _NONE_YET

    def token(self, deadline: Deadline, refused: str = "") -> str:
        """Return a valid token other than `refused`, which the service did not accept.

        Raises what the source raises, and Unavailable while the stored token cannot be read.
        """
        if self._is_good(self._cached, refused, self._margin):
            return self._cached.text
        while True:
            stored = self._store.read(self._owner) or _NONE_YET
            if self._is_good(stored, refused, self._margin):
                self._cached = stored
                return stored.text
            if self._is_leased(stored):
                if self._is_good(stored, refused, _NO_TIME):
                    return stored.text
                if not deadline.allows(_POLL_SECONDS):
                    raise self._source.gave_up()
                self._clock.sleep(_POLL_SECONDS)
            elif (found := self._renewed(stored, refused, deadline)) is not None:
                return found

    def _is_good(self, token: StoredToken, refused: str, for_at_least: timedelta) -> bool:
        valid = token.expires_at - self._clock.now() > for_at_least
        return token.text not in ("", refused) and valid

    def _is_leased(self, token: StoredToken) -> bool:
        return token.leased_until is not None and self._clock.now() < token.leased_until

    def _renewed(self, old: StoredToken, refused: str, deadline: Deadline) -> str | None:
        """Return a new token; None if another instance took the lease first."""
        until = self._clock.now() + LEASE
        lease = replace(old, version=old.version + 1, leased_until=until)
        if not self._store.write(self._owner, lease):
            return None
        try:
            text, lifetime = self._source.fetch(deadline)
        except PointbookError:
            released = replace(lease, version=lease.version + 1, leased_until=None)
            self._store.write(self._owner, released)
            if not self._is_good(old, refused, _NO_TIME):
                raise
            log.exception("token_not_renewed", owner=self._owner)
            return old.text
        new = StoredToken(text, self._clock.now() + lifetime, lease.version + 1)
        # If the lease has expired meanwhile, another token stays stored; this one is valid too.
        self._store.write(self._owner, new)
        self._cached = new
        return text
