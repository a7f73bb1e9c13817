"""Orders as Shopify's Admin API shows them, made of the bodies that Shopify's webhooks carry.

Where the two differ, the Admin API's form is made of the webhook's as Shopify makes both of the
same order:

    webhook                                      Admin API
    financial_status: "paid"                     displayFinancialStatus: PAID
    discount_codes[]: code and amount            discountCodes[]: the code alone
    discount_applications[] by place             discountAllocations[].discountApplication.index
    order_adjustments[] of kind shipping_refund  refundShippingLines
    a line with tip_payment_gateway              a line of no product, and totalTipReceivedSet
    transactions[]: amount, currency             amountSet.presentmentMoney
    metafields[]                                 metafield(namespace:, key:)
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from local.fakes.customers import Customer

PAGE_MAX = 250
"""The most that one page of a connection has."""

_ID = re.compile(r"(?:gid://shopify/[A-Za-z]+/)?([1-9][0-9]{0,19})")
_TERM = re.compile(r"([a-z_]+):(>=|<=|>|<)?(?:'([^']*)'|([^\s']+))")
_STATUSES = frozenset(
    {
        "authorized",
        "expired",
        "paid",
        "partially_paid",
        "partially_refunded",
        "pending",
        "refunded",
        "voided",
    }
)

type Body = Mapping[str, Any]
type Node = dict[str, Any]


class BadOrder(ValueError):
    """The body of `_order` is not an order as the webhooks carry it."""


class BadQuery(ValueError):
    """Arguments of `orders` that Shopify refuses, or that the fake does not understand."""


class Orders:
    """The orders of one shop. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_number: dict[str, Node] = {}

    def put(self, body: Body) -> Node:
        """Add or replace an order. Raises BadOrder and changes nothing."""
        node = _order(body)
        with self._lock:
            self._by_number[node["legacyResourceId"]] = node
        return node

    def get(self, gid: str) -> Node | None:
        """Return the order with this global id."""
        return self._by_number.get(_number_in(gid, "Order"))

    def refund(self, gid: str) -> Node | None:
        """Return the refund with this global id."""
        refunds = (one for node in self._all() for one in node["_refunds"] if one["id"] == gid)
        return next(refunds, None)

    def page(self, arguments: Mapping[str, Any]) -> Node:
        """Return the connection that `orders` answers with these arguments. Raises BadQuery."""
        unknown = {"last", "before", "savedSearchId"} & {k for k, v in arguments.items() if v}
        if unknown:
            raise BadQuery(f"the fake does not page by {', '.join(sorted(unknown))}")
        key = _SORT_KEYS.get(arguments.get("sortKey") or "PROCESSED_AT")
        if key is None:
            raise BadQuery(f"the fake does not sort by {arguments['sortKey']}")
        fits = _filter(arguments.get("query") or "")
        found = sorted((node for node in self._all() if fits(node)), key=key)
        if arguments.get("reverse"):
            found.reverse()
        return connection(found, arguments.get("first"), arguments.get("after"))

    def _all(self) -> list[Node]:
        with self._lock:
            return list(self._by_number.values())


def connection(nodes: Sequence[Node], first: int | None, after: str | None) -> Node:
    """Return a page of a connection; a cursor is the global id of the node before it.

    Raises BadQuery.
    """
    if first is None:
        raise BadQuery("you must provide one of first or last")
    if not 1 <= first <= PAGE_MAX:
        raise BadQuery(f"first is {first}, not 1 to {PAGE_MAX}")
    ids = [_cursor(node) for node in nodes]
    if after is not None and after not in ids:
        raise BadQuery(f"Invalid cursor for current pagination sort: {after}")
    begin = ids.index(after) + 1 if after is not None else 0
    page = list(nodes[begin : begin + first])
    return {
        "nodes": page,
        "edges": [{"node": node, "cursor": _cursor(node)} for node in page],
        "pageInfo": {
            "hasNextPage": begin + first < len(nodes),
            "hasPreviousPage": begin > 0,
            "startCursor": _cursor(page[0]) if page else None,
            "endCursor": _cursor(page[-1]) if page else None,
        },
    }


def _cursor(node: Node) -> str:
    return str(node["id"])


def _connected(nodes: Sequence[Node]) -> Callable[..., Node]:
    """Return the resolver of a connection."""

    def resolve(
        _info: object, first: int | None = None, after: str | None = None, **_others: object
    ) -> Node:
        return connection(nodes, first, after)

    return resolve


