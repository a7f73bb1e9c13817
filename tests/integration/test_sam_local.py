"""`local.sam_local` and its relay, with a fake `sam` and no container."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local import emulator, sam_local
from local.problems import LocalProblem
from local.relay import Relay
from local.stack import Stack
from tests.support.serving import QuietHandler, serving, url_of

HOST = "127.0.0.1"

SAM = """#!/usr/bin/env python3
import json, os, sys, urllib.request
from pathlib import Path

with urllib.request.urlopen("http://127.0.0.1:%d/table", timeout=10) as answer:
    read = answer.read().decode()
seen = {"arguments": sys.argv[1:], "environment": dict(os.environ), "read": read}
Path(%r).write_text(json.dumps(seen))
sys.exit(3)
"""


class Endpoint(QuietHandler, BaseHTTPRequestHandler):
    """The stack's AWS endpoint; it answers with the path."""

    def do_GET(self) -> None:
        self.answer(200, self.path.encode())


@pytest.fixture
def endpoint() -> Iterator[str]:
    with serving(HTTPServer((HOST, 0), Endpoint)) as server:
        yield url_of(server)


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A free one, that stands in env.json."""
    with socket.create_server((HOST, 0)) as free:
        found: int = free.getsockname()[1]
    env_vars = tmp_path / "env.json"
    env_vars.write_text(json.dumps({"Parameters": {"AWS_ENDPOINT_URL": f"http://stack:{found}"}}))
    monkeypatch.setattr(sam_local, "ENV_VARS", env_vars)
    return found


@pytest.fixture
def running(endpoint: str, tmp_path: Path) -> Path:
    """The folder of a running stack."""
    (tmp_path / "stack.json").write_text(json.dumps({"aws_endpoint_url": endpoint}))
    assert Stack.read(tmp_path / "stack.json").aws_endpoint_url == endpoint
    return tmp_path


def test_sam_is_given_the_emulator_and_a_way_to_it(
    running: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam, seen_file = running / "sam", running / "seen.json"
    sam.write_text(SAM % (port, str(seen_file)))
    sam.chmod(0o755)
    monkeypatch.setattr(sam_local, "SAM", sam)
    environ = {
        "PATH": "/usr/bin:/bin",
        "LOCAL_DIRECTORY": str(running),
        "BRIDGE": HOST,
        "AWS_PROFILE": "production",
    }
    assert sam_local.main(["invoke", "X", "-e", "event.json"], environ) == 3

    seen = json.loads(seen_file.read_text())
    assert seen["read"] == "/table", "it was reached through the relay"
    assert seen["arguments"][:5] == ["local", "invoke", "X", "-e", "event.json"]
    assert f"--env-vars={sam_local.ENV_VARS}" in seen["arguments"]
    assert f"--add-host=stack:{HOST}" in seen["arguments"]
    assert "AWS_PROFILE" not in seen["environment"]
    assert emulator.credentials().items() <= seen["environment"].items()
    with socket.create_server((HOST, port)):
        pass  # the relay is gone


def test_without_a_running_stack_nothing_starts(tmp_path: Path, port: int) -> None:
    with pytest.raises(LocalProblem, match="no stack is running"):
        sam_local.main(["invoke", "X"], {"LOCAL_DIRECTORY": str(tmp_path), "BRIDGE": HOST})


def test_a_port_that_is_taken_is_named(running: Path, port: int) -> None:
    environ = {"LOCAL_DIRECTORY": str(running), "BRIDGE": HOST}
    with socket.create_server((HOST, port)), pytest.raises(LocalProblem, match=f"{HOST}:{port}"):
        sam_local.main(["invoke", "X"], environ)


def test_the_relay_forwards_every_byte_and_each_close() -> None:
    sent = bytes(range(256)) * 4_000
    with socket.create_server((HOST, 0)) as inner, Relay((HOST, 0), inner.getsockname()) as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        with socket.create_connection(relay.socket.getsockname()) as outer:
            writing = threading.Thread(target=_send_and_end, args=(outer, sent), daemon=True)
            writing.start()
            within, _ = inner.accept()
            with within:
                assert _read_to_the_end(within) == sent
                _send_and_end(within, sent[::-1])
            assert _read_to_the_end(outer) == sent[::-1]
        relay.shutdown()


def test_the_relay_closes_a_connection_that_nobody_accepts() -> None:
    with socket.create_server((HOST, 0)) as gone:
        nobody = gone.getsockname()
    with Relay((HOST, 0), nobody) as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        with socket.create_connection(relay.socket.getsockname(), timeout=10) as outer:
            assert _read_to_the_end(outer) == b""
        relay.shutdown()


def _send_and_end(to: socket.socket, content: bytes) -> None:
    to.sendall(content)
    to.shutdown(socket.SHUT_WR)


def _read_to_the_end(of: socket.socket) -> bytes:
    of.settimeout(10)
    parts = []
    while part := of.recv(65_536):
        parts.append(part)
    return b"".join(parts)
