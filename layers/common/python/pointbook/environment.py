"""What every function has of its stack, whether or not it opens the books.

Apart from `wiring`, so that the start of a function without books does not pay for them.
"""

import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from pointbook import log
from pointbook.clock import MovedClock, SystemClock
from pointbook.errors import PointbookError
from pointbook.settings import Secrets, Settings
from pointbook.shopify.app_keys import AppKeys

KEPT_SECONDS = 60.0
"""How long a programme and the secrets are kept before they are read again."""


@cache
def settings() -> Settings:
    """The environment, checked."""
    return Settings.from_env(os.environ)


@cache
def clock() -> SystemClock:
    """The ledger's clock."""
    offset_file = settings().local_clock_file
    return MovedClock(Path(offset_file)) if offset_file else SystemClock()


def app_keys() -> AppKeys:
    """What tells Shopify's and customers' requests from anybody's."""
    current, given = settings(), secrets()
    return AppKeys(
        client_id=current.shopify_client_id,
        client_secret=given.client_secret,
        client_secret_previous=given.client_secret_previous,
        my_page_secret=given.my_page_secret,
        shops=frozenset(current.shops),
    )


def secrets() -> Secrets:
    """The stack's secret; read again every minute, so that a rotation is noticed.

    Where it cannot be read just now, or was changed into something that cannot be used, the last
    good one goes on being used. Raises Unavailable where there is none yet.
    """
    return kept("secrets", _read_secrets)


def enqueue(queue: str, text: str) -> None:
    """Put a message on one of the queues. Raises Unavailable, or SettingsError for want of it."""
    from pointbook.aws.queues import send_message  # noqa: PLC0415 - not needed on every start

    send_message(settings().queue_url(queue), text)


def kept[T](name: str, read: Callable[[], T]) -> T:
    """What `read` returned within the last minute, else what it returns now.

    Where it fails now, what it returned before; that is logged and counted.
    """
    until, value = _memory.get(name, (0.0, None))
    if time.monotonic() >= until:
        try:
            value = read()
        except PointbookError:
            if name not in _memory:
                raise
            log.exception("kept_value_not_renewed", what=name)
            log.metric("KeptValuesNotRenewed")
        _memory[name] = (time.monotonic() + KEPT_SECONDS, value)
    found: T = value
    return found


_memory: dict[str, tuple[float, Any]] = {}


def _read_secrets() -> Secrets:
    text = settings().local_secrets
    if text is None:
        from pointbook.aws.secrets import secret_text  # noqa: PLC0415 - not needed on every start

        text = secret_text(settings().secrets_name)
    return Secrets.from_json(text, settings().stage)
