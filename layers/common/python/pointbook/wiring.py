"""Puts the parts together, once for each start of a function. The only shared state there is."""

import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from pointbook.clock import MovedClock, SystemClock
from pointbook.domain.programme import Programme
from pointbook.ledger import Ledger
from pointbook.my_page import MyPage
from pointbook.settings import Secrets, Settings
from pointbook.shopify.app_keys import AppKeys
from pointbook.store.dynamodb import DynamoStore, connect
from pointbook.store.programmes import Programmes
from pointbook.till.member import Till

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


@cache
def store() -> DynamoStore:
    """The books of all shops."""
    return DynamoStore(_client(), settings().table_name)


def ledger(time_zone: str) -> Ledger:
    """The ledger; books that it opens keep the calendar of `time_zone`."""
    return Ledger(store(), clock(), time_zone)


def programme(shop: str) -> Programme:
    """The programme in force."""
    programmes = Programmes(_client(), settings().table_name)
    return _kept(f"programme of {shop}", lambda: programmes.in_force(shop, settings().programme))


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
    """The stack's secret; read again every minute, so that a rotation is noticed."""
    return _kept("secrets", _read_secrets)


@cache
def till() -> Till | None:
    """The till that the shop has, if it has one."""
    if settings().till_provider == "none":
        return None
    from pointbook.till.smaregi import SmaregiTill  # noqa: PLC0415 - only where there is a till
    from pointbook.till.smaregi_config import smaregi_config  # noqa: PLC0415 - same

    return SmaregiTill(smaregi_config(secrets().till, settings().local_till_url))


@cache
def my_page() -> MyPage:
    """My page: the ledger and the till. It reads only, so no programme is needed."""
    return MyPage(ledger(settings().programme.time_zone), till())


@cache
def _client() -> Any:
    return connect()


def _read_secrets() -> Secrets:
    text = settings().local_secrets
    if text is None:
        from pointbook.aws import secret_text  # noqa: PLC0415 - not needed on every start

        text = secret_text(settings().secrets_name)
    return Secrets.from_json(text, settings().stage)


_memory: dict[str, tuple[float, Any]] = {}


def _kept[T](name: str, read: Callable[[], T]) -> T:
    """What `read` returned within the last minute, else what it returns now."""
    until, value = _memory.get(name, (0.0, None))
    if time.monotonic() >= until:
        value = read()
        _memory[name] = (time.monotonic() + KEPT_SECONDS, value)
    found: T = value
    return found
