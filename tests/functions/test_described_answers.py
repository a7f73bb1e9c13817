"""Every error that docs/openapi.yaml lists for an operation is one that its function gives.

Some are refusals of a sample event (test_refusals.py); the others are provoked here.
The other way round, an answer that is not listed fails whatever test gets it: `Functions.request`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from local import signing
from pointbook.container import Parts
from pointbook.entrypoints.request import QUERY_FIELDS_MAX
from pointbook.errors import LedgerUnavailable, ShopifyUnavailable, Unavailable
from pointbook.settings import Secrets
from pointbook.shopify.webhook import BODY_BYTES_MAX as WEBHOOK_BYTES_MAX
from tests.fakes.codes import Codes
from tests.fakes.flow import FakeFlow, dead, down
from tests.fakes.pushed_till import reply_lost, well
from tests.functions.hold_shop import HoldShop
from tests.functions.import_api import put_file
from tests.functions.push_shop import PushShop
from tests.functions.samples import (
    FLOW,
    MY_PAGE,
    REFUSED,
    SERVED,
    SIGNED,
    STAFF,
    STAFF_READS,
    WITHOUT_TABLE,
)
from tests.support.api_description import check_answer, operations
from tests.support.harness import CUSTOMER, Answer, Functions, event
from tools.make_events_operator import RUN_ID

type Errors = Iterator[Answer]


class Failing:
    """A client of AWS whose calls raise one error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**_request: object) -> None:
            raise self._error

        return call


def stack(parts: Parts | None = None, **variables: str) -> Functions:
    """Functions of a shop whose discounts and Flow are in memory."""
    codes, flow = Codes(), FakeFlow()
    fakes: Parts = {"discounts": lambda _: codes, "flow": lambda _: flow, **(parts or {})}
    return Functions(fakes, **variables)


def signed(function: str, body: bytes, case: str = "") -> dict[str, Any]:
    """A request with this body, signed by Shopify."""
    request = event(function, case or SERVED[function])
    request["headers"]["x-shopify-hmac-sha256"] = signing.flow_signature(body)
    return request | {"body": body.decode()}


def changed(function: str, **members: object) -> dict[str, Any]:
    """A sample event with other members of its body, signed where the function needs it."""
    request = event(function, SERVED[function])
    text = json.dumps(json.loads(request["body"]) | members)
    return signed(function, text.encode()) if function in SIGNED else request | {"body": text}


# --- what is the same for many functions ----------------------------------------------------------


def of_every_function(function: str) -> Errors:
    """A body that is too large, a query with too many fields, a fault of our own."""
    large = WEBHOOK_BYTES_MAX + 1 if function == "shopify_webhook" else 512 * 1024 + 1
    functions = stack()
    yield functions.request(function, event(function, SERVED[function]) | {"body": "x" * large})
    fields = "&".join(f"a{number}" for number in range(QUERY_FIELDS_MAX + 1))
    yield functions.request(
        function, event(function, SERVED[function]) | {"rawQueryString": fields}
    )
    fault = event(function, SERVED[function])
    fault["requestContext"]["authorizer"] = "not an object"
    yield functions.request(function, fault)


def without_secret(function: str) -> Errors:
    """The stack's secret cannot be read."""

    def unreadable() -> Secrets:
        raise Unavailable(5, code="secrets_unavailable", message="Please try again.")

    till = {"TILL_PROVIDER": "smaregi"} if function == "till_status" else {}
    yield stack({"read_secrets": unreadable}, **till).sample(function, SERVED[function])


def without_table(function: str) -> Errors:
    """The table cannot be reached."""
    table = Failing(LedgerUnavailable())
    yield stack({"dynamodb": table}).sample(function, SERVED[function])


def of_customers_and_staff(function: str) -> Errors:
    """Too many requests of one person."""
    functions = stack(CUSTOMER_REQUESTS_PER_MINUTE="1")
    functions.sample(function, SERVED[function])
    yield functions.sample(function, SERVED[function])


def of_holds(function: str) -> Errors:
    """A token that has expired or is forged."""
    for case in ("expired_token", "forged_token"):
        request = event(function, SERVED[function])
        request["headers"]["authorization"] = event("get_points", case)["headers"]["authorization"]
        yield stack().request(function, request)


def of_staff_reads(function: str) -> Errors:
    """Not permitted."""
    yield stack(PROGRAMME_STAFF_LOOK="none").sample(function, SERVED[function])


# --- what is one function's own -------------------------------------------------------------------


