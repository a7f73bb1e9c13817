"""The demo shop of the laptop stack.

Its secrets are public and open nothing else: every deployed stage refuses them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

SHOP_DOMAIN = "demo.myshopify.com"
SHOPIFY_CLIENT_ID = "pointbook-local-client-id"

STAFF = {
    "70000000001": "Mika Mori, manager",
    "70000000002": "Ken Ito, at the counter",
    "70000000003": "Aya Sato, new here",
}
"""Ids and names of the shop's staff: one may do everything, one may hold points, one may look."""

PARAMETERS = {
    "SignUpPoints": "100",
    "TillCallsPerSecond": "50",
    "TillPush": "balance",
    "StaffAdjust": "70000000001",
    "StaffHold": "70000000001,70000000002",
    "StaffManage": "70000000001",
}
"""Template parameters of the demo shop that differ from the template's defaults."""

CLIENT_SECRET = "pointbook-local-client-secret-0123456789"  # noqa: S105
CLIENT_SECRET_PREVIOUS = "pointbook-local-previous-secret-0123456789"  # noqa: S105
MY_PAGE_SECRET = "pointbook-local-my-page-secret-0123456789"  # noqa: S105

TILL_CREDENTIALS = {
    "contract_id": "pointbook",
    "client_id": "pointbook-local",
    "client_secret": "local-till-secret",
}
SQUARE_CREDENTIALS = {"access_token": "local-square-access-token"}
RECORE_CREDENTIALS = {"api_key": "local-recore-key"}
"""The credentials that the fake tills accept; those without a till's name are Smaregi's."""

TILLS: Mapping[str, Mapping[str, str]] = {
    "smaregi": TILL_CREDENTIALS,
    "square": SQUARE_CREDENTIALS,
    "recore": RECORE_CREDENTIALS,
}
"""The credentials by the template's TillProvider."""

CUSTOMERS = {
    "8840734670934": "Hanako Yamada",
    "8840734670935": "Taro Suzuki",
    "8840734670936": "Yuki Tanaka",
}
"""Customer ids and names, as the page greets them. The first one starts without points."""


def last_day(month: int, day: int) -> str:
    """A last day of points at the till: that day of next year, so that it is never past."""
    return f"{datetime.now(UTC).year + 1}-{month:02}-{day:02}"
