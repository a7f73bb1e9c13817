"""Retries of calls to Shopify, until a deadline."""

import math
import random
from collections.abc import Callable

from pointbook.deadline import Deadline, DeadlinePassed
from pointbook.domain.ports import Clock
from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.http.calls import CallError

ATTEMPTS_MAX = 5
_PAUSE_FIRST_SECONDS = 0.1
_WAIT_MIN_SECONDS = 0.05


class Throttled(Exception):
    """Shopify throttled the call, which had no effect; retry after `wait_seconds`."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"throttled for {wait_seconds} s")
        self.wait_seconds = max(wait_seconds, _WAIT_MIN_SECONDS)


class Failed(Exception):
    """Shopify failed; whether the call had an effect is unknown."""


def with_retries[T](
    attempt: Callable[[], T], deadline: Deadline, clock: Clock, *, repeatable: bool
) -> T:
    """Return the result of `attempt`, retried if throttled, and after failures if `repeatable`.

    Raises ShopifyUnavailable by the deadline at the latest, and ShopifyRefused at once, with
    `certain` False if an earlier attempt may have had an effect.
    """
    unknown = False
    wait_seconds = 0.0
    cause: Exception | None = None
    for number in range(ATTEMPTS_MAX):
        try:
            return attempt()
        except Throttled as throttled:
            wait_seconds, cause = throttled.wait_seconds, throttled
        except (Failed, CallError) as failure:
            unknown = True
            wait_seconds, cause = _pause_seconds(number), failure
            if not repeatable:
                break
        except ShopifyRefused as refused:
            refused.certain = refused.certain and not unknown
            raise
        except DeadlinePassed as passed:
            cause = passed
            break
        if not deadline.allows(wait_seconds):
            break
        clock.sleep(wait_seconds)
    raise ShopifyUnavailable(max(1, math.ceil(wait_seconds))) from cause


def _pause_seconds(number: int) -> float:
    """Exponential backoff, half of it jitter, so that calls that failed together spread out."""
    longest: float = _PAUSE_FIRST_SECONDS * 2**number
    return longest * random.uniform(0.5, 1)
