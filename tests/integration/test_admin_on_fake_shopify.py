"""Pointbook's calls of Shopify's Admin API, against the fake as a process of its own.

Shopify's real Admin schema has to be there: `make shopify-schema`.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from local import demo
from pointbook.clock import SystemClock
from pointbook.container import Container
from pointbook.domain.programme_rules import DiscountKind
from pointbook.domain.tags import tag_digest
from pointbook.errors import SettingsError, ShopifyUnavailable
from pointbook.http.tokens import StoredToken
from pointbook.http.transport import Transport
from pointbook.shopify.admin import CONNECT_SECONDS, WORKERS, AdminApi
from pointbook.shopify.admin_access import AdminAccess
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.customers import Customers
from pointbook.shopify.discount_code import derive_code, hold_id_of
from pointbook.shopify.discounts import Discount, Discounts
from tests.fakes.admin_api import MemoryTokenStore
from tests.fakes.cipher import PlainCipher
from tests.support.harness import TABLE, Functions, memory_table
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SHOP = demo.SHOP_DOMAIN
CUSTOMER = "8840734670934"
CREATE = "discountCodeBasicCreate"
FIND = "codeDiscountNodeByCode"
DEACTIVATE = "discountCodeDeactivate"
UP_WITHIN_SECONDS = 30.0

_numbers = count(1)


def keys(secret: str = demo.CLIENT_SECRET, previous: str = "") -> AppKeys:
    return AppKeys(demo.SHOPIFY_CLIENT_ID, secret, previous, "", frozenset({SHOP}))


class FakeShopifyProcess:
    """The fake Shopify, and functions' instances that speak to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.tokens = MemoryTokenStore()

    def discounts(self, app: Callable[[], AppKeys] = keys) -> Discounts:
        """As one instance of a function has them."""
        return Discounts(self.admin(app))

    def customers(self) -> Customers:
        """As one instance of a function has them."""
        return Customers(self.admin())

    def admin(self, app: Callable[[], AppKeys] = keys) -> AdminApi:
        """The shop's Admin API, as one instance of a function has it."""
        base_url = f"{self.url}/{SHOP}"
        calls = Transport("shopify", workers=WORKERS, connect_seconds=CONNECT_SECONDS)
        clock = SystemClock()
        access = AdminAccess(SHOP, base_url, app, self.tokens, calls, clock)
        return AdminApi(base_url, access, calls, clock)

    def store(self, token: str, lives: timedelta) -> None:
        """Store a token that no instance has in memory."""
        self.tokens.by_shop[SHOP] = StoredToken(token, datetime.now(UTC) + lives, 1)

    def behave(self, **order: object) -> None:
        assert requests.post(f"{self.url}/_behave", json=order, timeout=5).status_code == 200

    def set_customer(self, **customer: object) -> None:
        assert requests.post(f"{self.url}/_customer", json=customer, timeout=5).status_code == 200

    def operations(self) -> list[Any]:
        log = requests.get(f"{self.url}/_log", timeout=5).json()
        return [entry["operation"] for entry in log]

    def stored(self, code: str) -> dict[str, Any]:
        """The one discount of a code, as the shop has it."""
        listed = requests.get(f"{self.url}/_discounts", timeout=5).json()
        (found,) = [one for one in listed if one["code"] == code]
        described: dict[str, Any] = found["codeDiscount"]
        return described

    def redeem(self, code: str, customer: str = CUSTOMER) -> int:
        order = {"code": code, "customer_id": customer}
        return requests.post(f"{self.url}/_redeem", json=order, timeout=5).status_code


