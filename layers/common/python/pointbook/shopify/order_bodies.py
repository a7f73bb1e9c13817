"""An order of the Admin API, written as the body of a webhook.

| webhook | Admin API |
|---|---|
| `financial_status` | `displayFinancialStatus`, in lower case |
| `line_items[].price_set` | `originalUnitPriceSet` |
| `discount_applications[]` | `discountAllocations[].discountApplication`, by its `index` |
| `discount_codes[].amount` | the allocations of the code: the API has the codes alone |
| `refund_line_items[].line_item_id` | `refundLineItems[].lineItem.id` |
| `transactions[].amount`, `currency` | `amountSet.presentmentMoney` |
| `order_adjustments[]` of shipping | `refundShippingLines`: they are no adjustments there |
| `tip_payment_gateway` | nothing: the lines whose price is `totalTipReceivedSet` |
| `metafields[]` | the till's metafield |

The objects are those of `shopify.documents`, each connection as the list of all its nodes.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pointbook.errors import InvalidRequest
from pointbook.shopify.ids import number_digits
from pointbook.shopify.projection import TILL_KEY, TILL_NAMESPACE

REFUNDS_MAX = 100
"""As many refunds of an order are asked for; the list has no pages."""

type Node = Mapping[str, Any]
type Body = dict[str, Any]


def order_body(order: Node) -> Body:
    """The body that `orders/updated` has of this order, in the fields that count.

    Raises InvalidRequest if it cannot be told which of its lines are a tip, LookupError, TypeError
    or ArithmeticError for what is not of Shopify's form.
    """
    lines: Sequence[Node] = order["lineItems"]
    tips = _tip_ids(order, lines)
    customer = order["customer"]
    body = {
        "id": _number(order),
        "name": order["name"],
        "customer": customer and {"id": customer["id"]},
        "test": order["test"],
        "currency": order["currencyCode"],
        "created_at": order["createdAt"],
        "updated_at": order["updatedAt"],
        "cancelled_at": order["cancelledAt"],
        "taxes_included": order["taxesIncluded"],
        "line_items": [_line(line, is_tip=line["id"] in tips) for line in lines],
        "discount_applications": _applications(lines),
        "discount_codes": _codes(order["discountCodes"], lines),
        "refunds": [_refund(refund, _number(order)) for refund in order["refunds"]],
        "metafields": _metafields(order["metafield"]),
    }
    if order["displayFinancialStatus"] is not None:
        body["financial_status"] = order["displayFinancialStatus"].lower()
    if order["subtotalPriceSet"] is not None:
        body["subtotal_price"] = _amount(order["subtotalPriceSet"])
    if order["totalTaxSet"] is not None:
        body["total_tax"] = _amount(order["totalTaxSet"])
    return body


def _line(line: Node, *, is_tip: bool) -> Body:
    return {
        "id": _number(line),
        "quantity": line["quantity"],
        "current_quantity": line["currentQuantity"],
        "gift_card": line["isGiftCard"],
        **_priced("price", line["originalUnitPriceSet"]),
        **_tip(is_tip=is_tip),
        "discount_allocations": [
            {
                **_priced("amount", one["allocatedAmountSet"]),
                "discount_application_index": one["discountApplication"]["index"],
            }
            for one in line["discountAllocations"]
        ],
        "tax_lines": [_priced("price", one["priceSet"]) for one in line["taxLines"]],
    }


def _applications(lines: Iterable[Node]) -> list[Body]:
    """The discounts that took something off a line, each at the place that it is referred to by."""
    by_place = {one["index"]: one for one in _applied(lines)}
    return [_application(by_place.get(place)) for place in range(max(by_place, default=-1) + 1)]


def _application(one: Node | None) -> Body:
    code = one.get("code") if one else None
    return {"type": "discount_code", "code": code} if code else {"type": "other"}


def _applied(lines: Iterable[Node]) -> Iterable[Node]:
    return (one["discountApplication"] for line in lines for one in line["discountAllocations"])


def _codes(codes: Iterable[str], lines: Sequence[Node]) -> list[Body]:
    """Each code and what it took off altogether."""
    return [{"code": code, "amount": str(_taken_off(code, lines))} for code in codes]


def _taken_off(code: str, lines: Iterable[Node]) -> Decimal:
    return sum(
        (
            Decimal(_amount(one["allocatedAmountSet"]))
            for line in lines
            for one in line["discountAllocations"]
            if (one["discountApplication"].get("code") or "").upper() == code.upper()
        ),
        Decimal(0),
    )


def _refund(refund: Node, order_number: int) -> Body:
    return {
        "id": _number(refund),
        "order_id": order_number,
        "created_at": refund["createdAt"],
        "refund_line_items": [
            {
                "line_item_id": _number(line["lineItem"]),
                "quantity": line["quantity"],
                **_priced("subtotal", line["subtotalSet"]),
                **_priced("total_tax", line["totalTaxSet"]),
                "line_item": {"gift_card": line["lineItem"]["isGiftCard"]},
            }
            for line in refund["refundLineItems"]
        ],
        "transactions": [
            {
                "kind": one["kind"].lower(),
                "status": one["status"].lower(),
                "amount": one["amountSet"]["presentmentMoney"]["amount"],
                "currency": one["amountSet"]["presentmentMoney"]["currencyCode"],
            }
            for one in refund["transactions"]
        ],
        "order_adjustments": [
            {**_priced("amount", one["amountSet"]), **_priced("tax_amount", one["taxAmountSet"])}
            for one in refund["orderAdjustments"]
        ],
        "refund_shipping_lines": [{"id": _number(one)} for one in refund["refundShippingLines"]],
        "total_duties_set": _duties(refund["duties"] or ()),
    }


def _duties(duties: Sequence[Node]) -> Body | None:
    if not duties:
        return None
    total = sum((Decimal(_amount(one["amountSet"])) for one in duties), Decimal(0))
    currency = duties[0]["amountSet"]["shopMoney"]["currencyCode"]
    return {"shop_money": {"amount": str(total), "currency_code": currency}}


def _metafields(metafield: Node | None) -> list[Body]:
    if metafield is None:
        return []
    return [{"namespace": TILL_NAMESPACE, "key": TILL_KEY, "value": metafield["value"]}]


# --- tips -----------------------------------------------------------------------------------------


def _tip_ids(order: Node, lines: Sequence[Node]) -> frozenset[str]:
    """The lines that are the order's tip.

    The API marks none, but says how much the tip was. A tip sells no product, and is neither sent
    nor taxed nor reduced; what is so and costs just as much is the tip. Raises InvalidRequest where
    more than one line, and not all of them together, may be it.
    """
    tip = Decimal(_amount(order["totalTipReceivedSet"]))
    if not tip:
        return frozenset()
    prices = {line["id"]: _price(line) for line in lines if _may_be_tip(line)}
    if not prices or sum(prices.values()) == tip:
        return frozenset(prices)
    alone = frozenset(gid for gid, price in prices.items() if price == tip)
    if len(alone) == 1:
        return alone
    raise InvalidRequest(
        "totalTipReceivedSet", f"It cannot be told which of {len(prices)} lines are the tip."
    )


def _may_be_tip(line: Node) -> bool:
    is_sold = line["product"] is not None or line["requiresShipping"] or line["isGiftCard"]
    return not is_sold and not line["taxable"] and not line["discountAllocations"]


def _price(line: Node) -> Decimal:
    price: Decimal = Decimal(_amount(line["originalUnitPriceSet"])) * line["quantity"]
    return price


def _tip(*, is_tip: bool) -> Body:
    """A tip as a webhook marks it: by any gateway; which one is kept nowhere."""
    return {"tip_payment_gateway": "tip"} if is_tip else {}


# --- values ---------------------------------------------------------------------------------------


def _number(node: Node) -> int:
    return int(number_digits(node["id"], "id"))


def _amount(both: Node) -> str:
    amount: str = both["shopMoney"]["amount"]
    return amount


def _priced(name: str, both: Node) -> Body:
    """An amount under a name, and its money set."""
    money = both["shopMoney"]
    amount, currency = money["amount"], money["currencyCode"]
    return {
        name: amount,
        f"{name}_set": {"shop_money": {"amount": amount, "currency_code": currency}},
    }
