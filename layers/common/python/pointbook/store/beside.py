"""Items beside an account: whatever is kept of a customer and not written with an entry.

An erased customer keeps a tombstone and nothing else, whatever is under way meanwhile. So such an
item is created only in one transaction with a check that its customer is not erased, and updates
require that it exists: erasing deletes it after the tombstone is there, and nothing brings it back.
Updates are as cheap as without; only creating an item costs a transaction, once.
"""

from typing import Any

from botocore.exceptions import ClientError

from pointbook.errors import LedgerUnavailable
from pointbook.store import keys
from pointbook.store.execute import ConditionFailed, sent
from pointbook.store.requests import ABSENT, NOT_ERASED, Request
from pointbook.store.values import Item, Stored

PRESENT = "attribute_exists(pk)"

_TRIES = 3
_CANCELLED = "TransactionCanceledException"


class CustomerErased(Exception):
    """The customer was erased: nothing is kept of them any more."""


class Beside:
    """The one way to write an item under a customer's key without the ledger's transaction.

    Raises LedgerUnavailable while the table cannot be reached, StoreRefused where it is set up
    wrongly. A change that raised may have happened; each may be asked for again.
    """

    def __init__(self, client: Any, table: str) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table

    def create(self, item: Item) -> Stored | None:
        """Create an item; if it exists, return it as it is. Raises CustomerErased."""
        request = creation(self._table, item)

        def attempt() -> Stored | None:
            try:
                self._client.transact_write_items(**request)
            except ClientError as error:
                if error.response["Error"]["Code"] != _CANCELLED:
                    raise
                return _existing(error)
            return None

        found: Stored | None = sent(attempt)
        return found

    def change(self, update: Request) -> tuple[Stored | None, Stored]:
        """Update an item that exists: its new attributes as far as the request asks for them.

        None where it is not there or its state forbids the update, and that state (empty: absent).
        """
        condition = update.get("ConditionExpression")
        request = {
            **update,
            "ConditionExpression": f"{PRESENT} AND {condition}" if condition else PRESENT,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

        try:
            found: Stored = sent(lambda: self._client.update_item(**request)).get("Attributes", {})
        except ConditionFailed as failed:
            return None, failed.item
        return found, {}

    def change_or_create(self, update: Request, item: Item) -> tuple[Stored | None, Stored]:
        """As `change`; where there is no such item yet, `item` is created and returned.

        Raises CustomerErased.
        """
        for _ in range(_TRIES):
            found, before = self.change(update)
            if found is not None or before:
                return found, before
            if self.create(item) is None:
                return item, {}
        raise LedgerUnavailable(retry_after_seconds=1)


def creation(table: str, item: Item) -> Request:
    """TransactWriteItems: the customer is not erased (no account is fine), the item is new."""
    account = {"pk": item["pk"], "sk": {"S": keys.ACCOUNT}}
    return {
        "TransactItems": [
            {
                "ConditionCheck": {
                    "TableName": table,
                    "Key": account,
                    "ConditionExpression": NOT_ERASED,
                }
            },
            {
                "Put": {
                    "TableName": table,
                    "Item": item,
                    "ConditionExpression": ABSENT,
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
        ]
    }


def _existing(error: ClientError) -> Stored:
    """The item that was there. Raises CustomerErased, and the error where it says neither."""
    reasons: Any = error.response.get("CancellationReasons", [])
    failed = [reason.get("Code") == "ConditionalCheckFailed" for reason in reasons]
    if failed[:1] == [True]:
        raise CustomerErased from error
    if failed[1:] == [True]:
        item: Stored = reasons[1].get("Item", {})
        return item
    raise error
