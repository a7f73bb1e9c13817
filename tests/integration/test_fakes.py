"""The fakes of Shopify and the tills, over real HTTP.

Shopify's real Admin schema has to be there: `make shopify-schema`.
"""

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from local import demo
from local.fakes import recore, square
from local.fakes.recore import RecoreService
from local.fakes.server import FakeServer
from local.fakes.shopify import ShopifyService
from local.fakes.square import SquareService
from local.fakes.till import Account, TillService
from tests.support.serving import serving

SHOP = demo.SHOP_DOMAIN
OTHER_SHOP = "other.myshopify.com"
CUSTOMER = "gid://shopify/Customer/8840734670934"
NUMBER = "8840734670934"

CREATE = """
mutation Create($discount: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $discount) {
    codeDiscountNode {
      id
      codeDiscount {
        ... on DiscountCodeBasic {
          title status startsAt endsAt usageLimit appliesOncePerCustomer
          codes(first: 1) { nodes { code } }
          context { ... on DiscountCustomers { customers { id } } }
          customerGets { value { ... on DiscountAmount { amount { amount currencyCode } } } }
        }
      }
    }
    userErrors { field message code }
  }
}
"""
FIND = """
query Find($code: String!) {
  codeDiscountNodeByCode(code: $code) {
    id
    codeDiscount { ... on DiscountCodeBasic { status endsAt asyncUsageCount } }
  }
}
"""
DEACTIVATE = """
mutation Deactivate($id: ID!) {
  discountCodeDeactivate(id: $id) {
    codeDiscountNode { codeDiscount { ... on DiscountCodeBasic { status startsAt endsAt } } }
    userErrors { field message code }
  }
}
"""
DELETE = """
mutation Delete($id: ID!) {
  discountCodeDelete(id: $id) { deletedCodeDiscountId userErrors { field message code } }
}
"""
TRIGGER = """
mutation Trigger($handle: String, $payload: JSON) {
  flowTriggerReceive(handle: $handle, payload: $payload) { userErrors { field message } }
}
"""
EXPIRING: dict[str, object] = {
    "customer_id": 8840734670934,
    "Points Expiring": 300,
    "Expires On": "2026-12-31",
    "Entry Id": "8840734670934-000000000001",
    "Source": "schedule",
}
"""What the trigger points-expiring declares."""


