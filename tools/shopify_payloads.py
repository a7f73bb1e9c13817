"""Bodies of Shopify's webhooks as shops send them, with made-up personal data.

The fields are those of API version 2026-04 and later, and are null or missing as they are there: no
customer has tags, and metafields come only if a subscription requests them. Amounts are written by
hand for each case and are consistent wherever points depend on them; those of Shopify's own samples
are not (https://shopify.dev/docs/api/webhooks). A test shows that nothing of `PERSONAL` gets past
`shopify_webhook`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

SHOP_ID = 548380009
SHOP = "demo.myshopify.com"
CUSTOMER = 8840734670934
OTHER_CUSTOMER = 8840734670935
ORDER = 820982911946154508
REFUND = 890088186047892319
OUR_CODE = "PTS-7K3M-9QX2-4HTN-B5CD"

CREATED_AT = "2026-11-20T10:00:00+09:00"
UPDATED_AT = "2026-11-20T10:00:05+09:00"
LATER = "2026-11-21T18:30:00+09:00"
MUCH_LATER = "2026-11-24T09:00:00+09:00"

PERSONAL = (
    "hanako.yamada@example.com",
    "Hanako",
    "Yamada",
    "山田",
    "+81-90-0000-0000",
    "Shibuya",
    "1-2-3 Jinnan",
    "150-0041",
    "203.0.113.77",
    "please leave it with the neighbour",
    "vip-since-birth",
    "Mozilla/5.0",
    "4242",
    "SUMMER-OF-HANAKO",
    "Engraved: to my love",
    "key-of-the-status-page",
)
"""Personal data in the bodies below; none of it is ever queued, stored or logged."""

type Body = dict[str, Any]


def money(amount: str, currency: str = "JPY", presented: str = "") -> Body:
    """A money set; the buyer pays in the shop's currency, or `presented` in dollars."""
    ours = {"amount": amount, "currency_code": currency}
    theirs = {"amount": presented, "currency_code": "USD"} if presented else dict(ours)
    return {"shop_money": ours, "presentment_money": theirs}


def customer(customer_id: int = CUSTOMER) -> Body:
    """A customer as orders carry it."""
    return {
        "id": customer_id,
        "created_at": CREATED_AT,
        "updated_at": UPDATED_AT,
        "first_name": "Hanako",
        "last_name": "Yamada",
        "state": "enabled",
        "note": "please leave it with the neighbour",
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "email": "hanako.yamada@example.com",
        "phone": "+81-90-0000-0000",
        "currency": "JPY",
        "tax_exemptions": [],
        "admin_graphql_api_id": f"gid://shopify/Customer/{customer_id}",
        "default_address": address(),
    }


def new_customer(customer_id: int = CUSTOMER) -> Body:
    """A customer as customers/create has it."""
    return customer(customer_id) | {"addresses": [address()]}


def address() -> Body:
    """An address."""
    return {
        "first_name": "Hanako",
        "last_name": "Yamada",
        "name": "山田 花子",
        "address1": "1-2-3 Jinnan",
        "city": "Shibuya",
        "zip": "150-0041",
        "province": "Tokyo",
        "country_code": "JP",
        "phone": "+81-90-0000-0000",
        "latitude": 35.66,
        "longitude": 139.7,
    }


def line(  # noqa: PLR0913 - a line has many sides
    number: int,
    price: str,
    quantity: int = 1,
    *,
    currency: str = "JPY",
    current_quantity: int | None = None,
    discounts: Mapping[int, str] | None = None,
    taxes: Sequence[str] = (),
    gift_card: bool = False,
) -> Body:
    """A line; `discounts` are amounts by the place of their discount, `taxes` amounts."""
    return {
        "id": ORDER + number,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{ORDER + number}",
        "name": f"Tea no. {number}",
        "title": f"Tea no. {number}",
        "sku": f"TEA-{number}",
        "vendor": "Yamada Tea",
        "product_id": 632910392 + number,
        "product_exists": True,
        "variant_id": None,
        "variant_title": None,
        "variant_inventory_management": None,
        "attributed_staffs": [],
        "fulfillable_quantity": quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "grams": 100,
        "requires_shipping": not gift_card,
        "sales_line_item_group_id": None,
        "duties": [],
        "quantity": quantity,
        "current_quantity": quantity if current_quantity is None else current_quantity,
        "price": price,
        "price_set": money(price, currency),
        "gift_card": gift_card,
        "taxable": bool(taxes),
        "total_discount": "0",
        "total_discount_set": money("0", currency),
        "properties": [{"name": "engraving", "value": "Engraved: to my love"}],
        "discount_allocations": [
            {
                "amount": amount,
                "amount_set": money(amount, currency),
                "discount_application_index": place,
            }
            for place, amount in (discounts or {}).items()
        ],
        "tax_lines": [
            {
                "title": "Consumption tax",
                "rate": 0.1,
                "price": tax,
                "price_set": money(tax, currency),
                "channel_liable": False,
            }
            for tax in taxes
        ],
    }


