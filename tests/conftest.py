"""What holds for every test: a clean environment, no network, Hypothesis's profile."""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.database import DirectoryBasedExampleDatabase
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has no types

ROOT = Path(__file__).resolve().parent.parent

# In CI the same examples each time, so that a red run is about the change; elsewhere new ones.
IN_CI = "CI" in os.environ
HYPOTHESIS_HOME = ROOT / ".local" / "hypothesis"
set_hypothesis_home_dir(HYPOTHESIS_HOME)
hypothesis.settings.register_profile(
    "pointbook",
    deadline=None,
    derandomize=IN_CI,
    database=None if IN_CI else DirectoryBasedExampleDatabase(HYPOTHESIS_HOME / "examples"),
    print_blob=True,
)
# For `make quick`: fewer examples. Hypothesis's own option --hypothesis-profile selects it.
hypothesis.settings.register_profile(
    "quick", parent=hypothesis.settings.get_profile("pointbook"), max_examples=20
)
hypothesis.settings.load_profile("pointbook")

_REMOVED_PREFIXES = ("AWS_", "POWERTOOLS_", "PROGRAMME_")
_REMOVED = frozenset(
    (
        "COLUMNS",
        "LOCAL_CLOCK_URL",
        "SECRETS_NAME",
        "SHOPIFY_CLIENT_ID",
        "SHOP_DOMAIN",
        "STAGE",
        "TABLE_NAME",
    )
) | frozenset(f"{scheme}_proxy" for scheme in ("http", "https", "all"))
_FAKE_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "ap-northeast-1",
    "AWS_REGION": "ap-northeast-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


SHARED_SERVERS = frozenset({"artifacts", "e2e", "engines", "integration"})
"""Folders whose tests share servers: all tests of such a folder run in one process."""

OWN_STACKS = frozenset(
    f"tests/e2e/test_{name}.py"
    for name in [
        "export",
        "first_minutes",
        "heads",
        "hold_pace",
        "lost_webhooks",
        "metafields",
        "restarts",
        "secret",
        "statements",
        "switch_over",
        "till",
        "till_drift",
        "till_push",
        "tills",
    ]
)
"""Files in such a folder that start stacks of their own, so that they can run beside the others."""

LONG_FIRST = ("e2e", "fuzzing", "simulation", "engines", "integration", "artifacts", "property")
"""Folders whose tests run long: begun last, one of them would run on while all else is done."""


class FolderScheduling(LoadScopeScheduling):  # type: ignore[misc]  # same
    """Tests side by side: those of a file, or of a folder in `SHARED_SERVERS`, stay together.

    xdist's own groups (`--dist loadgroup`) have no effect under this version of pytest.
    """

    def _split_scope(self, nodeid: str) -> str:
        _, folder, *_ = nodeid.split("/")
        file = nodeid.partition("::")[0]
        return folder if folder in SHARED_SERVERS and file not in OWN_STACKS else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the folders of `LONG_FIRST` come first."""
    ranks = {folder: rank for rank, folder in enumerate(LONG_FIRST)}
    items.sort(key=lambda item: ranks.get(item.nodeid.split("/")[1], len(ranks)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderScheduling:
    """Have xdist send tests to its processes by `FolderScheduling`."""
    return FolderScheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Remove the developer's AWS account, proxies and Pointbook's own variables."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            removed = name in _REMOVED or name.lower() in _REMOVED
            if removed or name.startswith(_REMOVED_PREFIXES):
                patch.delenv(name)
        for name, value in _FAKE_ACCOUNT.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def local_only() -> Iterator[None]:
    """Fail the test that looks up a name or connects to an address beyond this machine.

    The failure is pytest's own and no OSError, so that the code under test cannot take it for a
    till that is down and carry on.
    """
    with pytest.MonkeyPatch.context() as patch:
        for method in ("connect", "connect_ex"):
            patch.setattr(socket.socket, method, _local_only(getattr(socket.socket, method)))
        look_up = socket.getaddrinfo

        def look_up_locally(host: bytes | str | None, *rest: Any, **named: Any) -> Any:
            _fail_unless_local(host)
            return look_up(host, *rest, **named)

        patch.setattr(socket, "getaddrinfo", look_up_locally)
        yield


def _local_only(connect: Callable[..., Any]) -> Callable[..., Any]:
    def connect_locally(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX:
            _fail_unless_local(address[0])
        return connect(self, address)

    return connect_locally


def _fail_unless_local(host: bytes | str | None) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name and name != "localhost" and not _is_loopback(name):
        pytest.fail(f"the test tried to reach {name}: tests stay on this machine")


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