class Admin:
    """A client of the fake Shopify for one shop."""

    def __init__(self, url: str, shop: str) -> None:
        self.url = url
        self._base = f"{url}/{shop}"
        credentials = {
            "client_id": demo.SHOPIFY_CLIENT_ID,
            "client_secret": demo.CLIENT_SECRET,
            "grant_type": "client_credentials",
        }
        answer = requests.post(
            f"{self._base}/admin/oauth/access_token", json=credentials, timeout=5
        )
        self.token = answer.json()["access_token"]

    def post(
        self, query: str, variables: Mapping[str, Any] | None = None, timeout: float = 5
    ) -> requests.Response:
        return requests.post(
            f"{self._base}/admin/api/2026-10/graphql.json",
            json={"query": query, "variables": variables or {}},
            headers={"X-Shopify-Access-Token": self.token},
            timeout=timeout,
        )

    def run(self, query: str, **variables: Any) -> Any:
        answer = self.post(query, variables)
        assert answer.status_code == 200
        return answer.json()

    def payload(self, query: str, **variables: Any) -> Any:
        """What the one root field answered; fails when there are top-level errors."""
        answer = self.run(query, **variables)
        assert "errors" not in answer, answer
        (value,) = answer["data"].values()
        return value

    def create(self, **changes: Any) -> Any:
        return self.payload(CREATE, discount=discount(**changes))

    def behave(self, **order: object) -> None:
        assert requests.post(f"{self.url}/_behave", json=order, timeout=5).status_code == 200

    def reset(self) -> None:
        assert requests.post(f"{self.url}/_reset", timeout=5).status_code == 200

    def log(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = requests.get(f"{self.url}/_log", timeout=5).json()
        return entries

    def redeem(self, code: str, customer: str = CUSTOMER) -> requests.Response:
        order = {"code": code, "customer_id": customer}
        return requests.post(f"{self.url}/_redeem", json=order, timeout=5)


def discount(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    given = {
        "title": "Points hold",
        "code": "PTS-7K3M9QX2",
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(seconds=600)).isoformat(),
        "context": {"customers": {"add": [CUSTOMER]}},
        "customerGets": {
            "value": {"discountAmount": {"amount": "500", "appliesOnEachItem": False}},
            "items": {"all": True},
        },
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
    } | changes
    return {name: value for name, value in given.items() if value is not ...}


def test_a_discount_is_created_as_requested_and_found_by_its_code(shopify: Admin) -> None:
    created = shopify.create()
    assert created["userErrors"] == []
    node = created["codeDiscountNode"]
    assert node["codeDiscount"]["status"] == "ACTIVE"
    assert node["codeDiscount"]["codes"] == {"nodes": [{"code": "PTS-7K3M9QX2"}]}
    assert node["codeDiscount"]["context"] == {"customers": [{"id": CUSTOMER}]}
    assert node["codeDiscount"]["customerGets"] == {
        "value": {"amount": {"amount": "500", "currencyCode": "JPY"}}
    }
    assert shopify.payload(FIND, code="pts-7k3m9qx2")["id"] == node["id"]
    assert shopify.payload(FIND, code="PTS-OTHER") is None


def test_codes_are_unique_regardless_of_case(shopify: Admin) -> None:
    shopify.create()
    assert shopify.create(code="pts-7k3m9qx2") == {
        "codeDiscountNode": None,
        "userErrors": [
            {
                "field": ["basicCodeDiscount", "code"],
                "message": "Code must be unique. Please try a different code.",
                "code": "TAKEN",
            }
        ],
    }


AMOUNT = "customerGets.value.discountAmount.amount"


def amount_of(amount: str) -> dict[str, Any]:
    value = {"discountAmount": {"amount": amount}}
    return {"customerGets": {"value": value, "items": {"all": True}}}


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"title": ...}, "title", "BLANK"),
        ({"title": "x" * 256}, "title", "TOO_LONG"),
        ({"code": ...}, "code", "BLANK"),
        ({"code": ""}, "code", "TOO_SHORT"),
        ({"code": "a\nb"}, "code", "INVALID"),
        ({"code": "x" * 256}, "code", "TOO_LONG"),
        ({"startsAt": ...}, "startsAt", "BLANK"),
        ({"endsAt": "2020-01-01T00:00:00Z"}, "endsAt", "INVALID"),
        ({"usageLimit": 0}, "usageLimit", "GREATER_THAN"),
        ({"context": ...}, "context", "BLANK"),
        ({"customerSelection": {"all": True}}, "context", "INVALID"),
        ({"tags": list("abcdef")}, "tags", "TOO_MANY_TAGS"),
        ({"customerGets": ...}, "customerGets", "BLANK"),
        (amount_of("-1"), AMOUNT, "LESS_THAN_OR_EQUAL_TO"),
        (amount_of("1000000000000000000"), AMOUNT, "LESS_THAN"),
    ],
)
def test_an_invalid_discount_is_refused_with_the_field(
    shopify: Admin, changes: dict[str, Any], field: str, code: str
) -> None:
    answer = shopify.create(**changes)
    assert answer["codeDiscountNode"] is None
    (error,) = answer["userErrors"]
    assert error["field"] == ["basicCodeDiscount", *field.split(".")]
    assert error["code"] == code


def test_deactivating_expires_a_code_and_is_idempotent(shopify: Admin, clock_file: Path) -> None:
    gid = shopify.create()["codeDiscountNode"]["id"]
    first = shopify.payload(DEACTIVATE, id=gid)
    assert first["userErrors"] == []
    assert first["codeDiscountNode"]["codeDiscount"]["status"] == "EXPIRED"
    clock_file.write_text('{"offset_seconds": 2}', encoding="utf-8")
    assert shopify.payload(DEACTIVATE, id=gid) == first


