"""Telling a shop's Flow: one trigger, one call."""

from typing import Any

from pointbook.errors import ShopifyRefused
from pointbook.shopify.admin import AdminApi
from pointbook.shopify.documents import FLOW_TRIGGER_RECEIVE
from pointbook.shopify.triggers import Trigger

_USER_ERROR = "UNKNOWN"
"""`flowTriggerReceive` gives its user errors no code; a refusal by the shop as a whole has one."""


class FlowTriggers:
    """Flow of one shop. Safe to use from several threads."""

    def __init__(self, admin: AdminApi) -> None:
        """`admin` is the shop's Admin API."""
        self._admin = admin

    def tell(self, trigger: Trigger, seconds: float) -> str | None:
        """Send a trigger; None: Flow has it. A text: Flow does not take this one, and says why.

        A failed call is repeated while there is time: Flow may get a trigger twice, and knows it by
        its Entry Id. Raises ShopifyUnavailable, and ShopifyRefused where the shop takes no call at
        all (the app was uninstalled, may not do this, or sends what Shopify cannot read).
        """
        variables: dict[str, Any] = {"handle": trigger.handle, "payload": trigger.payload}
        deadline = self._admin.deadline(seconds)
        try:
            self._admin.run(FLOW_TRIGGER_RECEIVE, variables, deadline)
        except ShopifyRefused as refused:
            if set(refused.reasons) != {_USER_ERROR}:
                raise
            return str(refused)
        return None
