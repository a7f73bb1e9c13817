"""Planted bugs are found, and a planted bug that no longer fits the package is an error.

`make prove` plants them all; here a few of each detector are.
"""

from collections.abc import Callable

import pytest

from tests.simulation.kernel.processes import WORKERS
from tests.simulation.mutations.detectors import DETECTORS
from tests.simulation.mutations.planted import (
    BrokenBugError,
    Bug,
    Detector,
    first_finding,
    plain_function,
    search,
)

PLANTED = {
    "ledger": (
        "entry written over another",
        "refused on an old read",
        "a reader sees what has fallen due",
        "a clock that runs back",
        "lots unsorted",
        "a debt not repaid",
        "an extension that is a day short",
        "a hash without the one before",
    ),
    "orders": (
        "an order earns in the shop of its header",
        "a yes or no that cannot be read taken for absent",
        "the rule of the latest update",
        "nothing given back after a refund",
    ),
    "holds": ("points back before the code is off", "a discount for another customer"),
    "staff": (
        "a count written over another",
        "a first count written over another",
        "a limit that allows one adjustment more",
        "booked and not counted",
        "refused by what the request itself has taken",
    ),
    "erasures": (
        "a pseudonym for each request",
        "a pseudonym that is drawn before its customer is recorded",
        "a pseudonym that is used before its customer's account has moved",
        "a request recorded under the id of an erased customer who was merged",
        "a source that stays when its survivor is erased",
        "an order under the id of an erased customer",
        "orders that only a second redaction names",
        "a file whose worker ended before it looked again",
    ),
}


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=lambda detector: detector.name)
def test_planted_bugs_have_a_name_and_a_function_each(detector: Detector) -> None:
    bugs = (*detector.bugs, *detector.harmless)
    assert len({bug.name for bug in bugs}) == len(bugs)
    for bug in bugs:
        assert plain_function(bug.function).__module__.startswith("pointbook.")


@pytest.mark.parametrize("name", DETECTORS)
def test_planted_bugs_are_caught(name: str) -> None:
    detector = DETECTORS[name]
    bugs = [detector.named(bug) for bug in PLANTED[name]]
    for finding in search(detector, bugs, WORKERS):
        assert finding.caught_by, f"{finding.bug.name} is not caught {finding.broken}"


def _found_with(instead: Callable[..., int]) -> tuple[str, str]:
    def doubled(number: int, *, plus: int = 1) -> int:
        return 2 * number + plus

    called = [doubled]
    detector = Detector("doubled", lambda seeds: iter([("doubled", str(called[0](seeds)))]), 1, ())
    return first_finding(detector, Bug("stale", doubled, instead), seeds=3)


def test_a_planted_bug_replaces_its_function_whatever_calls_it() -> None:
    assert _found_with(lambda original, number: original(number) + 1) == ("doubled", "8")


@pytest.mark.parametrize(
    "instead", [lambda original: 0, lambda original, number: original(no=number)]
)
def test_a_bug_that_does_not_fit_its_function_is_an_error(instead: Callable[..., int]) -> None:
    with pytest.raises(BrokenBugError, match="stale: TypeError"):
        _found_with(instead)


def test_a_bug_without_a_function_is_an_error() -> None:
    with pytest.raises(BrokenBugError, match="no function"):
        plain_function(WORKERS)