def test_an_unknown_code_cannot_be_deactivated_or_deleted(shopify: Admin) -> None:
    missing = [{"field": ["id"], "message": "Code discount does not exist.", "code": "INVALID"}]
    gid = shopify.create()["codeDiscountNode"]["id"]
    assert shopify.payload(DELETE, id=gid) == {"deletedCodeDiscountId": gid, "userErrors": []}
    assert shopify.payload(DELETE, id=gid) == {"deletedCodeDiscountId": None, "userErrors": missing}
    assert shopify.payload(DEACTIVATE, id=gid)["userErrors"] == missing
    assert shopify.create()["userErrors"] == []


def test_a_code_is_redeemed_once_by_its_customer_while_active(
    shopify: Admin, clock_file: Path
) -> None:
    shopify.create()
    assert shopify.redeem("PTS-7K3M9QX2", "gid://shopify/Customer/1").json() == {
        "message": "the code is another customer's"
    }
    assert shopify.redeem("pts-7k3m9qx2").status_code == 200
    assert shopify.payload(FIND, code="PTS-7K3M9QX2")["codeDiscount"]["asyncUsageCount"] == 1
    assert shopify.redeem("PTS-7K3M9QX2").json() == {"message": "the code is used up"}
    shopify.create(code="PTS-LATER")
    clock_file.write_text('{"offset_seconds": 600}', encoding="utf-8")
    assert shopify.redeem("PTS-LATER").json() == {"message": "the code is EXPIRED"}
    assert shopify.redeem("PTS-NONE").status_code == 422


def test_an_accepted_trigger_is_listed_with_its_payload(shopify: Admin) -> None:
    payload = EXPIRING | {"Source": "日本"}
    taken = shopify.payload(TRIGGER, handle="points-expiring", payload=payload)
    assert taken == {"userErrors": []}
    stored = requests.get(f"{shopify.url}/_triggers", timeout=5).json()[-1]
    assert (stored["shop"], stored["handle"], stored["payload"]) == (
        SHOP,
        "points-expiring",
        payload,
    )


@pytest.mark.parametrize(
    ("handle", "payload", "message"),
    [
        ("no-such", {}, "Errors validating schema:\n  Invalid handle 'no-such'.\n"),
        (None, {}, "`handle` and `payload` arguments are required"),
        ("points-changed", None, "`handle` and `payload` arguments are required"),
        (
            "points-changed",
            {"a": "あ" * 16_665},  # 3 bytes each, and 8 for {"a":""}
            "Errors validating schema:\n  Properties size exceeds the limit of 50000 bytes.\n",
        ),
    ],
)
def test_an_invalid_trigger_is_refused(
    shopify: Admin, handle: str | None, payload: object, message: str
) -> None:
    (error,) = shopify.payload(TRIGGER, handle=handle, payload=payload)["userErrors"]
    assert error["message"] == message


def test_a_trigger_of_exactly_the_size_limit_is_accepted(shopify: Admin) -> None:
    length = 50_000 - len(json.dumps(EXPIRING | {"Source": ""}, separators=(",", ":")))
    payload = EXPIRING | {"Source": "x" * length}
    taken = shopify.payload(TRIGGER, handle="points-expiring", payload=payload)
    assert taken == {"userErrors": []}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"Source": ...}, "Required field missing: Source"),
        ({"Another": 1}, "Invalid field: Another"),
        ({"Points Expiring": "12"}, "Type error: Points Expiring"),
        ({"Points Expiring": True}, "Type error: Points Expiring"),
        ({"Expires On": 20261231}, "Type error: Expires On"),
        ({"Source": "two\nlines"}, "Type error: Source"),
        ({"customer_id": "8840734670934"}, "Type error: customer_id"),
        ({"customer_id": 8840734670934.0}, "Type error: customer_id"),
    ],
)
def test_a_trigger_must_have_its_declared_fields(
    shopify: Admin, changed: dict[str, object], wrong: str
) -> None:
    spoiled = EXPIRING | changed
    payload = {key: value for key, value in spoiled.items() if value is not ...}
    (error,) = shopify.payload(TRIGGER, handle="points-expiring", payload=payload)["userErrors"]
    assert error["message"] == f"Errors validating schema:\n  {wrong}\n"


