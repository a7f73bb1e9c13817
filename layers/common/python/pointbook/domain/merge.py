"""Two customers become one: every bucket, lot and debt moves to the survivor, once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pointbook.domain.account import LAPSED_DAYS_MAX, Account, Hold, OrphanedCode
from pointbook.domain.buckets import Balances, Bucket, Moves
from pointbook.domain.decide import refusal_if_closed
from pointbook.domain.decision import Decision, finished
from pointbook.domain.draft import Draft
from pointbook.domain.entry import Topic
from pointbook.domain.holds import orphaned
from pointbook.domain.lots import added, take
from pointbook.domain.refusal import Code, Refusal

TOMBSTONES_MOVED_MAX = 40
"""How many tombstones one merge redirects: they share its transaction of 100 items."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Both sides of a merge, to be written in one transaction.

    `tombstones` are those of customers merged into the source before: they now point to the
    survivor, so that no chain of them grows long. `released_hold` is the id of the source's open
    hold; its code is among the `orphaned_codes`, which are to be deactivated.
    """

    source: Decision
    target: Decision
    tombstones: tuple[Account, ...]
    released_hold: str | None
    orphaned_codes: tuple[OrphanedCode, ...]


def tombstones_to_move(source: Account) -> tuple[str, ...]:
    """The customers whose tombstones a merge of `source` redirects: the latest, as many as fit.

    The others lead to the survivor by way of `source`.
    """
    return source.merged_from[-TOMBSTONES_MOVED_MAX:]


def merge(
    source: Account, target: Account, now: datetime, tombstones: Sequence[Account] = ()
) -> Merged | Refusal:
    """Move everything of `source` to `target`; `source` becomes a tombstone pointing there.

    `tombstones` are the accounts that `tombstones_to_move` names.
    """
    if source.customer_id == target.customer_id:
        return Refusal(Code.SAME_ACCOUNT, f"{source.customer_id} cannot be merged into itself.")
    for account in (source, target):
        if (closed := refusal_if_closed(account)) is not None:
            return closed
    now = max(now, source.as_of, target.as_of)
    leaving, staying = Draft(source, now), Draft(target, now)
    leaving.settle()
    staying.settle()
    settled = len(leaving.entries), len(staying.entries)
    released = _release_open_hold(leaving)
    _move_all(leaving, staying)
    staying.settle()
    moved = tuple(stone.customer_id for stone in tombstones)
    left = source.merged_from[: len(source.merged_from) - len(moved)]
    assert (*left, *moved) == source.merged_from, "only the latest tombstones move, all of them"
    leaving.account = replace(leaving.account, merged_into=target.customer_id, merged_from=left)
    merged_from = (*staying.account.merged_from, *moved, source.customer_id)
    staying.account = replace(staying.account, merged_from=merged_from)
    return Merged(
        source=_decision(leaving, source, settled[0]),
        target=_decision(staying, target, settled[1]),
        tombstones=tuple(_moved_on(stone, source, target) for stone in tombstones),
        released_hold=released.hold_id if released else None,
        orphaned_codes=orphaned(released) if released else (),
    )


def _moved_on(stone: Account, source: Account, target: Account) -> Account:
    assert stone.merged_into == source.customer_id, "it is a tombstone of the source"
    return replace(stone, merged_into=target.customer_id, revision=stone.revision + 1)


def _release_open_hold(draft: Draft) -> Hold | None:
    hold = draft.account.hold
    if hold is None:
        return None
    draft.release_hold(draft.now)
    draft.settle()
    return hold


def _move_all(leaving: Draft, staying: Draft) -> None:
    source, target = leaving.account, staying.account
    moves: Moves = tuple(
        (bucket, points)
        for bucket, points in zip(Bucket, source.balances, strict=True)
        if points != 0
    )
    if not moves:
        return
    _, lots = take(staying.credited(source.lots, staying.now), source.debt)
    staying.add_entry(
        Topic.ADD_MERGE,
        moves,
        about=source.account_id,
        lots=lots,
        lapsed=added(target.lapsed, source.lapsed)[-LAPSED_DAYS_MAX:],
    )
    away: Moves = tuple((bucket, -points) for bucket, points in moves)
    leaving.add_entry(Topic.SUB_MERGE, away, about=target.account_id, lots=(), lapsed=())
    assert leaving.account.balances == Balances(), "a merge leaves nothing behind"


def _decision(draft: Draft, before: Account, settled: int) -> Decision:
    after = finished(draft, before, settled)
    return Decision(account=after, entries=tuple(draft.entries), settled=settled)