def code(name: str, amount: str) -> tuple[Body, Body]:
    """A discount code, as `discount_codes` and as `discount_applications` has it."""
    application = {
        "type": "discount_code",
        "code": name,
        "target_type": "line_item",
        "target_selection": "all",
        "value": amount,
        "value_type": "fixed_amount",
        "allocation_method": "across",
    }
    return {"code": name, "amount": amount, "type": "fixed_amount"}, application


def order(
    lines: Sequence[Body],
    subtotal: str,
    *,
    codes: Sequence[tuple[Body, Body]] = (),
    currency: str = "JPY",
    **changes: Any,
) -> Body:
    """An order of the demo shop; `changes` replace members."""
    body: Body = {
        "id": ORDER,
        "admin_graphql_api_id": f"gid://shopify/Order/{ORDER}",
        "name": "#1001",
        "number": 1,
        "order_number": 1001,
        "app_id": None,
        "buyer_accepts_marketing": False,
        "cart_token": None,
        "checkout_token": None,
        "closed_at": None,
        "confirmation_number": None,
        "confirmed": True,
        "customer_locale": "ja",
        "device_id": None,
        "duties_included": False,
        "estimated_taxes": False,
        "fulfillments": [],
        "line_item_groups": [],
        "location_id": None,
        "merchant_business_entity_id": str(SHOP_ID),
        "merchant_of_record_app_id": None,
        "order_status_url": (
            f"https://{SHOP}/{SHOP_ID}/orders/b1946ac92492d2347c6235b4d2611184/authenticate"
            "?key=key-of-the-status-page"
        ),
        "payment_terms": None,
        "po_number": None,
        "reference": None,
        "referring_site": None,
        "returns": [],
        "source_identifier": None,
        "source_url": None,
        "tax_exempt": False,
        "tax_lines": [],
        "total_weight": 0,
        "user_id": None,
        "email": "hanako.yamada@example.com",
        "contact_email": "hanako.yamada@example.com",
        "phone": "+81-90-0000-0000",
        "note": "please leave it with the neighbour",
        "note_attributes": [{"name": "ribbon", "value": "Engraved: to my love"}],
        "browser_ip": "203.0.113.77",
        "client_details": {"browser_ip": "203.0.113.77", "user_agent": "Mozilla/5.0 (iPhone)"},
        "customer": customer(),
        "billing_address": address(),
        "shipping_address": address(),
        "payment_gateway_names": ["shopify_payments"],
        "source_name": "web",
        "tags": "vip-since-birth",
        "token": "b1946ac92492d2347c6235b4d2611184",
        "landing_site": "/?ref=Hanako",
        "test": False,
        "currency": currency,
        "presentment_currency": currency,
        "created_at": CREATED_AT,
        "processed_at": CREATED_AT,
        "updated_at": UPDATED_AT,
        "cancelled_at": None,
        "cancel_reason": None,
        "financial_status": "paid",
        "fulfillment_status": None,
        "taxes_included": True,
        "subtotal_price": subtotal,
        "subtotal_price_set": money(subtotal, currency),
        "current_subtotal_price": subtotal,
        "current_subtotal_price_set": money(subtotal, currency),
        "current_total_duties_set": None,
        "original_total_duties_set": None,
        "total_line_items_price": subtotal,
        "total_outstanding": "0",
        "total_tip_received": "0",
        "total_price": subtotal,
        "total_price_set": money(subtotal, currency),
        "total_tax": "0",
        "total_discounts": "0",
        "line_items": list(lines),
        "shipping_lines": [{"title": "Yamada Express", "price": "500", "phone": None}],
        "discount_codes": [listed for listed, _ in codes],
        "discount_applications": [application for _, application in codes],
        "refunds": [],
    }
    return body | changes