def test_a_trigger_about_an_unknown_customer_is_refused(shopify: Admin) -> None:
    shopify.behave(forget=NUMBER)
    trigger = {"handle": "points-expiring", "payload": EXPIRING}
    (error,) = shopify.payload(TRIGGER, **trigger)["userErrors"]
    assert "there is no customer 8840734670934" in error["message"]
    shopify.behave(times=0)
    assert shopify.payload(TRIGGER, **trigger) == {"userErrors": []}


@pytest.mark.parametrize(
    "query",
    [
        "{ shop { nickname } }",
        "{ shop {",
        "mutation { discountCodeBasicCreate { userErrors { message } } }",
        "{ discountCodeBasicCreate { userErrors { message } } }",
        "",
    ],
)
def test_a_document_that_the_real_schema_refuses_is_refused(shopify: Admin, query: str) -> None:
    answer = shopify.run(query)
    assert answer["errors"]
    assert "data" not in answer
    assert shopify.log()[-1]["operation"] is None


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"discount": None},
        {"discount": {"nickname": "x"}},
        {"discount": discount(usageLimit="many")},
        {"discount": discount(startsAt="tomorrow")},
        {"discount": discount(startsAt="2026-02-30T00:00:00Z")},
        {"discount": discount(context={"customers": {"add": [{}]}})},
    ],
)
def test_an_invalid_variable_is_refused_before_execution(
    shopify: Admin, variables: dict[str, Any]
) -> None:
    answer = shopify.run(CREATE, **variables)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_VARIABLE"]
    assert shopify.payload(FIND, code="PTS-7K3M9QX2") is None


def test_two_kinds_of_value_are_a_bad_request(shopify: Admin) -> None:
    value = {"discountAmount": {"amount": "5"}, "percentage": 0.1}
    gets = {"value": value, "items": {"all": True}}
    answer = shopify.run(CREATE, discount=discount(customerGets=gets))
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_an_unsupported_root_field_is_an_error(shopify: Admin) -> None:
    answer = shopify.run("{ productsCount { count } }")
    assert answer["errors"][0]["message"] == "the fake does not answer productsCount"


def test_the_shop_has_currency_and_time_zone(shopify: Admin) -> None:
    shop = shopify.payload("{ shop { myshopifyDomain currencyCode ianaTimezone } }")
    assert shop == {"myshopifyDomain": SHOP, "currencyCode": "JPY", "ianaTimezone": "Asia/Tokyo"}


def test_every_answer_has_its_cost(shopify: Admin) -> None:
    answer = shopify.run(CREATE, discount=discount())
    assert answer["extensions"]["cost"] == {
        "requestedQueryCost": 10,
        "actualQueryCost": 10,
        "throttleStatus": {
            "maximumAvailable": 2000,
            "currentlyAvailable": 1990,
            "restoreRate": 100,
        },
    }
    assert shopify.run(FIND, code="x")["extensions"]["cost"]["actualQueryCost"] == 1


def test_an_unknown_token_is_unauthorized(shopify: Admin, server: FakeServer) -> None:
    service = server.service
    assert isinstance(service, ShopifyService)
    service.revoke_tokens()
    answer = shopify.post(CREATE, {"discount": discount()})
    assert answer.status_code == 401
    assert Admin(shopify.url, SHOP).payload(FIND, code="PTS-7K3M9QX2") is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_token_is_issued_for_the_right_credentials_only(
    shopify: Admin, change: dict[str, str], error: str
) -> None:
    form = {
        "client_id": demo.SHOPIFY_CLIENT_ID,
        "client_secret": demo.CLIENT_SECRET,
        "grant_type": "client_credentials",
    }
    url = f"{shopify.url}/admin/oauth/access_token"
    assert requests.post(url, data=form, timeout=5).json()["access_token"]
    refused = requests.post(url, data=form | change, timeout=5)
    assert (refused.status_code, refused.json()["error"]) == (400, error)
    assert demo.CLIENT_SECRET not in json.dumps(shopify.log())


