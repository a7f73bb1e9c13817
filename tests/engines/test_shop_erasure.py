"""A shop that left is erased completely, and nothing else; one that came back is not touched."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from cli.errors import CommandFailed
from cli.privacy import confirm
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Settle
from pointbook.domain.privacy import Kind, State
from pointbook.errors import LedgerUnavailable
from pointbook.services.privacy import shops
from pointbook.store import keys
from tests.engines.test_erasure import live
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import At, Crash, Fault, faulty
from tests.fakes.privacy import PrivacyDriver, everything
from tests.support.engine import DYNAMODB_LOCAL, MEMORY, SHOP, Engine, opened
from tests.support.examples import CUSTOMER
from tests.support.ledgers import LedgerDriver

NEIGHBOUR = "demo.myshopify.community"
"""Not this shop, although its name begins like it."""

ENGINES = pytest.mark.parametrize("engine", [MEMORY, DYNAMODB_LOCAL], indirect=True)
IN_MEMORY = pytest.mark.parametrize("engine", [MEMORY], indirect=True)


class Leaving(PrivacyDriver):
    """A shop that has removed the app, 48 hours ago."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        live(engine)
        self.token(b"ciphertext")
        self.neighbour()
        self.uninstall()
        self.clock.pass_time(hours=48)

    def token(self, ciphertext: bytes) -> None:
        """The shop has an access token."""
        self.put(f"SHOP#{SHOP}", keys.ACCESS_TOKEN, ciphertext={"B": ciphertext})

    def neighbour(self) -> None:
        """Another shop has a customer."""
        self.put(f"SHOP#{NEIGHBOUR}", keys.PROGRAMME)
        self.put(f"SHOP#{NEIGHBOUR}#CUSTOMER#{CUSTOMER}", "ENTRY#000000000001")

    def put(self, pk: str, sk: str, **more: Any) -> None:
        item = {"pk": {"S": pk}, "sk": {"S": sk}, **more}
        self.engine.client.put_item(TableName=self.engine.table, Item=item)

    def uninstall(self) -> None:
        self.driver().carry_out(self.message("app/uninstalled", {}))

    def erase(self, client: Any = None) -> None:
        self.driver(client).carry_out(self.message("shop/redact", {"shop_domain": SHOP}))

    def held_keys(self) -> list[tuple[str, str]]:
        return sorted((item["pk"]["S"], item["sk"]["S"]) for item in everything(self.engine))

    def state(self) -> State:
        request = self.requests.find(Kind.SHOP, SHOP, SHOP)
        assert request is not None
        return request.state


LEFT = [
    (f"SHOP#{NEIGHBOUR}", keys.PROGRAMME),
    (f"SHOP#{NEIGHBOUR}#CUSTOMER#{CUSTOMER}", "ENTRY#000000000001"),
    ("SHOP_ERASURES", f"PRIVACY_REQUEST#shop/redact#{SHOP}"),
]


@ENGINES
def test_all_of_the_shop_goes_and_nothing_of_another(engine: Engine) -> None:
    shop = Leaving(engine)
    shop.bucket.objects[f"data-requests/{SHOP}/1/1.json"] = b"{}"
    shop.bucket.objects[f"data-requests/{NEIGHBOUR}/1/1.json"] = b"{}"
    shop.erase()
    assert shop.held_keys() == LEFT
    assert list(shop.bucket.objects) == [f"data-requests/{NEIGHBOUR}/1/1.json"]
    shop.erase()
    assert (shop.held_keys(), shop.state()) == (LEFT, State.DONE)


@IN_MEMORY
def test_removing_the_app_takes_the_token_away_and_is_noted_once(engine: Engine) -> None:
    shop = Leaving(engine)
    assert (f"SHOP#{SHOP}", keys.ACCESS_TOKEN) not in shop.held_keys()
    noted = everything(engine)
    shop.uninstall()
    assert len(everything(engine)) == len(noted)


