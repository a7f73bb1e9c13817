"""Asking Shopify again, as long as that can help and there is time."""

import math
import random
from collections.abc import Callable

from pointbook.deadline import Deadline, DeadlinePassed
from pointbook.domain.ports import Clock
from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.http.calls import CallError

ATTEMPTS_MAX = 5
_PAUSE_FIRST_SECONDS = 0.1
_WAIT_LEAST_SECONDS = 0.05


class Busy(Exception):
    """Shopify did nothing, because it is asked too much; free again after `wait_seconds`."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"busy for {wait_seconds} s")
        self.wait_seconds = max(wait_seconds, _WAIT_LEAST_SECONDS)


class Failed(Exception):
    """Shopify failed; whether it did what was asked is unknown."""


def with_retries[T](
    attempt: Callable[[], T], deadline: Deadline, clock: Clock, *, repeatable: bool
) -> T:
    """Return what `attempt` returns, trying anew after Busy, and after failures if `repeatable`.

    Raises ShopifyUnavailable by the deadline at the latest, and ShopifyRefused as it comes; that it
    is certain is taken back if an attempt before may have had its effect.
    """
    unknown = False
    wait_seconds = 0.0
    cause: Exception | None = None
    for number in range(ATTEMPTS_MAX):
        try:
            return attempt()
        except Busy as busy:
            wait_seconds, cause = busy.wait_seconds, busy
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
    """Half of it by chance, so that those who failed together do not come back together."""
    longest: float = _PAUSE_FIRST_SECONDS * 2**number
    return longest * random.uniform(0.5, 1)
