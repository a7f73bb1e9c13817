"""When the points in an account's lots were granted.

A lot keeps its last day, not when its points came: points granted in different months may share a
lot. So entries are followed one by one, and of each lot the oldest points leave first. Points that
were imported are as old as they were in the other app, where their entry has that day.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from pointbook.domain.entry import Entry
from pointbook.domain.expiry import lapse_instant


class Origin(NamedTuple):
    """When points came, and when the ledger booked them, which is later if they were imported."""

    since: datetime
    booked_at: datetime


class Piece(NamedTuple):
    """Points of one lot that have one origin."""

    valid_through: date
    origin: Origin
    points: int

    @property
    def since(self) -> datetime:
        """When they came."""
        return self.origin.since


type _Queue = deque[tuple[Origin, int]]
type _Queues = dict[date, _Queue]


@dataclass(slots=True)
class LotAges:
    """The free and held lots of one account, by when their points came.

    `time_zone` says when an original day began.
    """

    time_zone: str = "UTC"
    free: _Queues = field(default_factory=dict)
    held: _Queues = field(default_factory=dict)

    def add(self, entry: Entry) -> list[Piece]:
        """Follow the next entry; returns the points that left the account's lots.

        Points that move from one lot to another keep their age: into a hold and back, or into a
        later day that the customer's activity gave them. Points that come back after they were
        spent, or that come from a merged account, count from then on.
        """
        sides = ((self.free, entry.lots), (self.held, entry.held_lots))
        pool = sorted(
            (
                piece
                for queues, lots in sides
                for lot in lots
                if lot.points < 0
                for piece in _taken(queues, lot.valid_through, -lot.points)
            ),
            key=lambda piece: piece.origin,
        )
        arriving = [(queues, lot) for queues, lots in sides for lot in lots if lot.points > 0]
        leave = sum(piece.points for piece in pool) - sum(lot.points for _, lot in arriving)
        left = list(_split(pool, max(0, leave)))
        for queues, lot in arriving:
            missing = lot.points
            for piece in _split(pool, missing):
                _put(queues, lot.valid_through, piece.origin, piece.points)
                missing -= piece.points
            if missing:
                _put(queues, lot.valid_through, self._origin(entry), missing)
        return left

    def _origin(self, entry: Entry) -> Origin:
        since = entry.at
        if (day := entry.original_day) is not None:
            since = min(since, lapse_instant(day - timedelta(days=1), self.time_zone))
        return Origin(since, entry.at)

    def outstanding(self) -> Iterator[tuple[Piece, bool]]:
        """The points in all lots, and whether they are held."""
        for queues, is_held in ((self.free, False), (self.held, True)):
            for day, pieces in queues.items():
                for origin, points in pieces:
                    yield Piece(day, origin, points), is_held


def _taken(queues: _Queues, day: date, points: int) -> Iterator[Piece]:
    """Take points out of a lot, the oldest first; at most what is there."""
    queue = queues.get(day, deque())
    while points and queue:
        origin, there = queue.popleft()
        part = min(there, points)
        points -= part
        if there > part:
            queue.appendleft((origin, there - part))
        yield Piece(day, origin, part)
    if not queue:
        queues.pop(day, None)


def _split(pool: list[Piece], points: int) -> Iterator[Piece]:
    """Take points out of the pool, the oldest first."""
    while points and pool:
        piece = pool.pop(0)
        part = min(piece.points, points)
        points -= part
        if piece.points > part:
            pool.insert(0, piece._replace(points=piece.points - part))
        yield piece._replace(points=part)


def _put(queues: _Queues, day: date, origin: Origin, points: int) -> None:
    """Put points into a lot, which is sorted by when they came."""
    queue = queues.setdefault(day, deque())
    if not queue or queue[-1][0] < origin:
        queue.append((origin, points))
        return
    by_time: Mapping[Origin, int] = dict(queue)
    merged = {**by_time, origin: by_time.get(origin, 0) + points}
    queues[day] = deque(sorted(merged.items()))
