"""Shopify's metafields of one shop, in memory."""

from collections.abc import Callable, Sequence

from pointbook.errors import ShopifyUnavailable
from pointbook.shopify.admin import Cost
from pointbook.shopify.metafield_values import METAFIELDS_MAX, MetafieldsRefused, Name, NewValue

COST = Cost(points=10, available=2000, maximum=2000, restored_per_second=100)


class MemoryMetafields:
    """Takes metafields, all of a call or none.

    Whoever is `gone` or `refused` has the whole call refused. While `down`, every call fails.
    `before` is called with each call, which `calls` lists with its customers.
    """

    def __init__(self) -> None:
        self.values: dict[tuple[str, str, str], str] = {}
        self.calls: list[tuple[str, list[str]]] = []
        self.gone: set[str] = set()
        self.refused: set[str] = set()
        self.down = False
        self.cost = COST
        self.before: Callable[[], None] = lambda: None

    def set(
        self, values: Sequence[NewValue], seconds: float, on_cost: Callable[[Cost], None]
    ) -> None:
        """Set metafields."""
        self._begin("set", values, on_cost)
        for one in values:
            self.values[one.customer_id, one.namespace, one.key] = one.value

    def delete(
        self, names: Sequence[Name], seconds: float, on_cost: Callable[[Cost], None]
    ) -> None:
        """Delete metafields."""
        self._begin("delete", names, on_cost)
        for one in names:
            self.values.pop((one.customer_id, one.namespace, one.key), None)

    def of(self, customer_id: str, namespace: str = "$app") -> dict[str, str]:
        """A customer's metafields of a namespace, by key."""
        return {
            key: value
            for (owner, where, key), value in sorted(self.values.items())
            if (owner, where) == (customer_id, namespace)
        }

    def __call__(self, shop: str) -> "MemoryMetafields":
        """Itself, as the metafields of any shop."""
        return self

    def _begin(
        self, what: str, given: Sequence[NewValue | Name], on_cost: Callable[[Cost], None]
    ) -> None:
        assert 0 < len(given) <= METAFIELDS_MAX
        customers = list(dict.fromkeys(one.customer_id for one in given))
        self.calls.append((what, customers))
        self.before()
        if self.down:
            raise ShopifyUnavailable(1)
        on_cost(self.cost)
        if {*customers} & (self.gone | self.refused):
            raise MetafieldsRefused("Shopify refuses metafieldsSet: Owner does not exist.")