def refund(
    lines: Sequence[Body] = (),
    transactions: Sequence[Body] = (),
    adjustments: Sequence[Body] = (),
    shipping: Sequence[Body] = (),
    refund_id: int = REFUND,
) -> Body:
    """A refund of the order."""
    return {
        "id": refund_id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund_id}",
        "order_id": ORDER,
        "created_at": LATER,
        "processed_at": LATER,
        "note": "please leave it with the neighbour",
        "user_id": 548380010,
        "restock": True,
        "refund_line_items": list(lines),
        "transactions": list(transactions),
        "order_adjustments": list(adjustments),
        "refund_shipping_lines": list(shipping),
        "additional_fees": [],
        "duties": [],
        "total_duties_set": money("0"),
        "return": None,
    }


def refund_line(
    of: Body, quantity: int, subtotal: float, total_tax: float, restock_type: str = "return"
) -> Body:
    """Pieces of a line given back. Shopify sends these two sums as numbers, and as money sets."""
    currency = of["price_set"]["shop_money"]["currency_code"]
    return {
        "id": of["id"] + 1000,
        "line_item_id": of["id"],
        "location_id": None,
        "quantity": quantity,
        "restock_type": restock_type,
        "subtotal": subtotal,
        "subtotal_set": money(str(subtotal), currency),
        "total_tax": total_tax,
        "total_tax_set": money(str(total_tax), currency),
        "line_item": of,
    }


def transaction(amount: str, currency: str = "JPY", status: str = "success") -> Body:
    """Money on its way back."""
    return {
        "id": 179259969,
        "order_id": ORDER,
        "kind": "refund",
        "status": status,
        "amount": amount,
        "currency": currency,
        "gateway": "shopify_payments",
        "receipt": {"paid_amount": amount, "name": "Hanako Yamada"},
        "payment_details": {"credit_card_number": "•••• •••• •••• 4242"},
    }


def adjustment(amount: str, presented: str = "", *, is_shipping: bool = False) -> Body:
    """What a refund pays beyond what was calculated, or for shipping: below zero."""
    return {
        "id": 4221763620,
        "order_id": ORDER,
        "refund_id": REFUND,
        "kind": "shipping_refund" if is_shipping else "refund_discrepancy",
        "reason": "Shipping refund" if is_shipping else "Refund discrepancy",
        "amount": amount,
        "amount_set": money(amount, presented=presented),
        "tax_amount": "0",
        "tax_amount_set": money("0"),
    }


def shipping_back(amount: str) -> Body:
    """Shipping that is paid back."""
    return {
        "id": 5150000001,
        "shipping_line": {"title": "Yamada Express", "phone": "+81-90-0000-0000"},
        "subtotal_amount_set": money(amount),
    }


def metafield(namespace: str, key: str, value: str) -> Body:
    """A value that an app wrote to an order."""
    return {"namespace": namespace, "key": key, "value": value, "type": "number_integer"}


def merge(status: str) -> Body:
    """Two customers become one, or should have."""
    return {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{OTHER_CUSTOMER}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{CUSTOMER}",
        "admin_graphql_api_job_id": None,
        "status": status,
        "errors": [{"customer_ids": [CUSTOMER], "field": "email", "message": "Yamada, Hanako"}]
        if status == "failed"
        else [],
    }


def data_subject(customer_id: int | None = CUSTOMER) -> Body:
    """Whom a privacy request is about; without an id for people who never had an account."""
    identity = {} if customer_id is None else {"id": customer_id}
    return identity | {"email": "hanako.yamada@example.com", "phone": "+81-90-0000-0000"}


