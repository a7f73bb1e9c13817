"""`pointbook`: one command line for engineers, on the laptop's stack or a deployed one."""

import functools
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer

from cli import (
    adjust,
    doctor,
    drift,
    explain,
    export,
    extend,
    history,
    imports,
    liability,
    metafields,
    orders,
    privacy,
    programme,
    publish,
    redrive,
    restore,
    secret,
    show,
    smoke,
    statement,
    undo,
    verify,
)
from cli.aws_errors import AWS_ERRORS, in_words
from cli.errors import CommandFailed, NotReachable
from pointbook.errors import PointbookError, Unavailable

NAME = "pointbook"

_RUN_AGAIN = {
    "adjust": " To finish, run it again with --key and the key it printed, if any; it counts once.",
    "drift": " To finish, run it again; it goes on there, and each member is repaired once.",
    "export": " To finish, run it again; it goes on there.",
    "import": " A run that was started goes on: see --status. Run again, it books no row twice.",
    "extend": " To finish, run it again with --key and the key it printed; it counts once.",
    "undo": " A started run goes on. Run again, it undoes no row twice.",
    "fill": " Who is queued will be written. To queue the rest, run it again.",
    "smoke": " A point of the test customer may be left: look with `pointbook show`.",
    "orders": " To finish, run it again; orders that were fed are not fed twice.",
    "restore": " Functions that it has stopped stay stopped: run it again, or with --start.",
}
"""What Ctrl-C prints in addition, for commands that can be resumed."""

app = typer.Typer(
    name=NAME,
    help="A loyalty-points ledger, on the laptop's stack or a deployed one.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 done, 1 refused or something found, 2 used wrongly, 3 not reachable.",
)


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status.

    0 done, 1 refused or something found, 2 used wrongly, 3 not reachable, 130 Ctrl-C, 141 the
    reader closed the pipe (`| head`).
    """
    try:
        app(list(arguments), prog_name=NAME)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def add(group: typer.Typer, name: str, run: Callable[..., int], description: str = "") -> None:
    """Add a command; its description is the function's docstring unless given.

    Indented lines of a description, the examples, keep their line breaks.
    """
    text, short = _help(description or run.__doc__ or "")

    @functools.wraps(run)
    def reported(**options: Any) -> None:
        raise typer.Exit(_status(name, lambda: run(**options)))

    group.command(name, help=text, short_help=short)(reported)


def _help(description: str) -> tuple[str, str]:
    """The help of a command, in which indented lines keep their breaks, and its first paragraph."""
    paragraphs = inspect.cleandoc(description).split("\n\n")
    text = "\n\n".join(f"\b\n{one}" if one.startswith("    ") else one for one in paragraphs)
    return text, " ".join(paragraphs[0].split())


def _status(name: str, run: Callable[[], int]) -> int:
    """Run a command; its exit status. What went wrong is printed, without a traceback."""
    try:
        status = run()
        sys.stdout.flush()
    except BrokenPipeError:
        # What is buffered goes nowhere, so that Python's shutdown does not fail on the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print(f"\nStopped.{_RUN_AGAIN.get(name, '')}", file=sys.stderr)
        return 130
    except CommandFailed as failed:
        print(failed, file=sys.stderr)
        return failed.status
    except PointbookError as error:
        cause = error.__cause__
        advice = f" {in_words(cause)}" if isinstance(cause, AWS_ERRORS) else ""
        print(f"{error}{advice}", file=sys.stderr)
        return NotReachable.status if isinstance(error, Unavailable) else CommandFailed.status
    except AWS_ERRORS as error:
        print(in_words(error), file=sys.stderr)
        return NotReachable.status
    return status


for _name, _module in (
    ("adjust", adjust),
    ("doctor", doctor),
    ("drift", drift),
    ("explain", explain),
    ("extend", extend),
    ("history", history),
    ("export", export),
    ("import", imports),
    ("liability", liability),
    ("orders", orders),
    ("privacy", privacy),
    ("publish", publish),
    ("redrive", redrive),
    ("restore", restore),
    ("show", show),
    ("smoke", smoke),
    ("statement", statement),
    ("undo", undo),
    ("verify", verify),
):
    add(app, _name, _module.run, _module.__doc__ or "")

_metafields = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
add(_metafields, "fill", metafields.fill)
add(_metafields, "status", metafields.status)
_text, _short = _help(metafields.__doc__ or "")
app.add_typer(_metafields, name="metafields", help=_text, short_help=_short)

_programme = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
for _run in (programme.show, programme.check, programme.change, programme.history):
    add(_programme, _run.__name__, _run)
add(_programme, "set", programme.set_)
app.add_typer(_programme, name="programme", help=programme.__doc__, short_help=programme.__doc__)

_secret = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
add(_secret, "show", secret.show)
add(_secret, "set", secret.set_)
add(_secret, "rotate", secret.rotate)
add(_secret, "remove", secret.remove)
_text, _short = _help(secret.__doc__ or "")
app.add_typer(_secret, name="secret", help=_text, short_help=_short)
