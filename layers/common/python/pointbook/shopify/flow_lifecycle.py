"""Shopify Flow's lifecycle callback: whether any workflow with one of our triggers is turned on.

Signed like an action. `flow_trigger_definition_id` identifies the trigger. Shopify documents it as
an id but shows titles, so both our handles and the extensions' names are accepted.
(https://shopify.dev/docs/apps/build/flow/track-lifecycle-events)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pointbook.errors import InvalidRequest
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.signed_post import read_signed_object
from pointbook.shopify.triggers import (
    POINTS_APPROVED_CHANGED,
    POINTS_BALANCE,
    POINTS_CHANGED,
    POINTS_EXPIRING,
)
from pointbook.validation import shown, text

BODY_BYTES_MAX = 16 * 1024
TEXT_LENGTH_MAX = 255

NAMES = {
    "points reported": POINTS_BALANCE,
    "approved points changed": POINTS_APPROVED_CHANGED,
    "points changed": POINTS_CHANGED,
    "points about to expire": POINTS_EXPIRING,
}
"""The handles of our triggers, by the lower-case names that merchants see."""


@dataclass(frozen=True, slots=True)
class TriggerStatus:
    """Whether, since `at`, any workflow of a shop with a trigger is turned on.

    `handle` is None if the trigger is not ours.
    """

    shop: str
    handle: str | None
    at: datetime
    enabled: bool


def read_trigger_status(
    method: str, headers: Mapping[str, str], body: bytes, keys: AppKeys
) -> TriggerStatus:
    """Return the status in these raw bytes.

    Raises, in this order: MethodNotAllowed, SignatureMissing, SignatureWrong, MalformedBody,
    UnknownShop, InvalidRequest with the field.
    """
    shop, members = read_signed_object(method, headers, body, keys)
    enabled = members.get("has_enabled_flow")
    if not isinstance(enabled, bool):
        raise InvalidRequest(
            "has_enabled_flow", f"has_enabled_flow is {shown(enabled)}, but must be true or false."
        )
    definition = text(
        members.get("flow_trigger_definition_id"), "flow_trigger_definition_id", TEXT_LENGTH_MAX
    )
    return TriggerStatus(shop, _handle(definition), _instant(members.get("timestamp")), enabled)


def _handle(definition: str) -> str | None:
    handle = definition.strip().lower()
    return handle if handle in NAMES.values() else NAMES.get(handle)


def _instant(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InvalidRequest(
            "timestamp",
            f"timestamp is {shown(value)}, but must be a time such as 2026-11-22T03:00:00Z.",
        )
    return at
