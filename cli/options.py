"""The options that commands share."""

import unicodedata
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from pointbook.errors import InvalidRequest
from pointbook.services.adjustments import REASON_LENGTH_MAX
from pointbook.shopify.ids import customer_digits, number_digits
from pointbook.validation import optional_day, text

_BREAKS = frozenset({"Cc", "Zl", "Zp"})
"""Unicode's categories of control characters, line and paragraph separators."""

Env = Annotated[
    str | None,
    typer.Option(
        "--env",
        help="An environment of samconfig.toml (dev, staging, prod); default: the laptop's stack.",
    ),
]
Shop = Annotated[
    str | None,
    typer.Option("--shop", help="Such as demo.myshopify.com; default: the stack's main shop."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
Customer = Annotated[str, typer.Argument(help="The customer's id in any form.")]


def customer_of(given: str, named: str = "customer") -> str:
    """The digits of a customer's id, given by `named`. Raises BadParameter."""
    try:
        return customer_digits(given, named)
    except InvalidRequest as error:
        raise typer.BadParameter(str(error)) from error


def order_of(given: str) -> str:
    """The digits of an order's id. Raises BadParameter."""
    try:
        return number_digits(given, "order")
    except InvalidRequest as error:
        raise typer.BadParameter(str(error)) from error


def one_line(given: str, option: str) -> str:
    """A text that customers and the history show on one line. Raises BadParameter."""
    if any(unicodedata.category(one) in _BREAKS for one in given):
        raise typer.BadParameter(
            f"{option} has a line break or a control character in it; write one line."
        )
    try:
        return text(given, option, REASON_LENGTH_MAX)
    except InvalidRequest as error:
        raise typer.BadParameter(str(error)) from error


def day_of(given: str, option: str) -> date:
    """A day such as 2026-12-31. Raises BadParameter."""
    try:
        day = optional_day(given, option)
    except InvalidRequest as error:
        raise typer.BadParameter(str(error)) from error
    if day is None:
        raise typer.BadParameter(f"{option} is empty; give a day such as 2026-12-31.")
    return day


def writable(file: Path | None) -> Path | None:
    """A file to be written, whose folder is there: known before any work. Raises BadParameter."""
    if file is not None and not file.parent.is_dir():
        raise typer.BadParameter(f"There is no folder {file.parent}.")
    return file
