"""List privacy requests, and confirm the erasure of a shop.

    .venv/bin/python -m ops privacy [--env prod] [--shop ...]            list, open ones first
    .venv/bin/python -m ops privacy --shop ... --confirm-shop-erasure    erase a shop that is held

Exit status 1 if a request is overdue.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import datetime

from ops import target
from ops.confirmation import is_confirmed
from ops.problems import OpsProblem
from pointbook.domain.privacy import Kind, PrivacyRequest, State
from pointbook.store.privacy_requests import PrivacyRequests


def main(arguments: list[str]) -> int:
    """Run the command."""
    parser = ArgumentParser(
        "python -m ops privacy", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    target.add_arguments(parser)
    parser.add_argument(
        "--confirm-shop-erasure",
        action="store_true",
        help="erase the shop although it seems to be in use; this cannot be undone",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    options = parser.parse_args(arguments)
    stack = target.target_of(options)
    shop = stack.shop(options.shop)
    requests = PrivacyRequests(stack.table())
    if options.confirm_shop_erasure:
        print(f"All points, history and settings of {shop} will be deleted. This cannot be undone.")
        if not options.yes and not is_confirmed(f"Erase {shop}?"):
            print("Nothing has been changed.")
            return 1
        confirm(requests, shop)
        print(f"The next run of privacy_watch, within five minutes, will erase {shop}.")
        return 0
    return show(list(requests.all_of(shop)), stack.clock().now())


def confirm(requests: PrivacyRequests, shop: str) -> None:
    """Release the held erasure of a shop. Raises OpsProblem if none is held."""
    request = requests.find(Kind.SHOP, shop, shop)
    if request is None or request.state is not State.HELD:
        raise OpsProblem(f"There is no held request to erase {shop}.")
    if requests.save(request.reopened(confirmed=True)) is None:
        raise OpsProblem("The request has changed in the meantime. List it, then confirm again.")


def show(requests: list[PrivacyRequest], now: datetime) -> int:
    """Print one line per request; return 1 if one is overdue."""
    requests.sort(key=lambda one: (one.state is State.DONE, one.received_at))
    print(f"{'state':8} {'received':16} {'due':16} {'finished':16} request")
    for one in requests:
        times = (one.received_at, one.due_at, one.finished_at)
        shown = " ".join(f"{_minute(at):16}" for at in times)
        counts = ", ".join(f"{name} {number}" for name, number in sorted(one.counts.items()))
        about = f"{one.kind} {one.subject}: {counts or 'not started'}"
        print(f"{_state(one, now):8} {shown} {about}{f' ({one.reason})' if one.reason else ''}")
    return int(any(_state(one, now) == "OVERDUE" for one in requests))


def _state(request: PrivacyRequest, now: datetime) -> str:
    overdue = request.state is not State.DONE and now > request.due_at
    return "OVERDUE" if overdue else str(request.state)


def _minute(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M") if at else "-"
