"""What Shopify says of a customer, against a script of its answers."""

import pytest

from pointbook.domain.member_numbers import Metafield
from pointbook.domain.tags import tag_digest
from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.shopify.admin import AdminApi
from pointbook.shopify.customers import BUDGET_SECONDS, Customers
from tests.fakes.admin_api import (
    BASE_URL,
    BROKEN_OFF,
    Scripted,
    ScriptedCalls,
    StandingClock,
    Tokens,
    answer,
    data,
    errors,
)

CUSTOMER = "8840734670934"
GID = f"gid://shopify/Customer/{CUSTOMER}"


class Shop:
    """A shop's customers against a script."""

    def __init__(self, *script: Scripted) -> None:
        self.clock = StandingClock()
        self.calls = ScriptedCalls(*script)
        self.customers = Customers(AdminApi(BASE_URL, Tokens(), self.calls, self.clock))


def found(**fields: object) -> Scripted:
    return data("customer", {"id": GID, **fields})


def digests(*tags: str) -> frozenset[str]:
    return frozenset(map(tag_digest, tags))


NOT_FOUND = data("customer", None)


def test_tags_are_returned_as_digests_whatever_their_case_and_blanks() -> None:
    shop = Shop(found(tags=["Gold", " news "]))
    assert shop.customers.tag_digests(CUSTOMER) == digests("gold", "NEWS")
    (body,) = shop.calls.bodies()
    assert body["variables"] == {"id": GID}


def test_a_customer_without_tags_is_distinguished_from_a_missing_one() -> None:
    assert Shop(found(tags=[])).customers.tag_digests(CUSTOMER) == frozenset()
    assert Shop(NOT_FOUND).customers.tag_digests(CUSTOMER) is None


NAME = Metafield("custom", "member_number")


def test_a_metafield_is_asked_by_its_name() -> None:
    shop = Shop(found(metafield={"value": " M-1 "}))
    assert shop.customers.metafield(CUSTOMER, NAME) == " M-1 "
    (body,) = shop.calls.bodies()
    assert body["variables"] == {"id": GID, "namespace": "custom", "key": "member_number"}


def test_without_the_metafield_or_the_customer_there_is_no_value() -> None:
    assert Shop(found(metafield=None)).customers.metafield(CUSTOMER, NAME) is None
    assert Shop(NOT_FOUND).customers.metafield(CUSTOMER, NAME) is None


@pytest.mark.parametrize("fields", [{}, {"metafield": "M-1"}, {"metafield": {"value": 1}}])
def test_an_answer_without_a_readable_metafield_is_not_taken_for_none(
    fields: dict[str, object],
) -> None:
    with pytest.raises(ShopifyUnavailable):
        Shop(found(**fields)).customers.metafield(CUSTOMER, NAME)


def test_existence_is_checked_without_reading_tags() -> None:
    shop = Shop(found())
    assert shop.customers.exists(CUSTOMER)
    assert "tags" not in shop.calls.bodies()[0]["query"]
    assert not Shop(NOT_FOUND).customers.exists(CUSTOMER)


@pytest.mark.parametrize(
    ("state", "has_account"),
    [("ENABLED", True), ("DISABLED", False), ("INVITED", False), ("DECLINED", False)],
)
def test_only_an_enabled_account_is_one(state: str, has_account: bool) -> None:
    assert Shop(found(state=state)).customers.has_account(CUSTOMER) is has_account


def test_an_unknown_customer_has_no_account() -> None:
    assert not Shop(NOT_FOUND).customers.has_account(CUSTOMER)


@pytest.mark.parametrize("state", [None, "enabled", "SUSPENDED", 1])
def test_a_state_that_cannot_be_read_is_never_taken_for_no_account(state: object) -> None:
    with pytest.raises(ShopifyUnavailable):
        Shop(found(state=state)).customers.has_account(CUSTOMER)


@pytest.mark.parametrize("tags", [None, "gold", ["gold", None], {"nodes": []}])
def test_tags_that_cannot_be_read_are_never_taken_for_none(tags: object) -> None:
    with pytest.raises(ShopifyUnavailable):
        Shop(found(tags=tags)).customers.tag_digests(CUSTOMER)


@pytest.mark.parametrize("payload", [{"id": "gid://shopify/Customer/1", "tags": []}, [], "gold"])
def test_an_answer_about_somebody_else_counts_for_nothing(payload: object) -> None:
    with pytest.raises(ShopifyUnavailable):
        Shop(data("customer", payload)).customers.tag_digests(CUSTOMER)


def test_a_failed_query_is_retried() -> None:
    shop = Shop(BROKEN_OFF, answer({}, 503), errors("THROTTLED"), found(tags=["gold"]))
    assert shop.customers.tag_digests(CUSTOMER) == digests("gold")
    assert shop.calls.done()


def test_no_answer_is_waited_for_beyond_the_budget() -> None:
    busy = answer({}, 429, {"Retry-After": "2.0"})
    shop = Shop(busy, busy, busy)
    with pytest.raises(ShopifyUnavailable):
        shop.customers.tag_digests(CUSTOMER)
    assert shop.clock.seconds <= BUDGET_SECONDS < 5


def test_an_app_without_access_to_customers_is_refused_and_sees_no_missing_customer() -> None:
    body = {
        "data": {"customer": None},
        "errors": [{"message": "Access denied", "extensions": {"code": "ACCESS_DENIED"}}],
    }
    with pytest.raises(ShopifyRefused, match="Access denied"):
        Shop(answer(body)).customers.exists(CUSTOMER)
