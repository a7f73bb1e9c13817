"""A customer's member number at the till, by the shop's rule."""

import pytest

from pointbook.domain.member_numbers import MemberNumberRule, parse_member_number
from pointbook.errors import ShopifyUnavailable
from pointbook.services.member_numbers import member_number
from tests.fakes.customers import MemoryCustomers
from tests.support.logs import logged

SHOP, CUSTOMER = "demo.myshopify.com", "8840734670934"
METAFIELD = parse_member_number("metafield:custom.number")


def number(rule: MemberNumberRule, value: str | None = None) -> str | None:
    """The number of a customer whose metafield has this value."""
    customers = MemoryCustomers()
    if value is not None:
        customers.metafields[CUSTOMER, "custom.number"] = value
    return member_number(SHOP, CUSTOMER, rule, lambda _: customers)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("digits", CUSTOMER), ("prefix:EC-", f"EC-{CUSTOMER}"), ("prefix:+_", f"+_{CUSTOMER}")],
)
def test_a_number_of_the_customers_digits_asks_nobody(rule: str, expected: str) -> None:
    def never(_shop: str) -> MemoryCustomers:
        raise AssertionError("Shopify was asked")

    assert member_number(SHOP, CUSTOMER, parse_member_number(rule), never) == expected


def test_the_longest_prefix_and_the_longest_id_are_a_number() -> None:
    rule = parse_member_number(f"prefix:{'x' * 44}")
    assert rule.number("9" * 20) == "x" * 44 + "9" * 20


def test_the_metafield_of_the_customers_shop_has_the_number() -> None:
    assert number(METAFIELD, " M_1-b+2 ") == "M_1-b+2"
    asked: list[str] = []

    def customers(shop: str) -> MemoryCustomers:
        asked.append(shop)
        return MemoryCustomers()

    assert member_number(SHOP, CUSTOMER, METAFIELD, customers) is None
    assert asked == [SHOP]


@pytest.mark.parametrize("value", ["", " ", "M 1", "M/1", "会員1", "M\n1", "x" * 65])
def test_a_value_that_is_no_member_number_is_none_and_is_named_without_the_value(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert number(METAFIELD, value) is None
    (line,) = logged(capsys, "metafield")
    assert (line["message"], line["customer_id"]) == ("member_number_unusable", CUSTOMER)
    assert line["characters"] == len(value)
    assert line["metafield"] == "custom.number"
    assert value not in [str(one) for one in line.values()]


def test_while_shopify_does_not_answer_there_is_no_verdict() -> None:
    customers = MemoryCustomers()
    customers.unreachable = True
    with pytest.raises(ShopifyUnavailable):
        member_number(SHOP, CUSTOMER, METAFIELD, lambda _: customers)
