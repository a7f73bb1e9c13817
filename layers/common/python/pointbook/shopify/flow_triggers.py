"""Shopify Flow of a shop: sends triggers, one call each."""

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

    def send(self, trigger: Trigger, seconds: float) -> str | None:
        """Send a trigger. Return None if Flow accepted it, else Flow's reason for rejecting it.

        A failed call is retried until the deadline, so Flow may get a trigger twice; its Entry Id
        identifies it. Raises ShopifyUnavailable, and ShopifyRefused if the shop accepts no call at
        all (the app was uninstalled, lacks a scope, or sends an invalid request).
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
