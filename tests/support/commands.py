"""Run the command line as an engineer does."""

import io
from contextlib import redirect_stderr

from cli.app import main


def failure(*arguments: str, status: int = 1) -> str:
    """The words on standard error of a command that ends with `status`."""
    words = io.StringIO()
    with redirect_stderr(words):
        assert main(arguments) == status, words.getvalue()
    return words.getvalue()
