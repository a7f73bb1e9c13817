"""Puts the parts together, once for each start of a function. The only shared state there is."""

import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from pointbook import log
from pointbook.clock import MovedClock, SystemClock
from pointbook.domain.programme import Programme
from pointbook.errors import PointbookError
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
    """The stack's secret; read again every minute, so that a rotation is noticed.

    Where it cannot be read just now, or was changed into something that cannot be used, the last
    good one goes on being used. Raises Unavailable where there is none yet.
    """
    return _kept("secrets", _read_secrets)


def till() -> Till | None:
    """The till that the shop has, if it has one, with the credentials of the moment."""
    if settings().till_provider == "none":
        return None
    from pointbook.till.smaregi_config import till_of  # noqa: PLC0415 - only where there is a till

    given = tuple(sorted(secrets().till.items()))
    if _parts.get("credentials") != given:
        _parts.update(credentials=given, till=till_of(dict(given), settings().local_till_url))
    found: Till = _parts["till"]
    return found


_parts: dict[str, Any] = {}
"""The till of the credentials last seen, and the page that asks it."""


def my_page() -> MyPage:
    """My page: the ledger and the till. It reads only, so no programme is needed."""
    asked = till()
    page: MyPage | None = _parts.get("page")
    if page is None or page.till is not asked:
        page = MyPage(ledger(settings().programme.time_zone), asked)
        _parts["page"] = page
    return page


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
