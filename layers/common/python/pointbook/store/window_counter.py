"""Fixed-window rate limits: one item counts what happens within a window of time.

    add one in the window that is counted ──► below the limit: go ahead
             │ no
             ├──► that window is over: begin this one
             └──► full: wait until it is over

Adding costs one write unit, the first one of a window two. After a lost reply
an event may be counted twice, but never not at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pointbook.domain.chain import milliseconds
from pointbook.errors import LedgerUnavailable
from pointbook.store.items import SCHEMA
from pointbook.store.table import Outcome, Put, Update
from pointbook.store.values import Item, number, optional_int

WINDOW_COUNTED = "(window_number = :window OR window_number = :next)"
"""A clock that is slightly slow still counts in the window that another has begun."""

OVER = "(window_number < :window OR window_number > :next)"

_ATTEMPTS = 3
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class WindowCounter:
    """Counts on items of one kind, each with a limit for every attribute that it counts in.

    `change` and `replace` are conditional writes to an item that exists, `create` writes the first
    one and says whether it has.
    """

    length: timedelta
    change: Callable[[Update], Outcome]
    replace: Callable[[Put], Outcome]
    create: Callable[[Item], bool]

    def add(self, key: Item, now: datetime, limits: Mapping[str, int]) -> int:
        """Add one to each attribute that `limits` names, if none of them is at its limit.

        0: it is counted; otherwise the seconds until the window is over. Raises LedgerUnavailable.
        """
        length_ms = self.length // _MILLISECOND
        window = milliseconds(now) // length_ms
        first = {**key, **SCHEMA, "window_number": number(window)}
        first |= dict.fromkeys(limits, number(1))
        bounds = {":window": number(window), ":next": number(window + 1)}
        for _ in range(_ATTEMPTS):
            outcome = self.change(_one_more(key, limits, bounds))
            if outcome.done:
                return 0
            counted = optional_int(outcome.item, "window_number")
            if counted in (window, window + 1):
                return -(-((counted + 1) * length_ms - milliseconds(now)) // 1000)
            if self._begin(first, bounds, is_there=bool(outcome.item)):
                return 0
        raise LedgerUnavailable(retry_after_seconds=1)

    def _begin(self, first: Item, bounds: Item, *, is_there: bool) -> bool:
        """Begin a window; what was counted before is forgotten. False: another was faster."""
        return self.replace(Put(first, OVER, bounds)).done if is_there else self.create(first)


def _one_more(key: Item, limits: Mapping[str, int], bounds: Item) -> Update:
    sums = (f"{name} = if_not_exists({name}, :none) + :one" for name in limits)
    below_limits = (f"(attribute_not_exists({name}) OR {name} < :max_{name})" for name in limits)
    maxima = {f":max_{name}": number(limit) for name, limit in limits.items()}
    return Update(
        key,
        f"SET {', '.join(sums)}",
        {":none": number(0), ":one": number(1), **bounds, **maxima},
        " AND ".join((WINDOW_COUNTED, *below_limits)),
    )
