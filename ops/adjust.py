"""Add points to a customer's account by hand, or remove some.

    .venv/bin/python -m ops adjust 8840734670934 --points 200 --reason "Sorry" --env prod
    .venv/bin/python -m ops adjust 8840734670934 --points -200 --reason "Twice" --env prod

The command first prints its idempotency key: if no answer comes, run it again with that --key.
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
    parser.add_argument("customer", help="customer id in any form")
    parser.add_argument("--points", required=True, help="a negative number removes points")
    parser.add_argument("--reason", required=True, help="shown to the customer")
    parser.add_argument("--expires-on", help="last valid day of added points, such as 2027-01-31")
    parser.add_argument(
        "--key", help="key of an earlier run that got no answer (default: a new key)"
    )
    target.add_arguments(parser)
    options = parser.parse_args(arguments)
    customer_id, points = _read(options.customer, options.points)
    key = _key(options.key)
    stack = target.target_of(options)
    print(f"{stack.shop(options.shop)}, customer {customer_id}, key {key}")
    request = {
        "shop": stack.shop(options.shop),
        "points": points,
        "reason": options.reason,
        "expires_on": options.expires_on,
    }
    path = f"/v1/operator/customers/{customer_id}/adjustments"
    answer = post(stack, path, request, {"Idempotency-Key": key})
    if answer is None or answer.status >= 500:
        raise OpsProblem(f"No answer. Run it again with --key {key}; it counts once.")
    if answer.status != 201:
        raise OpsProblem(f"Nothing has been changed. {answer.why}")
    print(f"entry {answer.body['entry_id']}{' (already booked)' if answer.repeated else ''}")
    _print_figures(answer.body["figures"], points)
    return 0


def _print_figures(after: dict[str, int], points: int) -> None:
    """Print the figures before and after; those before are computed, without another read."""
    changed = {"approved": points, "total": points, "lifetime": max(points, 0)}
    print(f"{'':9}{'before':>15}{'after':>15}")
    for name, figure in after.items():
        print(f"{name:9}{figure - changed.get(name, 0):15,}{figure:15,}")


def _key(given: str | None) -> str:
    """Return the idempotency key. It is sent in a signed header, so it must be ASCII."""
    if given is None:
        return str(uuid.uuid4())
    if not given.strip() or not given.isascii() or not given.isprintable():
        raise OpsProblem(
            f"--key is {shown(given)}, but must be printable ASCII characters on one line."
            " Copy the key that was printed."
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