def test_shops_are_isolated(shopify: Admin) -> None:
    shopify.create()
    other = Admin(shopify.url, OTHER_SHOP)
    assert other.payload(FIND, code="PTS-7K3M9QX2") is None
    assert other.create()["userErrors"] == []
    other.token = shopify.token
    assert other.post(FIND, {"code": "PTS-7K3M9QX2"}).status_code == 401


def test_the_log_shows_the_root_field_its_arguments_and_the_status(shopify: Admin) -> None:
    shopify.reset()
    given = discount()
    shopify.create(**given)
    shopify.behave(fail_with=503, times=1)
    shopify.post(FIND, {"code": "PTS-7K3M9QX2"})
    path = f"/{SHOP}/admin/api/2026-10/graphql.json"
    first, second = shopify.log()
    assert first.pop("at") <= second.pop("at")
    assert first == {
        "operation": "discountCodeBasicCreate",
        "path": path,
        "variables": {"basicCodeDiscount": given},
        "status": 200,
    }
    assert second == {
        "operation": "codeDiscountNodeByCode",
        "path": path,
        "variables": {"code": "PTS-7K3M9QX2"},
        "status": 503,
    }


def test_a_literal_argument_is_logged_as_its_value(shopify: Admin) -> None:
    shopify.run('{ codeDiscountNodeByCode(code: "X") { id } }')
    assert shopify.log()[-1]["variables"] == {"code": "X"}


def test_a_request_with_a_dropped_reply_is_carried_out(shopify: Admin) -> None:
    shopify.behave(drop_reply=True, times=1)
    with pytest.raises(requests.ConnectionError):
        shopify.post(CREATE, {"discount": discount()})
    assert shopify.log()[-1]["status"] is None
    (error,) = shopify.create()["userErrors"]
    assert error["code"] == "TAKEN"


@pytest.mark.parametrize("behaviour", [{"throttle": True}, {"hang": True}, {"fail_with": 500}])
def test_a_request_that_is_throttled_hangs_or_fails_has_no_effect(
    shopify: Admin, behaviour: dict[str, object]
) -> None:
    shopify.behave(**behaviour, times=1, match="discountCodeBasicCreate")
    assert shopify.post(FIND, {"code": "X"}).status_code == 200
    try:
        answer = shopify.post(CREATE, {"discount": discount()}, timeout=0.5)
    except requests.ReadTimeout:
        assert "hang" in behaviour
    else:
        assert answer.status_code == behaviour.get("fail_with", 200)
    if "throttle" in behaviour:
        assert answer.json()["errors"][0]["extensions"]["code"] == "THROTTLED"
        cost = answer.json()["extensions"]["cost"]
        assert cost["throttleStatus"]["currentlyAvailable"] == 0
    assert shopify.create()["userErrors"] == []


def test_a_reset_releases_hanging_requests(shopify: Admin) -> None:
    shopify.reset()  # so that the log does not begin with the request for the token
    shopify.behave(hang=True)
    with ThreadPoolExecutor(1) as thread:
        hanging = thread.submit(shopify.post, FIND, {"code": "X"}, 10)
        while not shopify.log():
            time.sleep(0.01)
        shopify.reset()
        with pytest.raises(requests.ConnectionError):
            hanging.result(timeout=2)


def test_latency_delays_a_correct_answer(shopify: Admin) -> None:
    shopify.behave(latency_ms=300, match="/admin/api/2026-10/graphql.json")
    begun = time.monotonic()
    assert shopify.create()["userErrors"] == []
    assert time.monotonic() - begun >= 0.3


def test_a_behaviour_applies_the_given_number_of_times_and_the_newest_wins(shopify: Admin) -> None:
    shopify.behave(fail_with=500)
    shopify.behave(fail_with=503, times=2)
    statuses = [shopify.post(FIND, {"code": "X"}).status_code for _ in range(4)]
    assert statuses == [503, 503, 500, 500]
    shopify.behave(times=0)
    assert shopify.post(FIND, {"code": "X"}).status_code == 200


def test_a_behaviour_can_be_limited_to_one_shop(shopify: Admin) -> None:
    other = Admin(shopify.url, OTHER_SHOP)
    shopify.behave(fail_with=500, match=f"/{OTHER_SHOP}/")
    assert other.post(FIND, {"code": "X"}).status_code == 500
    assert shopify.post(FIND, {"code": "X"}).status_code == 200


