"""The demo shop of the laptop stack.

Its secrets are published here and open nothing else: every deployed stage refuses them.
"""

SHOP_DOMAIN = "demo.myshopify.com"
SHOPIFY_CLIENT_ID = "pointbook-local-client-id"

PARAMETERS = {"SignUpPoints": "100"}
"""Parameters of the template in which the demo shop's programme differs from a deployment's."""

CLIENT_SECRET = "pointbook-local-client-secret-0123456789"  # noqa: S105
CLIENT_SECRET_PREVIOUS = "pointbook-local-previous-secret-0123456789"  # noqa: S105
MY_PAGE_SECRET = "pointbook-local-my-page-secret-0123456789"  # noqa: S105

TILL_CREDENTIALS = {
    "contract_id": "pointbook",
    "client_id": "pointbook-local",
    "client_secret": "local-till-secret",
}
"""What the till's stand-in lets in."""

CUSTOMERS = {
    "8840734670934": "Hanako Yamada",
    "8840734670935": "Taro Suzuki",
    "8840734670936": "Yuki Tanaka",
}
"""Customer ids and the names that the page greets them by. The first one starts without points."""
