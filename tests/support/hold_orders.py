"""Orders that carry a hold's code, as the order worker gets them."""

from typing import Any

from tests.support.instants import instant


def order_payload(
    order_id: str, code: str, used: int, customer_id: str, at_ms: int, left: int = 300
) -> dict[str, Any]:
    """A paid order in yen on which the code took off so much; `left` yen were to be paid.

    Without a code there is no discount.
    """
    at = instant(at_ms).isoformat()
    return {
        "id": int(order_id),
        "currency": "JPY",
        "created_at": at,
        "updated_at": at,
        "financial_status": "paid",
        "taxes_included": True,
        "total_tax": "0",
        "subtotal_price": str(left),
        "customer": {"id": int(customer_id)},
        "line_items": [
            {
                "id": int(order_id) * 10,
                "quantity": 1,
                "price": str(left + used),
                "discount_allocations": [{"amount": str(used), "discount_application_index": 0}]
                if code
                else [],
            }
        ],
        "discount_applications": [{"type": "discount_code", "code": code}] if code else [],
        "discount_codes": [{"code": code, "amount": str(used)}] if code else [],
        "refunds": [],
    }
