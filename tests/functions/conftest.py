"""The functions on an in-memory table, and a clock that a test moves."""

from pathlib import Path

import pytest

from tests.functions.moved import ClockFile
from tests.support.harness import Functions


@pytest.fixture
def functions() -> Functions:
    """A stack of functions with an empty table."""
    return Functions()


@pytest.fixture
def clock(tmp_path: Path) -> ClockFile:
    """A clock at the machine's own time, for a stack with `LOCAL_CLOCK_FILE=str(clock)`."""
    return ClockFile(tmp_path)
