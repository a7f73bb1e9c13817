"""What test folders may import of each other: nothing, so that each can be read and moved alone."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
SHARED = {"fakes", "support", "reference"}
FOLDERS = sorted(
    path.name for path in TESTS.iterdir() if path.is_dir() and not path.name.startswith("_")
)


def imported_folders(source: str) -> set[str]:
    """The folders of tests/ from which a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            top, _, rest = node.module.partition(".")
            if top == "tests":
                names |= {rest.split(".")[0]} if rest else {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_test_folder_imports_from_what_is_shared_and_from_no_other(folder: str) -> None:
    allowed = {folder, *SHARED}
    found = {
        str(path.relative_to(TESTS)): strangers
        for path in sorted((TESTS / folder).rglob("*.py"))
        if (strangers := imported_folders(path.read_text(encoding="utf-8")) - allowed)
    }
    assert not found, f"move what is needed to tests/fakes or tests/support: {found}"


@pytest.mark.parametrize("folder", sorted(SHARED - {"reference"}))
def test_what_is_shared_imports_from_no_test_folder(folder: str) -> None:
    for path in (TESTS / folder).rglob("*.py"):
        assert imported_folders(path.read_text(encoding="utf-8")) <= SHARED, path.name


def test_both_forms_of_an_import_are_seen() -> None:
    source = "from tests.engines.memory import X\nfrom tests import unit\nfrom tests.fakes import y"
    assert imported_folders(source) == {"engines", "unit", "fakes"}
