"""The part of the container for orders and sign-ups that are taken up later."""

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from pointbook.drift_container import DriftContainer

if TYPE_CHECKING:
    from pointbook.domain.programme import Programme
    from pointbook.services.customers import CustomerDirectory
    from pointbook.services.reconciliation import OrderReconciler
    from pointbook.services.reconciliation_runs import ReconciliationRuns
    from pointbook.shopify.admin import AdminApi
    from pointbook.store.waiting_sign_ups import WaitingSignUps


class ReconciliationContainer(DriftContainer):
    """What compares orders with Shopify's; `Container` has the parts that it is made of."""

    @abstractmethod
    def programme(self, shop: str) -> "Programme":
        """See `Container.programme`."""

    @abstractmethod
    def admin_api(self, shop: str) -> "AdminApi":
        """See `Container.admin_api`."""

    @abstractmethod
    def customers(self, shop: str) -> "CustomerDirectory":
        """See `Container.customers`."""

    def waiting_sign_ups(self) -> "WaitingSignUps":
        """The sign-ups that wait until earning is on again."""
        from pointbook.store.waiting_sign_ups import WaitingSignUps  # noqa: PLC0415 - for two functions

        return WaitingSignUps(self._table)

    def order_reconciler(self, shop: str) -> "OrderReconciler":
        """The service that compares a shop's orders with Shopify's."""
        from pointbook.services.reconciliation import OrderReconciler  # noqa: PLC0415 - for one function
        from pointbook.shopify.admin_orders import AdminOrders  # noqa: PLC0415 - same
        from pointbook.store.reconciliations import Reconciliations  # noqa: PLC0415 - same

        return OrderReconciler(
            shop=shop,
            orders=AdminOrders(self.admin_api(shop)),
            customers=partial(self.customers, shop),
            reconciliations=Reconciliations(self._table, self.wall_clock),
            sign_ups=self.waiting_sign_ups(),
            ledger=self.ledger,
            feed=self.enqueue,
            clock=self.clock,
        )

    def reconciliation_runs(self) -> "ReconciliationRuns":
        """The service that compares the orders of all shops, from where the last run ended."""
        from pointbook.services.reconciliation_runs import ReconciliationRuns  # noqa: PLC0415 - for one function
        from pointbook.store.reconciliations import Reconciliations  # noqa: PLC0415 - same

        store = Reconciliations(self._table, self.wall_clock)
        return ReconciliationRuns(self.order_reconciler, store, self.clock, self.is_earning_paused)

    def is_earning_paused(self, shop: str) -> bool:
        """Whether nobody earns points in a shop for now."""
        return self.programme(shop).earning_paused
