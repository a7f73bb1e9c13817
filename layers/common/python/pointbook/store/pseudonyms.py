"""Pseudonyms of customers who are being erased: one each, whoever erases them.

A pseudonym is drawn under the customer's own key, so that everybody who works on the same customer
reads the same one, and it goes with the rest of the account, last of all. Then nobody knows it.
"""

from secrets import randbelow
from typing import Any

from pointbook.domain.erase import pseudonym_of
from pointbook.store import keys
from pointbook.store.beside import Beside, CustomerErased
from pointbook.store.execute import done_if, sent
from pointbook.store.values import Item, Stored, head, text


class Pseudonyms:
    """The pseudonyms in one table. Raises LedgerUnavailable while it cannot be reached."""

    def __init__(self, client: Any, table: str) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table
        self._beside = Beside(client, table)

    def find(self, shop: str, customer_id: str) -> str | None:
        """The pseudonym; None: none was drawn yet, or it is forgotten by now."""
        request = {
            "TableName": self._table,
            "Key": pseudonym_key(shop, customer_id),
            "ConsistentRead": True,
        }
        item = sent(lambda: self._client.get_item(**request)).get("Item")
        return _pseudonym(item) if item else None

    def draw(self, shop: str, customer_id: str) -> str | None:
        """The pseudonym, drawn now if need be; None: the customer was erased before."""
        known = self.find(shop, customer_id)
        if known is not None:
            return known
        drawn = pseudonym_of(randbelow(10**19))
        item: Item = {
            **head(keys.book(shop, customer_id), keys.PSEUDONYM),
            "pseudonym": text(drawn),
        }
        try:
            existing = self._beside.create(item)
        except CustomerErased:
            return self.find(shop, customer_id)
        return _pseudonym(existing) if existing else drawn

    def put_entry_ids(self, item: Stored, entry_ids: list[str]) -> bool:
        """Let what is remembered of a request name other entries. False: it is another, or gone."""
        request = {
            "TableName": self._table,
            "Item": {**item, "entry_ids": {"L": [text(one) for one in entry_ids]}},
            "ConditionExpression": "entry_ids = :before",
            "ExpressionAttributeValues": {":before": item["entry_ids"]},
        }
        return done_if(lambda: self._client.put_item(**request))


def pseudonym_key(shop: str, customer_id: str) -> Item:
    """The key of a customer's pseudonym."""
    return {"pk": text(keys.book(shop, customer_id)), "sk": text(keys.PSEUDONYM)}


def _pseudonym(item: Stored) -> str:
    found: str = item["pseudonym"]["S"]
    return found
