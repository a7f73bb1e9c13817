"""The table: what its callers see of pages, throttles and errors."""

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from pointbook.domain.ports import StoreUnavailable
from pointbook.errors import LedgerUnavailable, StoreRefused
from pointbook.store import keys
from pointbook.store.batches import send_all
from pointbook.store.table import ABSENT, Put, Table, Update
from tests.fakes.dynamodb import MemoryDynamoDB, refused
from tests.support.ledgers import SetClock
from tests.support.table import table_request

NAME = "points"
KEYS = [keys.key("SHOP#demo", f"TRIGGER#{number}") for number in range(7)]


class Failing:
    """A client whose every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            raise self._error

        return call


def filled(page_items: int) -> MemoryDynamoDB:
    client = MemoryDynamoDB(page_items)
    client.create_table(**table_request(NAME))
    for key in KEYS:
        Table(client, NAME).put(key)
    return client


@pytest.mark.parametrize("page_items", [1, 3, 7, 100])
@pytest.mark.parametrize("limit", [None, 1, 3, 6, 7, 9])
def test_a_query_follows_every_page_and_stops_at_its_limit(
    page_items: int, limit: int | None
) -> None:
    table = Table(filled(page_items), NAME)

    found = table.query("pk = :pk", {":pk": {"S": "SHOP#demo"}}, limit=limit)

    assert list(found) == KEYS[:limit]


@pytest.mark.parametrize(
    "error", [refused("ThrottlingException", "..."), ReadTimeoutError(endpoint_url="x")]
)
def test_where_nothing_retries_the_ledger_is_unavailable(error: Exception) -> None:
    table = Table(Failing(error), NAME)

    with pytest.raises(StoreUnavailable):
        table.get(KEYS[0])
    with pytest.raises(LedgerUnavailable):
        table.outside_ledger().get(KEYS[0])


def test_what_no_retry_helps_is_the_same_for_everybody() -> None:
    table = Table(Failing(refused("AccessDeniedException", "...")), NAME)

    for one in (table, table.outside_ledger()):
        with pytest.raises(StoreRefused, match="AccessDenied"):
            one.get(KEYS[0])


def test_a_condition_that_does_not_hold_hands_back_the_item_as_it_was() -> None:
    table = Table(filled(9), NAME)
    put = Put(KEYS[0] | {"version": {"N": "2"}}, "version = :before", {":before": {"N": "1"}})
    update = Update(KEYS[0], "SET #schema = :one", {":one": {"N": "1"}}, "attribute_exists(lease)")

    assert (table.put_if(put).done, table.put_if(put).item) == (False, KEYS[0])
    assert (table.update_if(update).done, table.update_if(update).item) == (False, KEYS[0])
    assert not table.delete_if(KEYS[0], "version = :before", {":before": {"N": "1"}}).done
    assert table.get(KEYS[0]) == KEYS[0]


def test_what_a_throttle_leaves_out_of_a_batch_is_sent_again_with_a_growing_pause() -> None:
    clock, sent = SetClock(), []

    def send(batch: list[str]) -> list[str]:
        sent.append(batch)
        return batch[1:]

    send_all(send, "abc", clock)
    assert sent == [["a", "b", "c"], ["b", "c"], ["c"]]


def test_a_batch_that_is_left_out_each_time_is_given_up() -> None:
    with pytest.raises(LedgerUnavailable):
        send_all(lambda batch: batch, "a", SetClock())


def test_a_cancelled_transaction_says_which_condition_failed_and_hands_back_its_item() -> None:
    table = Table(filled(9), NAME)

    cancelled = table.transact([Put(keys.key("SHOP#demo", "NEW")), Put(KEYS[0], ABSENT)])

    assert cancelled is not None
    assert (cancelled.failed, cancelled.unavailable) == ({1: KEYS[0]}, None)
