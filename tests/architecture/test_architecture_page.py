"""docs/architecture.md: the layers are those of the import rules, and every name on it exists."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "layers" / "common" / "python" / "pointbook"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
(LAYERS,) = (
    [frozenset(re.split(r" [|:] ", row)) for row in rule["layers"]]
    for rule in RULES["tool"]["importlinter"]["contracts"]
    if rule["id"] == "layers"
)
NAMES_OF_LAYERS = frozenset().union(*LAYERS)
NAMES = sorted(
    name
    for name in set(re.findall(r"`(\w+(?:\.\w+)+)`", PAGE))
    if name.partition(".")[0] in {*NAMES_OF_LAYERS, "functions"}
)


def names_in(body: list[ast.stmt]) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Yield what a module or a class defines, each with its own body."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, []
            case ast.ClassDef(name=name, body=inner):
                yield name, inner
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name, []
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.TypeAlias(name=ast.Name(id=name)):
                yield name, []


def exists(name: str) -> bool:
    """Whether `layer.module.name` is defined, read from the source without importing it."""
    first, *rest = name.split(".")
    path = ROOT / first if first == "functions" else PACKAGE / first
    while rest and path.is_dir():
        path /= rest.pop(0)
    file = path.with_suffix(".py")
    if not file.exists():
        return path.is_dir() and not rest
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for part in rest:
        defined = dict(names_in(body))
        if part not in defined:
            return False
        body = defined[part]
    return True


def test_the_layers_are_those_of_the_import_rules_in_their_order() -> None:
    section = PAGE.partition("\n## Layers\n")[2].partition("\n## ")[0]
    first_cells = re.findall(r"^\| (`[^|]*`) \|", section, re.MULTILINE)
    assert [frozenset(re.findall(r"`(\w+)`", cell)) for cell in first_cells] == LAYERS


@pytest.mark.parametrize("name", NAMES)
def test_a_name_on_the_page_exists(name: str) -> None:
    assert exists(name)


def test_every_walk_names_the_code_that_it_goes_through() -> None:
    walks = re.findall(r"\n## (One [^\n]*)\n(.*?)(?=\n## )", PAGE, re.DOTALL)
    assert [title for title, _ in walks] == [
        "One consume from Shopify Flow",
        "One order webhook",
        "One read by my page",
        "One change pushed to the till",
    ]
    for title, text in walks:
        assert sum(f"`{name}`" in text for name in NAMES) >= 5, title
        assert re.search(r"`functions\.\w+\.app\.handler`", text), title


@pytest.mark.parametrize(
    "name",
    [
        "nowhere.module",
        "ledger.nowhere",
        "ledger.ledger.nowhere",
        "ledger.ledger.Ledger.nowhere",
        "functions.nowhere.app.handler",
        "functions.health.app.nowhere",
    ],
)
def test_a_name_that_does_not_exist_is_noticed(name: str) -> None:
    assert not exists(name)


def test_every_function_is_in_the_picture() -> None:
    picture = PAGE.partition("```mermaid\n")[2].partition("```")[0]
    functions = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert functions
    assert {name for name in functions if not re.search(rf"\b{name}\b", picture)} == set()
