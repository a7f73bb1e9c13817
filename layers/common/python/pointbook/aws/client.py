"""Clients of AWS, all from one session.

botocore's own clients, without boto3 around them: 30 ms less at a cold start. One session for all
of them: each further one would read AWS's list of endpoints again, which takes 100 ms.
"""

from functools import cache
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.session import Session

_one_at_a_time = Lock()
"""botocore's sessions are not made for several threads; its clients are."""


def aws_client(service: str, *, attempts: int, connect_seconds: float, read_seconds: float) -> Any:
    """Return botocore's client of a service, which tries so often and waits so long each time.

    Region, credentials and, on a laptop, the endpoint come from the environment that Lambda sets.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=connect_seconds,
        read_timeout=read_seconds,
        tcp_keepalive=True,
    )
    with _one_at_a_time:
        return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    return Session()
