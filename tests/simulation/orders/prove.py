"""The proof of orders as a part of `prove`: shops told in many ways, and bugs planted in it."""

import time
from collections.abc import Iterator, Sequence
from typing import Final

from tests.simulation.kernel.processes import in_processes
from tests.simulation.kernel.violation import Violation
from tests.simulation.orders.deliveries import Delivered, deliver
from tests.simulation.orders.lifecycles import story

ORDERS: Final = 100
SHUFFLES: Final = 3


def told(shop: int) -> list[Delivered] | str:
    """A shop told in a few ways, odd ones with merges; or what was violated, and in which way."""
    happened = story(shop, orders=ORDERS, merges=shop % 2 == 1)
    found = []
    for shuffle in range(SHUFFLES):
        try:
            found.append(deliver(happened, shop * SHUFFLES + shuffle))
        except Violation as violation:
            return f"shop {shop}, shuffle {shuffle}: {violation}"
    return found


def tell(shops: Sequence[int], workers: int) -> Iterator[tuple[str, bool]]:
    """Tell shops; lines, and whether they are about what is wrong."""
    begun, reports, wrong = time.monotonic(), list[Delivered](), list[str]()
    for outcome in in_processes(told, shops, workers):
        if isinstance(outcome, str):
            wrong.append(outcome)
        else:
            reports += outcome
    failures = sum(report.failures.total() for report in reports)
    yield f"orders       {len(shops) * ORDERS:,} orders, each delivered in {SHUFFLES} ways", False
    yield f"  webhooks   {sum(report.deliveries for report in reports):,} times delivered", False
    yield f"  workers    {failures:,} times failed or ended half-way", False
    yield f"  entries    {sum(report.entries.total() for report in reports):,}", False
    yield f"  violations {len(wrong)}, in {time.monotonic() - begun:.0f} s", False
    yield from ((f"  {one}", True) for one in wrong)
