"""An erased customer leaves nothing behind, whatever is under way or comes in which order."""

import json
import re
from itertools import pairwise
from typing import Any

import pytest

from local import demo
from pointbook.domain.account import Account
from pointbook.domain.commands import Grant, PlaceHold
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.expiry import Days
from pointbook.domain.reconcile import reconcile
from pointbook.shopify.discount_code import hold_id_of
from pointbook.store import items
from tests.fakes.flow import FakeFlow
from tests.support.harness import Functions, event
from tools import shopify_payloads
from tools.make_events_webhooks import body_of, headers

SHOP = demo.SHOP_DOMAIN
CUSTOMER, OTHER = shopify_payloads.CUSTOMER, shopify_payloads.OTHER_CUSTOMER
BODIES = shopify_payloads.bodies()


@pytest.fixture
def flow() -> FakeFlow:
    return FakeFlow()


@pytest.fixture
def shop(flow: FakeFlow) -> Functions:
    return Functions({"flow": lambda _: flow})


def deliver(shop: Functions, topic: str, body: dict[str, Any]) -> None:
    """Shopify sends a webhook, and its worker is done with it."""
    raw = body_of(body)
    webhook = {"body": raw.decode(), "headers": headers(topic, raw)}
    assert (
        shop.request("shopify_webhook", event("shopify_webhook", "orders_create") | webhook).status
        == 200
    )
    queue, text = shop.queues.sent.pop()
    assert shop.work(queue, text) == []


def redact(shop: Functions, customer: int) -> None:
    body = BODIES["customers_redact"][1] | {"customer": {"id": customer}, "orders_to_redact": []}
    deliver(shop, "customers/redact", body)


def watch(shop: Functions) -> None:
    shop.invoke("privacy_watch", {}, 300)


def naming(shop: Functions, customer: int) -> list[tuple[str, str]]:
    """The keys of whatever names a customer."""
    whole = re.compile(rf"(?<![0-9A-Za-z]){customer}(?![0-9A-Za-z])")
    return sorted(
        key for key, item in shop.table.items("points").items() if whole.search(repr(item))
    )


def tombstone_and_proof(customer: int) -> list[tuple[str, str]]:
    return [
        (f"SHOP#{SHOP}", f"PRIVACY_REQUEST#customers/redact#{customer}"),
        (f"SHOP#{SHOP}#CUSTOMER#{customer}", "ACCOUNT"),
    ]


def test_a_redaction_that_overtakes_a_merge_erases_both(shop: Functions) -> None:
    for customer in (CUSTOMER, OTHER):
        shop.execute(Grant(100, Days(30)), str(customer))
    redact(shop, OTHER)
    deliver(shop, *BODIES["customers_merge"])
    watch(shop)
    for customer in (CUSTOMER, OTHER):
        assert naming(shop, customer) == tombstone_and_proof(customer)
    assert "Hi" not in repr(shop.table.items("points"))


def test_points_that_an_erased_customer_spent_on_an_order_come_back_when_it_is_cancelled(
    shop: Functions,
) -> None:
    shop.execute(Grant(1000, Days(30)))
    code = shopify_payloads.OUR_CODE
    hold = PlaceHold(500, hold_id_of(code), 600, code=code)
    shop.execute(hold)
    redact(shop, CUSTOMER)
    order = BODIES["orders_create_gift_card_line"][1]
    deliver(shop, "orders/create", order)
    (account,) = pseudonyms(shop)
    assert account.figures.spent == 500
    cancelled = {"updated_at": shopify_payloads.MUCH_LATER, "cancelled_at": shopify_payloads.LATER}
    deliver(shop, "orders/cancelled", order | cancelled)
    (account,) = pseudonyms(shop)
    assert (account.figures.spent, account.figures.approved) == (0, 1000)
    entries = shop.container.store.entries(SHOP, account.customer_id, before_version=99, limit=99)
    assert reconcile(account, entries[::-1]) == []
    assert naming(shop, CUSTOMER) == tombstone_and_proof(CUSTOMER)


def pseudonyms(shop: Functions) -> list[Account]:
    """The accounts of those who were erased."""
    found = [
        items.account_of(item)
        for (_, part), item in shop.table.items("points").items()
        if part == "ACCOUNT"
    ]
    return [one for one in found if is_pseudonym(one.customer_id)]


@pytest.mark.parametrize("reported_before", [False, True])
def test_a_report_that_waits_for_shopify_while_its_customer_is_erased_leaves_nothing(
    shop: Functions, flow: FakeFlow, reported_before: bool
) -> None:
    shop.execute(Grant(100, Days(30)))
    if reported_before:
        assert shop.flow("report", "run-1", customer_id=str(CUSTOMER)).status == 200

    def erased_meanwhile(_: FakeFlow) -> None:
        redact(shop, CUSTOMER)

    flow.faults.append(erased_meanwhile)
    shop.flow("report", "run-2", customer_id=str(CUSTOMER))
    watch(shop)
    assert flow.calls == 1 + reported_before
    assert naming(shop, CUSTOMER) == tombstone_and_proof(CUSTOMER)


@pytest.mark.parametrize("length", [10, 60])
def test_the_first_of_a_long_chain_of_merges_works_as_before(shop: Functions, length: int) -> None:
    """Page, refund, Flow's actions and import of c1, after c1 into c2, c2 into c3, and so on."""
    chain = [CUSTOMER, *range(CUSTOMER + 100, CUSTOMER + 100 + length)]
    shop.execute(Grant(100, Days(30)))
    deliver(shop, *BODIES["orders_create"])
    for source, target in pairwise(chain):
        merged = {
            "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{source}",
            "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{target}",
        }
        deliver(shop, "customers/merge", BODIES["customers_merge"][1] | merged)

    page = shop.sample("get_points", "by_header")
    assert (page.status, page.body["figures"]["approved"]) == (200, 160)
    deliver(shop, *BODIES["refunds_create"])
    assert shop.approved(str(chain[-1])) == 130
    granted = shop.sample("flow_action_grant", "run")
    assert (granted.status, shop.approved(str(chain[-1]))) == (200, 1380)
    used = shop.sample("flow_action_consume", "run")
    assert (used.status, shop.approved(str(chain[-1]))) == (200, 1080)
    request = event("import_points", "run")
    row = {"customer_id": str(CUSTOMER), "title": "Balance", "point": 7}
    request["body"] = json.dumps({"rows": [row | {"row": 1}, row | {"row": 2}]})
    imported = shop.request("import_points", request)
    assert [one["status"] for one in imported.body["rows"]] == ["booked", "booked"]
    assert shop.approved(str(chain[-1])) == 1094
