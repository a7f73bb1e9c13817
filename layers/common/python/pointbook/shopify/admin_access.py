"""Access tokens for the Admin API, shared by all instances (`http.tokens`).

The app is the organisation's own, so a token needs the client id and secret alone (the
client-credentials grant, https://shopify.dev/docs/apps/build/authentication-authorization). It
is valid for 24 hours.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.ports import Clock
from pointbook.errors import MalformedBody, ShopifyRefused, ShopifyUnavailable
from pointbook.http.calls import Answer, Call, HttpClient
from pointbook.http.tokens import SharedToken, TokenStore
from pointbook.http.transport import Transport
from pointbook.shopify.admin import CONNECT_SECONDS, WORKERS, AdminApi, ok_body
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.attempts import Failed, with_retries
from pointbook.validation import json_object

RENEWAL_MARGIN = timedelta(minutes=5)
"""How long before its end a token is renewed."""

_LIFETIME_SECONDS_MAX = 30 * 86_400
_SECRET_REFUSED = "invalid_client"  # noqa: S105 - Shopify's word for it


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
        self._calls = calls
        self._clock = clock
        self._shared = SharedToken(shop, self, store, clock, RENEWAL_MARGIN)

    def token(self, deadline: Deadline, refused: str = "") -> str:
        """Return a valid token other than `refused`, which Shopify did not accept.

        Raises ShopifyRefused if Shopify gives none for our secrets, ShopifyUnavailable by the
        deadline, and Unavailable while the stored token cannot be read.
        """
        return self._shared.token(deadline, refused)

    def gave_up(self) -> ShopifyUnavailable:
        """See `TokenSource.gave_up`."""
        return ShopifyUnavailable(1)

    def fetch(self, deadline: Deadline) -> tuple[str, timedelta]:
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


def connect(
    shop: str, local_url: str | None, keys: Callable[[], AppKeys], tokens: TokenStore, clock: Clock
) -> AdminApi:
    """The Admin API of a shop, whose tokens are kept in `tokens`."""
    base_url = f"{local_url}/{shop}" if local_url else f"https://{shop}"
    calls = Transport("shopify", workers=WORKERS, connect_seconds=CONNECT_SECONDS)
    return AdminApi(base_url, AdminAccess(shop, base_url, keys, tokens, calls, clock), calls, clock)
