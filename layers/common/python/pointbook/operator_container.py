"""The container of the functions that only operators call: they read accounts, and check ids."""

from typing import TYPE_CHECKING, Any

from pointbook.container import Container

if TYPE_CHECKING:
    from pointbook.services.account_reads import AccountReads
    from pointbook.services.known_customers import KnownCustomers
    from pointbook.services.order_explanations import OrderExplanations


class OperatorContainer(Container):
    """What operators read, beside all other parts."""

    def account_reads(self) -> "AccountReads":
        """The service that reads accounts and their history for people."""
        from pointbook.services.account_reads import AccountReads  # noqa: PLC0415 - for two functions

        return AccountReads(self.ledger, self.clock, self._cached_member)

    def order_explanations(self, shop: str) -> "OrderExplanations":
        """The service that explains how an order's points come about."""
        from pointbook.services.order_explanations import OrderExplanations  # noqa: PLC0415 - for one function

        currency = self.shown_programme(shop).currency
        return OrderExplanations(self.ledger, self.account_reads(), self.clock, currency)

    def known_customers(self) -> "KnownCustomers":
        """The service that says whether an id is a customer's."""
        from pointbook.services.known_customers import KnownCustomers  # noqa: PLC0415 - for one function

        return KnownCustomers(self.ledger, self.customers)

    def _cached_member(self, shop: str, customer_id: str) -> dict[str, Any] | None:
        """What the till last said of a customer; it is not called. None without a till."""
        if self.settings.till_provider == "none":
            return None
        from pointbook.page.display import rank_labels  # noqa: PLC0415 - only with a till
        from pointbook.services.till_part import cached_part  # noqa: PLC0415 - same

        cached = self.till_members().read(shop, customer_id)
        part = cached_part(cached, self.wall_clock.now(), self.settings.till_fresh_seconds)
        rank = part.member.rank if part.member else None
        labels = rank_labels(rank, self.shown_programme(shop).rank_labels)
        return {**part.as_json(), "rank_labels": labels}
