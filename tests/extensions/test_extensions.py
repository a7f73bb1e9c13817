"""The extensions with a screen, as Shopify gets them: checked, driven and bundled offline.

`make build-extensions` installs what is needed, from the lock file. Their own tests are in
shopify/tests, on Shopify's tester; they run here, so that `make test` has them all.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support import shopify_files

SHOPIFY = shopify_files.SHOPIFY
TOOLS = SHOPIFY / "node_modules" / ".bin"
UI = (
    *("points-adjust", "points-blocks", "points-checkout", "points-home", "points-page"),
    *("points-pos", "points-staff"),
)
SECONDS = 120


def run(*command: str | Path, folder: Path = SHOPIFY) -> str:
    """What a command prints; it has to succeed."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_they_do_what_their_own_tests_promise() -> None:
    report = run(TOOLS / "vitest", "run", "--reporter=json")
    result = json.loads(report[report.index("{") :])
    assert result["numPassedTests"] == result["numTotalTests"] > 60


@pytest.mark.parametrize("folder", UI)
def test_they_use_shopifys_elements_and_calls_as_shopify_types_them(folder: str) -> None:
    run(TOOLS / "tsc", "-p", SHOPIFY / "extensions" / folder)


def test_a_wrong_element_and_an_unknown_call_are_found(tmp_path: Path) -> None:
    """Otherwise the test before could not fail."""
    folder = SHOPIFY / "extensions" / "points-page"
    broken = (folder / "src" / "Page.jsx").read_text(encoding="utf-8")
    broken = broken.replace("<s-spinner ", '<s-spinner size="gigantic" ')
    broken = broken.replace("shopify.toast.show", "shopify.toast.shout")
    broken = broken.replace("../../../shared", str(SHOPIFY / "shared"))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "Page.jsx").write_text(broken, encoding="utf-8")
    (tmp_path / "shopify.d.ts").write_text((folder / "shopify.d.ts").read_text(encoding="utf-8"))
    (tmp_path / "node_modules").symlink_to(SHOPIFY / "node_modules")
    (tmp_path / "tsconfig.json").write_text(
        json.dumps({"extends": str(SHOPIFY / "tsconfig.json"), "include": ["src", "shopify.d.ts"]})
    )
    done = subprocess.run(
        [TOOLS / "tsc", "-p", tmp_path],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode != 0
    assert "gigantic" in done.stdout
    assert "shout" in done.stdout


def test_each_is_bundled_offline_within_shopifys_limit(tmp_path: Path) -> None:
    printed = run("node", "build.mjs", tmp_path, tmp_path / "assets")
    sizes = re.findall(r"^(\S+) .*compressed +([\d.]+) KB of (\d+) KB  ok$", printed, re.MULTILINE)
    assert {name for name, *_ in sizes} == {
        *(f"{folder}.js" for folder in UI),
        "points-section/assets/points.js",
    }
    limits = {name: int(limit) for name, _, limit in sizes}
    assert limits["points-page.js"] == 128, "a full page may be larger"
    assert {limits[f"{folder}.js"] for folder in UI if folder != "points-page"} == {64}
    assert all(float(size) < int(limit) for _, size, limit in sizes)
    for folder in UI:
        script = (tmp_path / f"{folder}.js").read_text(encoding="utf-8")
        assert "shopify.extend(" in script
        assert not re.search(r"""\brequire\(|\bimport\(|[;}]import\b""", script), "external"


def test_the_sections_files_are_the_page(tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    run("node", "build.mjs", tmp_path, assets)
    assert sorted(path.name for path in assets.iterdir()) == ["points.css", "points.js"]
    style = (shopify_files.ROOT / "web" / "points.css").read_text(encoding="utf-8")
    assert (assets / "points.css").read_text(encoding="utf-8") == style
