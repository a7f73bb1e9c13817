"""Records of the table's stream as Lambda receives them, and sample events of them."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from local import demo
from pointbook.domain.account import Account
from pointbook.domain.commands import Command, Consume, Grant
from pointbook.domain.decide import decide
from pointbook.domain.decision import Decision
from pointbook.domain.expiry import Days
from pointbook.domain.state import State
from pointbook.store import items

STREAM = (
    "arn:aws:dynamodb:ap-northeast-1:000000000000:table/pointbook-local/stream/"
    "2026-11-22T00:00:00.000"
)
SECOND_SHOP = "second.myshopify.com"
CUSTOMER = "8840734670934"
OTHER_CUSTOMER = "8840734670935"

_FIRST_SEQUENCE = 100000000000000000001
_NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
_HISTORY: tuple[Command, ...] = (Grant(1250, Days(365)), Consume(300))

type Record = dict[str, Any]
type Case = tuple[str, str, Mapping[str, Any]]


def stream_cases() -> Iterator[Case]:
    """Function, name of the case, event."""
    first, second = _accounts(CUSTOMER)
    other = _accounts(OTHER_CUSTOMER)[0]

    def event(*changes: tuple[str, Account]) -> Mapping[str, Any]:
        return records(*(items.account_item(shop, account) for shop, account in changes))

    shop = demo.SHOP_DOMAIN
    yield "publish_changes", "first_change", event((shop, first))
    yield "publish_changes", "two_changes_of_one_book", event((shop, first), (shop, second))
    yield "publish_changes", "two_shops", event((shop, first), (SECOND_SHOP, other))
    yield (
        "publish_changes",
        "erased_customer",
        event((shop, Account(CUSTOMER, erased=True, revision=3))),
    )
    yield "publish_changes", "schedule", {}
    yield "push_till", "first_change", event((shop, first))
    yield "push_till", "two_changes_of_one_book", event((shop, first), (shop, second))
    yield "push_till", "schedule", {}


def records(*images: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event of the stream: one record per item with its present image, in order."""
    return {"Records": [record(image, number) for number, image in enumerate(images)]}


def record(image: Mapping[str, Any], number: int = 0) -> Record:
    """Return the stream record of an item that was written."""
    is_first = image.get("revision") in (None, {"N": "1"})
    return {
        "eventID": f"{number:032x}",
        "eventName": "INSERT" if is_first else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "ap-northeast-1",
        "dynamodb": {
            "ApproximateCreationDateTime": int(_NOW.timestamp()),
            "Keys": {"pk": image["pk"], "sk": image["sk"]},
            "NewImage": {name: _in_json(value) for name, value in image.items()},
            "SequenceNumber": str(_FIRST_SEQUENCE + number),
            "SizeBytes": 500,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": STREAM,
    }


def _accounts(customer_id: str) -> list[Account]:
    """Return an account after each command of a short history."""
    found = []
    account = Account(customer_id, account_id="0123456789abcdef", time_zone="Asia/Tokyo")
    for number, command in enumerate(_HISTORY):
        decision = decide(State(account), command, _NOW + timedelta(minutes=number))
        assert isinstance(decision, Decision)
        account = replace(decision.account, head=f"{number:064x}")
        found.append(account)
    return found


def _in_json(value: Any) -> Any:
    """Encode bytes as base64, as JSON has them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {kind: _in_json(content) for kind, content in value.items()}
    return [_in_json(part) for part in value] if isinstance(value, list) else value