def _listed(nodes: Sequence[Node]) -> Callable[..., list[Node]]:
    """Return the resolver of a list that can be cut short."""

    def resolve(_info: object, first: int | None = None) -> list[Node]:
        return list(nodes[:first])

    return resolve


# --- which orders, and in which order -------------------------------------------------------------


def _sorting(field: str) -> Callable[[Node], tuple[datetime, int]]:
    return lambda node: (_instant(node[field]), int(node["legacyResourceId"]))


_SORT_KEYS: Mapping[str, Callable[[Node], tuple[datetime, int]]] = {
    "UPDATED_AT": _sorting("updatedAt"),
    "CREATED_AT": _sorting("createdAt"),
    "PROCESSED_AT": _sorting("processedAt"),
}
_FIELDS = {"updated_at": "updatedAt", "created_at": "createdAt", "processed_at": "processedAt"}


def _filter(query: str) -> Callable[[Node], bool]:
    """Return what a search such as `updated_at:>='2026-11-29T00:00:00Z'` finds.

    Terms are separated by blanks or AND. Shopify ignores what it does not understand; the fake
    refuses it, so that nobody takes all orders for those that were asked for.
    """
    rest = _TERM.sub("", query).replace("AND", "").strip()
    terms = [_term(*found.groups()) for found in _TERM.finditer(query)]
    if rest:
        raise BadQuery(f"the fake does not understand {rest!r} in the query {query!r}")
    return lambda node: all(fits(node) for fits in terms)


def _term(name: str, comparison: str | None, quoted: str, plain: str) -> Callable[[Node], bool]:
    field, value = _FIELDS.get(name), quoted or plain
    if name == "name" and comparison is None:
        return lambda node: str(node["name"]).lstrip("#") == value.lstrip("#")
    if field is None or comparison is None:
        raise BadQuery(f"the fake does not search by {name}; it knows {', '.join(_FIELDS)}")
    at = _time(value, name, BadQuery)
    match comparison:
        case ">=":
            return lambda node: _instant(node[field]) >= at
        case ">":
            return lambda node: _instant(node[field]) > at
        case "<":
            return lambda node: _instant(node[field]) < at
        case _:
            return lambda node: _instant(node[field]) <= at


# --- an order -------------------------------------------------------------------------------------


def _order(body: Body) -> Node:
    number = _number(body.get("id"), "id")
    currency = _text(body, "currency").upper()
    lines = [_line(line, currency, body) for line in _objects(body, "line_items")]
    refunds = [_refund(refund, lines, currency) for refund in _objects(body, "refunds")]
    created_at = _time_of(body, "created_at")
    return {
        "__typename": "Order",
        "id": f"gid://shopify/Order/{number}",
        "legacyResourceId": number,
        "name": str(body.get("name") or f"#{number}"),
        "test": bool(body.get("test", False)),
        "createdAt": created_at,
        "processedAt": _time_of(body, "processed_at", created_at),
        "updatedAt": _time_of(body, "updated_at"),
        "cancelledAt": _time_of(body, "cancelled_at", None),
        "displayFinancialStatus": _status(body),
        "currencyCode": currency,
        "taxesIncluded": bool(body.get("taxes_included", True)),
        "sourceName": body.get("source_name"),
        "customer": _customer(body),
        "discountCodes": [str(one.get("code", "")) for one in _objects(body, "discount_codes")],
        "discountApplications": _connected(_applications(body)),
        "subtotalPriceSet": _bag(body, "subtotal_price", currency, default=None),
        "totalTaxSet": _bag(body, "total_tax", currency, default="0"),
        "totalTipReceivedSet": _set_of(sum((one["_tip"] for one in lines), Decimal()), currency),
        "lineItems": _connected(lines),
        "refunds": _listed(refunds),
        "metafield": _metafield(body),
        "_refunds": refunds,
    }