def of_create_hold(folder: Path) -> Errors:
    shop = HoldShop(folder)
    yield shop.hold("a", 9_999)
    shop.codes.fault = ShopifyUnavailable(1)
    yield shop.hold("failed")
    held = shop.hold("a").body
    yield shop.hold("a", 400)
    shop.release(held["hold_id"])
    yield shop.hold("a")
    yield from captured(shop)
    shop.functions.erase()
    yield shop.hold("c")
    master = HoldShop(folder, PROGRAMME_POINTS_MASTER="till")
    yield master.hold("a")
    yield HoldShop(folder, PROGRAMME_HOLDS="paused").hold("a")


def captured(shop: HoldShop) -> Errors:
    """An order uses a hold's code; then its key and its release are repeated."""
    held = shop.hold("used").body
    shop.capture(held["discount_code"])
    yield shop.hold("used")
    yield shop.release(held["hold_id"])


def of_release_hold(folder: Path) -> Errors:
    shop = HoldShop(folder)
    held = shop.hold("a").body
    shop.codes.fault = ShopifyUnavailable(1)
    yield shop.release(held["hold_id"])
    shop.release(held["hold_id"])
    yield from list(captured(shop))[1:]


def of_adjust_points(_folder: Path) -> Errors:
    functions = stack()
    functions.sample("adjust_points", "add")
    yield functions.request("adjust_points", changed("adjust_points", points=1))
    functions.erase()
    request = event("adjust_points", "add")
    request["headers"]["idempotency-key"] = "another"
    yield functions.request("adjust_points", request)


def of_staff_adjust_points(_folder: Path) -> Errors:
    functions = stack()
    limited = stack(PROGRAMME_STAFF_POINTS_PER_DAY="300")
    limited.sample("staff_adjust_points", "add")
    yield limited.sample("staff_adjust_points", "add_until")
    functions.sample("staff_adjust_points", "add")
    yield functions.request("staff_adjust_points", changed("staff_adjust_points", points=1))
    functions.erase()
    another = changed("staff_adjust_points", points=1, idempotency_key="another")
    yield functions.request("staff_adjust_points", another)


def of_staff_create_hold(folder: Path) -> Errors:
    shop = HoldShop(folder)

    def hold(**members: object) -> Answer:
        return shop.functions.request("staff_create_hold", changed("staff_create_hold", **members))

    yield hold(points=9_999)
    shop.codes.fault = ShopifyUnavailable(1)
    yield hold(idempotency_key="failed")
    held = hold().body
    yield hold(points=400)
    release = event("staff_release_hold", "given_up")
    release["pathParameters"]["hold_id"] = held["hold_id"]
    assert shop.functions.request("staff_release_hold", release).status == 200
    yield hold()
    sold = hold(idempotency_key="used").body
    shop.capture(sold["discount_code"])
    yield hold(idempotency_key="used")
    shop.functions.erase()
    yield hold(idempotency_key="erased")
    master = HoldShop(folder, PROGRAMME_POINTS_MASTER="till")
    yield master.functions.sample("staff_create_hold", "sale")


def of_staff_release_hold(folder: Path) -> Errors:
    shop = HoldShop(folder)
    held = shop.functions.sample("staff_create_hold", "sale").body
    shop.codes.fault = ShopifyUnavailable(1)
    yield shop.functions.sample("staff_release_hold", "given_up")
    shop.capture(held["discount_code"])
    yield shop.functions.sample("staff_release_hold", "given_up")


def of_import_runs(_folder: Path) -> Errors:
    functions = stack()
    broken = stack({"s3": Failing(ConnectTimeoutError(endpoint_url="s3"))})
    yield broken.sample("import_runs", "report")
    functions.queues.error = ConnectTimeoutError(endpoint_url="https://sqs")
    put_file(functions, RUN_ID)
    yield functions.sample("import_runs", "start")


def of_flow(function: str) -> Errors:
    """A loop, an erased customer."""
    functions = stack(PROGRAMME_FLOW_ENTRIES_PER_HOUR="1")
    action = function.removeprefix("flow_action_")
    given = {"customer_id": 1, "points": 5, "reason": "Hi"}
    assert functions.flow("grant", "first", **given).status == 200
    if action == "report":
        assert functions.flow(action, "first", **given).status == 200
    yield functions.flow(action, "second", **given)
    erased = stack()
    erased.sample("flow_action_grant", "with_key")
    erased.erase()
    yield erased.sample(function, "run")


def of_points_actions(function: str) -> Errors:
    """The same run with other points."""
    functions = stack()
    functions.sample("flow_action_grant", "run")
    action = function.removeprefix("flow_action_")
    given = {"customer_id": CUSTOMER, "reason": "Hi"}
    assert functions.flow(action, "same", points=5, **given).status == 200
    yield functions.flow(action, "same", points=6, **given)
    yield report_of_the_till_under_way(action)
    if action == "consume":
        yield functions.flow(action, "more", points=9_999, **given)
    paused = stack(PROGRAMME_EARNING="paused", PROGRAMME_SPENDING="paused")
    yield paused.flow(action, "while paused", points=5, **given)


