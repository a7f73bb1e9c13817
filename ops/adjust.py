"""Add points to a customer's book by hand, or take some away.

    .venv/bin/python -m ops adjust 8840734670934 --points 200 --reason "Sorry" --env prod
    .venv/bin/python -m ops adjust 8840734670934 --points -200 --reason "Twice" --env prod

The key that is printed first names this wish for ever: if no answer comes, run it again with --key.
"""

import uuid
from argparse import ArgumentParser, RawDescriptionHelpFormatter

from ops import target
from ops.operator_api import post
from ops.problems import OpsProblem
from pointbook.domain.commands import POINTS_MAX
from pointbook.errors import InvalidRequest
from pointbook.shopify.ids import customer_digits
from pointbook.validation import shown, whole_number


def main(arguments: list[str]) -> int:
    """Run the command. Raises OpsProblem, PointbookError."""
    parser = ArgumentParser(
        "python -m ops adjust", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("customer", help="any form of the customer's id")
    parser.add_argument("--points", required=True, help="below zero takes points away")
    parser.add_argument("--reason", required=True, help="the customer reads it")
    parser.add_argument("--expires-on", help="last valid day of points that are added: 2027-01-31")
    parser.add_argument("--key", help="of a wish whose answer got lost; usual is a new one")
    target.add_arguments(parser)
    options = parser.parse_args(arguments)
    customer_id, points = _read(options.customer, options.points)
    key = _key(options.key)
    stack = target.target_of(options)
    print(f"{stack.shop(options.shop)}, customer {customer_id}, key {key}")
    wish = {
        "shop": stack.shop(options.shop),
        "points": points,
        "reason": options.reason,
        "expires_on": options.expires_on,
    }
    path = f"/v1/operator/customers/{customer_id}/adjustments"
    answer = post(stack, path, wish, {"Idempotency-Key": key})
    if answer is None or answer.status >= 500:
        raise OpsProblem(f"No answer: run it again with --key {key}; it counts once.")
    if answer.status != 201:
        raise OpsProblem(f"Nothing was changed. {answer.why}")
    print(f"entry {answer.body['entry_id']}{', as before' if answer.repeated else ''}")
    _print_figures(answer.body["figures"], points)
    return 0


def _print_figures(after: dict[str, int], points: int) -> None:
    """The figures around the entry: what it changed is known, so the ones before need no read."""
    changed = {"approved": points, "total": points, "lifetime": max(points, 0)}
    print(f"{'':9}{'before':>15}{'after':>15}")
    for name, figure in after.items():
        print(f"{name:9}{figure - changed.get(name, 0):15,}{figure:15,}")


def _key(given: str | None) -> str:
    """The key of this wish; it goes into a header that is signed, where only ASCII is safe."""
    if given is None:
        return str(uuid.uuid4())
    if not given.strip() or not given.isascii() or not given.isprintable():
        raise OpsProblem(
            f"--key is {shown(given)}, but must be printable ASCII characters on one line:"
            " take the key as it was printed."
        )
    return given


def _read(customer: str, points: str) -> tuple[str, int]:
    try:
        return (
            customer_digits(customer, "customer"),
            whole_number(points, "--points", -POINTS_MAX, POINTS_MAX),
        )
    except InvalidRequest as error:
        raise OpsProblem(str(error)) from error
