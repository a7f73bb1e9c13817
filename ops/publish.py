"""Publish unpublished changes to Shopify Flow, or publish changes again.

    .venv/bin/python -m ops publish --env prod                          every unpublished account
    .venv/bin/python -m ops publish --env prod --customer 8840734670934
    .venv/bin/python -m ops publish --env prod --customer 8840734670934 --from 12

Accounts with unpublished entries are queued for the function publish_changes, which runs every
minute. Only --from sends triggers again: all of that version and later ones.
"""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections import Counter

from ops import target
from ops.confirmation import is_confirmed
from ops.problems import OpsProblem
from ops.target import Target
from pointbook.clock import SystemClock
from pointbook.domain.erase import is_pseudonym
from pointbook.errors import InvalidRequest
from pointbook.shopify.ids import customer_digits
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.outbox import Outbox

_WITHIN_A_MINUTE = "publish_changes sends them within a minute."


def main(arguments: list[str]) -> int:
    """Run the command. Raises OpsProblem, PointbookError."""
    parser = ArgumentParser(
        "python -m ops publish", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    target.add_arguments(parser)
    parser.add_argument("--customer", help="only this customer's account; customer id in any form")
    parser.add_argument(
        "--from", dest="first", type=int, help="send triggers again from this version on"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    options = parser.parse_args(arguments)
    if options.first is not None and options.customer is None:
        raise OpsProblem("--from needs --customer.")
    stack = target.target_of(options)
    outbox = Outbox(stack.table())
    if options.customer is None:
        return _all(stack, outbox, options.shop)
    return _one(stack, outbox, options)


def _all(stack: Target, outbox: Outbox, only: str | None) -> int:
    shops = [stack.shop(only)] if only else stack.settings.shops
    marked: Counter[str] = Counter()
    for book in outbox.unpublished(_show_progress):
        if book.shop in shops and not is_pseudonym(book.customer_id):
            now = SystemClock().now()
            outbox.request(book.shop, book.customer_id, book.version, now)
            marked[book.shop] += 1
    _end_progress()
    for shop in shops:
        print(f"{shop}: accounts with unpublished entries: {marked[shop]}")
    print(f"Queued; {_WITHIN_A_MINUTE}" if marked else "Nothing to publish.")
    return 0


def _one(stack: Target, outbox: Outbox, options: Namespace) -> int:
    shop, customer_id = stack.shop(options.shop), _digits(options.customer)
    account = DynamoStore(stack.table()).account(shop, customer_id)
    if account is None or account.erased:
        raise OpsProblem(f"{shop} has no account of customer {customer_id}.")
    version, published = account.version, outbox.published(shop, customer_id)
    print(f"{shop}, customer {customer_id}: {version} entries, published up to {published}.")
    if options.first is not None:
        return _repeat(outbox, options, (shop, customer_id), (published, version))
    if published >= version:
        print("Nothing to publish.")
        return 0
    outbox.request(shop, customer_id, version, SystemClock().now())
    print(f"Queued; {_WITHIN_A_MINUTE}")
    return 0


def _repeat(
    outbox: Outbox, options: Namespace, book: tuple[str, str], state: tuple[int, int]
) -> int:
    (published, version), first = state, options.first
    if not 1 <= first <= version:
        raise OpsProblem(f"--from is {first}, but must be a version from 1 to {version}.")
    if first > published:
        raise OpsProblem(f"Version {first} has not been published yet; omit --from.")
    print(f"Shopify Flow will receive the triggers of versions {first} to {published} again.")
    print("Workflows will run again, unless they check the Entry Id.")
    if not options.yes and not is_confirmed("Send them again?"):
        print("Nothing has been changed.")
        return 1
    if not outbox.rewind(*book, first - 1, version, SystemClock().now()):
        raise OpsProblem("This account is being published right now; try again in half a minute.")
    print(f"Queued; {_WITHIN_A_MINUTE}")
    return 0


def _digits(customer: str) -> str:
    try:
        return customer_digits(customer, "--customer")
    except InvalidRequest as error:
        raise OpsProblem(str(error)) from error


def _show_progress(items: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{items} items read", end="", file=sys.stderr, flush=True)


def _end_progress() -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)
