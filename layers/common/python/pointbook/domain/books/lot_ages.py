"""When the points in an account's lots were granted.

A lot keeps its last day, not when its points came: points granted in different months may share a
lot. So entries are followed one by one, and of each lot the oldest points leave first.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from pointbook.domain.entry import Entry


class Piece(NamedTuple):
    """Points of one lot that came at one instant."""

    valid_through: date
    since: datetime
    points: int


type _Queue = deque[tuple[datetime, int]]
type _Queues = dict[date, _Queue]


@dataclass(slots=True)
class LotAges:
    """The free and held lots of one account, by when their points came."""

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
            key=lambda piece: piece.since,
        )
        arriving = [(queues, lot) for queues, lots in sides for lot in lots if lot.points > 0]
        leave = sum(piece.points for piece in pool) - sum(lot.points for _, lot in arriving)
        left = list(_split(pool, max(0, leave)))
        for queues, lot in arriving:
            missing = lot.points
            for piece in _split(pool, missing):
                _put(queues, lot.valid_through, piece.since, piece.points)
                missing -= piece.points
            if missing:
                _put(queues, lot.valid_through, entry.at, missing)
        return left

    def outstanding(self) -> Iterator[tuple[Piece, bool]]:
        """The points in all lots, and whether they are held."""
        for queues, is_held in ((self.free, False), (self.held, True)):
            for day, pieces in queues.items():
                for since, points in pieces:
                    yield Piece(day, since, points), is_held


def _taken(queues: _Queues, day: date, points: int) -> Iterator[Piece]:
    """Take points out of a lot, the oldest first; at most what is there."""
    queue = queues.get(day, deque())
    while points and queue:
        since, there = queue.popleft()
        part = min(there, points)
        points -= part
        if there > part:
            queue.appendleft((since, there - part))
        yield Piece(day, since, part)
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


def _put(queues: _Queues, day: date, since: datetime, points: int) -> None:
    """Put points into a lot, which is sorted by when they came."""
    queue = queues.setdefault(day, deque())
    if not queue or queue[-1][0] < since:
        queue.append((since, points))
        return
    by_time: Mapping[datetime, int] = dict(queue)
    merged = {**by_time, since: by_time.get(since, 0) + points}
    queues[day] = deque(sorted(merged.items()))
