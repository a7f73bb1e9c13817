"""The layer as it is built for each processor that functions may run on."""

import hashlib
import os
import re
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from tests.artifacts.built import BUILD, FUNCTIONS, MACHINE, ROOT, SAM_PYTHON
from tests.artifacts.elf import machine_of

LAYERS = ROOT / "layers" / "common"
PACKAGE = LAYERS / "python" / "pointbook"
CACHE = ROOT / ".local" / "layers"
ARCHITECTURES = ("arm64", "x86_64")

UNZIPPED_MAX_BYTES = 250 * 1024 * 1024
"""Lambda's quota for a function and its layers together."""

LAYER_MAX_BYTES = 32 * 1024 * 1024
ZIP_MAX_BYTES = 10 * 1024 * 1024
"""Our own: a cold start unpacks all of it."""

UNCHECKED_HASH = 0b01
"""Flags of bytecode that is taken without a look at its source (PEP 552)."""


@pytest.fixture(params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> str:
    """Each processor, as SAM names it."""
    name: str = request.param
    return name


@pytest.fixture
def built_layer(architecture: str, build: Path) -> Path:
    """The folder that becomes /opt/python on this processor."""
    directory = build if architecture == MACHINE else built_elsewhere(architecture)
    return directory / "CommonLayer" / "python"


def built_elsewhere(architecture: str) -> Path:
    """`sam build` of the layer for another processor, cached while the layer is the same."""
    stored = CACHE / f"{architecture}-{digest_of_layer()}"
    if not stored.exists():
        for old in CACHE.glob(f"{architecture}-*"):
            shutil.rmtree(old)
        new = CACHE / f"{architecture}-new"
        environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
        path = f"{SAM_PYTHON.parent}{os.pathsep}{environment['PATH']}"
        command: list[str | Path] = [SAM_PYTHON, "-m", "samcli", "build", "CommonLayer"]
        command += ["--no-cached", "--build-dir", new / "build"]
        command += ["--parameter-overrides", f"Architecture={architecture}"]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**environment, "PATH": path, "SAM_CLI_TELEMETRY": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        new.rename(stored)
    return stored / "build"


def digest_of_layer() -> str:
    """Changes with whatever the layer is built from."""
    digest = hashlib.sha256()
    for path in sorted(LAYERS.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(LAYERS)}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def files_of(directory: Path) -> Iterator[Path]:
    """Every file of a folder."""
    return (path for path in directory.rglob("*") if path.is_file())


def test_every_library_is_for_the_processor_and_for_this_python(
    architecture: str, built_layer: Path
) -> None:
    libraries = [path for path in files_of(built_layer) if ".so" in path.suffixes]
    assert [path for path in libraries if "pydantic_core" in path.name]
    for library in libraries:
        assert machine_of(library.read_bytes()) == architecture, library
        assert re.search(r"\.(cpython-313-\w+-linux-gnu|abi3)\.so$", library.name), library


def test_both_layers_hold_the_same_files(build: Path) -> None:
    def names(directory: Path) -> set[str]:
        python = directory / "CommonLayer" / "python"
        return {
            re.sub(r"-(aarch64|x86_64)-linux-gnu", "", path.relative_to(python).as_posix())
            for path in files_of(python)
        }

    (other,) = set(ARCHITECTURES) - {MACHINE}
    assert names(build) == names(built_elsewhere(other))


def test_the_layer_leaves_out_what_lambda_has_and_what_nobody_runs(built_layer: Path) -> None:
    found = {path.name.partition("-")[0].lower() for path in built_layer.iterdir()}
    assert "pointbook" in found
    assert not found & {"boto3", "botocore", "s3transfer", "awslambdaric", "bin", "pip"}
    folders = {path.name for path in built_layer.rglob("*") if path.is_dir()}
    assert not folders & {"test", "tests", "doc", "docs", "examples"}
    assert [path for path in files_of(built_layer) if "conftest" in path.name] == []


def test_the_layer_is_small(
    built_layer: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    unzipped_bytes = sum(path.stat().st_size for path in files_of(built_layer))
    archive = tmp_path / "layer.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for path in files_of(built_layer):
            writer.write(path, path.relative_to(built_layer))
    record_property("unzipped_bytes", unzipped_bytes)
    record_property("zip_bytes", archive.stat().st_size)
    assert unzipped_bytes < LAYER_MAX_BYTES < UNZIPPED_MAX_BYTES
    assert archive.stat().st_size < ZIP_MAX_BYTES


def test_every_module_has_bytecode_that_lambda_takes_without_a_look_at_the_source(
    built_layer: Path,
) -> None:
    modules = [path for path in files_of(built_layer) if path.suffix == ".py"]
    modules += [BUILD / resource / "app.py" for resource in FUNCTIONS.values()]
    assert len(modules) > 100
    for module in modules:
        bytecode = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
        magic, flags = struct.unpack_from("<4sI", bytecode.read_bytes())
        assert (magic, flags) == (MAGIC_NUMBER, UNCHECKED_HASH), module


def test_what_was_built_is_what_is_here_now(built_layer: Path) -> None:
    def sources(directory: Path) -> dict[str, bytes]:
        return {
            path.relative_to(directory).as_posix(): path.read_bytes()
            for path in files_of(directory)
            if path.suffix == ".py"
        }

    assert sources(built_layer / "pointbook") == sources(PACKAGE), "run `make build`"
    for name, resource in FUNCTIONS.items():
        assert sources(BUILD / resource) == sources(ROOT / "functions" / name), "run `make build`"
