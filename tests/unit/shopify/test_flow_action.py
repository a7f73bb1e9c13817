import json
from typing import Any

import pytest

from pointbook import errors
from pointbook.shopify.flow_action import (
    CONSUME_POINTS,
    GRANT_POINTS,
    REPORT_POINTS,
    FlowAction,
    PointsAction,
    read_customer_action,
    read_points_action,
)
from tests.support.forge import (
    CUSTOMER,
    KEYS,
    PREVIOUS_SECRET,
    SHOP,
    STRANGERS_SECRET,
    body_signature,
)

HEADER = "X-Shopify-Hmac-Sha256"
RUN_ID = "bdb15e45-4f9d-4c80-88c8-7b43a24edaac-30892-cc8eb62a-14db-43fc-bc33-d6dea41ae623"
ABSENT = object()


def members(**changes: Any) -> dict[str, Any]:
    good = {
        "shop_id": 548380009,
        "shopify_domain": SHOP,
        "action_run_id": RUN_ID,
        "action_definition_id": "Consume points",
        "handle": CONSUME_POINTS,
        "step_reference": "320d4f8a-0000-0000-0000-000000000000",
        "properties": properties(),
    }
    return {name: value for name, value in (good | changes).items() if value is not ABSENT}


def properties(**changes: Any) -> dict[str, Any]:
    good = {
        "customer_id": f"gid://shopify/Customer/{CUSTOMER}",
        "points": 500,
        "reason": "商品購入",
    }
    return {name: value for name, value in (good | changes).items() if value is not ABSENT}


def read(body: Any, *, method: str = "POST", handle: str = CONSUME_POINTS) -> PointsAction:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_points_action(method, {HEADER: body_signature(raw)}, raw, KEYS, handle)


def refusal_of(body: Any) -> errors.InvalidRequest:
    with pytest.raises(errors.InvalidRequest) as refusal:
        read(body)
    assert refusal.value.code == "invalid_request"
    return refusal.value


# --- what is read -------------------------------------------------------------------------------


def test_an_action_says_who_what_why_and_which_run() -> None:
    assert read(members()) == PointsAction(
        shop=SHOP,
        action_run_id=RUN_ID,
        handle=CONSUME_POINTS,
        customer_id=CUSTOMER,
        points=500,
        reason="商品購入",
        days_to_expire=None,
        idempotency_key=None,
        cause_entry_id=None,
        is_at_till=False,
        till_balance=None,
    )


ENTRY_ID = "8840734670934-000000000012"


def test_a_grant_may_say_days_key_and_cause() -> None:
    given = properties(days_to_expire="30", idempotency_key="return-17", cause_entry_id=ENTRY_ID)
    action = read(members(handle=GRANT_POINTS, properties=given), handle=GRANT_POINTS)
    assert (action.days_to_expire, action.idempotency_key, action.cause_entry_id) == (
        30,
        "return-17",
        ENTRY_ID,
    )


@pytest.mark.parametrize(
    "value", ["e-4", "Taro", f" {ENTRY_ID}", ENTRY_ID[:-1], f"{ENTRY_ID}0", "0-000000000001"]
)
def test_a_cause_is_an_entry_id_and_nothing_else(value: str) -> None:
    assert refusal_of(members(properties=properties(cause_entry_id=value))).field == (
        "cause_entry_id"
    )


def test_a_report_needs_a_customer_and_nothing_more() -> None:
    body = json.dumps(members(handle=REPORT_POINTS, properties={"customer_id": CUSTOMER})).encode()
    headers = {HEADER: body_signature(body, PREVIOUS_SECRET)}
    action = read_customer_action("POST", headers, body, KEYS, REPORT_POINTS)
    assert action == FlowAction(SHOP, RUN_ID, REPORT_POINTS, CUSTOMER)


@pytest.mark.parametrize("form", [CUSTOMER, int(CUSTOMER), f"gid://shopify/Customer{CUSTOMER}"])
def test_the_customer_may_come_in_every_form(form: object) -> None:
    assert read(members(properties=properties(customer_id=form))).customer_id == CUSTOMER


@pytest.mark.parametrize(
    ("sent", "points"),
    [(1, 1), ("1", 1), (1_000_000_000, 1_000_000_000), ("1000000000", 1_000_000_000)],
)
def test_points_may_come_as_a_number_or_as_its_text(sent: object, points: int) -> None:
    assert read(members(properties=properties(points=sent))).points == points


@pytest.mark.parametrize("empty", [None, "", " ", "\t\n", ABSENT])
@pytest.mark.parametrize("name", ["idempotency_key", "cause_entry_id", "days_to_expire"])
def test_what_a_template_rendered_to_nothing_counts_as_not_given(name: str, empty: object) -> None:
    action = read(members(properties=properties(**{name: empty})))
    assert getattr(action, name) is None


def test_a_key_may_have_255_characters() -> None:
    key = "注文 #1 " + "k" * 249
    assert read(members(properties=properties(idempotency_key=key))).idempotency_key == key


@pytest.mark.parametrize("around", [" ", "\n\t", "\u3000"])
def test_what_a_template_puts_around_a_key_makes_no_other_key(around: str) -> None:
    given = properties(idempotency_key=f"{around}注文 #1{around}")
    assert read(members(properties=given)).idempotency_key == "注文 #1"


@pytest.mark.parametrize(
    "body",
    [
        members(shop_id="1"),
        members(shop_id=ABSENT),
        members(step_reference=ABSENT, action_definition_id=ABSENT),
        members(properties=properties(step_reference="in here", note=["new"])),
        members(handle=ABSENT),
        members(new_member={"a": 1}),
    ],
    ids=str,
)
def test_unneeded_or_unknown_members_are_ignored(body: dict[str, Any]) -> None:
    assert read(body) == read(members())


