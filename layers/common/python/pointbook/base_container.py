"""The part of the container that needs no table: settings, secrets, clock and queues.

Separate from `container`, so that a function without the ledger does not load it at a cold start.
Clients are imported where they are used for the same reason.
"""

import os
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from pointbook import log
from pointbook.clock import MovedClock, SystemClock
from pointbook.errors import PointbookError
from pointbook.request_limiter import RequestLimiter
from pointbook.settings import Secrets, Settings
from pointbook.shopify.app_keys import AppKeys

if TYPE_CHECKING:
    from pointbook.domain.ports import Clock

CACHE_SECONDS = 60.0
"""How long programmes and secrets are cached before they are read again."""


class Cached[T]:
    """A value that is read again once it is older than `CACHE_SECONDS`.

    If reading fails, the last good value stays in use for as long again; the failure is logged and
    counted. Raises what `read` raises while there is no good value yet.
    """

    def __init__(self, name: str, read: Callable[[], T], monotonic: Callable[[], float]) -> None:
        """Read nothing before the first `get`; `name` is for the log."""
        self._name = name
        self._read = read
        self._monotonic = monotonic
        self._until = 0.0
        self._values: tuple[T, ...] = ()

    def get(self) -> T:
        """Return the value, read again if it has expired."""
        if not self._values or self._monotonic() >= self._until:
            try:
                self._values = (self._read(),)
            except PointbookError:
                if not self._values:
                    raise
                log.exception("cached_value_not_renewed", what=self._name)
                log.metric("KeptValuesNotRenewed")
            self._until = self._monotonic() + CACHE_SECONDS
        return self._values[0]


class BaseParts(TypedDict, total=False):
    """Parts that a caller, such as a test, gives in place of those that the container builds."""

    clock: "Clock"
    wall_clock: "Clock"
    monotonic: Callable[[], float]
    read_secrets: Callable[[], Secrets]
    sqs: Any
    secrets_manager: Any


class BaseContainer:
    """The parts that every function has, each built at its first use, once for each process.

    A part that is given to the constructor replaces the property or method of its name.
    """

    def __init__(self, settings: Settings, **parts: Unpack[BaseParts]) -> None:
        """Build nothing yet; `settings` are the checked environment."""
        self.settings = settings
        vars(self).update(parts)

    @classmethod
    def from_env(cls) -> Self:
        """Return a container with the settings of this process. Raises SettingsError."""
        return cls(Settings.from_env(os.environ))

    @cached_property
    def clock(self) -> "Clock":
        """The ledger's clock; on a laptop it can be moved ahead."""
        offset_file = self.settings.local_clock_file
        return MovedClock(Path(offset_file)) if offset_file else SystemClock()

    @cached_property
    def wall_clock(self) -> "Clock":
        """Real time, for leases, claims and access tokens."""
        return SystemClock()

    def secrets(self) -> Secrets:
        """The stack's secret, cached for a minute so that a rotation is noticed.

        The last good one stays in use while the secret cannot be read or is invalid. Raises
        Unavailable if there is none yet.
        """
        return self._secrets.get()

    def app_keys(self) -> AppKeys:
        """The keys that verify requests from Shopify and session tokens of customers."""
        secrets = self.secrets()
        return AppKeys(
            client_id=self.settings.shopify_client_id,
            client_secret=secrets.client_secret,
            client_secret_previous=secrets.client_secret_previous,
            my_page_secret=secrets.my_page_secret,
            shops=frozenset(self.settings.shops),
            my_page_secret_previous=secrets.my_page_secret_previous,
        )

    @cached_property
    def request_limiter(self) -> RequestLimiter:
        """The rate limit on each customer's requests to this process."""
        return RequestLimiter(self.settings.customer_requests_per_minute, self.monotonic)

    def enqueue(self, queue: str, text: str) -> None:
        """Put a message on one of the queues. Raises Unavailable; SettingsError without a URL."""
        from pointbook.aws.queues import send_message  # noqa: PLC0415 - not needed on every start

        send_message(self.sqs, self.settings.queue_url(queue), text)

    @cached_property
    def sqs(self) -> Any:
        """The client of SQS."""
        from pointbook.aws import queues  # noqa: PLC0415 - not needed on every start

        return queues.connect()

    @cached_property
    def secrets_manager(self) -> Any:
        """The client of Secrets Manager."""
        from pointbook.aws import secrets  # noqa: PLC0415 - not needed on a laptop

        return secrets.connect()

    def monotonic(self) -> float:
        """Seconds that never run backwards, by which cached values expire."""
        return time.monotonic()

    def read_secrets(self) -> Secrets:
        """Read the stack's secret, uncached. Raises Unavailable or SettingsError."""
        text = self.settings.local_secrets
        if text is None:
            from pointbook.aws.secrets import secret_text  # noqa: PLC0415 - not needed on a laptop

            text = secret_text(self.secrets_manager, self.settings.secrets_name)
        return Secrets.from_json(text, self.settings.stage)

    @cached_property
    def _secrets(self) -> Cached[Secrets]:
        return Cached("secrets", self.read_secrets, self.monotonic)