def shop() -> Body:
    """The shop itself, as app/uninstalled has it."""
    return {
        "id": SHOP_ID,
        "name": "Yamada Tea",
        "email": "hanako.yamada@example.com",
        "shop_owner": "Hanako Yamada",
        "phone": "+81-90-0000-0000",
        "address1": "1-2-3 Jinnan",
        "city": "Shibuya",
        "domain": "tea.example.com",
        "myshopify_domain": SHOP,
        "currency": "JPY",
        "iana_timezone": "Asia/Tokyo",
    }


def bodies() -> dict[str, tuple[str, Body]]:
    """Topic and body of every sample, by the name of the case."""
    return {**_orders(), **_refunds(), **_customers(), **_privacy()}


def _orders() -> dict[str, tuple[str, Body]]:
    tea = line(1, "3000", 2, discounts={0: "500"}, taxes=["500"])
    gift = line(2, "5000", gift_card=True)
    ours, others = code(OUR_CODE, "500"), code("SUMMER-OF-HANAKO", "300")
    both = line(1, "3000", 2, discounts={0: "500", 1: "300"}, taxes=["400", "64"])
    plain = order([line(1, "3000", 2, taxes=["545"])], "6000", total_tax="545")
    pending = plain | {"financial_status": "pending", "payment_gateway_names": ["bank_transfer"]}
    edited = line(1, "3000", 2, current_quantity=1, taxes=["545"])
    cents = [line(1, "19.99", 3, currency="USD", discounts={0: "5.00"}, taxes=["4.12", "1.05"])]
    full_refund = refund([refund_line(plain["line_items"][0], 2, 6000, 545)], [transaction("6000")])
    return {
        "orders_create": ("orders/create", plain),
        "orders_create_with_codes": (
            "orders/create",
            order([both, gift], "10200", codes=[ours, others], total_discounts="800"),
        ),
        "orders_create_gift_card_line": (
            "orders/create",
            order([tea, gift], "10500", codes=[ours]),
        ),
        "orders_create_guest": ("orders/create", plain | {"customer": None}),
        "orders_create_test": ("orders/create", plain | {"test": True}),
        "orders_create_pending": ("orders/create", pending),
        "orders_create_usd": (
            "orders/create",
            order(cents, "54.97", codes=[code(OUR_CODE, "5.00")], currency="USD")
            | {"taxes_included": False, "total_tax": "5.17"},
        ),
        "orders_create_counter": (
            "orders/create",
            plain
            | {
                "source_name": "pos",
                "metafields": [
                    metafield("omni_hub", "point_used", "500"),
                    metafield("someone_else", "nickname", "Hanako"),
                ],
            },
        ),
        "orders_paid": ("orders/paid", plain | {"updated_at": LATER}),
        "orders_updated": (
            "orders/updated",
            order([edited], "3000", total_tax="545", updated_at=LATER),
        ),
        "orders_updated_refunded": (
            "orders/updated",
            plain
            | {
                "updated_at": LATER,
                "financial_status": "refunded",
                "refunds": [full_refund],
            },
        ),
        "orders_cancelled": (
            "orders/cancelled",
            plain
            | {
                "updated_at": LATER,
                "cancelled_at": LATER,
                "cancel_reason": "customer",
                "financial_status": "voided",
            },
        ),
    }


def _refunds() -> dict[str, tuple[str, Body]]:
    tea = line(1, "3000", 2, taxes=["545"])
    gift = line(2, "5000", gift_card=True)
    cents = line(1, "19.99", 3, currency="USD")
    return {
        "refunds_create": (
            "refunds/create",
            refund([refund_line(tea, 1, 3000, 272)], [transaction("3000")]),
        ),
        "refunds_create_gift_card_line": (
            "refunds/create",
            refund(
                [refund_line(tea, 1, 3000, 272), refund_line(gift, 1, 5000, 0)],
                [transaction("8000")],
            ),
        ),
        "refunds_create_usd": (
            "refunds/create",
            refund([refund_line(cents, 1, 19.99, 1.72)], [transaction("21.71", "USD")]),
        ),
        "refunds_create_amount_only": (
            "refunds/create",
            refund([], [transaction("1000")], [adjustment("-1000")]),
        ),
        "refunds_create_shipping_only": (
            "refunds/create",
            refund([], [transaction("500")], shipping=[shipping_back("500")]),
        ),
        "refunds_create_failed": (
            "refunds/create",
            refund(
                [refund_line(tea, 1, 3000, 272)],
                [transaction("3000", status="failure")],
                [adjustment("3000")],
            ),
        ),
        **_money_of_refunds(tea),
    }


