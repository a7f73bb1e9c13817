"""The shop's staff, with a token as Shopify's admin gives it, through the reverse proxy."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from local import demo
from local.stack import Stack
from tests.e2e.calls import approved, bearer, call, new_customer

MANAGER, COUNTER, NEWCOMER = demo.STAFF


def staff(stack: Stack, staff_id: str) -> dict[str, str]:
    """The header of a member of the staff who is logged in."""
    body = json.dumps({"staff_id": staff_id}).encode()
    token = call(f"{stack.front_url}/_staff", body).json()["session_token"]
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def post(
    stack: Stack, customer: str, what: str, headers: dict[str, str], **body: Any
) -> requests.Response:
    url = f"{stack.api_url}/v1/staff/customers/{customer}/{what}"
    return call(url, json.dumps(body).encode(), headers)


def left(stack: Stack, headers: dict[str, str]) -> int:
    found: int = call(f"{stack.api_url}/v1/staff/me", headers=headers).json()["limits"][
        "points_left_today"
    ]
    return found


def test_points_are_previewed_added_with_a_double_click_and_taken_back(stack: Stack) -> None:
    customer, manager = new_customer(), staff(stack, MANAGER)
    before = left(stack, manager)
    asked = {"points": 200, "reason": "Sorry", "idempotency_key": customer}
    preview = post(stack, customer, "adjustments", manager, **asked, preview=True)
    assert (preview.status_code, preview.json()["figures"]["approved"]) == (200, 200)
    assert approved(stack, customer) == 0
    with ThreadPoolExecutor(4) as pool:
        clicks = list(
            pool.map(lambda _: post(stack, customer, "adjustments", manager, **asked), range(4))
        )
    assert {click.status_code for click in clicks} == {201}
    assert len({click.text for click in clicks}) == 1
    assert (approved(stack, customer), left(stack, manager)) == (200, before - 200)
    back = {"points": -200, "reason": "By mistake", "idempotency_key": f"{customer} back"}
    assert post(stack, customer, "adjustments", manager, **back).status_code == 201
    assert approved(stack, customer) == 0
    history = call(f"{stack.api_url}/v1/customers/me/points/history", headers=bearer(customer))
    assert [one["reason"] for one in history.json()["entries"]] == ["By mistake", "Sorry"]


def test_who_may_not_changes_nothing_and_a_customer_is_no_staff(stack: Stack) -> None:
    customer = new_customer()
    asked = {"points": 200, "reason": "Mine", "idempotency_key": customer}
    for headers, code in (
        (staff(stack, NEWCOMER), "not_permitted"),
        (staff(stack, COUNTER), "not_permitted"),
        (bearer(customer), "token_invalid"),
        ({}, "token_missing"),
    ):
        answer = post(stack, customer, "adjustments", headers, **asked)
        assert (answer.json()["code"], answer.status_code in (401, 403)) == (code, True)
    token = staff(stack, MANAGER)
    answer = call(f"{stack.api_url}/v1/customers/me/points", headers=token)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    assert approved(stack, customer) == 0


def test_at_the_counter_points_are_held_and_come_back_when_the_sale_is_given_up(
    stack: Stack,
) -> None:
    customer, counter = new_customer(), staff(stack, COUNTER)
    gift = {"points": 500, "reason": "Hi", "idempotency_key": customer}
    assert post(stack, customer, "adjustments", staff(stack, MANAGER), **gift).status_code == 201
    held = post(stack, customer, "holds", counter, points=300, idempotency_key=customer)
    assert held.status_code == 201, held.text
    assert approved(stack, customer) == 200
    page = call(f"{stack.api_url}/v1/customers/me/points", headers=bearer(customer)).json()
    assert page["hold"]["discount_code"] == held.json()["discount_code"]
    release = f"holds/{held.json()['hold_id']}/release"
    for _ in range(2):
        assert post(stack, customer, release, counter).json()["figures"]["approved"] == 500


def test_the_staff_look_at_an_account_its_history_and_an_order(stack: Stack) -> None:
    customer, newcomer = new_customer(), staff(stack, NEWCOMER)
    gift = {"points": 500, "reason": "Hi", "idempotency_key": customer}
    assert post(stack, customer, "adjustments", staff(stack, MANAGER), **gift).status_code == 201

    def look(path: str, headers: dict[str, str]) -> requests.Response:
        return call(f"{stack.api_url}/v1/staff/{path}", headers=headers)

    account = look(f"customers/{customer}", newcomer).json()
    assert (account["shop"], account["figures"]["approved"]) == (demo.SHOP_DOMAIN, 500)
    before = look(f"customers/{customer}?at=2026-01-31T09:00:00%2B09:00", newcomer).json()
    assert (before["figures"]["approved"], before["version"]) == (0, 0)
    (entry,) = look(f"customers/{customer}/history?limit=1", newcomer).json()["entries"]
    assert (entry["actor"], entry["reason"]) == (f"staff:{MANAGER}", "Hi")
    unknown = look("orders/1", newcomer)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "order_not_found")
    for path in (f"customers/{customer}", f"customers/{customer}/history", "orders/1"):
        assert look(path, bearer(customer)).json()["code"] == "token_invalid"