@pytest.fixture(scope="module")
def fake_url() -> Iterator[str]:
    port = free_port()
    path = os.pathsep.join((str(ROOT), str(ROOT / "layers/common/python")))
    process = subprocess.Popen(
        [sys.executable, "-m", "local.fakes.shopify", "--port", str(port)],
        cwd=ROOT,
        env={"PYTHONPATH": path, "PATH": os.defpath},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until_up(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + UP_WITHIN_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        try:
            requests.get(f"{url}/_log", timeout=2)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the fake does not answer; was `make shopify-schema` run?")


@pytest.fixture
def shopify(fake_url: str) -> Iterator[FakeShopifyProcess]:
    """A Shopify that behaves, and an instance-wide store without a token."""
    requests.post(f"{fake_url}/_reset", timeout=5)
    yield FakeShopifyProcess(fake_url)
    requests.post(f"{fake_url}/_reset", timeout=5)


def discount(**changes: Any) -> Discount:
    """A discount that no test has made before."""
    code = derive_code(b"a secret of the tests", SHOP, CUSTOMER, f"checkout-{next(_numbers)}")
    now = datetime.now(UTC)
    default = Discount(
        code=code,
        points=500,
        amount_minor=500,
        currency="JPY",
        customer_id=CUSTOMER,
        starts_at=now,
        ends_at=now + timedelta(seconds=600),
        hold_id=hold_id_of(code),
        combines_with=(DiscountKind.PRODUCT, DiscountKind.SHIPPING),
    )
    return replace(default, **changes)


# --- making a code --------------------------------------------------------------------------------


def test_a_code_is_made_for_its_customer_and_taken_once(shopify: FakeShopifyProcess) -> None:
    given = discount()
    gid = shopify.discounts().create(given)
    assert gid.startswith("gid://shopify/DiscountCodeNode/")
    stored = shopify.stored(given.code)
    assert stored["customerGets"]["value"]["amount"] == {"amount": "500", "currencyCode": "JPY"}
    assert stored["tags"] == ["loyalty", "pointbook"]
    assert stored["combinesWith"] == {
        "orderDiscounts": False,
        "productDiscounts": True,
        "shippingDiscounts": True,
    }
    statuses = [shopify.redeem(given.code, "1")]
    statuses += [shopify.redeem(given.code.lower()), shopify.redeem(given.code)]
    assert statuses == [422, 200, 422]


def test_a_repetition_adopts_the_same_code(shopify: FakeShopifyProcess) -> None:
    given = discount()
    first = shopify.discounts().create(given)
    assert shopify.discounts().create(given) == first
    assert shopify.operations() == ["token", CREATE, CREATE, FIND]


def test_of_many_that_make_one_code_at_once_all_have_the_same(shopify: FakeShopifyProcess) -> None:
    given, discounts = discount(), shopify.discounts()
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: discounts.create(given), range(8)))
    assert len(found) == 1


def test_a_code_whose_replies_are_all_lost_is_adopted_later(shopify: FakeShopifyProcess) -> None:
    shopify.behave(drop_reply=True, match=CREATE)
    given = discount()
    with pytest.raises(ShopifyUnavailable):
        shopify.discounts().create(given)
    shopify.behave(times=0)
    assert shopify.discounts().create(given)
    assert shopify.stored(given.code)["status"] == "ACTIVE"


# --- put together ---------------------------------------------------------------------------------


@pytest.fixture
def functions(shopify: FakeShopifyProcess) -> Functions:
    """Functions on an in-memory table, whose Shopify is the fake."""
    return Functions(LOCAL_SHOPIFY_URL=shopify.url)


def test_a_started_function_finds_the_shop_and_stores_its_token_encrypted(
    shopify: FakeShopifyProcess, functions: Functions
) -> None:
    given = discount()
    container = functions.container
    assert container.discounts(SHOP).create(given)
    assert container.admin_api(SHOP) is container.admin_api(SHOP)
    key = {"pk": {"S": f"SHOP#{SHOP}"}, "sk": {"S": "ACCESS_TOKEN"}}
    item = functions.table.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]
    token = PlainCipher().decrypt(item["ciphertext"]["B"], {"shop": SHOP})
    assert token is not None
    assert token.startswith("shpat_")


