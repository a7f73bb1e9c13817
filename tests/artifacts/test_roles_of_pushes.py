"""What has to do with changes pushed to the till is allowed what it does, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import demo
from pointbook.services.till_push import delivery
from tests.artifacts.cloud import TABLE
from tests.artifacts.roles import allowed
from tests.artifacts.shop import CUSTOMER, flow_event
from tests.artifacts.shop_with_till import ShopWithTill, a_till
from tools.make_events_stream import records

FLOW = ("grant", "consume")


class PushingShop(ShopWithTill):
    """A shop that pushes changes to its till."""

    def wake(self) -> None:
        """The stream shows the account as it is now."""
        account = self.functions.table.items(TABLE)[
            f"SHOP#{demo.SHOP_DOMAIN}#CUSTOMER#{CUSTOMER}", "ACCOUNT"
        ]
        assert self.functions.invoke("push_till", records(account)) == {"batchItemFailures": []}

    def sweep(self) -> None:
        """The schedule pushes what waits."""
        self.start_anew()
        assert self.functions.invoke("push_till", {})["due"] == 1

    def report(self, action: str, points: int) -> None:
        """Flow reports of the till what was pushed there."""
        self.start_anew()
        payload = flow_event(f"flow_action_{action}", {"points": points, "origin": "till"})
        answer = self.functions.request(f"flow_action_{action}", payload)
        assert answer.body["return_value"]["duplicate"] is True

    def undecided(self, action: str, points: int) -> None:
        """The same while the till cannot be read."""
        self.start_anew()
        payload = flow_event(f"flow_action_{action}", {"points": points, "origin": "till"})
        assert self.functions.request(f"flow_action_{action}", payload).status == 503

    def forget_token(self) -> None:
        """The till's token is gone, and has to be fetched anew."""
        items = self.functions.table.items(TABLE)
        (token,) = [key for key in items if "TOKEN" in key[1] and "TILL" in key[0]]
        key = {"pk": {"S": token[0]}, "sk": {"S": token[1]}}
        self.functions.table.delete_item(TableName=TABLE, Key=key)


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[PushingShop]:
    monkeypatch.setattr(delivery, "BACKOFF_INITIAL_SECONDS", 0)  # so that all is due at once
    with a_till() as url:
        clock = tmp_path / "clock.json"
        yield PushingShop(monkeypatch, clock, url, PROGRAMME_TILL_PUSH="changes")


def test_push_till_is_allowed_what_it_does(shop: PushingShop, resources: dict[str, Any]) -> None:
    """By the stream, of accounts that are there or not; from the queue, after a failure."""
    found = shop.needed(lambda: shop.work_on_samples("push_till"))
    shop.grant()
    shop.behave(fail_with=503, match="customers")
    shop.start_anew()
    found |= shop.needed(shop.wake)
    shop.behave()
    found |= shop.needed(shop.sweep)
    assert shop.functions.sample("flow_action_consume", "run").status == 200
    shop.start_anew()
    found |= shop.needed(shop.wake)
    assert found == allowed(resources, "push_till")


@pytest.mark.parametrize("action", FLOW)
def test_an_action_of_flow_is_allowed_what_it_does(
    shop: PushingShop, resources: dict[str, Any], action: str
) -> None:
    """On a shop without programme; refused, carried out, repeated; of the till; merged."""
    function = f"flow_action_{action}"
    found = shop.needed(lambda: shop.every_sample(function))
    shop.grant()
    found |= shop.needed(lambda: shop.every_sample(function))
    shop.wake()
    for points in (30, 20):
        payload = flow_event(function, {"points": points})
        assert shop.functions.request(function, payload).status == 200
        shop.wake()
    shop.forget_token()
    found |= shop.needed(lambda: shop.report(action, 20))
    shop.behave(fail_with=503, match="customers")
    found |= shop.needed(lambda: shop.undecided(action, 30))
    shop.merge()
    if action == "consume":
        shop.grant()
    shop.start_anew()
    found |= shop.needed(lambda: shop.every_sample(function))
    assert found == allowed(resources, function)
