"""A hold's discount, as the service asks for it."""

from datetime import UTC, datetime

from pointbook.domain.programme_rules import DiscountKind
from pointbook.shopify.discounts import Discount

GID = "gid://shopify/DiscountCodeNode/1"
DISCOUNT = Discount(
    code="PTS-BK7J-7FAK-AXGG-ZNDF",
    points=1500,
    amount_minor=1500,
    currency="JPY",
    customer_id="8840734670934",
    starts_at=datetime(2026, 11, 22, 3, 0, 0, 999_000, UTC),
    ends_at=datetime(2026, 11, 22, 3, 10, 0, 999_000, UTC),
    hold_id="0123456789abcdef0123456789abcdef",
    combines_with=(DiscountKind.PRODUCT, DiscountKind.SHIPPING),
)
