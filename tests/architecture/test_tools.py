"""The scripts below make keep their word on machines that lack something."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A bin folder with what every system has, and nothing of ours."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in (
        "bash",
        "cat",
        "dirname",
        "gzip",
        "mkdir",
        "mktemp",
        "rm",
        "sha256sum",
        "tar",
        "touch",
    ):
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return folder


def test_a_python_that_runs_is_preferred_to_a_shim_that_does_not(machine: Path) -> None:
    _script(machine / "python3.13", "echo 'pyenv: version 3.13 is not active' >&2; exit 127")
    installed = machine.parent / ".pyenv" / "versions" / "3.13.7" / "bin" / "python3.13"
    installed.parent.mkdir(parents=True)
    installed.symlink_to(sys.executable)
    done = _run(machine, "python313", HOME=str(machine.parent))
    assert (done.returncode, done.stdout.strip()) == (0, str(installed))


def test_the_interpreter_on_the_path_comes_first(machine: Path) -> None:
    (machine / "python3.13").symlink_to(sys.executable)
    done = _run(machine, "python313", HOME=str(machine.parent))
    assert (done.returncode, done.stdout.strip()) == (0, str(machine / "python3.13"))


def test_an_older_python_under_the_name_is_not_taken(machine: Path) -> None:
    _script(machine / "python3.13", "echo 3.12")
    done = _run(machine, "python313", HOME=str(machine.parent))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "needs Python 3.13 and found none: install it" in done.stderr


def test_a_missing_program_is_installed_by_root_on_debian(machine: Path) -> None:
    _script(machine / "id", "echo 0")
    calls = machine.parent / "calls"
    _script(
        machine / "apt-get",
        f'echo "$*" >>{calls}; [[ "$*" != *install* ]] || {{ echo "#!" >{machine}/wanted; '
        f"{shutil.which('chmod')} +x {machine}/wanted; }}",
    )
    done = _run(machine, "system-package", "wanted", "first", "second")
    assert done.returncode == 0, done.stderr
    assert (
        calls.read_text(encoding="utf-8")
        .splitlines()[-1]
        .endswith("install -y --no-install-recommends first second")
    )


@pytest.mark.parametrize(("user", "apt_get"), [("1000", "exit 0"), ("0", "exit 100"), ("0", None)])
def test_a_missing_program_is_named_where_it_cannot_be_installed(
    machine: Path, user: str, apt_get: str | None
) -> None:
    _script(machine / "id", f"echo {user}")
    if apt_get:
        _script(machine / "apt-get", apt_get)
    done = _run(machine, "system-package", "wanted", "first", "second")
    assert done.returncode == 1
    assert "'wanted' is missing: install it (on Debian: apt-get install" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_operators_commands_find_the_package_by_themselves() -> None:
    """As the docs write them: from the checkout, with nothing in the environment."""
    done = subprocess.run(
        [sys.executable, "-m", "cli"],
        cwd=TOOLS.parent,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr[:16]) == (2, "Usage: pointbook")


@pytest.mark.parametrize("environment", ["foo", "de", ""])
def test_a_deployment_to_nowhere_is_refused_before_anything_is_built(environment: str) -> None:
    done = _deploy(f"ENV={environment}", "PYTHON=echo python")
    assert done.returncode == 2
    assert "sam" not in done.stdout.replace("samconfig", "")
    assert "dev, staging or prod" in done.stdout or "ENV is missing" in done.stdout


def test_a_deployment_is_checked_built_made_and_followed_by_what_comes_next() -> None:
    done = _deploy("ENV=dev", "PYTHON=echo python")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "python -m tools.deployment before dev",
        "sam build --config-env dev",
        "sam deploy --config-env dev",
        "python -m tools.deployment after dev",
    ]


def test_placeholders_and_missing_credentials_stop_a_deployment_before_it_is_built() -> None:
    done = _deploy("ENV=prod")
    assert done.returncode == 2
    assert "sam" not in done.stdout
    for name in ("ShopDomain", "ShopifyClientId", "OperatorEmail"):
        assert f"samconfig.toml, [prod.*]: {name} is still 'your-" in done.stderr
    assert "AWS: Unable to locate credentials" in done.stderr


def _deploy(*variables: str) -> subprocess.CompletedProcess[str]:
    ready = ["-o", ".venv/.ready", "-o", ".venv-sam/.ready"]
    return subprocess.run(
        ["make", *ready, "deploy", "SAM=echo sam", *variables],
        cwd=TOOLS.parent,
        env={"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_npm_package_is_unpacked_once(machine: Path, tmp_path: Path) -> None:
    sha256 = _fake_npm(machine, tmp_path)
    target = tmp_path / "parts" / "some"
    for _ in range(2):
        done = _run(machine, "npm-package", "some", "1.0.0", sha256, str(target))
        assert done.returncode == 0, done.stderr
    assert (target / "jar").read_text(encoding="utf-8") == "the jar"
    assert (tmp_path / "calls").read_text(encoding="utf-8").splitlines() == [
        "pack --silent some@1.0.0"
    ]


def test_an_npm_package_that_is_not_the_one_tested_is_refused(
    machine: Path, tmp_path: Path
) -> None:
    _fake_npm(machine, tmp_path)
    target = tmp_path / "parts" / "some"
    done = _run(machine, "npm-package", "some", "1.0.0", "0" * 64, str(target))
    assert done.returncode == 1
    assert "some 1.0.0 is not the package that was tested" in done.stderr
    assert not target.exists()


def _fake_npm(machine: Path, folder: Path) -> str:
    """Put an npm there that hands out one small package; return the package's SHA-256."""
    (folder / "package").mkdir()
    (folder / "package" / "jar").write_text("the jar", encoding="utf-8")
    archive = folder / "some-1.0.0.tgz"
    subprocess.run(["tar", "-czf", archive, "-C", folder, "package"], check=True)
    copy = shutil.which("cp")
    _script(machine / "npm", f'echo "$*" >>{folder}/calls; {copy} {archive} .; echo {archive.name}')
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/usr/bin/env bash\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def _run(
    machine: Path, tool: str, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOOLS / tool, *arguments],
        env={"PATH": str(machine)} | environ,
        capture_output=True,
        text=True,
        check=False,
    )
