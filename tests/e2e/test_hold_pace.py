"""One customer takes and releases holds as fast as a client can; the others are served."""

import time
from collections.abc import Iterator

import pytest

from local.stack import Stack
from pointbook.domain.programme import default_programme
from pointbook.store.hold_calls import SHARE
from tests.e2e.calls import call, pass_time
from tests.e2e.conftest import own_stack
from tests.e2e.customers import Customer
from tests.e2e.fake_shopify import CREATE, DEACTIVATE

DEFAULTS = default_programme()
CALLS_EACH = -(-DEFAULTS.hold_calls_per_minute // SHARE)
HOUR, MINUTE = 3600, 60


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with the default programme, at the first seconds of an hour."""
    with own_stack(tmp_path_factory.mktemp("paced")) as started:
        now = time.time() + call(f"{started.front_url}/_clock").json()["offset_seconds"]
        pass_time(started, int(HOUR - now % HOUR) + 2)
        yield started


def storm(buyer: Customer) -> tuple[int, int]:
    """Take and release until that is refused: the holds taken, and the seconds to wait."""
    taken = 0
    while True:
        answer = buyer.hold(10)
        taken += answer.status_code == 201
        if answer.status_code == 201:
            answer = buyer.release(answer.json())
        elif answer.status_code == 409:  # left open when a release was refused
            answer = buyer.release(answer.json()["hold"])
        if answer.status_code != 200:
            assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
            return taken, int(answer.headers["Retry-After"])


def test_a_storm_of_holds_is_limited_and_the_others_are_served(stack: Stack) -> None:
    hasty, patient = Customer(stack), Customer(stack)
    hasty.grant(10)
    patient.grant(1_000)
    taken, minutes, waits = 0, 0, list[int]()
    while not waits or waits[-1] <= 2 * MINUTE:
        before = patient.shopify.operations()
        minutes += 1
        more, wait = storm(hasty)
        taken += more
        waits.append(wait)
        calls = patient.shopify.operations() - before
        # A storm that is at its end when a minute turns goes on in the next one.
        assert calls[CREATE] + calls[DEACTIVATE] <= 2 * CALLS_EACH
        assert buyer_is_served(patient)
        assert wait >= 1
        if wait <= 2 * MINUTE:
            pass_time(stack, wait)
    assert taken == DEFAULTS.holds_per_hour
    assert minutes >= 2, "the minute's pace was met before the hour's"
    assert HOUR - 10 * MINUTE <= waits[-1] <= HOUR
    assert hasty.hold(10).status_code == 429
    assert patient.shopify.operations()[CREATE] == taken + minutes

    pass_time(stack, waits[-1])
    assert hasty.held(10)["points"] == 10


def buyer_is_served(patient: Customer) -> bool:
    """Whether somebody else holds points and gives them back."""
    return patient.release(patient.held()).status_code == 200
