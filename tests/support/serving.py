"""HTTP servers that serve while a block runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import override

from local.fakes.server import FakeServer


class QuietHandler(BaseHTTPRequestHandler):
    """A handler that logs nothing."""

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass

    def read_body(self) -> bytes:
        """The request's body."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send a whole answer; `headers` with underscores for hyphens."""
        self.send_response(status)
        for name, value in {**headers, "Content_Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving[Server: HTTPServer](server: Server) -> Iterator[Server]:
    """Serve on a thread of its own; a fake's hanging requests are released at the end."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        if isinstance(server, FakeServer):
            server.control.reset()
        server.shutdown()
        thread.join()
        server.server_close()


def url_of(server: HTTPServer) -> str:
    """The address of a server on this machine."""
    return f"http://127.0.0.1:{server.server_port}"
