"""The discount codes of a shop in memory."""

import threading
from collections.abc import Callable

from pointbook.shopify.discounts import Discount


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
