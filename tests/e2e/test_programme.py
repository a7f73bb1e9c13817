"""An engineer looks at the running stack's programme and changes it."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from local.options import ROOT
from local.stack import Stack
from pointbook.domain.programme import default_programme
from tests.e2e.conftest import FOR_MANY_TESTS


def programme(stack: Stack, directory: Path, *arguments: str) -> str:
    """What `pointbook programme` prints on the laptop that runs this stack."""
    stack.write(directory / "stack.json")
    done = subprocess.run(
        [sys.executable, "-m", "cli", "programme", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "LOCAL_DIRECTORY": str(directory),
            "PYTHONPATH": os.pathsep.join((".", "layers/common/python")),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_demo_shops_programme_is_shown_and_changed_and_has_a_history(
    stack: Stack, tmp_path: Path
) -> None:
    demo = {"sign_up_points": "100", "till_push": "balance", "staff_adjust": "70000000001"}
    demo |= {"staff_hold": "70000000001,70000000002", "staff_manage": "70000000001"}
    demo |= {rule.lower(): text for rule, text in FOR_MANY_TESTS.items()}
    shown = tomllib.loads(programme(stack, tmp_path, "show"))
    assert shown == default_programme(**demo).texts()
    file = tmp_path / "programme.toml"
    file.write_text("flow_entries_per_hour = 499\n", encoding="utf-8")
    assert "error" not in programme(stack, tmp_path, "check", str(file))
    programme(stack, tmp_path, "change", str(file), "--yes", "--by", "hanako")
    after = default_programme(**demo, flow_entries_per_hour="499").texts()
    assert tomllib.loads(programme(stack, tmp_path, "show")) == after
    _, first, second = programme(stack, tmp_path, "history").splitlines()
    assert first.split()[4:] == ["deployment", "first", "version"]
    assert second.split()[4:] == ["hanako", "flow_entries_per_hour", "500", "→", "499"]
