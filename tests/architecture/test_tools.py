"""The scripts below make keep their word on machines that lack something."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import processes

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


PAGE = {"page-tools", "build-extensions"}


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ("tests/unit", set()),
        ("tests/unit/domain/test_lots.py -x", set()),
        ("tests/simulation", {"setup"}),
        ("tests/contract", {"shopify-schema"}),
        ("tests/extensions", {"build-extensions"}),
        ("tests/engines", {"setup", "dynamodb-local"}),
        ("tests/unit tests/artifacts", {"setup", "build"}),
        ("tests/integration", {"setup", "build", "shopify-schema", "page-tools"}),
        ("tests/e2e/test_page.py", {"setup", "build", "shopify-schema", *PAGE}),
        ("", {"setup", "build", "dynamodb-local", "shopify-schema", *PAGE}),
        ("tests/", {"setup", "build", "dynamodb-local", "shopify-schema", *PAGE}),
        ("-k lots", {"setup", "build", "dynamodb-local", "shopify-schema", *PAGE}),
    ],
)
def test_some_tests_install_only_what_they_need(given: str, needed: set[str]) -> None:
    done = _make("-o", ".venv/.ready", "test", f"ARGS={given}", "MAKE=echo make", "PYTHON=echo")
    *made, ran = done.stdout.splitlines()
    assert {line.removeprefix("make ") for line in made} == needed
    assert ran == f"-m pytest -n 3 --no-loadscope-reorder {given or 'tests'}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("HOLD_SECOND=5", "no parameter HOLD_SECOND: did you mean HOLD_SECONDS?"),
        ("hold_seconds=5", "no parameter hold_seconds: did you mean HOLD_SECONDS?"),
        ("DETATCH=1", "no parameter DETATCH: did you mean DETACH?"),
        ("XYZZY=a b", "no parameter XYZZY: docs/programme.md lists them all."),
    ],
)
def test_a_mistyped_parameter_is_named_before_anything_is_made(given: str, said: str) -> None:
    done = _make("run", "PORT=8090", "LOGIN_URL=http://a b=c", given)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_every_parameter_of_the_template_may_be_given() -> None:
    variables = ["PORT=8090", "DETACH=1", "HOLD_SECONDS=5", "SHOP_DOMAIN=a,b", "LOGIN_URL=a b"]
    done = _make("parameters", *variables)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("target", ["stop", "clean"])
def test_stop_and_clean_need_no_environment(target: str, tmp_path: Path) -> None:
    checkout = _copied(tmp_path, "Makefile", "tools", "local")
    (checkout / ".venv-stack" / "bin").mkdir(parents=True)
    done = _make(target, cwd=checkout)
    assert (done.returncode, done.stdout) == (0, "No local stack is running here.\n")
    assert (checkout / ".venv-stack").exists() is (target == "stop")
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        started = processes.identify(other.pid)
        (checkout / ".local").mkdir(exist_ok=True)
        processes.write(checkout / ".local" / "processes.json", [started])
        done = _make(target, cwd=checkout)
        assert (done.returncode, done.stdout) == (0, "The local stack has stopped.\n")
        assert not started.runs()
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_the_layer_is_built_in_a_path_with_blanks_and_japanese_letters(
    architecture: str, tmp_path: Path
) -> None:
    """As SAM does: by the path of the makefile, from another folder."""
    checkout = _copied(tmp_path, "layers/common")
    makefile = checkout / "layers" / "common" / architecture / "Makefile"
    done = _make("--makefile", str(makefile), "-n", "build-CommonLayer", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    platform = "manylinux2014_aarch64" if architecture == "arm64" else "manylinux2014_x86_64"
    assert f"--platform {platform} " in done.stdout


@pytest.mark.slow
def test_a_long_command_shows_that_it_works_and_its_output_if_it_fails(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "echo \"Building layer 'CommonLayer'\"; sleep 2; exit $0"
    for status in (0, 3):
        done = subprocess.run(
            [TOOLS / "with-progress", "build", log, "bash", "-c", script, str(status)],
            env={"PATH": os.environ["PATH"], "EVERY_SECONDS": "0.05"},
            capture_output=True,
            text=True,
            check=False,
        )
        first, *middle, last = done.stdout.splitlines()
        assert (done.returncode, first) == (status, "build ...")
        assert any(line.endswith("s, layer 'CommonLayer'") for line in middle), done.stdout
        assert last.startswith("Building layer" if status else "build: done after ")


def _make(*arguments: str, cwd: Path = TOOLS.parent) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/nowhere")},
        capture_output=True,
        text=True,
        check=False,
    )


def _copied(folder: Path, *parts: str) -> Path:
    """A checkout with these parts alone, in a path with blanks and Japanese letters."""
    checkout = folder / "ポイント 台帳  a"
    for part in parts:
        source, target = TOOLS.parent / part, checkout / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return checkout


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