def test_a_function_that_starts_later_uses_the_stored_token(
    shopify: FakeShopifyProcess, functions: Functions
) -> None:
    functions.container.discounts(SHOP).deactivate(discount().code)
    later = Functions({"dynamodb": functions.table}, LOCAL_SHOPIFY_URL=shopify.url)
    later.container.discounts(SHOP).deactivate(discount().code)
    assert shopify.operations() == ["token", FIND, FIND]


def test_a_function_without_the_tokens_key_names_what_is_missing() -> None:
    settings = Functions(TOKEN_KEY_ID=" ").container.settings
    with pytest.raises(SettingsError) as wrong:
        Container(settings, dynamodb=memory_table()).admin_api(SHOP)
    assert wrong.value.variable == "TOKEN_KEY_ID"


# --- a Shopify that does not answer as it should --------------------------------------------------


@pytest.mark.parametrize("match", [CREATE, "/admin/oauth/access_token"])
def test_a_shopify_that_hangs_costs_no_more_than_the_budget(
    shopify: FakeShopifyProcess, match: str
) -> None:
    discounts = shopify.discounts()
    shopify.behave(hang=True, match=match)
    begun = time.monotonic()
    with pytest.raises(ShopifyUnavailable):
        discounts.create(discount(), within_seconds=0.5)
    assert 0.4 <= time.monotonic() - begun < 1


def test_a_shopify_that_is_not_there_is_unavailable() -> None:
    nobody = FakeShopifyProcess(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ShopifyUnavailable):
        nobody.discounts().create(discount(), within_seconds=1)


# --- switching off --------------------------------------------------------------------------------


def test_a_code_is_switched_off_and_again_changes_nothing(shopify: FakeShopifyProcess) -> None:
    given, discounts = discount(), shopify.discounts()
    discounts.create(given)
    discounts.deactivate(given.code.lower())
    ended = shopify.stored(given.code)["endsAt"]
    discounts.deactivate(given.code)
    assert shopify.stored(given.code)["endsAt"] == ended
    assert shopify.redeem(given.code) == 422
    assert shopify.operations().count(DEACTIVATE) == 1


# --- customers -----------------------------------------------------------------------------------


def test_a_customers_tags_are_read_with_one_query(shopify: FakeShopifyProcess) -> None:
    customer = str(7_000_000_000_000 + next(_numbers))
    shopify.set_customer(id=customer, tags=["Gold", "news"])
    found = shopify.customers().tag_digests(customer)
    assert found == frozenset({tag_digest("gold"), tag_digest("news")})
    assert shopify.operations().count("customer") == 1


def test_whether_a_customer_has_an_account_is_read(shopify: FakeShopifyProcess) -> None:
    customer = str(7_000_000_000_000 + next(_numbers))
    shopify.set_customer(id=customer, state="DISABLED")
    assert not shopify.customers().has_account(customer)
    shopify.set_customer(id=customer, state="ENABLED")
    assert shopify.customers().has_account(customer)


# --- tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "lives"),
    [
        ("shpat_ended", timedelta(0)),
        ("shpat_ends_soon", timedelta(minutes=1)),
        ("shpat_refused", timedelta(hours=20)),
    ],
)
def test_of_eight_instances_with_an_old_token_one_fetches_the_next(
    shopify: FakeShopifyProcess, token: str, lives: timedelta
) -> None:
    shopify.store(token, lives)
    instances = [shopify.discounts() for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda one: one.create(discount()), instances))
    assert len(found) == 8
    assert shopify.operations().count("token") == 1


def test_eight_threads_of_one_instance_fetch_one_token(shopify: FakeShopifyProcess) -> None:
    discounts = shopify.discounts()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: discounts.create(discount()), range(8)))
    assert shopify.operations().count("token") == 1


def test_while_a_secret_is_rotated_the_one_before_still_opens(shopify: FakeShopifyProcess) -> None:
    rotated = shopify.discounts(lambda: keys("not-known-to-shopify-yet", demo.CLIENT_SECRET))
    assert rotated.create(discount())
    assert shopify.operations() == ["token", "token", CREATE]
