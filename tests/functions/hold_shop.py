"""A shop whose customers hold points, with its discount codes in memory."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pointbook.container import Parts
from pointbook.shopify.discounts import Discount
from tests.fakes.locked import LockedClient
from tests.functions.moved import ClockFile
from tests.support.harness import Answer, Functions, event, memory_table

CREATE = "create_hold"
RELEASE = "release_hold"


class Codes:
    """The discount codes of a shop, as `pointbook.services.holds.Discounts` says.

    The next call raises `fault` once; with `does_it_first` only its answer is lost.
    """

    def __init__(self) -> None:
        self.made: dict[str, Discount] = {}
        self.off: set[str] = set()
        self.fault: BaseException | None = None
        self.does_it_first = False
        self._lock = threading.Lock()

    def create(self, discount: Discount) -> str:
        """Keep it; the one that has the code already must be the same."""
        with self._lock:
            self._fail(unless=lambda: self._keep(discount))
            self._keep(discount)
            return f"gid://shopify/DiscountCodeNode/{discount.hold_id}"

    def deactivate(self, code: str) -> bool:
        """Whether there was such a code."""
        with self._lock:
            self._fail(unless=lambda: self.off.add(code))
            self.off.add(code)
            return code in self.made

    def usable(self) -> set[str]:
        """The codes that a checkout takes."""
        return self.made.keys() - self.off

    def _keep(self, discount: Discount) -> None:
        existing = self.made.setdefault(discount.code, discount)
        assert (existing.points, existing.ends_at) == (discount.points, discount.ends_at)

    def _fail(self, unless: Callable[[], object]) -> None:
        if self.fault is None:
            return
        fault, self.fault = self.fault, None
        if self.does_it_first:
            unless()
        raise fault


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
