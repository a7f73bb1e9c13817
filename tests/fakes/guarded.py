"""A table in memory that takes no item under a customer's key without asking for their account.

An erased customer keeps a tombstone and nothing else. So whatever may create an item beside an
account is in one transaction with a condition on that account which a tombstone does not meet, and
a single write may only change what is there. Under a pseudonym, which nobody else knows, an erasure
writes in batches; it also dates its tombstone so.
"""

import re
from typing import Any, Final

from tests.fakes.dynamodb import Key, MemoryDynamoDB, key_of
from tests.fakes.expressions import Item, condition, named

_CUSTOMER: Final = re.compile(r"SHOP#[^#]+#CUSTOMER#(?P<id>[0-9]+)")
_PSEUDONYM: Final = re.compile(r"0[0-9]{19}")
_ACCOUNT: Final = "ACCOUNT"


class Unguarded(BaseException):
    """A write that may leave something of the erased. No Exception: nothing may catch it."""


class GuardedDynamoDB(MemoryDynamoDB):
    """Raises Unguarded for such a write, whatever is in the table."""

    def put_item(self, **request: Any) -> Item:
        """PutItem, and all of UpdateItem."""
        key = key_of(request["Item"])
        if _is_customers(key) and _allows(request, None):
            raise Unguarded(f"a single write may create {key}: use CustomerItems")
        return super().put_item(**request)

    def damage(self, table: str, item: Item) -> None:
        """Put an item over whatever is there, as nothing in the product does."""
        super().put_item(TableName=table, Item=item)

    def batch_write_item(self, **request: Any) -> Item:
        """BatchWriteItem."""
        for writes in request["RequestItems"].values():
            for put in (one["PutRequest"]["Item"] for one in writes if "PutRequest" in one):
                if _is_customers(key_of(put)) and not _is_of_erasure(put):
                    raise Unguarded(f"a batch creates {key_of(put)}: use CustomerItems")
        return super().batch_write_item(**request)

    def transact_write_items(self, **request: Any) -> Item:
        """TransactWriteItems."""
        actions = [part for action in request["TransactItems"] for part in action.values()]
        conditions = {key_of(one.get("Item") or one["Key"]): one for one in actions}
        for key in (key_of(one["Item"]) for one in actions if "Item" in one):
            account = conditions.get((key[0], _ACCOUNT))
            if _is_customers(key) and (account is None or _allows(account, _tombstone(key[0]))):
                raise Unguarded(f"{key} is written without a condition on its account")
        return super().transact_write_items(**request)


def _is_customers(key: Key) -> bool:
    return _CUSTOMER.fullmatch(key[0]) is not None


def _is_of_erasure(item: Item) -> bool:
    found = _CUSTOMER.fullmatch(item["pk"]["S"])
    is_moved = found is not None and _PSEUDONYM.fullmatch(found["id"]) is not None
    return is_moved or (item["sk"]["S"] == _ACCOUNT and "erased" in item)


def _allows(request: Item, item: Item | None) -> bool:
    """Whether the request's condition lets it happen where there is this item, or none."""
    if "ConditionExpression" not in request:
        return True
    names = request.get("ExpressionAttributeNames", {})
    test = condition(named(request["ConditionExpression"], names))
    return test(item, request.get("ExpressionAttributeValues", {}))


def _tombstone(pk: str) -> Item:
    """The tombstone of a customer whose account nobody who writes has read: of another revision."""
    erased: Item = {"erased": {"BOOL": True}, "revision": {"N": "0"}}
    return {"pk": {"S": pk}, "sk": {"S": _ACCOUNT}, **erased}