def report_of_the_till_under_way(action: str) -> Answer:
    """The till reports a movement while the outcome of a push of as many points is unknown."""
    shop = PushShop()
    assert shop.flow("grant", "first", 1250).status == 200
    shop.stream()
    assert shop.flow(action, "online", 300).status == 200
    shop.till.faults.extend([well, reply_lost])
    shop.stream()
    balance = 1550 if action == "grant" else 950
    return shop.flow(action, "at the till", 300, origin="till", till_balance=balance)


def of_report(_folder: Path) -> Errors:
    flow = FakeFlow()
    flow.faults.extend([dead, down])
    functions = stack({"flow": lambda _: flow})
    for _ in range(2):
        yield functions.sample("flow_action_report", "run")
    yield functions.request("flow_action_report", signed("flow_action_report", b"[]"))
    not_posted = event("flow_action_report", "run")
    not_posted["requestContext"]["http"]["method"] = "GET"
    yield functions.request("flow_action_report", not_posted)


def of_webhooks(_folder: Path) -> Errors:
    functions = stack()
    without_topic = event("shopify_webhook", "customers_create")
    del without_topic["headers"]["x-shopify-topic"]
    yield functions.request("shopify_webhook", without_topic)
    redact = event("shopify_webhook", "customers_redact")
    ids = [2**63 + number * 7_919_111_333_777 for number in range(200_000)]
    body = json.dumps(json.loads(redact["body"]) | {"orders_to_redact": ids}).encode()
    yield functions.request("shopify_webhook", signed("shopify_webhook", body, "customers_redact"))
    functions.queues.error = ConnectTimeoutError(endpoint_url="https://sqs")
    yield functions.sample("shopify_webhook", "customers_create")


def of_extend_points(_folder: Path) -> Errors:
    functions = stack()
    functions.sample("adjust_points", "add_until")
    functions.sample("extend_points", "extend")
    yield functions.request("extend_points", changed("extend_points", new_expires_on="2100-04-30"))
    functions.erase()
    other = event("extend_points", "extend")
    other["headers"]["idempotency-key"] = "of the erased"
    yield functions.request("extend_points", other)


OWN: Mapping[str, Callable[[Path], Errors]] = {
    "create_hold": of_create_hold,
    "release_hold": of_release_hold,
    "staff_adjust_points": of_staff_adjust_points,
    "staff_create_hold": of_staff_create_hold,
    "staff_release_hold": of_staff_release_hold,
    "adjust_points": of_adjust_points,
    "extend_points": of_extend_points,
    "import_runs": of_import_runs,
    "flow_action_report": of_report,
    "shopify_webhook": of_webhooks,
}


OF_SEVERAL: Mapping[tuple[str, ...], Callable[[str], Errors]] = {
    tuple(SERVED): of_every_function,
    (*MY_PAGE, *STAFF, *SIGNED, "till_status"): without_secret,
    (*MY_PAGE, *STAFF): of_customers_and_staff,
    ("create_hold", "release_hold"): of_holds,
    STAFF_READS: of_staff_reads,
    FLOW: of_flow,
    ("flow_action_grant", "flow_action_consume"): of_points_actions,
}


def errors(function: str, folder: Path) -> Errors:
    """Every error that no sample event provokes."""
    for functions, of_each in OF_SEVERAL.items():
        if function in functions:
            yield from of_each(function)
    if function not in (*WITHOUT_TABLE, "shopify_webhook"):
        yield from without_table(function)
    if function in OWN:
        yield from OWN[function](folder)


@pytest.mark.parametrize("function", SERVED)
def test_a_function_gives_each_of_the_errors_that_are_listed_for_it(
    function: str, tmp_path: Path
) -> None:
    listed = [one for one in operations().values() if one.function == function]
    listed = [one for one in listed if one.method != "options"]
    given = {*REFUSED[function].values()}
    if function == "shopify_webhook":
        given.remove((405, "method_not_allowed"))  # its gateway has a route for POST alone
    for answer in errors(function, tmp_path):
        assert answer.status >= 400, answer
        check_answer(listed[0], answer)
        given.add((answer.status, answer.body["code"]))
    for operation in listed:
        assert operation.codes() == given


def test_every_operation_but_a_preflight_is_tried() -> None:
    assert {one.function for one in operations().values()} == {*SERVED} == {*REFUSED}
