"""Operators look at accounts and orders by command, and extend points, on the whole stack."""

import json
import time
from typing import Any

import pytest

from cli.app import main as cli_main
from local import demo
from local.stack import Stack
from tests.e2e.calls import adjust, approved, call, new_customer, new_order, post, wait_until
from tests.support.hold_orders import order_payload


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert cli_main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_an_account_is_read_now_and_as_it_was(
    stack: Stack, local_commands: None, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = new_customer()
    assert adjust(stack, customer, 200, "a").status_code == 201
    before = document(capsys, "show", customer)["as_of"]
    assert adjust(stack, customer, -150, "b").status_code == 201
    found = document(capsys, "show", customer)
    assert (found["figures"]["approved"], found["shop"]) == (50, demo.SHOP_DOMAIN)
    then = document(capsys, "show", customer, "--at", before)
    assert (then["figures"]["approved"], then["version"]) == (200, 1)
    entries = document(capsys, "history", customer)["entries"]
    assert [one["topic"] for one in entries] == ["points/sub/manual", "points/add/manual"]
    assert document(capsys, "explain", "--customer", customer)["adds_up"] is True


def test_an_order_that_a_webhook_brought_is_explained(
    stack: Stack, local_commands: None, capsys: pytest.CaptureFixture[str]
) -> None:
    customer, order = new_customer(), new_order()
    payload = order_payload(order, "", 0, customer, int(time.time() * 1000), left=2_500)
    post(stack, "orders/paid", payload)
    wait_until(lambda: approved(stack, customer) == 25)
    found = document(capsys, "explain", order)
    assert (found["base"], found["granted"], found["remaining"]) == (2_500, 25, 25)
    assert "2500 JPY earn 25 points." in found["why"]


def test_points_are_extended_and_the_entry_has_both_days(
    stack: Stack, local_commands: None, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = new_customer()
    assert adjust(stack, customer, 200, "a").status_code == 201
    (lot,) = document(capsys, "show", customer)["lots"]
    days = ("--expires-on", lot["expires_on"], "--to", "2099-12-31")
    done = document(capsys, "extend", customer, *days, "--reason", "Closed in winter")
    assert done["points"] == 200
    shown = document(capsys, "show", customer)
    assert shown["lots"] == [{"points": 200, "expires_on": "2099-12-31"}]
    newest = document(capsys, "history", customer)["entries"][0]
    assert newest["lots"] == [
        {"points": -200, "expires_on": lot["expires_on"]},
        {"points": 200, "expires_on": "2099-12-31"},
    ]


def test_an_id_that_shopify_does_not_know_gets_no_points_without_a_yes(
    stack: Stack, local_commands: None, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = new_customer()
    shopify = f"{stack.shopify_stand_in_url}/_behave"
    call(shopify, json.dumps({"forget": customer}).encode())
    command = ["adjust", customer, "--points", "20", "--reason", "Sorry"]
    assert cli_main(command) == 1
    said = capsys.readouterr()
    assert f"has no customer {customer} at Shopify" in said.out
    assert "pass --yes" in said.err
    assert approved(stack, customer) == 0
    assert cli_main([*command, "--yes"]) == 0
    call(shopify, json.dumps({"times": 0}).encode())
    assert approved(stack, customer) == 20
