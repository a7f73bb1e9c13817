"""Decide what a command does to an account: pure, whole, in integers.

`decide` first settles what has fallen due, then carries the command out, then settles again what
the command brought back too late. It reads no clock and does no I/O. A refusal changes nothing.
"""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from pointbook.domain import commands as c
from pointbook.domain import holds, order_points
from pointbook.domain.account import Account, HourlyCount
from pointbook.domain.buckets import Bucket
from pointbook.domain.chain import milliseconds
from pointbook.domain.decision import Decision, finished
from pointbook.domain.draft import Draft
from pointbook.domain.entry import Topic
from pointbook.domain.movements import (
    DONE,
    Outcome,
    approve,
    debit,
    extend_expiry,
    reverse_import,
)
from pointbook.domain.refusal import Code, Refusal
from pointbook.domain.state import State

_HOUR_MS = 3_600_000
_SECOND_MS = 1_000


def decide(state: State, command: c.Command, now: datetime) -> Decision | Refusal:
    """What `command` does to the account of `state` at the aware instant `now`."""
    account = state.account
    if (closed := refusal_if_closed(account)) is not None:
        return closed
    draft = Draft(account, now)
    draft.settle()
    settled_entries = len(draft.entries)
    outcome = _check_hourly_limits(draft, command) or _carry_out(draft, command, state)
    if isinstance(outcome, Refusal):
        return outcome
    draft.settle()
    return Decision(
        account=finished(draft, account, settled_entries),
        entries=tuple(draft.entries),
        settled=settled_entries,
        order=outcome.order,
        record=outcome.record,
        alarms=outcome.alarms,
        orphaned_codes=outcome.orphaned_codes,
    )


def refusal_if_closed(account: Account) -> Refusal | None:
    """Why an account takes no commands any more: its customer was merged or erased."""
    if account.merged_into is not None:
        message = f"This customer was merged into {account.merged_into}: use that."
        return Refusal(Code.ACCOUNT_MERGED, message)
    if account.erased:
        return Refusal(Code.CUSTOMER_ERASED, "This customer's data was erased on request.")
    return None


def _carry_out(  # noqa: C901, PLR0911, PLR0912 - one line for each command is the point of it
    draft: Draft, command: c.Command, state: State
) -> Outcome | Refusal:
    match command:
        case c.Grant():
            return _grant(draft, command)
        case c.Consume():
            return debit(draft, command.points, Bucket.SPENT, Topic.SUB_FLOW, command.renew)
        case c.Remove():
            target, topic = Bucket.REMOVED, Topic.SUB_MANUAL
            return debit(draft, command.points, target, topic, about=command.about)
        case c.ExtendExpiry():
            return extend_expiry(draft, command.old_day, command.new_day)
        case c.ReverseImport():
            return reverse_import(draft, command)
        case c.PlaceHold():
            return holds.place_hold(draft, command)
        case c.MarkReady() | c.BeginRelease() | c.UndoHold() | c.ReleaseHold():
            return holds.transition(draft, command)
        case c.CaptureHold():
            return holds.capture(draft, command, state)
        case c.UpdateOrder():
            return order_points.update_order(draft, command, state)
        case c.SpendOnOrder():
            return order_points.spend_on_order(draft, command, state)
        case c.ReturnSpending():
            return order_points.return_spending(draft, command, state)
        case c.Settle():
            pass
        case _:
            assert_never(command)
    return DONE


def _check_hourly_limits(draft: Draft, command: c.Command) -> Refusal | None:
    """Apply the hourly rate limits of one customer, and count this command.

    The counter is part of the account and is saved together with the command's effect, so neither
    refusals nor repeated requests count.
    """
    account, now_ms = draft.account, milliseconds(draft.now)
    hour = now_ms // _HOUR_MS
    match command:
        case c.Grant(flow_per_hour=int(most)) | c.Consume(flow_per_hour=int(most)):
            done = _done_within(hour, account.flow_count)
            if done >= most:
                return _looping(done)
            draft.account = replace(account, flow_count=HourlyCount(hour, done + 1))
        case c.PlaceHold(holds_per_hour=int(most)):
            done = _done_within(hour, account.hold_count)
            if done >= most:
                return _held_too_often(done, (hour + 1) * _HOUR_MS - now_ms)
            draft.account = replace(account, hold_count=HourlyCount(hour, done + 1))
        case _:
            pass
    return None


def _done_within(hour: int, count: HourlyCount | None) -> int:
    return count.commands if count is not None and count.hour == hour else 0


def _looping(done: int) -> Refusal:
    return Refusal(
        Code.LOOP_REFUSED,
        f"Workflows have changed this customer's points {done:,} times within an hour:"
        " look for two that start each other.",
    )


def _held_too_often(done: int, left_ms: int) -> Refusal:
    return Refusal(
        Code.RATE_LIMITED,
        f"Points were held {done:,} times within an hour. Please try again later.",
        retry_after_seconds=-(-left_ms // _SECOND_MS),
    )


def _grant(draft: Draft, command: c.Grant) -> Outcome | Refusal:
    day = draft.valid_through(command.expiry)
    if command.in_time and day < draft.today:
        return Refusal(
            Code.DAY_PAST, f"{day} is past: points valid through it would lapse at once."
        )
    approve(draft, Bucket.ISSUED, command.points, command.expiry, command.topic, command.about)
    return DONE
