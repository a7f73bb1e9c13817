"""Whether an id without entries is a customer's at all: a mistyped one has none either."""

from cli import operator_api
from cli.target import Target


def no_entries(stack: Target, shop: str, customer_id: str) -> str:
    """A sentence about a customer without entries, and whether Shopify has such a customer."""
    said = f"Customer {customer_id} has no entries in this ledger"
    path = f"/v1/operator/customers/{customer_id}/check"
    answer = operator_api.get(stack, path, shop=shop)
    match answer.body.get("at_shopify") if answer and answer.status == 200 else None:
        case True:
            return f"{said} yet; {shop} has such a customer at Shopify."
        case False:
            return f"{said}, and {shop} has no such customer at Shopify: look at the id."
    return f"{said}. Whether {shop} has such a customer at Shopify is not known."
