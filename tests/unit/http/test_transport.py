import socket
import time
from typing import Any

import pytest

from pointbook.deadline import Deadline
from pointbook.http.calls import Call, CallTimedOut
from pointbook.http.transport import Transport


def test_a_name_that_is_slow_to_look_up_costs_no_more_than_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No time-out of a socket's covers the look-up."""

    def slowly(*_: object, **__: object) -> Any:
        time.sleep(1)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    transport = Transport("test", workers=1, connect_seconds=1)
    begun = time.monotonic()
    with pytest.raises(CallTimedOut):
        transport.send(Call("GET", "http://shop.invalid/", {}), Deadline.after(0.2))
    assert time.monotonic() - begun < 0.6


def test_without_time_nothing_is_sent() -> None:
    transport = Transport("test", workers=1, connect_seconds=1)
    with pytest.raises(CallTimedOut):
        transport.send(Call("GET", "http://127.0.0.1:9/", {}), Deadline.after(0))
