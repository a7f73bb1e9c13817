"""A shop whose customers hold points, with its discount codes in memory."""

import json
from pathlib import Path
from typing import Any

from pointbook.container import Parts
from tests.fakes.codes import Codes
from tests.fakes.locked import LockedClient
from tests.functions.moved import ClockFile
from tests.support.harness import CUSTOMER, Answer, Functions, event, memory_table, message

CREATE = "create_hold"
RELEASE = "release_hold"


class HoldShop:
    """The customer has 1,250 points and sends the requests of my page."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self._clock = ClockFile(folder)
        self.codes = Codes()
        parts: Parts = {"dynamodb": LockedClient(memory_table()), "discounts": lambda _: self.codes}
        self.functions = Functions(parts, LOCAL_CLOCK_FILE=str(self._clock), **variables)
        assert self.functions.sample("flow_action_grant", "run").status == 200

    def move(self, seconds: int) -> None:
        """Put the ledger's clock so far ahead."""
        self._clock.move(seconds=seconds)

    def hold(self, key: str, points: object = 500) -> Answer:
        """Ask for a hold."""
        return self.functions.request(CREATE, hold_request(key, points))

    def release(self, hold_id: str) -> Answer:
        """Give a hold's points back."""
        request = event(RELEASE, "by_header")
        request["pathParameters"]["hold_id"] = hold_id
        return self.functions.request(RELEASE, request)

    def capture(self, code: str) -> None:
        """An order of the customer's uses a hold's code."""
        discount = {"code": code, "amount": "500", "type": "fixed_amount"}
        paid = message("orders_paid", customer={"id": int(CUSTOMER)}, discount_codes=[discount])
        assert self.functions.work("order_events", paid) == []

    def page(self) -> dict[str, Any]:
        """What my page shows."""
        return self.functions.sample("get_points", "by_header").body

    def figures(self) -> tuple[int, int]:
        """Approved and held points."""
        found = self.page()["figures"]
        return found["approved"], found["hold"]


def hold_request(key: str, points: object = 500) -> dict[str, Any]:
    """The event of a request for a hold."""
    request = event(CREATE, "by_header")
    request["headers"]["idempotency-key"] = key
    request["body"] = json.dumps({"points": points})
    return request
