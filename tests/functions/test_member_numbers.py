"""The till is asked by the number that the shop's rule says, and ranks have the shop's labels."""

from typing import Any

import pytest

from pointbook.store.till_members import Membership
from tests.functions.till_shop import NOW, TillShop
from tests.support.harness import CUSTOMER
from tests.support.logs import logged

RULE = "metafield:custom.number"


def shop_with(rule: str, number: str, **variables: str) -> TillShop:
    """A shop whose till knows the customer by this number alone."""
    shop = TillShop(PROGRAMME_MEMBER_NUMBER=rule, **variables)
    shop.till.members.clear()
    shop.till.put(number, 700, NOW)
    return shop


def numbers(shop: TillShop) -> list[str]:
    """The numbers that the till was asked for."""
    return [number for number, _ in shop.till.calls]


def test_without_a_rule_the_number_is_the_digits_and_shopify_is_not_asked() -> None:
    shop = TillShop()
    assert shop.view_till()["member_number"] == CUSTOMER
    assert shop.customers.requested == []


@pytest.mark.parametrize("by_queue", [False, True])
def test_a_prefix_comes_before_the_digits_in_views_and_refreshes(by_queue: bool) -> None:
    number = f"EC-{CUSTOMER}"
    shop = shop_with("prefix:EC-", number)
    if by_queue:
        shop.refresh()
    till = shop.view_till()
    assert (till["status"], till["member_number"], till["balance"]) == ("ok", number, 700)
    assert numbers(shop) == [number]


def test_a_metafields_number_is_asked_from_shopify_only_when_the_till_is_asked() -> None:
    shop = shop_with(RULE, "M-1")
    shop.customers.metafields[CUSTOMER, "custom.number"] = "M-1"
    for _ in range(3):
        assert shop.view_till()["balance"] == 700
    assert (numbers(shop), shop.customers.requested) == (["M-1"], [CUSTOMER])
    shop.later(61)
    assert shop.view_till()["stale"] is True
    assert shop.customers.requested == [CUSTOMER]
    shop.work()
    assert shop.customers.requested == [CUSTOMER] * 2
    assert shop.view_till()["stale"] is False


@pytest.mark.parametrize("value", [None, "", "M 1", "会員1"])
def test_a_customer_without_a_usable_number_is_not_registered_and_the_till_is_not_asked(
    value: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = shop_with(RULE, "M-1")
    if value is not None:
        shop.customers.metafields[CUSTOMER, "custom.number"] = value
    answer = shop.view().body
    assert answer["till"]["status"] == "not_registered"
    assert answer["display"]["message"] == "Not registered at store"
    cached = shop.cached()
    assert cached is not None
    assert (cached.membership, cached.member_number, shop.till.calls) == (
        Membership.NOT_REGISTERED,
        "",
        [],
    )
    lines = logged(capsys)
    assert [line["Code"] for line in lines if "TillFailures" in line] == ["not_registered"]
    (line,) = [line for line in lines if line.get("message") == "member_number_missing"]
    assert (line["customer_id"], line["advice"]) == (CUSTOMER, "check sync")


def test_a_number_that_is_entered_later_is_found_by_the_next_refresh() -> None:
    shop = shop_with(RULE, "M-1")
    assert shop.view_till()["status"] == "not_registered"
    shop.customers.metafields[CUSTOMER, "custom.number"] = "M-1"
    shop.later(61)
    shop.view()
    shop.work()
    assert shop.view_till()["balance"] == 700


def test_the_tills_own_id_is_used_for_the_number_that_it_was_found_by() -> None:
    shop = shop_with(RULE, "M-1")
    shop.customers.metafields[CUSTOMER, "custom.number"] = "M-1"
    shop.till.put("M-2", 50, NOW, "78")
    shop.view()
    shop.later(61)
    shop.refresh()
    shop.customers.metafields[CUSTOMER, "custom.number"] = "M-2"
    shop.later(61)
    shop.refresh()
    assert shop.till.calls == [("M-1", None), ("M-1", "77"), ("M-2", None)]
    assert shop.view_till()["balance"] == 50


def test_while_shopify_does_not_answer_the_till_is_unavailable_and_its_breaker_stays_closed() -> (
    None
):
    shop = shop_with(RULE, "M-1")
    shop.customers.unreachable = True
    for _ in range(5):
        answer = shop.view()
        assert (answer.status, answer.body["till"]["status"]) == (200, "unavailable")
    assert answer.body["figures"]["approved"] == 0
    assert (shop.cached(), shop.till.calls, shop.state.is_open) == (None, [], False)


def test_a_refresh_without_shopifys_answer_leaves_what_is_kept() -> None:
    shop = shop_with(RULE, "M-1")
    shop.customers.metafields[CUSTOMER, "custom.number"] = "M-1"
    shop.view()
    shop.later(61)
    shop.customers.unreachable = True
    assert shop.refresh() == {"refreshed": 0, "failed": 1, "probed": False, "notices": 0}
    till = shop.view_till()
    assert (till["status"], till["balance"], till["stale"]) == ("ok", 700, True)


LABELS = "gold:en=Golden Circle,gold:ja=黄金会員"


@pytest.mark.parametrize(
    ("case", "label"), [("by_header", "Golden Circle"), ("in_japanese", "黄金会員")]
)
def test_my_page_shows_the_shops_own_label_of_a_rank(case: str, label: str) -> None:
    shop = TillShop(PROGRAMME_RANK_LABELS=LABELS)
    answer: dict[str, Any] = shop.view(case).body
    assert (answer["till"]["rank"], answer["display"]["rank"]) == ("gold", label)
