"""My page as one script and one style sheet."""

from pathlib import Path

import pytest

from local import page_bundle
from local.problems import LocalProblem


def test_a_bundle_asks_for_no_other_file(tmp_path: Path) -> None:
    folder, *_ = page_bundle.bundle(tmp_path / "page")
    script = (folder / "page.js").read_text(encoding="utf-8")
    style = (folder / "page.css").read_text(encoding="utf-8")
    assert "mountPoints" not in script, "it is not minified"
    assert "import" not in script.replace("important", "")
    assert ".pb-balance" in style
    assert "@import" not in style


def test_what_cannot_be_bundled_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.js").write_text("const = 1;")
    (tmp_path / "page.css").write_text("")
    monkeypatch.setattr(page_bundle, "PAGE", tmp_path)
    with pytest.raises(LocalProblem, match="cannot bundle my page"):
        page_bundle.bundle(tmp_path / "out")


def test_without_esbuild_the_files_are_served_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_bundle, "ESBUILD", tmp_path / "missing")
    assert page_bundle.bundle(tmp_path / "page") == (page_bundle.PAGE, page_bundle.WEB)