def _money_of_refunds(tea: Body) -> dict[str, tuple[str, Body]]:
    """What moves beside lines, or later than them: shapes that real shops have sent.

    While a transaction is pending, an adjustment takes its amount back.
    """
    one = refund_line(tea, 1, 3000, 272)
    removed = refund_line(tea, 1, 3000, 272, "no_restock")
    edited = order(
        [tea | {"current_quantity": 1}], "6000", updated_at=LATER, refunds=[refund([removed])]
    )
    foreign = one | {"subtotal_set": money("3000", presented="20.00")}
    pending = refund([], [transaction("1000", status="pending")], _taken_back("1000"))
    failed = refund([], [transaction("1000", status="failure")], _taken_back("1000"))
    shipping = adjustment("-550", is_shipping=True)
    return {
        "orders_updated_line_removed": ("orders/updated", edited),
        "refunds_create_line_removed": ("refunds/create", refund([removed])),
        "refunds_create_for_removed_line": (
            "refunds/create",
            refund([], [transaction("3000")], [adjustment("-3000")], refund_id=REFUND + 1),
        ),
        "refunds_create_pending": (
            "refunds/create",
            refund([one], [transaction("3000", status="pending")], [adjustment("3000")]),
        ),
        "refunds_create_amount_pending": ("refunds/create", pending),
        "orders_updated_refund_failed": (
            "orders/updated",
            order([tea], "6000", updated_at=MUCH_LATER, refunds=[failed]),
        ),
        "refunds_create_foreign": (
            "refunds/create",
            refund(
                [foreign],
                [transaction("20.00", "USD", status="pending")],
                [adjustment("3000", presented="20.00")],
            ),
        ),
        "refunds_create_restocking_fee": (
            "refunds/create",
            refund([one], [transaction("2700")], [adjustment("300")]),
        ),
        "refunds_create_shipping_and_more": (
            "refunds/create",
            refund(
                [],
                [transaction("1550")],
                [shipping, adjustment("-1000")],
                [shipping_back("500")],
            ),
        ),
        "orders_cancelled_refunded": (
            "orders/cancelled",
            order(
                [tea | {"current_quantity": 0}],
                "6000",
                financial_status="refunded",
                updated_at=LATER,
                cancelled_at=LATER,
                cancel_reason="customer",
                refunds=[refund([refund_line(tea, 2, 6000, 545)], [transaction("6000")])],
            ),
        ),
    }


def _taken_back(amount: str) -> list[Body]:
    """An amount that is to be paid, and has not been paid yet."""
    return [adjustment(f"-{amount}"), adjustment(amount)]


def _customers() -> dict[str, tuple[str, Body]]:
    return {
        "customers_create": ("customers/create", new_customer()),
        "customers_enable": ("customers/enable", new_customer() | {"state": "enabled"}),
        "customers_merge": ("customers/merge", merge("completed")),
        "customers_merge_failed": ("customers/merge", merge("failed")),
        "customers_merge_in_progress": ("customers/merge", merge("in_progress")),
    }


def _privacy() -> dict[str, tuple[str, Body]]:
    where = {"shop_id": SHOP_ID, "shop_domain": SHOP}
    return {
        "customers_data_request": (
            "customers/data_request",
            where
            | {
                "customer": data_subject(),
                "orders_requested": [ORDER],
                "data_request": {"id": 9999},
            },
        ),
        "customers_data_request_without_id": (
            "customers/data_request",
            where
            | {
                "customer": data_subject(None),
                "orders_requested": [],
                "data_request": {"id": 10000},
            },
        ),
        "customers_redact": (
            "customers/redact",
            where | {"customer": data_subject(), "orders_to_redact": [ORDER]},
        ),
        "customers_redact_without_id": (
            "customers/redact",
            where | {"customer": data_subject(None), "orders_to_redact": []},
        ),
        "shop_redact": ("shop/redact", where),
        "app_uninstalled": ("app/uninstalled", shop()),
    }
