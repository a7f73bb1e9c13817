"""The bugs that are planted in what is decided: time, points, holds, merges, limits and the chain.

Every boundary is moved by one, every rule of time broken. Those of orders: `domain_order_bugs`.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from pointbook.domain import chain, decide, decision, expiry, holds, lots, merge, movements
from pointbook.domain.account import Account, HoldState
from pointbook.domain.buckets import Bucket, Moves, transfer
from pointbook.domain.chain import Text
from pointbook.domain.commands import (
    CaptureHold,
    Command,
    Consume,
    Grant,
    MarkReady,
    PlaceHold,
    ReleaseHold,
)
from pointbook.domain.draft import Draft
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import Rolling
from pointbook.domain.holds import HoldStep
from pointbook.domain.lots import Lot, Lots
from pointbook.domain.merge import Merged
from pointbook.domain.movements import DONE, Outcome
from pointbook.domain.orders import DebtPolicy, ReturnSpent
from pointbook.domain.refusal import Refusal
from pointbook.domain.state import State
from tests.simulation.mutations.planted import Bug

type _Original = Callable[..., Any]

MOMENT: Final = timedelta(milliseconds=1)


# --- time ---


def _lot_before_an_earlier_hold(
    original: _Original, draft: Draft, at: datetime, renew: Rolling | None = None
) -> None:
    lapse = draft.account.next_lapse
    if lapse is not None and at < lapse <= draft.now:
        draft.expire(lapse)
    original(draft, max(at, draft.account.last_at), renew)


def _lot_before_the_hold(
    original: _Original, draft: Draft, at: datetime, renew: Rolling | None = None
) -> None:
    lapse = draft.account.next_lapse
    if lapse is not None and lapse == draft.account.hold_end and lapse <= at:
        draft.expire(at)
    original(draft, at, renew)


def _by_the_clock_alone(original: _Original, draft: Draft, account: Account, now: datetime) -> None:
    original(draft, account, now)
    draft.now = now


def _on_the_account_as_stored(
    original: _Original, draft: Draft, command: Command, state: State
) -> Outcome | Refusal:
    counted = draft.account
    draft.account = replace(
        state.account, flow_count=counted.flow_count, hold_count=counted.hold_count
    )
    draft.entries.clear()
    return original(draft, command, state)


def _first_lapsed_lot_alone(original: _Original, draft: Draft, at: datetime) -> None:
    all_lots = draft.account.lots
    draft.account = replace(draft.account, lots=all_lots[:1])
    original(draft, at)
    draft.account = replace(draft.account, lots=all_lots[1:])


# --- points ---


def _one_point_of_debt(
    original: _Original,
    draft: Draft,
    points: int,
    target: Bucket,
    topic: Topic,
    *rest: Any,
    **more: Any,
) -> Outcome | Refusal:
    if points != draft.account.balances.approved + 1:
        return original(draft, points, target, topic, *rest, **more)
    draft.add_entry(topic, transfer(Bucket.APPROVED, target, points), lots=())
    return DONE


def _last_point_refused(original: _Original, draft: Draft, command: PlaceHold) -> Outcome | Refusal:
    if draft.account.hold is None and command.points == draft.account.balances.approved:
        return movements.insufficient(draft, command.points)
    return original(draft, command)


def _in_the_order_in_which_they_came(
    original: _Original, some: Iterable[Lot], more: Iterable[Lot]
) -> Lots:
    both = (*some, *more)
    days = [lot.valid_through for lot in both]
    return tuple(sorted(original(both, ()), key=lambda lot: days.index(lot.valid_through)))


def _one_point_invented(
    original: _Original, draft: Draft, points: int, *how: Any
) -> Lots | Refusal:
    if points == draft.account.balances.spent + 1:
        _move(draft, transfer(Bucket.ISSUED, Bucket.SPENT, 1))
    return original(draft, points, *how)


def _move(draft: Draft, moves: Moves) -> None:
    draft.account = replace(draft.account, balances=draft.account.balances.moved(moves))


# --- holds ---


def _hold_stays(original: _Original, draft: Draft, topic: Topic, moves: Moves, **how: Any) -> None:
    hold = draft.account.hold
    if hold is not None and draft.now < hold.ends_at:
        how["hold"] = how.get("hold") or hold
    original(draft, topic, moves, **how)


def _beside_the_first_hold(
    original: _Original, draft: Draft, command: PlaceHold
) -> Outcome | Refusal:
    draft.account = replace(draft.account, hold=None)
    return original(draft, command)


def _step_as_if_it_were(state: HoldState, step: type[HoldStep]) -> Callable[..., Any]:
    def transition(original: _Original, draft: Draft, command: HoldStep) -> Outcome | Refusal:
        hold = draft.account.hold
        if hold is not None and isinstance(command, step):
            draft.account = replace(draft.account, hold=replace(hold, state=state))
        return original(draft, command)

    return transition


def _as_an_order_not_seen(
    original: _Original, draft: Draft, command: CaptureHold, state: State
) -> Outcome | Refusal:
    if (record := state.hold_record) is not None:
        others = tuple(order_id for order_id in record.orders if order_id != command.order_id)
        state = replace(state, hold_record=replace(record, orders=others))
    return original(draft, command, state)


def _with_no_orphaned_codes[T: Outcome | Merged](answer: T | Refusal) -> T | Refusal:
    return answer if isinstance(answer, Refusal) else replace(answer, orphaned_codes=())


def _rest_stays_held(original: _Original, draft: Draft, at: datetime, *renew: Any) -> None:
    """Only what an order left of a hold is released with a rule to renew by, or without one."""
    if not renew:
        original(draft, at)


def _as_many_as_the_order_says(
    original: _Original, draft: Draft, command: CaptureHold, state: State
) -> Outcome | Refusal:
    if (record := state.hold_record) is not None:
        points = max(record.points, command.points)
        state = replace(state, hold_record=replace(record, points=points))
    return original(draft, command, state)


def _as_the_records_owner(state: State) -> State:
    record = state.hold_record
    return replace(state, customer_id=record.customer_id) if record else state


# --- merges ---


def _about_the_customer(original: _Original, leaving: Draft, staying: Draft) -> None:
    source = leaving.account
    leaving.account = replace(source, account_id=source.customer_id)
    original(leaving, staying)
    leaving.account = replace(leaving.account, account_id=source.account_id)


def _still_named(
    original: _Original, source: Account, target: Account, *how: Any
) -> Merged | Refusal:
    merged: Merged | Refusal = original(source, target, *how)
    if isinstance(merged, Refusal):
        return merged
    tombstone = replace(merged.source.account, merged_from=source.merged_from)
    return replace(merged, source=replace(merged.source, account=tombstone))


def _debt_forgiven(original: _Original, leaving: Draft, staying: Draft) -> None:
    if leaving.account.debt:
        _move(leaving, transfer(Bucket.ISSUED, Bucket.APPROVED, leaving.account.debt))
    original(leaving, staying)


def _without_what_lapsed(original: _Original, leaving: Draft, staying: Draft) -> None:
    leaving.account = replace(leaving.account, lapsed=())
    original(leaving, staying)


# --- limits within an hour ---


def _one_hold_more(command: Command) -> Command:
    match command:
        case PlaceHold(holds_per_hour=int(most)):
            return replace(command, holds_per_hour=most + 1)
    return command


def _one_of_flow_more(command: Command) -> Command:
    match command:
        case Grant(flow_per_hour=int(most)) | Consume(flow_per_hour=int(most)):
            return replace(command, flow_per_hour=most + 1)
    return command


def _holds_counted_as_flow(original: _Original, draft: Draft, command: Command) -> Refusal | None:
    match command:
        case PlaceHold(holds_per_hour=int()):
            draft.account = replace(draft.account, hold_count=draft.account.flow_count)
    return original(draft, command)


DOMAIN_BUGS: Final = (
    # --- time ---
    Bug(
        "due a moment too late",
        Draft.settle,
        lambda original, draft, *most: (
            None
            if draft.now in {draft.account.hold_end, draft.account.next_lapse}
            else original(draft, *most)
        ),
    ),
    Bug(
        "lapsed a moment too late",
        expiry.lapse_instant,
        lambda original, day, time_zone: original(day, time_zone) + MOMENT,
    ),
    Bug("the later of two first", Draft.release_hold, _lot_before_an_earlier_hold),
    Bug("a lot before the hold that ends with it", Draft.release_hold, _lot_before_the_hold),
    Bug("a clock that runs back", Draft.__init__, _by_the_clock_alone),
    Bug(
        "the time of the latest write not recorded",
        decision.finished,
        lambda original, draft, before, settled: replace(
            original(draft, before, settled), as_of=before.as_of
        ),
    ),
    Bug("nothing settled before the command", decide._carry_out, _on_the_account_as_stored),
    Bug(
        "nothing settled after the command",
        Draft.settle,
        lambda original, draft, *most: None if draft.entries else original(draft, *most),
    ),
    Bug(
        "entries dated when they are noticed",
        Draft.add_entry,
        lambda original, *what, at=None, **how: original(*what, **how),
    ),
    Bug("an expiry entry for each lot", Draft.expire, _first_lapsed_lot_alone),
    # --- points ---
    Bug("one point more than there is", movements.debit, _one_point_of_debt),
    Bug(
        "an undone import that takes what has lapsed from other lots",
        movements.reverse_import,
        lambda original, draft, command: original(
            draft, command if command.was_removal else replace(command, lots=())
        ),
    ),
    Bug(
        "an undone removal that comes back for ever",
        movements.reverse_import,
        lambda original, draft, command: original(
            draft,
            replace(command, lots=(Lot(expiry.NEVER, command.points),))
            if command.was_removal
            else command,
        ),
    ),
    Bug("the last point cannot be held", holds.place_hold, _last_point_refused),
    Bug(
        "the last to expire goes first",
        lots.take,
        lambda original, those, points, first=(): original(
            those, points, first or [lot.valid_through for lot in those[-1:]]
        ),
    ),
    Bug("lots unsorted", lots.added, _in_the_order_in_which_they_came),
    Bug(
        "own lots not first",
        lots.take,
        lambda original, those, points, first=(): original(those, points),
    ),
    Bug(
        "given back with a fresh day",
        movements.give_back,
        lambda original, draft, points, those, *how: original(draft, points, (), *how),
    ),
    Bug("a debt not repaid", Account.debt, lambda original, account: 0),
    Bug(
        "clamping that carries",
        movements.reverse,
        lambda original, draft, points, own_days, policy, about: original(
            draft, points, own_days, DebtPolicy.CARRY, about
        ),
    ),
    Bug("more given back than spent", movements.give_back, _one_point_invented),
    Bug(
        "an extension that is a day short",
        movements.extend_expiry,
        lambda original, draft, old_day, new_day: original(
            draft, old_day, new_day - timedelta(days=1)
        ),
    ),
    # --- holds ---
    Bug("a hold that stays until its time is over", Draft.add_entry, _hold_stays),
    Bug("a second hold", holds.place_hold, _beside_the_first_hold),
    Bug(
        "released in any state",
        holds.transition,
        _step_as_if_it_were(HoldState.RELEASING, ReleaseHold),
    ),
    Bug(
        "ready after releasing began",
        holds.transition,
        _step_as_if_it_were(HoldState.READY, MarkReady),
    ),
    Bug("an order counted twice", holds.capture, _as_an_order_not_seen),
    Bug(
        "a code that may exist is forgotten",
        holds.transition,
        lambda original, draft, command: _with_no_orphaned_codes(original(draft, command)),
    ),
    Bug("the rest not returned", Draft.release_hold, _rest_stays_held),
    Bug("more spent than held", holds.capture, _as_many_as_the_order_says),
    Bug(
        "a late order forgets what expired",
        movements._expired_since,
        lambda original, draft, those, points: (),
    ),
    Bug(
        "the rule in force is not recorded for what a hold spent",
        holds.capture,
        lambda original, draft, command, state: original(
            draft, replace(command, return_spent=ReturnSpent.REFUNDED), state
        ),
    ),
    Bug(
        "another customer's hold is captured",
        holds.capture,
        lambda original, draft, command, state: original(
            draft, command, _as_the_records_owner(state)
        ),
    ),
    # --- merges ---
    Bug(
        "what a merged customer owned is nobody's",
        State.belongs,
        lambda original, state, owner_id: original(
            replace(state, account=replace(state.account, merged_from=())), owner_id
        ),
    ),
    Bug("a merge about a customer", merge._move_all, _about_the_customer),
    Bug(
        "a code of a vanished customer still works",
        merge.merge,
        lambda original, *sides: _with_no_orphaned_codes(original(*sides)),
    ),
    Bug(
        "a survivor that forgets whom it was made of",
        merge.merge,
        lambda original, source, target, *how: original(
            source, replace(target, merged_from=()), *how
        ),
    ),
    Bug(
        "a tombstone that leads back to where it came from",
        merge._moved_on,
        lambda original, stone, source, target: replace(
            original(stone, source, target), merged_into=source.customer_id
        ),
    ),
    Bug("a source that still names the tombstones that moved on", merge.merge, _still_named),
    Bug("a debt lost in a merge", merge._move_all, _debt_forgiven),
    Bug("what expired forgotten in a merge", merge._move_all, _without_what_lapsed),
    # --- limits within an hour ---
    Bug(
        "one hold more in an hour",
        decide._check_hourly_limits,
        lambda original, draft, command: original(draft, _one_hold_more(command)),
    ),
    Bug(
        "one command of Flow more in an hour",
        decide._check_hourly_limits,
        lambda original, draft, command: original(draft, _one_of_flow_more(command)),
    ),
    Bug(
        "a count carried over the hour",
        decide._done_within,
        lambda original, hour, pace: pace.commands if pace else 0,
    ),
    Bug("holds counted as what Flow did", decide._check_hourly_limits, _holds_counted_as_flow),
    # --- the chain ---
    Bug(
        "a hash without the one before",
        chain.hash_of,
        lambda original, *facts: original(*facts[:-1], ""),
    ),
    Bug(
        "a text that is not sealed",
        chain.hash_of,
        lambda original, entry, account_id, cause, digest, previous_hash: original(
            entry, account_id, cause, "", previous_hash
        ),
    ),
    Bug(
        "a digest that can be guessed",
        Text.digest,
        lambda original, text, cause: original(replace(text, salt=""), cause),
    ),
    Bug(
        "a cause that is not sealed",
        Text.digest,
        lambda original, text, cause: original(text, replace(cause, cause_entry_id="")),
    ),
)
