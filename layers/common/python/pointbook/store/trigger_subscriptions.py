"""Which triggers nobody listens to: one item for each trigger of which Shopify has said something.

Shopify tells when the first workflow with a trigger is switched on and when the last one is
switched off. Its messages may come twice and out of order, so the newest one counts.
"""

from datetime import datetime
from typing import Any

from pointbook.domain.chain import milliseconds
from pointbook.store import keys
from pointbook.store.execute import done_if, sent
from pointbook.store.requests import Request

NEWER = "attribute_not_exists(said_at) OR said_at < :at"


class TriggerSubscriptions:
    """What Shopify has said, in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached, StoreRefused where it is set up
    wrongly.
    """

    def __init__(self, client: Any, table: str) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table

    def disabled_handles(self, shop: str) -> frozenset[str]:
        """The handles of the triggers that no workflow of the shop listens to."""
        request = all_said(self._table, shop)
        found = sent(lambda: self._client.query(**request))["Items"]
        prefix = keys.listening("")
        return frozenset(
            item["sk"]["S"].removeprefix(prefix) for item in found if not item["listened"]["BOOL"]
        )

    def say(self, shop: str, handle: str, at: datetime, *, listened: bool) -> bool:
        """Keep what Shopify said at a time. False: it has said something newer, or this before."""
        request = said(self._table, shop, handle, at, listened=listened)
        return done_if(lambda: self._client.put_item(**request))


def all_said(table: str, shop: str) -> Request:
    """Query: what Shopify said of a shop's triggers."""
    return {
        "TableName": table,
        "KeyConditionExpression": "pk = :shop AND begins_with(sk, :triggers)",
        "ExpressionAttributeValues": {
            ":shop": {"S": keys.shop(shop)},
            ":triggers": {"S": keys.listening("")},
        },
        "ConsistentRead": True,
    }


def said(table: str, shop: str, handle: str, at: datetime, *, listened: bool) -> Request:
    """PutItem over whatever is older."""
    return {
        "TableName": table,
        "Item": {
            "pk": {"S": keys.shop(shop)},
            "sk": {"S": keys.listening(handle)},
            "schema": {"N": "1"},
            "listened": {"BOOL": listened},
            "said_at": {"N": str(milliseconds(at))},
        },
        "ConditionExpression": NEWER,
        "ExpressionAttributeValues": {":at": {"N": str(milliseconds(at))}},
    }