def _line(line: Body, currency: str, order: Body) -> Node:
    number = _number(line.get("id"), "line_items.id")
    is_tip = bool(line.get("tip_payment_gateway") or line.get("tip_payment_method"))
    quantity = _count(line, "quantity")
    price = _bag(line, "price", currency)
    product = None if is_tip else line.get("product_id")
    return {
        "__typename": "LineItem",
        "id": f"gid://shopify/LineItem/{number}",
        "quantity": quantity,
        "currentQuantity": _count(line, "current_quantity", quantity),
        "isGiftCard": bool(line.get("gift_card", False)),
        "requiresShipping": bool(line.get("requires_shipping", True)) and not is_tip,
        "taxable": bool(line.get("taxable", True)) and not is_tip,
        "product": product and {"id": f"gid://shopify/Product/{product}"},
        "originalUnitPriceSet": price,
        "discountAllocations": [
            {
                "allocatedAmountSet": _bag(one, "amount", currency),
                "discountApplication": _application(order, one),
            }
            for one in _objects(line, "discount_allocations")
        ],
        "taxLines": _listed(
            [
                {"title": "Tax", "priceSet": _bag(one, "price", currency)}
                for one in _objects(line, "tax_lines")
            ]
        ),
        "_tip": _decimal(price["shopMoney"]["amount"], "price") * quantity if is_tip else Decimal(),
    }


def _application(order: Body, allocation: Body) -> Node:
    index = _count(allocation, "discount_application_index")
    applications = _applications(order)
    if index >= len(applications):
        raise BadOrder(f"discount_application_index is {index}, but there is no such discount")
    return applications[index]


def _applications(order: Body) -> list[Node]:
    return [
        {
            "__typename": _APPLICATIONS.get(str(one.get("type")), "ManualDiscountApplication"),
            "id": f"application {index}",
            "index": index,
            "code": one.get("code"),
            "title": str(one.get("title") or "Discount"),
        }
        for index, one in enumerate(_objects(order, "discount_applications"))
    ]


_APPLICATIONS = {
    "discount_code": "DiscountCodeApplication",
    "automatic": "AutomaticDiscountApplication",
    "script": "ScriptDiscountApplication",
}


def _customer(body: Body) -> Callable[[Any], Node] | None:
    """Return the resolver of whose order it is: the customer as the shop has them."""
    customer = body.get("customer")
    if not isinstance(customer, dict) or customer.get("id") is None:
        return None
    number = _number(customer["id"], "customer.id")

    def resolve(info: Any) -> Node:
        known = info.context.shop.customers.get(f"gid://shopify/Customer/{number}")
        return (known or Customer(number)).node()

    return resolve


def _status(body: Body) -> str | None:
    status = body.get("financial_status")
    if status is not None and status not in _STATUSES:
        raise BadOrder(f"financial_status is {status!r}, not one of {', '.join(sorted(_STATUSES))}")
    return status and str(status).upper()


def _metafield(body: Body) -> Callable[..., Node | None]:
    listed = _objects(body, "metafields")

    def resolve(_info: object, key: str, namespace: str | None = None) -> Node | None:
        for one in listed:
            if (one.get("namespace"), one.get("key")) == (namespace, key):
                return {"namespace": namespace, "key": key, "value": str(one.get("value"))}
        return None

    return resolve


# --- a refund -------------------------------------------------------------------------------------


def _refund(refund: Body, lines: Sequence[Node], currency: str) -> Node:
    number = _number(refund.get("id"), "refunds.id")
    by_id = {line["id"]: line for line in lines}
    adjustments = _objects(refund, "order_adjustments")
    of_shipping = [one for one in adjustments if one.get("kind") == "shipping_refund"]
    shipping = [*_objects(refund, "refund_shipping_lines"), *of_shipping]
    duties = refund.get("total_duties_set")
    return {
        "__typename": "Refund",
        "id": f"gid://shopify/Refund/{number}",
        "legacyResourceId": number,
        "createdAt": _time_of(refund, "created_at", None),
        "duties": [{"amountSet": _money_set(duties, currency)}] if duties else [],
        "refundLineItems": _connected(
            [
                _refund_line(line, by_id, number, place, currency)
                for place, line in enumerate(_objects(refund, "refund_line_items"))
            ]
        ),
        "transactions": _connected(
            [
                _transaction(one, number, place, currency)
                for place, one in enumerate(_objects(refund, "transactions"))
            ]
        ),
        "orderAdjustments": _connected(
            [
                _adjustment(one, number, place, currency)
                for place, one in enumerate(adjustments)
                if one not in of_shipping
            ]
        ),
        "refundShippingLines": _connected(
            [
                {"id": f"gid://shopify/RefundShippingLine/{number}{i}"}
                for i, _ in enumerate(shipping)
            ]
        ),
    }


