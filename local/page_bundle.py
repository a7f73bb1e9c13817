"""My page as one script and one style sheet, bundled by esbuild each time the stack starts.

Unbundled the page is a dozen files, each of which waits for the one that names it. Without esbuild
they are served as they are: the page is the same, and slower to begin.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from local.options import ROOT
from local.problems import LocalProblem

ESBUILD = ROOT / ".local" / "esbuild" / "bin" / "esbuild"
PAGE = ROOT / "local" / "page"
WEB = ROOT / "web"


def bundle(folder: Path) -> tuple[Path, ...]:
    """Bundle my page into `folder`; return the folders to serve it from, the first one first.

    Raises LocalProblem if a source cannot be bundled.
    """
    if not ESBUILD.exists():
        return PAGE, WEB
    with tempfile.TemporaryDirectory() as name:  # the page imports web/ as if it lay beside it
        together = Path(name)
        for source in (WEB, PAGE):
            shutil.copytree(source, together, dirs_exist_ok=True)
        run([together / "page.js", together / "page.css", f"--outdir={folder.absolute()}"])
    return folder.resolve(), PAGE, WEB


def run(arguments: list[str | Path]) -> None:
    """Run esbuild as the page needs it. Raises LocalProblem with what it says."""
    options = [
        "--bundle",
        "--minify",
        "--format=esm",
        "--target=es2022",
        "--charset=utf8",
        "--log-level=warning",
    ]
    done = subprocess.run(
        [ESBUILD, *arguments, *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LocalProblem(f"esbuild cannot bundle my page:\n{done.stderr}")
