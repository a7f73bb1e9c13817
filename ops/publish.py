"""Have Shopify Flow told what it has not been told, or once more what it was told.

    .venv/bin/python -m ops publish --env prod                          every book that is behind
    .venv/bin/python -m ops publish --env prod --customer 8840734670934
    .venv/bin/python -m ops publish --env prod --customer 8840734670934 --from 12

Without --from nothing is repeated: books that are behind are put on the list that the function
publish_changes works on every minute. --from sends again all from that version on.
"""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections import Counter

from ops import target
from ops.consent import is_agreed
from ops.problems import OpsProblem
from ops.target import Target
from pointbook.clock import SystemClock
from pointbook.domain.erase import is_pseudonym
from pointbook.errors import InvalidRequest
from pointbook.shopify.ids import customer_digits
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.outbox import Outbox

_EACH_MINUTE = "publish_changes takes it up within a minute."


def main(arguments: list[str]) -> int:
    """Run the command. Raises OpsProblem, PointbookError."""
    parser = ArgumentParser(
        "python -m ops publish", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    target.add_arguments(parser)
    parser.add_argument("--customer", help="only this customer's book; any form of the id")
    parser.add_argument("--from", dest="first", type=int, help="send again from this version on")
    parser.add_argument("--yes", action="store_true", help="send again without asking")
    options = parser.parse_args(arguments)
    if options.first is not None and options.customer is None:
        raise OpsProblem("Say whose triggers to send again: --customer.")
    stack = target.target_of(options)
    outbox = Outbox(stack.client("dynamodb"), stack.settings.table_name)
    if options.customer is None:
        return _all(stack, outbox, options.shop)
    return _one(stack, outbox, options)


def _all(stack: Target, outbox: Outbox, only: str | None) -> int:
    shops = [stack.shop(only)] if only else stack.settings.shops
    marked: Counter[str] = Counter()
    for book in outbox.behind(_show_progress):
        if book.shop in shops and not is_pseudonym(book.customer_id):
            now = SystemClock().now()
            outbox.ask(book.shop, book.customer_id, book.version, now)
            marked[book.shop] += 1
    _end_progress()
    for shop in shops:
        print(f"{shop}: {marked[shop]} books are behind and on the list.")
    print(f"The list: {_EACH_MINUTE}" if marked else "Nothing to do.")
    return 0


def _one(stack: Target, outbox: Outbox, options: Namespace) -> int:
    shop, customer_id = stack.shop(options.shop), _digits(options.customer)
    account = DynamoStore(stack.client("dynamodb"), stack.settings.table_name).account(
        shop, customer_id
    )
    if account is None or account.erased:
        raise OpsProblem(f"{shop} has no book of customer {customer_id}.")
    version, told = account.version, outbox.told(shop, customer_id)
    print(f"{shop}, customer {customer_id}: {version} entries, told up to {told}.")
    if options.first is not None:
        return _repeat(outbox, options, (shop, customer_id), (told, version))
    if told >= version:
        print("Nothing to do.")
        return 0
    outbox.ask(shop, customer_id, version, SystemClock().now())
    print(f"On the list: {_EACH_MINUTE}")
    return 0


def _repeat(
    outbox: Outbox, options: Namespace, book: tuple[str, str], state: tuple[int, int]
) -> int:
    (told, version), first = state, options.first
    if not 1 <= first <= version:
        raise OpsProblem(f"--from {first}: give a version from 1 to {version}.")
    if first > told:
        raise OpsProblem(f"Version {first} was not told yet; leave --from away.")
    print(f"Flow gets the triggers of versions {first} to {told} a second time, in order.")
    print("Workflows that act on them act again, unless they look at the Entry Id.")
    if not options.yes and not is_agreed("Send them again?", "to send them again"):
        print("Nothing was changed.")
        return 1
    if not outbox.set_back(*book, first - 1, version, SystemClock().now()):
        raise OpsProblem("This book is being sent just now: try again in half a minute.")
    print(f"On the list: {_EACH_MINUTE}")
    return 0


def _digits(customer: str) -> str:
    try:
        return customer_digits(customer, "--customer")
    except InvalidRequest as error:
        raise OpsProblem(str(error)) from error


def _show_progress(items: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{items} items seen", end="", file=sys.stderr, flush=True)


def _end_progress() -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)
