"""The import rules of pyproject.toml hold, and each of them bites.

A rule that names a layer wrongly guards nothing and stays green for ever. So every rule is shown a
violation, planted in a copy of the tree, and has to report it under its own name.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "layers/common/python/pointbook"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RULES: dict[str, str] = {
    rule["id"]: rule["name"] for rule in SETTINGS["tool"]["importlinter"]["contracts"]
}
ADAPTERS = ("store", "shopify", "till", "page")


class Violation(NamedTuple):
    """An import that must not be: the rule against it, the layer it is planted in, the import."""

    rule: str
    layer: str
    imported: str


VIOLATIONS = (
    Violation("domain", "pointbook.domain", "pydantic"),
    Violation("domain", "pointbook.domain", "aws_lambda_powertools"),
    Violation("layers", "pointbook.domain", "pointbook.errors"),
    Violation("layers", "pointbook.domain", "pointbook.store"),
    Violation("layers", "pointbook.store", "pointbook.container"),
    *(
        Violation("layers", f"pointbook.{adapter}", "pointbook.ledger.ledger")
        for adapter in ADAPTERS
    ),
    *(
        Violation("layers", f"pointbook.{adapter}", f"pointbook.{other}")
        for adapter, other in permutations(ADAPTERS, 2)
    ),
    Violation("layers", "pointbook.services", "pointbook.entrypoints"),
    Violation("layers", "pointbook.ledger", "pointbook.services"),
    Violation("layers", "pointbook.http", "pointbook.aws"),
    Violation("clients", "pointbook.till", "pointbook.aws"),
    Violation("clients", "pointbook.services", "pointbook.aws"),
    Violation("aws", "pointbook.shopify", "boto3"),
    Violation("aws", "pointbook.till", "botocore"),
    Violation("aws", "functions.planted_here", "boto3"),
    Violation("functions", "functions.planted_here", "functions.planted_there.app"),
    Violation("package", "pointbook.entrypoints", "functions.planted_there.app"),
    Violation("package", "pointbook.entrypoints", "tests"),
    Violation("package", "pointbook.entrypoints", "local"),
    Violation("package", "pointbook.entrypoints", "cli"),
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of all that the rules look at, with two more functions that import nothing."""
    for folder in (PACKAGE, "functions", "tools"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in ("planted_here", "planted_there"):
        (tmp_path / "functions" / name).mkdir()
        (tmp_path / "functions" / name / "app.py").touch()
    return tmp_path


def test_the_tree_keeps_every_rule(copy: Path) -> None:
    exit_code, report = _check(copy)
    assert exit_code == 0, report
    assert _broken(report) == set()


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_each_planted_violation_is_reported_under_its_rule(copy: Path, rule: str) -> None:
    violations = [violation for violation in VIOLATIONS if violation.rule == rule]
    assert violations, f"show what the rule '{rule}' forbids"
    planted = [_plant(copy, number, violation) for number, violation in enumerate(violations)]

    exit_code, report = _check(copy)

    assert exit_code == 1, report
    assert _broken(report) == {RULES[rule]}, report
    for module, violation in zip(planted, violations, strict=True):
        assert f"{module} -> {violation.imported} (l.1)" in report


def test_a_new_module_of_the_package_has_to_be_given_its_place(copy: Path) -> None:
    (copy / PACKAGE / "planted.py").touch()
    exit_code, report = _check(copy)
    assert exit_code == 1, report
    assert _broken(report) == {RULES["layers"]}, report
    assert "pointbook.planted" in report


def _plant(root: Path, number: int, violation: Violation) -> str:
    """Write a module with the forbidden import into its layer; return the module's name."""
    module = f"{violation.layer}.planted_{number}"
    base = root if module.startswith("functions.") else (root / PACKAGE).parent
    path = base.joinpath(*module.split(".")).with_suffix(".py")
    path.write_text(f"import {violation.imported}\n", encoding="utf-8")
    return module


def _check(root: Path) -> tuple[int, str]:
    """Run the very check of `make check` on a tree; return its exit code and what it printed."""
    import_roots = os.pathsep.join((str(root), str(root / "layers/common/python")))
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": import_roots, "COLUMNS": "200", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def _broken(report: str) -> set[str]:
    """Return the names of the rules that a report calls broken."""
    lines = [line.partition(" BROKEN") for line in report.splitlines()]
    return {name for name, broken, _ in lines if broken}
