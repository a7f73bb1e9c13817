"""Reading from a socket under one deadline for the whole answer.

A socket's timeout starts anew with every receive, so a server that sends a byte now and then
would be read forever. `TimedAdapter` gives every receive, of headers as of the body, only the time
that is left to the thread's deadline.
"""

import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any, cast, override

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from pointbook.deadline import Deadline

_deadline: ContextVar[Deadline] = ContextVar("deadline")


@contextmanager
def reads_until(deadline: Deadline) -> Iterator[None]:
    """Make every receive of this thread raise TimeoutError after the deadline."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


class TimedAdapter(HTTPAdapter):
    """The adapter of Requests with timed reads. Use its session within `reads_until`."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


class _TimedReads(io.RawIOBase):
    def __init__(self, connection: socket.socket, reads: io.RawIOBase) -> None:
        self._connection = connection
        self._reads = reads

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        self._connection.settimeout(_deadline.get().left_seconds())
        return cast("int | None", cast("Any", self._reads).readinto(buffer))

    @override
    def close(self) -> None:
        self._reads.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_TimedReads(sock, self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _Response


class _TlsConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
