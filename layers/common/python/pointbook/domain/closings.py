"""Closing figures of days, computed anew from entries, to be compared with those of statements."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pointbook.domain.buckets import Bucket
from pointbook.domain.entry import Entry


@dataclass(frozen=True, slots=True)
class Closing:
    """What a shop's statement of a day closes with.

    `points` are the balances of all its accounts together, by bucket, over every entry that was
    recorded before `until`; a bucket that the statement does not state is left out.
    """

    shop: str
    day: date
    until: datetime
    points: Mapping[Bucket, int]


class ClosingSums:
    """Adds up entries by the closings that they belong to; each entry is looked at once."""

    def __init__(self, closings: Iterable[Closing]) -> None:
        """Compute these anew."""
        self._closings = sorted(closings, key=lambda one: one.until)
        self._untils = [one.until for one in self._closings]
        self._sums = [Counter[Bucket]() for _ in self._closings]

    def add(self, entry: Entry) -> None:
        """Add an entry."""
        place = bisect_right(self._untils, entry.recorded_at)
        if place < len(self._sums):
            for bucket, change in entry.moves:
                self._sums[place][bucket] += change

    def plus(self, other: "ClosingSums") -> None:
        """Add all that was added to `other`, which has the same closings."""
        for mine, theirs in zip(self._sums, other._sums, strict=True):
            mine.update(theirs)

    def differences(self) -> Iterator[tuple[Closing, str]]:
        """The closings that the entries do not add up to, each with what differs."""
        so_far = Counter[Bucket]()
        for closing, sums in zip(self._closings, self._sums, strict=True):
            so_far.update(sums)
            wrong = [
                f"{bucket} {points:,} (entries: {so_far[bucket]:,})"
                for bucket, points in closing.points.items()
                if points != so_far[bucket]
            ]
            if wrong:
                yield closing, ", ".join(wrong)
