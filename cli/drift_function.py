"""The stack's functions compare_till and push_till, as `pointbook drift` invokes them."""

from collections.abc import Iterator
from typing import Any

from cli.errors import NotReachable
from cli.functions import Functions
from cli.target import Target

FUNCTION, PUSHES = "CompareTillFunction", "PushTillFunction"
BATCH_MEMBERS = 20
"""The most customers that it compares in one page."""


class CompareTill:
    """The stack's function compare_till."""

    def __init__(self, stack: Target, shop: str) -> None:
        """Raises CommandFailed if the stack has no such function."""
        self._functions = Functions(stack)
        self._functions.require(FUNCTION)
        self.shop = shop

    def ask(self, **event: Any) -> dict[str, Any]:
        """Have it compare. Raises CommandFailed, NotReachable."""
        return self._functions.page(FUNCTION, {"shop": self.shop, **event})

    def push(self) -> None:
        """Run push_till on what is queued, without waiting for its schedule."""
        if PUSHES in self._functions:
            self._functions.invoke(PUSHES, {})

    def customers(self, customer_ids: list[str]) -> Iterator[dict[str, Any]]:
        """Compare these customers, page by page. Raises NotReachable if the till cannot answer."""
        left = customer_ids
        while left:
            page = self.ask(customers=left[:BATCH_MEMBERS])
            yield page
            rest = left[BATCH_MEMBERS:]
            check(page)
            left = [*(page["stopped"] or {"left": []})["left"], *rest]


def check(page: dict[str, Any]) -> None:
    """Raise NotReachable if the till could not be asked any more."""
    stopped = page["stopped"]
    if stopped and stopped["code"] != "time_up":
        raise NotReachable(
            f"The till cannot be asked now ({stopped['code']}): {stopped['message']}"
        )
