"""A TCP relay, so that a container can reach a server on 127.0.0.1 of its host."""

import socket
import socketserver
import threading
from contextlib import suppress
from typing import override

_IP_FREEBIND = 15
"""Linux's socket option (ip(7)) to listen on an address that the machine does not have yet."""

_CHUNK_BYTES = 65_536

type Address = tuple[str, int]


class Relay(socketserver.ThreadingTCPServer):
    """Listens on one address and forwards every connection to another.

    The address need not exist yet: Podman creates its bridge with the first container.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, listen: Address, to: Address) -> None:
        """Listen on `listen`; `serve_forever` forwards. Raises OSError if the port is taken."""
        self.to = to
        super().__init__(listen, _Passing)

    @override
    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_IP, _IP_FREEBIND, 1)
        super().server_bind()


class _Passing(socketserver.BaseRequestHandler):
    """One connection."""

    server: Relay

    @override
    def handle(self) -> None:
        with suppress(OSError), socket.create_connection(self.server.to) as inner:
            answers = threading.Thread(target=_pass_on, args=(inner, self.request), daemon=True)
            answers.start()
            _pass_on(self.request, inner)
            answers.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Forward bytes until one side closes, then close the other side for writing."""
    with suppress(OSError):
        while data := source.recv(_CHUNK_BYTES):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
