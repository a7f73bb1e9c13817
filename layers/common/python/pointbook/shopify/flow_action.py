"""Shopify Flow's actions: verifies and validates the raw request.

`POST`, signed, JSON with `shopify_domain`, `action_run_id`, `handle` and `properties`
(https://shopify.dev/docs/apps/build/flow/actions/endpoints). The shop is the one in the signed
body, never a header. `step_reference` and unknown members are ignored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from pointbook.domain.commands import POINTS_MAX
from pointbook.domain.expiry import DAYS_MAX
from pointbook.errors import InvalidRequest
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.ids import customer_digits
from pointbook.shopify.signed_post import read_signed_object
from pointbook.validation import optional_text, shown, text, whole_number

CONSUME_POINTS = "consume-points"
GRANT_POINTS = "grant-points"
REPORT_POINTS = "report-points"

TEXT_LENGTH_MAX = 255

TILL_ORIGIN = "till"
TILL_BALANCE_MAX = 1_000_000_000

_ENTRY_ID = r"[1-9][0-9]{0,19}-[0-9]{12}"


@dataclass(frozen=True, slots=True)
class FlowAction:
    """One run of an action: the shop's domain, the run's opaque id, the customer's digits."""

    shop: str
    action_run_id: str
    handle: str
    customer_id: str


@dataclass(frozen=True, slots=True)
class PointsAction(FlowAction):
    """An action that moves points.

    `days_to_expire` 1 means valid through tomorrow; None: the programme's rule applies.
    `idempotency_key` is the merchant's own, None if there is none. `cause_entry_id` is the entry
    whose trigger started this workflow, None if the merchant did not pass it on. `is_at_till`: the
    till has the movement already and reports it; `till_balance` is the member's balance there after
    it, None if the workflow does not know.
    """

    points: int
    reason: str
    days_to_expire: int | None
    idempotency_key: str | None
    cause_entry_id: str | None
    is_at_till: bool
    till_balance: int | None


def read_customer_action(
    method: str, headers: Mapping[str, str], body: bytes, keys: AppKeys, handle: str
) -> FlowAction:
    """Return the action in these raw bytes: one with a customer and nothing more.

    Raises, in this order, so that nothing of an unsigned body is parsed: MethodNotAllowed,
    SignatureMissing, SignatureWrong, MalformedBody, UnknownShop, InvalidRequest with the field.
    """
    shop, members = read_signed_object(method, headers, body, keys)
    return FlowAction(**_envelope(shop, members, handle))


def read_points_action(
    method: str, headers: Mapping[str, str], body: bytes, keys: AppKeys, handle: str
) -> PointsAction:
    """Return the action in these raw bytes. Raises as `read_customer_action` does.

    Points and days may be texts, because Flow renders templates: "500" is a number, "500.0", " 500"
    and "5e2" are refused. An empty key, cause, origin, balance or number of days counts as missing;
    spaces around a key are removed.
    """
    shop, members = read_signed_object(method, headers, body, keys)
    envelope = _envelope(shop, members, handle)
    properties = members["properties"]
    key = optional_text(properties.get("idempotency_key"), "idempotency_key", TEXT_LENGTH_MAX)
    return PointsAction(
        **envelope,
        points=whole_number(properties.get("points"), "points", 1, POINTS_MAX),
        reason=text(properties.get("reason"), "reason", TEXT_LENGTH_MAX),
        days_to_expire=_days(properties.get("days_to_expire")),
        idempotency_key=key.strip() if key is not None else None,
        cause_entry_id=_cause(properties.get("cause_entry_id")),
        **_origin(properties),
    )


def _envelope(shop: str, members: Mapping[str, Any], handle: str) -> dict[str, str]:
    sent_handle = members.get("handle", handle)
    if sent_handle != handle:
        raise InvalidRequest(
            "handle", f"handle is {shown(sent_handle)}, but this address is for {handle}."
        )
    properties = members.get("properties")
    if not isinstance(properties, dict):
        raise InvalidRequest("properties", "properties must be an object.")
    return {
        "shop": shop,
        "action_run_id": text(members.get("action_run_id"), "action_run_id", TEXT_LENGTH_MAX),
        "handle": handle,
        "customer_id": customer_digits(properties.get("customer_id")),
    }


def _days(value: object) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return whole_number(value, "days_to_expire", 1, DAYS_MAX)


class _Origin(TypedDict):
    is_at_till: bool
    till_balance: int | None


def _origin(properties: Mapping[str, Any]) -> _Origin:
    """Return whether the till reports this movement, and the balance that it names.

    A balance alone says it as well: only the till knows it.
    """
    origin = optional_text(properties.get("origin"), "origin", TEXT_LENGTH_MAX)
    if origin not in (None, TILL_ORIGIN):
        raise InvalidRequest(
            "origin",
            f"origin is {shown(origin)}; put in {TILL_ORIGIN} if the till reports this change, or"
            " leave it empty.",
        )
    given = properties.get("till_balance")
    if given is None or (isinstance(given, str) and not given.strip()):
        return _Origin(is_at_till=origin is not None, till_balance=None)
    balance = whole_number(given, "till_balance", -TILL_BALANCE_MAX, TILL_BALANCE_MAX)
    return _Origin(is_at_till=True, till_balance=balance)


def _cause(value: object) -> str | None:
    """Return the id of an entry, as triggers have it. It is stored, so other texts are refused."""
    given = optional_text(value, "cause_entry_id", TEXT_LENGTH_MAX)
    if given is not None and not re.fullmatch(_ENTRY_ID, given):
        raise InvalidRequest(
            "cause_entry_id",
            f"cause_entry_id is {shown(given)}; pass on the trigger's Entry Id as it is.",
        )
    return given
