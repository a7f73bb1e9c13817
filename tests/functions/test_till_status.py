"""An operator sees how the till is: its provider, what it can do, and whether it answers."""

from typing import Any

from pointbook.till.errors import TillThrottled, TillUnavailable
from tests.functions.till_shop import TillShop
from tests.support.harness import Functions

FUNCTION = "till_status"
CLOSED: dict[str, Any] = {
    "provider": "smaregi",
    "capabilities": {"pushes": False, "expiry": True, "lots": False, "ranks": True},
    "state": "closed",
    "kind": None,
    "failures": 0,
    "since": None,
    "next_probe_at": None,
    "paused_until": None,
    "last_success_at": None,
    "notified": [],
    "comparisons": {
        "demo.myshopify.com": {"finished_at": None, "running_since": None, "totals": None}
    },
}


def test_a_till_that_was_never_called_is_closed() -> None:
    answer = TillShop().functions.sample(FUNCTION, "get")
    assert (answer.status, answer.body) == (200, CLOSED)


def test_a_till_that_answers_has_a_last_success() -> None:
    shop = TillShop()
    shop.view()
    answer = shop.functions.sample(FUNCTION, "get")
    assert answer.body == CLOSED | {"last_success_at": "2026-11-30T03:00:00.000+00:00"}


def test_a_till_that_fails_says_since_when_and_when_it_is_tried_again() -> None:
    shop = TillShop()
    shop.fail(TillUnavailable("503"))
    shop.work()
    assert shop.functions.sample(FUNCTION, "get").body == CLOSED | {
        "state": "open",
        "kind": "unavailable",
        "failures": 3,
        "since": "2026-11-30T03:00:00.000+00:00",
        "next_probe_at": "2026-11-30T03:00:05.000+00:00",
        "notified": ["unavailable"],
    }


def test_a_pause_has_its_end() -> None:
    shop = TillShop()
    shop.fail(TillThrottled("429", 90), times=1)
    answer = shop.functions.sample(FUNCTION, "get")
    assert (answer.body["state"], answer.body["paused_until"]) == (
        "paused",
        "2026-11-30T03:01:30.000+00:00",
    )
    shop.later(90)
    answer = shop.functions.sample(FUNCTION, "get")
    assert (answer.body["state"], answer.body["paused_until"]) == ("closed", None)


def test_without_a_till_its_state_is_none() -> None:
    answer = Functions().sample(FUNCTION, "get")
    assert (answer.body["provider"], answer.body["state"]) == ("none", "none")
    assert answer.body["capabilities"] is None