def test_a_reset_keeps_discounts(shopify: Admin) -> None:
    shopify.create()
    shopify.behave(fail_with=500)
    shopify.reset()
    assert shopify.log() == []
    assert shopify.payload(FIND, code="PTS-7K3M9QX2") is not None


def test_a_forgotten_customer_gets_no_discount(shopify: Admin) -> None:
    shopify.behave(forget=NUMBER)
    (error,) = shopify.create()["userErrors"]
    assert error["code"] == "INVALID"
    elsewhere = {"customers": {"add": ["gid://shopify/Customer/1"]}}
    assert shopify.create(context=elsewhere)["userErrors"] == []


@pytest.mark.parametrize(
    "order",
    [
        *([], "slow", {"slow": True}, {"latency_ms": "800"}, {"latency_ms": -1}, {"times": -1}),
        *({"times": True}, {"fail_with": 200}, {"hang": 1}),
    ],
)
def test_an_invalid_behaviour_is_refused(shopify: Admin, order: object) -> None:
    answer = requests.post(f"{shopify.url}/_behave", json=order, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert shopify.post(FIND, {"code": "X"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/admin/api/2019-01/graphql.json", 404),
        ("POST", "/nobody.myshopify.com/admin/api/2026-10/graphql.json", 404),
        ("GET", "/admin/api/2026-10/graphql.json", 404),
        ("GET", "/_nothing", 404),
        ("GET", "/_behave", 404),
    ],
)
def test_unknown_paths_are_not_found(shopify: Admin, method: str, path: str, status: int) -> None:
    assert requests.request(method, shopify.url + path, timeout=5).status_code == status


# --- the till ------------------------------------------------------------------------------------


@pytest.fixture
def till_url() -> Iterator[str]:
    with serving(FakeServer(TillService(Account()), 0)) as server:
        yield server.url


SCOPES = "pos.customers:read pos.customers:write pos.transactions:read"


def till_token(url: str, scope: str = SCOPES) -> str:
    account = Account()
    answer = requests.post(
        f"{url}/app/{account.contract_id}/token",
        data={"grant_type": "client_credentials", "scope": scope},
        auth=(account.client_id, account.client_secret),
        timeout=5,
    )
    token: str = answer.json()["access_token"]
    return token


def till_get(url: str, path: str, **query: str) -> Any:
    answer = requests.get(
        f"{url}/pointbook/pos/{path}",
        params=query,
        headers={"Authorization": f"Bearer {till_token(url)}"},
        timeout=5,
    )
    assert answer.status_code == 200
    return answer.json()


def test_the_demo_members_last_day_is_never_past() -> None:
    assert date.fromisoformat(demo.last_day(1, 1)) > datetime.now(UTC).date()


def test_the_demo_member_exists_with_numbers_as_strings(till_url: str) -> None:
    (customer,) = till_get(till_url, "customers", customer_code=NUMBER)
    assert customer["rank"] == "gold"
    (points,) = till_get(till_url, "customers/point", customer_id=customer["customerId"])
    assert (points["point"], points["pointExpireDate"]) == ("1250", demo.last_day(12, 31))


def test_a_member_can_be_added_and_changed(till_url: str) -> None:
    for balance in (10, 20):
        member = {
            "member_number": "42",
            "balance": balance,
            "expires_on": "2026/12",
            "rank": "silver",
        }
        assert requests.post(f"{till_url}/_member", json=member, timeout=5).status_code == 200
    (customer,) = till_get(till_url, "customers", customer_code="42")
    (points,) = till_get(till_url, "customers/point", customer_id=customer["customerId"])
    assert (points["point"], points["pointExpireDate"]) == ("20", "2026/12")
    assert till_get(till_url, "customers", customer_code="43") == []


@pytest.mark.parametrize("member", [[], {}, {"member_number": "1", "balance": "many"}])
def test_an_invalid_member_is_refused(till_url: str, member: object) -> None:
    assert requests.post(f"{till_url}/_member", json=member, timeout=5).status_code == 400


def test_without_a_token_the_till_answers_401(till_url: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = requests.get(
            f"{till_url}/pointbook/pos/customers",
            params={"customer_code": NUMBER},
            headers=headers,
            timeout=5,
        )
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_till_forgets_one_customer_until_the_reset(till_url: str) -> None:
    requests.post(f"{till_url}/_behave", json={"forget": NUMBER}, timeout=5)
    assert till_get(till_url, "customers", customer_code=NUMBER) == []
    assert till_get(till_url, "customers/point", customer_id="1") == []
    requests.post(f"{till_url}/_reset", timeout=5)
    assert len(till_get(till_url, "customers", customer_code=NUMBER)) == 1


def test_the_till_logs_operations_without_credentials(till_url: str) -> None:
    till_get(till_url, "customers", customer_code=NUMBER)
    log = requests.get(f"{till_url}/_log", timeout=5).json()
    assert [(entry["operation"], entry["path"], entry["status"]) for entry in log] == [
        ("token", "/app/pointbook/token", 200),
        ("customers", "/pointbook/pos/customers", 200),
    ]
    assert log[1]["variables"] == {"customer_code": NUMBER}
    assert Account().client_secret not in json.dumps(log)


# --- changes at Smaregi ---------------------------------------------------------------------------


def till_change(url: str, method: str, path: str, point: object, scope: str = SCOPES) -> Any:
    return requests.request(
        method,
        f"{url}/pointbook/pos/customers/{path}",
        json={"point": point},
        headers={"Authorization": f"Bearer {till_token(url, scope)}"},
        timeout=5,
    )


def till_transactions(url: str, **query: str) -> Any:
    now = datetime.now(UTC)
    period = {
        "transaction_date_time-from": (now - timedelta(hours=1)).isoformat(),
        "transaction_date_time-to": (now + timedelta(hours=1)).isoformat(),
    }
    return requests.get(
        f"{url}/pointbook/pos/transactions",
        params=period | query,
        headers={"Authorization": f"Bearer {till_token(url)}"},
        timeout=5,
    )


def test_a_change_by_the_api_is_a_transaction_and_one_at_the_counter_is_none(till_url: str) -> None:
    member = {"member_number": "42", "balance": 1000}
    till_id = requests.post(f"{till_url}/_member", json=member, timeout=5).json()["customer_id"]
    added = till_change(till_url, "POST", f"{till_id}/point/add", "30").json()
    assert (added["point"], added["transactionHeadIds"]) == ("1030", ["1"])
    assert till_change(till_url, "POST", f"{till_id}/point/add", "-100").json()["point"] == "930"
    assert till_change(till_url, "PATCH", f"{till_id}/point", "950").json()["point"] == "950"
    found = [
        (one["transactionHeadDivision"], one["newPoint"], one["spendPoint"])
        for one in till_transactions(till_url, customer_code="42").json()
    ]
    assert found == [("6", "20", "0"), ("7", "0", "100"), ("6", "30", "0")]
    assert till_transactions(till_url, customer_code="43").json() == []


@pytest.mark.parametrize("point", ["-1251", "many", None, "1.5", "999999999"])
def test_a_change_that_smaregi_refuses_changes_nothing(till_url: str, point: object) -> None:
    assert till_change(till_url, "POST", "1/point/add", point).status_code == 400
    assert till_get(till_url, "customers/point", customer_id="1")[0]["point"] == "1250"
    assert till_transactions(till_url).json() == []


def test_points_lapse_only_where_the_member_is_set_so(till_url: str) -> None:
    assert till_change(till_url, "POST", "1/point/add", "1").json()["point"] == "1251"
    lapsing = {
        "member_number": "42",
        "balance": 9,
        "expires_on": "2025-12-31",
        "lapses": True,
        "customer_id": "42",
    }
    requests.post(f"{till_url}/_member", json=lapsing, timeout=5)
    assert till_change(till_url, "POST", "42/point/add", "5").json()["point"] == "5"
    divisions = [
        one["transactionHeadDivision"]
        for one in till_transactions(till_url, customer_code="42").json()
    ]
    assert divisions == ["6", "8"]


def test_a_token_opens_what_its_scopes_allow(till_url: str) -> None:
    reading = "pos.customers:read"
    assert till_change(till_url, "POST", "1/point/add", "1", reading).status_code == 403
    assert till_change(till_url, "POST", "no-one/point/add", "1").status_code == 404


def test_transactions_are_listed_for_31_days_at_most(till_url: str) -> None:
    long_ago = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    for query in ({"transaction_date_time-from": long_ago}, {"transaction_date_time-to": "today"}):
        assert till_transactions(till_url, **query).status_code == 400


# --- Square and ReCORE ----------------------------------------------------------------------------


@pytest.fixture
def square_url() -> Iterator[str]:
    with serving(FakeServer(SquareService(square.Account()), 0)) as server:
        yield server.url


def square_post(url: str, path: str, body: object) -> Any:
    token = demo.SQUARE_CREDENTIALS["access_token"]
    return requests.post(
        f"{url}/v2/loyalty/{path}",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    )


def test_square_knows_the_demo_member(square_url: str) -> None:
    answer = square_post(square_url, "accounts/search", {"query": {"customer_ids": [NUMBER]}})
    (account,) = answer.json()["loyalty_accounts"]
    assert (account["balance"], account["customer_id"]) == (1250, NUMBER)
    assert account["expiring_point_deadlines"] == [
        {"points": 1250, "expires_at": f"{demo.last_day(12, 31)}T15:00:00Z"}
    ]
    nobody = square_post(square_url, "accounts/search", {"query": {"customer_ids": ["nobody"]}})
    assert nobody.json() == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": {"customer_ids": [NUMBER], "mappings": []}},
        {"query": {"mappings": [{"phone_number": "+81x"}]}},
    ],
)
def test_a_search_that_square_refuses_has_errors(square_url: str, body: object) -> None:
    answer = square_post(square_url, "accounts/search", body)
    assert (answer.status_code, answer.json()["errors"][0]["category"]) == (
        400,
        "INVALID_REQUEST_ERROR",
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"idempotency_key": ""}, "BAD_REQUEST"),
        ({"idempotency_key": "x" * 129}, "BAD_REQUEST"),
        ({"adjust_points": {"points": 0}}, "BAD_REQUEST"),
        ({"adjust_points": {"points": -1252}}, "BAD_REQUEST"),
        ({"idempotency_key": "used"}, "IDEMPOTENCY_KEY_REUSED"),
    ],
)
def test_an_adjustment_that_square_refuses_changes_nothing(
    square_url: str, changes: dict[str, object], code: str
) -> None:
    path = "accounts/loyalty-account-1/adjust"
    used = {"idempotency_key": "used", "adjust_points": {"points": 1, "reason": "first"}}
    assert square_post(square_url, path, used).status_code == 200
    body = {"idempotency_key": "new", "adjust_points": {"points": 5}} | changes
    answer = square_post(square_url, path, body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    found = square_post(square_url, "accounts/search", {"query": {"customer_ids": [NUMBER]}})
    assert found.json()["loyalty_accounts"][0]["balance"] == 1251


def test_square_and_recore_refuse_other_credentials(square_url: str) -> None:
    answer = requests.get(f"{square_url}/v2/loyalty/accounts/loyalty-account-1", timeout=5)
    assert answer.status_code == 401
    with serving(FakeServer(RecoreService(recore.Account()), 0)) as server:
        assert requests.get(f"{server.url}/members", timeout=5).status_code == 401


def test_recore_knows_the_demo_member() -> None:
    with serving(FakeServer(RecoreService(recore.Account()), 0)) as server:
        (member,) = requests.get(
            f"{server.url}/members",
            params={"codes": f"1,{NUMBER}"},
            headers={"X-Identification": demo.RECORE_CREDENTIALS["api_key"]},
            timeout=5,
        ).json()
    assert (member["code"], member["rank"]["name"], member["status"]) == (NUMBER, "gold", "ACTIVE")
    end = datetime.fromisoformat(f"{demo.last_day(12, 31)}T14:59:59+00:00")
    assert member["point"]["expires_at"] == int(end.timestamp())
