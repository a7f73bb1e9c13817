"""The guards of tests/conftest.py do guard."""

import os
import socket

import boto3
import pytest

# Reserved for documentation (RFC 5737): nobody answers there.
ELSEWHERE = "192.0.2.1"


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_a_connection_beyond_this_machine_fails_the_test(method: str) -> None:
    with (
        socket.socket() as client,
        pytest.raises(pytest.fail.Exception, match="tests stay on this machine"),
    ):
        getattr(client, method)((ELSEWHERE, 80))


@pytest.mark.parametrize("host", ["example.com", b"example.com", ELSEWHERE])
def test_looking_up_a_name_of_the_internet_fails_the_test(host: bytes | str) -> None:
    with pytest.raises(pytest.fail.Exception, match="tests stay on this machine"):
        socket.getaddrinfo(host, 443)


def test_an_unmocked_aws_call_fails_the_test() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"dynamodb\.ap-northeast-1\.amazonaws\.com"):
        boto3.client("dynamodb").list_tables()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_can_be_reached(host: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection((host, server.getsockname()[1]), timeout=5) as client,
    ):
        accepted, _ = server.accept()
        with accepted:
            accepted.sendall(b"welcome")
        assert client.recv(7) == b"welcome"


def test_nobody_is_signed_in_to_aws() -> None:
    assert os.environ["AWS_ACCESS_KEY_ID"] == "test"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"} & set(os.environ)
