"""The bugs that are planted in the ledger's use case and its store, one at a time.

Every guard is taken away alone, every answer of DynamoDB misread. `HARMLESS` are changes that
break no promise: nothing may find fault with them, or the detectors cry wolf.
"""

from dataclasses import replace
from typing import Final

from pointbook.store import requests
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.table import Put
from tests.simulation.mutations.planted import Bug

STORE_BUGS: Final = (
    Bug(
        "an older revision passes",
        requests.put_unchanged,
        lambda original, item, revision: _condition(original(item, revision), "<= :read"),
    ),
)

HARMLESS: Final = (
    Bug(
        "every read is fresh",
        DynamoStore.load,
        lambda original, store, request, **_: original(store, request, fresh=True),
    ),
)


def _condition(put: Put, comparison: str) -> Put:
    return replace(put, condition=put.condition.replace("= :read", comparison))
