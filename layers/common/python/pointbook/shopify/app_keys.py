"""The keys with which requests from Shopify are verified."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AppKeys:
    """The app's client id and secrets, and the shops that it serves.

    A rotated secret stays valid as the previous one: Shopify signs with the oldest secret that is
    not revoked, and with a revoked one for about another hour
    (https://shopify.dev/docs/apps/build/webhooks/verify-deliveries). An empty secret means that
    there is none.
    """

    client_id: str
    client_secret: str = field(repr=False)
    client_secret_previous: str = field(repr=False)
    my_page_secret: str = field(repr=False)
    shops: frozenset[str]
    my_page_secret_previous: str = field(default="", repr=False)

    @property
    def shopify_secrets(self) -> tuple[str, ...]:
        """Return the secrets that Shopify signs with, the current one first."""
        return _given(self.client_secret, self.client_secret_previous)

    @property
    def cookie_secrets(self) -> tuple[str, ...]:
        """Return the secrets that a session cookie may be signed with."""
        return _given(
            self.client_secret,
            self.client_secret_previous,
            self.my_page_secret,
            self.my_page_secret_previous,
        )


def _given(*secrets: str) -> tuple[str, ...]:
    return tuple(secret for secret in secrets if secret)