def _refund_line(
    line: Body, lines: Mapping[str, Node], refund: str, place: int, currency: str
) -> Node:
    gid = f"gid://shopify/LineItem/{_number(line.get('line_item_id'), 'line_item_id')}"
    if gid not in lines:
        raise BadOrder(f"a refund gives back {gid}, which the order does not have")
    return {
        "id": f"gid://shopify/RefundLineItem/{line.get('id') or f'{refund}{place}'}",
        "quantity": _count(line, "quantity"),
        "restockType": str(line.get("restock_type") or "no_restock").upper(),
        "subtotalSet": _bag(line, "subtotal", currency, default="0"),
        "totalTaxSet": _bag(line, "total_tax", currency, default="0"),
        "lineItem": lines[gid],
    }


def _transaction(one: Body, refund: str, place: int, currency: str) -> Node:
    paid_in = str(one.get("currency") or currency).upper()
    paid = _amount(one.get("amount"), "transactions.amount")
    return {
        "id": f"gid://shopify/OrderTransaction/{refund}{place}",
        "kind": _text(one, "kind").upper(),
        "status": _text(one, "status").upper(),
        "amountSet": {
            "shopMoney": {"amount": paid, "currencyCode": currency},
            "presentmentMoney": {"amount": paid, "currencyCode": paid_in},
        },
    }


def _adjustment(one: Body, refund: str, place: int, currency: str) -> Node:
    reason = str(one.get("reason") or "").upper().replace(" ", "_")
    return {
        "id": f"gid://shopify/OrderAdjustment/{refund}{place}",
        "reason": reason if reason in _REASONS else None,
        "amountSet": _bag(one, "amount", currency),
        "taxAmountSet": _bag(one, "tax_amount", currency, default="0"),
    }


_REASONS = ("CUSTOMER", "DAMAGE", "PENDING_REFUND_DISCREPANCY", "REFUND_DISCREPANCY", "RESTOCK")


# --- values ---------------------------------------------------------------------------------------


def _bag(body: Body, name: str, currency: str, default: str | None = "") -> Any:
    """Return the money set beside a field, or one of the field itself; None if it may be absent."""
    if isinstance(body.get(f"{name}_set"), dict):
        return _money_set(body[f"{name}_set"], currency)
    value = body.get(name, default or None)
    if value is None and default is None:
        return None
    return _set_of(_decimal(value, name), currency)


def _money_set(both: Any, currency: str) -> Node:
    money = both.get("shop_money") if isinstance(both, dict) else None
    if not isinstance(money, dict):
        raise BadOrder(f"{both!r} is no money set with a shop_money")
    ours = str(money.get("currency_code") or currency).upper()
    theirs = both.get("presentment_money") or money
    return {
        "shopMoney": {"amount": _amount(money.get("amount"), "amount"), "currencyCode": ours},
        "presentmentMoney": {
            "amount": _amount(theirs.get("amount"), "amount"),
            "currencyCode": str(theirs.get("currency_code") or ours).upper(),
        },
    }


def _set_of(amount: Decimal, currency: str) -> Node:
    money = {"amount": f"{amount:f}", "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}


def _amount(value: object, name: str) -> str:
    return f"{_decimal(value, name):f}"


def _decimal(value: object, name: str) -> Decimal:
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            found = Decimal(str(value))
            if found.is_finite():
                return found
    except InvalidOperation:
        pass
    raise BadOrder(f"{name} is {value!r}, not an amount")


def _number(value: object, name: str) -> str:
    found = _ID.fullmatch(str(value)) if type(value) in (int, str) else None
    if found is None:
        raise BadOrder(f"{name} is {value!r}, not an id of Shopify's")
    return found[1]


def _number_in(gid: str, kind: str) -> str:
    prefix = f"gid://shopify/{kind}/"
    return gid.removeprefix(prefix) if gid.startswith(prefix) else ""


def _count(body: Body, name: str, default: int | None = None) -> int:
    value = body.get(name, default)
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if type(value) is not int or value < 0:
        raise BadOrder(f"{name} is {value!r}, not a whole number from 0")
    return value


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadOrder(f"{name} is {value!r}, not a text")
    return value


def _objects(body: Body, name: str) -> list[Any]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadOrder(f"{name} is not a list of objects")
    return value


_REQUIRED: Any = object()


def _time_of(body: Body, name: str, default: Any = _REQUIRED) -> Any:
    """Return a time as the Admin API writes it: in UTC and whole seconds."""
    value = body.get(name)
    if value is None and default is not _REQUIRED:
        return default
    return _time(value, name, BadOrder).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(value: object, name: str, error: type[ValueError]) -> datetime:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise error(f"{name} is {value!r}, not a time with its zone")
    return found.astimezone(UTC).replace(microsecond=0)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
