"""The options that commands share."""

from typing import Annotated

import typer

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
