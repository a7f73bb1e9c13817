"""Clients of AWS, all from one session.

botocore's own clients, without boto3 around them: 30 ms less at a cold start. One session for all
of them: each further one would read AWS's list of endpoints again, which takes 100 ms.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from pointbook.errors import Unavailable

_session_lock = Lock()
"""botocore's sessions are not thread-safe; its clients are."""


def aws_client(service: str, *, attempts: int, connect_seconds: float, read_seconds: float) -> Any:
    """Return botocore's client of a service with this number of attempts and these timeouts.

    Region, credentials and, on a laptop, the endpoint come from the environment that Lambda sets.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=connect_seconds,
        read_timeout=read_seconds,
        tcp_keepalive=True,
    )
    with _session_lock:
        return _session().create_client(service, config=config)


@contextmanager
def unavailable_as(
    code: str, retry_after_seconds: int, message: str = "Please try again."
) -> Iterator[None]:
    """Raise Unavailable with this `code` in place of any error of botocore's."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(retry_after_seconds, code=code, message=message) from error


@cache
def _session() -> Session:
    return Session()
