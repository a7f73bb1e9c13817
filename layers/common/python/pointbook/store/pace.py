"""How many calls my page makes to Shopify for holds, counted for each shop and minute.

One item a shop, outside every book: a fixed window of a minute, and in it a count for all customers
and one for each of them, so that nobody uses up what is there for all.

    count in the minute that is counted ──► there was room: the call may be made
             │ no
             ├──► its minute is over: begin this one
             └──► full: wait until it is over

A count costs one write unit, the first one of a minute two. A reply that is lost may count once
more than calls are made, never less.
"""

from datetime import datetime
from typing import Any

from pointbook.domain.chain import milliseconds
from pointbook.errors import LedgerUnavailable
from pointbook.store import keys
from pointbook.store.execute import ConditionFailed, sent
from pointbook.store.requests import Request
from pointbook.store.values import Item, Stored, head, int_of, number

SHARE = 4
"""One customer gets a quarter of what a shop has, rounded up."""

ROOM_IN_THIS_MINUTE = (
    "(call_minute = :minute OR call_minute = :next) AND calls < :most"
    " AND (attribute_not_exists(#who) OR #who < :each)"
)
"""A clock that is a little behind counts in the minute that another one has begun."""

NOT_THIS_MINUTE = (
    "attribute_not_exists(call_minute) OR call_minute < :minute OR call_minute > :next"
)

_MINUTE_MS = 60_000
_TRIES = 3


class HoldCalls:
    """The counts in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached, StoreRefused where it is set up
    wrongly.
    """

    def __init__(self, client: Any, table: str) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table

    def count(self, shop: str, who: str, now: datetime, most: int) -> int:
        """Count one more call. 0: it may be made; else the seconds until another try makes sense.

        `who` is a name of the customer in letters and digits that says nothing of them; `most` is
        how many calls the shop allows in a minute.
        """
        now_ms = milliseconds(now)
        minute = now_ms // _MINUTE_MS
        one_more = count_on(self._table, shop, who, minute, most)
        the_first = begin_minute(self._table, shop, who, minute)
        for _ in range(_TRIES):
            before = self._unless_refused("update_item", one_more)
            if before is None:
                return 0
            counted = int_of(before["call_minute"]) if "call_minute" in before else None
            if counted in (minute, minute + 1):
                return -(-((counted + 1) * _MINUTE_MS - now_ms) // 1000)
            if self._unless_refused("put_item", the_first) is None:
                return 0
        raise LedgerUnavailable(retry_after_seconds=1)

    def _unless_refused(self, operation: str, request: Request) -> Stored | None:
        """None: it is done. Otherwise the item whose state forbade it."""
        try:
            sent(lambda: getattr(self._client, operation)(**request))
        except ConditionFailed as failed:
            return failed.item
        return None


def count_on(table: str, shop: str, who: str, minute: int, most: int) -> Request:
    """UpdateItem: one more in the minute that is counted, if there is room."""
    return {
        "TableName": table,
        "Key": {"pk": {"S": keys.shop(shop)}, "sk": {"S": keys.HOLD_CALLS}},
        "UpdateExpression": "SET calls = calls + :one, #who = if_not_exists(#who, :none) + :one",
        "ConditionExpression": ROOM_IN_THIS_MINUTE,
        "ExpressionAttributeNames": {"#who": _attribute(who)},
        "ExpressionAttributeValues": {
            ":none": number(0),
            ":one": number(1),
            ":minute": number(minute),
            ":next": number(minute + 1),
            ":most": number(most),
            ":each": number(-(-most // SHARE)),
        },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def begin_minute(table: str, shop: str, who: str, minute: int) -> Request:
    """PutItem: the first in a minute; what was counted before is forgotten, with whom."""
    item: Item = {
        **head(keys.shop(shop), keys.HOLD_CALLS),
        "call_minute": number(minute),
        "calls": number(1),
        _attribute(who): number(1),
    }
    return {
        "TableName": table,
        "Item": item,
        "ConditionExpression": NOT_THIS_MINUTE,
        "ExpressionAttributeValues": {":minute": number(minute), ":next": number(minute + 1)},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _attribute(who: str) -> str:
    return f"by_{who}"