def test_the_shop_is_the_signed_one_whatever_a_header_says() -> None:
    body = json.dumps(members()).encode()
    headers = {HEADER: body_signature(body), "X-Shopify-Shop-Domain": "evil.myshopify.com"}
    assert read_points_action("POST", headers, body, KEYS, CONSUME_POINTS).shop == SHOP


# --- what is refused, in order ------------------------------------------------------------------

BODY = json.dumps(members()).encode()
NOT_JSON = b"{"


@pytest.mark.parametrize(
    ("method", "headers", "body", "expected"),
    [
        ("GET", {}, NOT_JSON, errors.MethodNotAllowed),
        ("PUT", {HEADER: body_signature(BODY)}, BODY, errors.MethodNotAllowed),
        ("", {}, b"", errors.MethodNotAllowed),
        ("POST", {}, NOT_JSON, errors.SignatureMissing),
        ("POST", {}, BODY, errors.SignatureMissing),
        ("POST", {HEADER: body_signature(BODY, STRANGERS_SECRET)}, BODY, errors.SignatureWrong),
        ("POST", {HEADER: body_signature(BODY, KEYS.my_page_secret)}, BODY, errors.SignatureWrong),
        ("POST", {HEADER: body_signature(BODY)}, BODY + b" ", errors.SignatureWrong),
        ("POST", {HEADER: "é"}, NOT_JSON, errors.SignatureWrong),
        ("POST", {HEADER: body_signature(NOT_JSON)}, NOT_JSON, errors.MalformedBody),
    ],
)
def test_nothing_of_a_body_is_looked_at_before_its_signature_holds(
    method: str, headers: dict[str, str], body: bytes, expected: type[errors.PointbookError]
) -> None:
    with pytest.raises(expected):
        read_points_action(method, headers, body, KEYS, CONSUME_POINTS)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b'"text"', b"\xff\xfe{}"),
        *(b'{"properties":{"points":1,"points":2}}', b'{"properties":{"points":NaN}}'),
        *(b'{"properties":{"reason":"\\ud800"}}', b'{"a":' * 50_000),
        *(b"[" * 30_000 + b"]" * 30_000, b'{"points":' + b"9" * 5000 + b"}"),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_signed_body_that_can_be_read_in_two_ways_is_malformed(body: bytes) -> None:
    with pytest.raises(errors.MalformedBody):
        read(body)


@pytest.mark.parametrize(
    "shop", [ABSENT, None, "", "evil.myshopify.com", SHOP.upper(), [SHOP], {"a": 1}, 1]
)
def test_an_unknown_shop_is_refused(shop: object) -> None:
    with pytest.raises(errors.UnknownShop):
        read(members(shopify_domain=shop))


def test_an_action_is_carried_out_only_at_its_own_address() -> None:
    assert refusal_of(members(handle=GRANT_POINTS)).field == "handle"


@pytest.mark.parametrize("run_id", [ABSENT, None, "", " ", "r" * 256, 17, ["r"]])
def test_a_run_without_a_usable_id_is_refused(run_id: object) -> None:
    assert refusal_of(members(action_run_id=run_id)).field == "action_run_id"


@pytest.mark.parametrize("given", [ABSENT, None, [], "points=1", 5])
def test_properties_must_be_an_object(given: object) -> None:
    assert refusal_of(members(properties=given)).field == "properties"


@pytest.mark.parametrize(
    "points",
    [
        *(ABSENT, None, "", " ", 0, -1, 1_000_000_001, 2**63, 10**400, True, False, 5.0, 5.5),
        *(1e3, "0", "-5", "+5", "5.0", "1e3", "1,000", "1_000", "0x10", "007", " 5", "5 "),
        *("5\n", "１０", "٥", "²", "9" * 400, "five", [5], {"value": 5}),
    ],
)
def test_points_that_are_no_whole_number_in_range_are_refused(points: object) -> None:
    refusal = refusal_of(members(properties=properties(points=points)))
    assert refusal.field == "points"
    assert "whole number from 1 to 1000000000" in refusal.message
    assert len(refusal.message) < 200


@pytest.mark.parametrize("days", [0, -1, 36_501, 1.0, True, "1.5", "zero", "１", [1]])
def test_days_that_are_no_whole_number_in_range_are_refused(days: object) -> None:
    given = properties(days_to_expire=days)
    assert refusal_of(members(properties=given)).field == "days_to_expire"


@pytest.mark.parametrize("reason", [ABSENT, None, "", "   ", "r" * 256, 5, ["r"]])
def test_a_reason_has_one_to_255_characters(reason: object) -> None:
    assert refusal_of(members(properties=properties(reason=reason))).field == "reason"


@pytest.mark.parametrize("name", ["idempotency_key", "cause_entry_id"])
@pytest.mark.parametrize("value", ["k" * 256, 5, 0, False, ["k"], {"k": 1}])
def test_a_key_that_is_no_text_of_255_characters_is_refused(name: str, value: object) -> None:
    assert refusal_of(members(properties=properties(**{name: value}))).field == name


@pytest.mark.parametrize("customer_id", [ABSENT, None, "", "me", 0, 4.2, "gid://shopify/Order/1"])
def test_an_action_needs_a_customer(customer_id: object) -> None:
    given = properties(customer_id=customer_id)
    assert refusal_of(members(properties=given)).field == "customer_id"
