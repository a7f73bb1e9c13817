"""`pointbook doctor` and `smoke` on a running stack: all is well; what goes wrong is found."""

import json
from typing import Any

import pytest
import requests

from cli.app import main
from local import demo
from local.stack import Stack
from tests.e2e.calls import new_customer
from tests.e2e.queues import Queues

type Doctor = dict[str, dict[str, Any]]


def doctor(capsys: pytest.CaptureFixture[str], status: int) -> Doctor:
    """What is wrong, by what was looked at."""
    capsys.readouterr()
    found = main(["doctor", "--json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert found == status, checks
    return {one["what"]: one for one in checks if one["state"] == "wrong"}


@pytest.mark.usefixtures("local_commands")
def test_a_running_stack_is_well_and_what_goes_wrong_is_found(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(capsys, 0) == {}
    queues = Queues(stack, "privacy_events")
    queues.sqs.send_message(QueueUrl=queues.dead_letters, MessageBody="{}")
    shopify = f"{stack.shopify_stand_in_url}/_client_secrets"
    assert requests.post(shopify, json=["another"], timeout=30).status_code == 200
    try:
        assert set(doctor(capsys, 1)) == {
            "queue privacy_events",
            f"shop {demo.SHOP_DOMAIN}",
            "shop second.myshopify.com",
        }
    finally:
        queues.sqs.purge_queue(QueueUrl=queues.dead_letters)
        requests.post(shopify, json=[demo.CLIENT_SECRET], timeout=30)
    assert doctor(capsys, 0) == {}


@pytest.mark.usefixtures("local_commands")
def test_a_running_stack_answers_as_it_should(capsys: pytest.CaptureFixture[str]) -> None:
    customer = new_customer()
    for options, requests_sent in (((), 9), (("--customer", customer), 12)):
        capsys.readouterr()
        status = main(["smoke", "--json", *options])
        found = json.loads(capsys.readouterr().out)
        assert (status, found["wrong"], len(found["requests"])) == (0, 0, requests_sent), found
