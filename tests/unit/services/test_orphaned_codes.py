"""Orphaned codes: deactivation is attempted until each is inactive or has expired."""

from datetime import timedelta
from random import Random

import pytest

from pointbook.domain.account import OrphanedCode
from pointbook.domain.ports import DUE_SHARDS, DueKind, Write
from pointbook.errors import LedgerUnavailable
from pointbook.services.orphaned_codes import (
    BACKOFF_INITIAL_SECONDS,
    BACKOFF_MAX_SECONDS,
    OrphanedCodeService,
)
from pointbook.services.ports import Discounts
from pointbook.shopify.discounts import Discount
from pointbook.store.orphaned_codes import OrphanedCodes
from pointbook.store.table import Table
from tests.fakes.faulty_dynamodb import At, Fault, FaultyClient, Nothing, Plan
from tests.support.holds import SHOP, Bench, Noting
from tests.support.table import TABLE

LASTS_SECONDS = 600


class Shop:
    """Discounts that do what the test says, and note which codes were requested."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)
        self.requested: list[tuple[str, str]] = []

    def of(self, shop: str) -> Discounts:
        """Those of one shop."""
        return _Of(self, shop)


class _Of:
    def __init__(self, shops: Shop, shop: str) -> None:
        self._shops, self._shop = shops, shop

    def create(self, discount: Discount) -> str:
        pytest.fail(f"{discount.code} was made")

    def deactivate(self, code: str) -> bool:
        self._shops.requested.append((self._shop, code))
        answer = self._shops.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def bench() -> Bench:
    """One code on the list, for ten minutes."""
    made = Bench()
    until = made.time.now() + timedelta(seconds=LASTS_SECONDS)
    made.instance().store.commit(
        Write(SHOP, (), orphaned_codes=(OrphanedCode("h1", "PTS-1", until),))
    )
    return made


def driver(bench: Bench, shop: Shop, plan: Plan | None = None) -> OrphanedCodeService:
    """The service, on a table that may fail."""
    client = FaultyClient(
        bench.engine, bench.engine, plan or Nothing(), bench.time, Random(0), Noting()
    )
    return OrphanedCodeService(OrphanedCodes(Table(client, TABLE)), bench.time, shop.of)


def due(bench: Bench) -> list[tuple[str, str]]:
    """What is due now."""
    store = bench.instance().store
    return [
        found[:2]
        for shard in range(DUE_SHARDS)
        for found in store.due(DueKind.CODE, shard, bench.time.now())
    ]


def work(bench: Bench, shop: Shop, plan: Plan | None = None) -> None:
    """Do what is due: it is one code."""
    ((domain, listed_id),) = due(bench)
    assert driver(bench, shop, plan).deactivate(domain, listed_id) == 0


def test_a_deactivated_code_is_removed_from_the_list(bench: Bench) -> None:
    shop = Shop(True)
    work(bench, shop)
    assert shop.requested == [(SHOP, "PTS-1")]
    assert (bench.orphaned_code_count(), due(bench)) == (0, [])


def test_a_code_that_is_not_there_may_come_yet_and_is_tried_until_its_time_is_over(
    bench: Bench,
) -> None:
    shop, tried_at = Shop(*[False] * 20), list[int]()
    begun_ms = bench.time.now_ms
    while bench.orphaned_code_count():
        if due(bench):
            tried_at.append(_tens_of_seconds(bench.time.now_ms - begun_ms))
            work(bench, shop)
        bench.time.pause(1_000)
    assert tried_at == [0, 30, 90, 210, 450, 600], "pauses that double, and once at its end"
    assert len(shop.requested) == 5, "at its end Shopify is not called any more"


def test_the_pause_between_two_tries_has_a_bound() -> None:
    assert BACKOFF_INITIAL_SECONDS * 2**4 < BACKOFF_MAX_SECONDS < BACKOFF_INITIAL_SECONDS * 2**5
    bench = Bench()
    until = bench.time.now() + timedelta(days=1)
    bench.instance().store.commit(
        Write(SHOP, (), orphaned_codes=(OrphanedCode("h1", "PTS-1", until),))
    )
    shop, pauses = Shop(*[False] * 200), list[int]()
    for _ in range(12):
        work(bench, shop)
        before_ms = bench.time.now_ms
        while not due(bench):
            bench.time.pause(10_000)
        pauses.append(_tens_of_seconds(bench.time.now_ms - before_ms))
    assert max(pauses) == pauses[-1] == BACKOFF_MAX_SECONDS


def test_a_code_that_another_sweep_has_removed_is_left_alone(bench: Bench) -> None:
    ((domain, listed_id),) = due(bench)
    shop = Shop(True)
    assert driver(bench, shop).deactivate(domain, listed_id) == 0
    assert driver(bench, shop).deactivate(domain, listed_id) == 0
    assert len(shop.requested) == 1


def test_two_sweeps_at_once_do_no_harm(bench: Bench) -> None:
    ((domain, listed_id),) = due(bench)
    other = driver(bench, Shop(True))

    class Slow(Shop):
        def of(self, shop: str) -> Discounts:
            other.deactivate(domain, listed_id)
            return super().of(shop)

    assert driver(bench, Slow(True)).deactivate(domain, listed_id) == 0
    assert bench.orphaned_code_count() == 0


@pytest.mark.parametrize("call", [0, 1])
def test_where_the_table_fails_the_code_stays_on_the_list(bench: Bench, call: int) -> None:
    with pytest.raises(LedgerUnavailable):
        work(bench, Shop(True), At(call, Fault.SERVER_ERROR))
    assert bench.orphaned_code_count() == 1
    work(bench, Shop(True))
    assert bench.orphaned_code_count() == 0


def _tens_of_seconds(milliseconds: int) -> int:
    """Reading the table takes a few milliseconds."""
    return round(milliseconds / 10_000) * 10