@IN_MEMORY
def test_an_older_removal_that_is_delivered_late_does_not_hide_the_latest(engine: Engine) -> None:
    shop = Leaving(engine)
    late = replace(shop.message("app/uninstalled", {}), received_at=shop.clock.now())
    shop.clock.pass_time(hours=1)
    shop.uninstall()
    shop.driver().carry_out(late)
    shop.clock.pass_time(hours=23, minutes=30)
    shop.erase()
    assert shop.state() is State.HELD, "the app went less than a day before"


@IN_MEMORY
@pytest.mark.parametrize("sign", ["token", "entry", "order", "no note", "too soon"])
def test_a_shop_that_lives_is_held_for_an_operator(
    engine: Engine, sign: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Leaving(engine)
    driver = LedgerDriver(engine)
    driver.clock.pass_time(hours=47)
    if sign == "token":
        shop.token(b"new")
    elif sign == "entry":
        driver.grant(5, reason="They are back")
    elif sign == "order":
        driver.clock.pass_time(hours=-40)
        driver.grant(5, cause=Cause("order"))
    elif sign == "too soon":
        shop.clock.pass_time(hours=-25)
    else:
        key = {"pk": {"S": f"SHOP#{SHOP}"}, "sk": {"S": keys.APP_REMOVED}}
        delete = {engine.table: [{"DeleteRequest": {"Key": key}}]}
        engine.client.batch_write_item(RequestItems=delete)
    before = shop.held_keys()

    shop.erase()
    assert shop.state() is State.HELD
    assert shop.watch().held == 1
    assert '"PrivacyRequestsHeld": [1]' in capsys.readouterr().out, "for the alarm"
    assert [key for key in shop.held_keys() if key[0] != "SHOP_ERASURES"] == before

    confirm(shop.requests, SHOP)
    with pytest.raises(CommandFailed, match="no held request"):
        confirm(shop.requests, SHOP)
    assert shop.watch().done == 1
    assert shop.held_keys() == LEFT


@IN_MEMORY
def test_points_that_lapse_and_late_requests_are_no_sign_of_life(engine: Engine) -> None:
    shop = Leaving(engine)
    driver = LedgerDriver(engine)
    driver.clock.pass_time(hours=5)
    driver.grant(5, reason="on its way when the app went")
    driver.clock.pass_time(days=400)
    driver.say(Settle(), cause=Cause("schedule"))
    assert "sub/expire" in driver.topics()
    shop.erase()
    assert shop.held_keys() == LEFT


@IN_MEMORY
def test_a_shop_may_come_back_and_leave_again(engine: Engine) -> None:
    shop = Leaving(engine)
    shop.erase()
    shop.clock.pass_time(days=1)
    live(engine)
    shop.uninstall()
    shop.clock.pass_time(hours=48)
    shop.erase()
    assert (shop.held_keys(), shop.state()) == (LEFT, State.DONE)


@IN_MEMORY
def test_the_log_says_how_far_it_has_come(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shops, "PAGE_ITEMS", 3)
    monkeypatch.setattr(shops, "PROGRESS_EVERY_ITEMS", 6)
    Leaving(engine).erase()
    assert '"message": "shop_erasure_progress"' in capsys.readouterr().out


def _interrupted(at: int, fault: Fault) -> bool:
    """Erase with one fault at one call, then let the schedule run. False: there is no such call."""
    engine = opened(MEMORY, MemoryDynamoDB())
    shop = Leaving(engine)
    plan = At(at, fault)
    with suppress(Crash, LedgerUnavailable):  # the queue brings the message again
        shop.erase(faulty(engine.client, plan, seed=at))
    shop.erase()
    shop.watch()
    assert (shop.held_keys(), shop.state()) == (LEFT, State.DONE)
    return len(plan.seen) > at


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.REPLY_LOST])
def test_an_erasure_that_is_interrupted_at_any_call_is_continued(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shops, "PAGE_ITEMS", 3)
    at = 0
    while _interrupted(at, fault):
        at += 1
    assert at > 20, "it takes more calls than that"
