"""The options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

from pointbook.errors import InvalidRequest
from pointbook.shopify.ids import customer_digits, number_digits

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


def customer_of(text: str) -> str:
    """The digits of a customer's id. Raises BadParameter."""
    try:
        return customer_digits(text, "customer")
    except InvalidRequest as error:
        raise typer.BadParameter(str(error)) from error


def order_of(text: str) -> str:
    """The digits of an order's id. Raises BadParameter."""
    try:
        return number_digits(text, "order")
    except InvalidRequest as error:
        raise typer.BadParameter(str(error)) from error


def writable(file: Path | None) -> Path | None:
    """A file to be written, whose folder is there: known before any work. Raises BadParameter."""
    if file is not None and not file.parent.is_dir():
        raise typer.BadParameter(f"There is no folder {file.parent}.")
    return file
