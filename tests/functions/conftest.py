"""The functions on an in-memory table."""

import pytest

from tests.support.harness import Functions


@pytest.fixture
def functions() -> Functions:
    """A stack of functions with an empty table."""
    return Functions()
