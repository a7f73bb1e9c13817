"""One customer takes and releases points as fast as a client can: the shop goes on as it was."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest
import requests

from local.stack import Stack
from pointbook.domain.programme import default_programme
from pointbook.store.hold_calls import SHARE
from tests.e2e.checkout import Checkout
from tests.e2e.conftest import OwnStack
from tests.e2e.test_holds import CREATE, DEACTIVATE, pass_time

DEFAULTS = default_programme()
CALLS_EACH = -(-DEFAULTS.hold_calls_per_minute // SHARE)
HOUR, MINUTE = 3600, 60


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with the usual programme, at the first seconds of an hour."""
    own = OwnStack(tmp_path_factory.mktemp("paced"))
    try:
        started = own.start()
        clock = requests.get(f"{started.front_url}/_clock", timeout=30).json()
        now = time.time() + clock["offset_seconds"]
        pass_time(started, int(HOUR - now % HOUR) + 2)
        yield started
    finally:
        own.stop()


def operations(stack: Stack) -> Counter[str]:
    """What Shopify was asked, and how often."""
    log = requests.get(f"{stack.shopify_stand_in_url}/_log", timeout=30).json()
    return Counter(entry["operation"] for entry in log)


def storm(buyer: Checkout) -> tuple[int, int]:
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


def test_a_storm_of_holds_is_cut_and_the_others_are_served(stack: Stack) -> None:
    hasty, patient = Checkout(stack), Checkout(stack)
    hasty.grant(10)
    patient.grant(1_000)
    taken, minutes, waits = 0, 0, list[int]()
    while not waits or waits[-1] <= 2 * MINUTE:
        before = operations(stack)
        minutes += 1
        more, wait = storm(hasty)
        taken += more
        waits.append(wait)
        asked = operations(stack) - before
        # A storm that is at its end when a minute turns goes on in the next one.
        assert asked[CREATE] + asked[DEACTIVATE] <= 2 * CALLS_EACH
        assert buyer_is_served(patient)
        assert wait >= 1
        if wait <= 2 * MINUTE:
            pass_time(stack, wait)
    assert taken == DEFAULTS.holds_per_hour
    assert minutes >= 2, "the minute's pace was met before the hour's"
    assert HOUR - 10 * MINUTE <= waits[-1] <= HOUR
    assert hasty.hold(10).status_code == 429
    assert operations(stack)[CREATE] == taken + minutes

    pass_time(stack, waits[-1])
    assert hasty.held(10)["points"] == 10


def buyer_is_served(patient: Checkout) -> bool:
    """Whether somebody else holds points and gives them back."""
    return patient.release(patient.held()).status_code == 200
