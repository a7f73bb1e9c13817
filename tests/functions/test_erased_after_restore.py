"""Who was erased comes back with a copy of the table from before, and is erased again."""

from functools import partial
from typing import Any

from local import demo
from pointbook.domain.privacy import Kind, State
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.table import Table
from pointbook.store.table_differences import TableDifferences
from pointbook.store.table_restore import TableRestore
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support.harness import TABLE, Functions, event
from tests.support.ledgers import SetClock
from tests.support.table import table_request
from tests.support.verified import faults_in

CUSTOMER = "8840734670934"
COPY = "as-it-was"


class Restorer:
    """A client that may do what the functions must not: put back who was erased."""

    def __init__(self, table: MemoryDynamoDB) -> None:
        self._table = table

    def __getattr__(self, operation: str) -> Any:
        return partial(getattr(MemoryDynamoDB, operation), self._table)


def test_privacy_watch_erases_again_who_was_erased_since_the_copy(functions: Functions) -> None:
    table = functions.table
    for sample in ("run", "with_key"):
        assert functions.sample("flow_action_grant", sample).status == 200
    table.create_table(**table_request(COPY))
    for item in table.items(TABLE).values():
        table.damage(COPY, item)
    redact = event("privacy_events", "customers_redact")
    functions.invoke("privacy_events", redact, seconds=60)
    assert erased(functions)
    client = Restorer(table)
    table_restore = TableRestore(Table(client, COPY), Table(client, TABLE), SetClock())
    with TableDifferences() as found:
        table_restore.load(found, lambda _: None)
        assert len(table_restore.reopen_erasures(found)) == 1
        for one in found.differences():
            table_restore.apply(one)
    assert not erased(functions)
    assert faults_in(table, TABLE) == []

    assert functions.invoke("privacy_watch", {})["done"] == 1
    assert erased(functions)
    assert faults_in(table, TABLE) == []
    requests = PrivacyRequests(Table(table, TABLE))
    request = requests.find(Kind.CUSTOMER, demo.SHOP_DOMAIN, CUSTOMER)
    assert request is not None
    assert (request.state, request.counts["entries"]) == (State.DONE, 2)


def erased(functions: Functions) -> bool:
    """Whether there is a tombstone, and no entry is left under the customer's id."""
    items = functions.table.items(TABLE)
    own = {sk: item for (pk, sk), item in items.items() if pk.endswith(f"#CUSTOMER#{CUSTOMER}")}
    return "erased" in own["ACCOUNT"] and len(own) == 1
