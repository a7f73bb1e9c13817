"""The build, and the services of AWS that its functions speak to, in MiniStack."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.artifacts.built import BUILD, FUNCTIONS, MACHINE, expanded
from tests.artifacts.cloud import SERVICES, Cloud
from tests.artifacts.elf import machine_of
from tests.artifacts.shop import Shop
from tests.support import servers


@pytest.fixture(scope="session")
def build() -> Path:
    """The folder of what was built for this machine."""
    missing = [name for name in FUNCTIONS.values() if not (BUILD / name / "app.py").exists()]
    if missing:
        pytest.fail(f"{missing} are not built: run `make build`.")
    strangers = [
        file.name for file in BUILD.rglob("*.so") if machine_of(file.read_bytes()) != MACHINE
    ]
    if strangers:
        pytest.fail(f"{BUILD} is not for {MACHINE}: run `make build`.")
    return BUILD


@pytest.fixture(scope="session")
def layer(build: Path) -> Path:
    """The folder that becomes /opt/python."""
    return build / "CommonLayer" / "python"


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The services of AWS that functions use."""
    directory = tmp_path_factory.mktemp("cloud")
    with servers.ministack(directory, services=SERVICES) as url:
        yield Cloud(url)


@pytest.fixture(scope="session")
def resources() -> dict[str, Any]:
    """The template's resources as plain CloudFormation."""
    found: dict[str, Any] = expanded()["Resources"]
    return found


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shop:
    """A shop whose programme was not read yet; its orders are pending for 14 days."""
    return Shop(monkeypatch, tmp_path / "clock.json", PROGRAMME_PENDING_DAYS="14")
