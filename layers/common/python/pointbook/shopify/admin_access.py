"""Access tokens for the Admin API: fetched once for all instances, before the old one expires.

The app is the organisation's own, so a token needs the client id and secret alone (the
client-credentials grant, https://shopify.dev/docs/apps/build/authentication-authorization). It
is valid for 24 hours. The instance that finds it about to expire takes a lease by a conditional
write and fetches the next one; all others use the old one, or wait if it is no longer valid.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.ports import Clock
from pointbook.errors import MalformedBody, ShopifyRefused, ShopifyUnavailable
from pointbook.http.calls import Answer, Call, HttpClient
from pointbook.http.tokens import StoredToken, TokenStore
from pointbook.shopify.admin import ok_body
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.attempts import Failed, with_retries
from pointbook.validation import json_object

RENEWAL_MARGIN = timedelta(minutes=5)
"""How long before its end a token is renewed."""

LEASE = timedelta(seconds=10)
"""How long one fetch, should it never end, may make the others wait."""

_NO_TIME = timedelta(0)
_POLL_SECONDS = 0.1
_LIFETIME_SECONDS_MAX = 30 * 86_400
_SECRET_REFUSED = "invalid_client"  # noqa: S105 - Shopify's word for it
_NONE_YET = StoredToken("", datetime(1970, 1, 1, tzinfo=UTC), version=0)


class AdminAccess:
    """The tokens of one shop. Safe to use from several threads."""

    def __init__(
        self,
        shop: str,
        base_url: str,
        keys: Callable[[], AppKeys],
        store: TokenStore,
        calls: HttpClient,
        clock: Clock,
    ) -> None:
        """`base_url` is the part before `/admin`; `clock` is the wall clock, never a moved one."""
        self._shop = shop
        self._url = f"{base_url}/admin/oauth/access_token"
        self._keys = keys
        self._store = store
        self._calls = calls
        self._clock = clock
        self._cached = _NONE_YET

    def token(self, deadline: Deadline, refused: str = "") -> str:
        """Return a valid token other than `refused`, which Shopify did not accept.

        Raises ShopifyRefused if Shopify gives none for our secrets, ShopifyUnavailable by the
        deadline, and Unavailable while the stored token cannot be read.
        """
        if self._is_good(self._cached, refused, RENEWAL_MARGIN):
            return self._cached.text
        while True:
            stored = self._store.read(self._shop) or _NONE_YET
            if self._is_good(stored, refused, RENEWAL_MARGIN):
                self._cached = stored
                return stored.text
            if self._is_leased(stored):
                if self._is_good(stored, refused, _NO_TIME):
                    return stored.text
                if not deadline.allows(_POLL_SECONDS):
                    raise ShopifyUnavailable(1)
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
        if not self._store.write(self._shop, lease):
            return None
        try:
            text, lifetime = self._fetch(deadline)
        except (ShopifyRefused, ShopifyUnavailable):
            released = replace(lease, version=lease.version + 1, leased_until=None)
            self._store.write(self._shop, released)
            if not self._is_good(old, refused, _NO_TIME):
                raise
            log.exception("shopify_token_not_renewed", shop=self._shop)
            return old.text
        new = StoredToken(text, self._clock.now() + lifetime, lease.version + 1)
        # If the lease has expired meanwhile, another token stays stored; this one is valid too.
        self._store.write(self._shop, new)
        self._cached = new
        return text

    def _fetch(self, deadline: Deadline) -> tuple[str, timedelta]:
        """Return a token and its lifetime; during a rotation the previous secret is tried too."""
        keys = self._keys()
        *others, last = keys.shopify_secrets
        for secret in others:
            try:
                return self._fetch_with(keys.client_id, secret, deadline)
            except ShopifyRefused as refused:
                if _SECRET_REFUSED not in refused.reasons:
                    raise
                log.warning("client_secret_refused", shop=self._shop)
        return self._fetch_with(keys.client_id, last, deadline)

    def _fetch_with(self, client_id: str, secret: str, deadline: Deadline) -> tuple[str, timedelta]:
        content = json.dumps(
            {"client_id": client_id, "client_secret": secret, "grant_type": "client_credentials"}
        ).encode("ascii")
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        call = Call("POST", self._url, headers, content=content)

        def attempt() -> tuple[str, timedelta]:
            return _read(self._calls.send(call, deadline))

        return with_retries(attempt, deadline, self._clock, repeatable=True)


def _read(answer: Answer) -> tuple[str, timedelta]:
    if answer.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED):
        reason = _oauth_error(answer)
        raise ShopifyRefused(
            f"Shopify gives no token ({reason}); check SHOPIFY_CLIENT_ID and client_secret.",
            (reason,),
        )
    body = ok_body(answer)
    text, seconds = body.get("access_token"), body.get("expires_in")
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or not text:
        raise Failed("Shopify's answer has no access_token")
    if type(seconds) is not int or not 0 < seconds <= _LIFETIME_SECONDS_MAX:
        raise Failed("Shopify's answer has no expires_in")
    return text, timedelta(seconds=seconds)


def _oauth_error(answer: Answer) -> str:
    """OAuth's error code (RFC 6749, section 5.2); a bare 401 is about the secret, too."""
    try:
        error = json_object(answer.body).get("error")
    except MalformedBody:
        error = None
    if isinstance(error, str) and error:
        return error
    return _SECRET_REFUSED if answer.status == HTTPStatus.UNAUTHORIZED else "http_400"
