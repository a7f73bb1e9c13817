"""What Schemathesis cannot know from the description: which shop there is, and which topics.

Without it nearly every generated request would be refused for its shop. What is missing or empty
stays so, and so does one value in eight.
"""

import os
import re
import zlib
from datetime import date
from typing import Any

import schemathesis

from local import demo
from tests.support.extended import EXTENDED_CUSTOMER, LAST_DAYS
from tools import shopify_payloads
from tools.make_events_operator import IMPORT_ID

BODIES = list(shopify_payloads.bodies().values())
"""Webhooks: each a topic and a body of it."""


_CUSTOMER = re.compile("[1-9][0-9]{0,19}")

ATTACKED_CUSTOMER = os.environ.get("ATTACKED_CUSTOMER")
"""The customer of every path, where it is set."""


def _draw(value: object) -> int:
    """A number that depends on nothing but the value, so that every run is the same."""
    return zlib.crc32(repr(value).encode())


def _shop(value: object) -> object:
    return demo.SHOP_DOMAIN if isinstance(value, str) and value and _draw(value) % 8 else value


@schemathesis.hook
def map_case(_context: Any, case: Any) -> Any:
    """Put the laptop's shop, and a topic's own body, in place of what was made up."""
    if isinstance(case.body, dict):
        for member in ("shopify_domain", "shop"):
            if member in case.body:
                case.body[member] = _shop(case.body[member])
        _map_extension(case.body, case.path_parameters)
    if isinstance(case.query, dict) and "shop" in case.query:
        case.query["shop"] = _shop(case.query["shop"])
    _map_path(case.operation.path, case.path_parameters)
    if case.method == "GET" and "import_id" in case.path_parameters:
        _map_report(case.path_parameters, case.query)
    if case.headers.get("X-Shopify-Topic"):
        _map_webhook(case)
    return case


def _map_extension(body: dict[str, Any], parameters: dict[str, Any]) -> None:
    """Extend what is there, where both days are days."""
    days = [body.get(name) for name in ("expires_on", "new_expires_on")]
    if not all(isinstance(day, str) and _is_day(day) for day in days) or not _draw(days) % 8:
        return
    old_day = LAST_DAYS[_draw(days) % len(LAST_DAYS)].isoformat()
    body |= {"expires_on": old_day, "new_expires_on": "2199-12-31"}
    if str(parameters.get("customer", "")).isdecimal():
        parameters["customer"] = EXTENDED_CUSTOMER


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _map_path(path: str, parameters: dict[str, Any]) -> None:
    customer = parameters.get("customer")
    if path.startswith("/v1/staff/") and _CUSTOMER.fullmatch(str(customer)) and _draw(customer) % 8:
        parameters["customer"] = next(iter(demo.CUSTOMERS))  # who has points
    if ATTACKED_CUSTOMER and "customer" in parameters:
        parameters["customer"] = ATTACKED_CUSTOMER
    order_id = parameters.get("order_id")
    if isinstance(order_id, str) and order_id.isdecimal() and _draw(order_id) % 8:
        parameters["order_id"] = str(shopify_payloads.ORDER)


def _map_report(parameters: dict[str, Any], query: Any) -> None:
    """Ask for the run that there is."""
    if _draw(parameters["import_id"]) % 8:
        parameters["import_id"] = IMPORT_ID
    if isinstance(query, dict) and _draw(query.get("run_id")) % 8:
        query.pop("run_id", None)


def _map_webhook(case: Any) -> None:
    if "X-Shopify-Shop-Domain" in case.headers:
        case.headers["X-Shopify-Shop-Domain"] = _shop(case.headers["X-Shopify-Shop-Domain"])
    if _draw(case.headers["X-Shopify-Topic"]) % 8 and isinstance(case.body, dict):
        case.headers["X-Shopify-Topic"], body = BODIES[_draw(case.body) % len(BODIES)]
        case.body = {**body, **case.body}
