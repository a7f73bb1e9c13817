"""The ledger on a store that follows a script: what it does when reads are old and writes fail.

What it does on a store that simply works is shown on every engine, in tests/engines.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import Account
from pointbook.domain.decide import decide
from pointbook.domain.decision import Decision, settled
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import Days
from pointbook.domain.orders import EarningRule, Goods, OrderUpdate
from pointbook.domain.ports import (
    AlreadyDone,
    Committed,
    IdempotencyRecord,
    LimitReached,
    Loaded,
    ReadRequest,
    StoreUnavailable,
    TransientCause,
    Verdict,
    VersionConflict,
    Write,
)
from pointbook.domain.refusal import Code, Refusal
from pointbook.domain.state import State
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.ledger.loading import DEADLINE_SECONDS
from tests.support.engine import SHOP
from tests.support.examples import (
    CODE,
    CUSTOMER,
    HOLD_ID,
    NOON,
    ORDER,
    OTHER,
    a_hold_record,
    an_order,
)
from tests.support.ledgers import FLOW, SetClock

CONFLICT = StoreUnavailable(TransientCause.CONFLICT, "...")
IDENTITY = Identity("test:key", "k1")

type Scripted = list[Any]


def account_with(points: int, customer_id: str = CUSTOMER, revision: int = 1) -> Account:
    """An account whose one entry granted `points` for ten days."""
    opened = Account(customer_id, account_id="b1")
    granted = decide(State(opened), c.Grant(points, Days(10)), NOON) if points else None
    account = granted.account if isinstance(granted, Decision) else opened
    return replace(account, revision=revision)


def tombstone(customer_id: str, merged_into: str) -> Account:
    return replace(account_with(0, customer_id), merged_into=merged_into)


def idempotency_record(content_hash: str) -> IdempotencyRecord:
    figures = account_with(70).figures
    return IdempotencyRecord(
        IDENTITY.key_hash, content_hash, (f"{CUSTOMER}-000000000007",), figures
    )


@dataclass(slots=True)
class Script:
    """A store that gives these answers one after the other, and notes the calls."""

    loads: Scripted = field(default_factory=list)
    commits: Scripted = field(default_factory=list)
    accounts: Scripted = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)

    def load(self, request: ReadRequest, *, fresh: bool) -> Loaded:
        self.calls.append("fresh" if fresh else "cheap")
        return _next(self.loads)

    def account(self, shop: str, customer_id: str) -> Account | None:
        self.calls.append(f"account {customer_id}")
        return _next(self.accounts)

    def commit(self, write: Write) -> Verdict:
        self.calls.append("commit")
        self.writes.append(write)
        return _next(self.commits)

    def entries(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("history was read")

    def orders(self, *_: Any) -> Any:
        raise AssertionError("orders were read")

    def due(self, *_: Any) -> Any:
        raise AssertionError("due work was read")


def _next(script: Scripted) -> Any:
    answer = script.pop(0) if len(script) > 1 else script[0]  # the last one goes on for ever
    if callable(answer):
        answer = answer()
    if isinstance(answer, Exception):
        raise answer
    return answer


def run(script: Script, command: c.Command, **more: Any) -> Booked | Refusal:
    clock = more.pop("clock", None) or SetClock()
    ledger = Ledger(script, clock, random=more.pop("random", lambda: 0.5))
    return ledger.execute(Instruction(SHOP, CUSTOMER, command, FLOW, **more))


def figure(answer: Booked | Refusal) -> int:
    assert isinstance(answer, Booked), answer
    return answer.figures.approved


# --- a daily limit ------------------------------------------------------------------------------


def test_beyond_a_daily_limit_a_request_is_refused_after_a_fresh_read() -> None:
    script = Script([Loaded(account_with(100))], [LimitReached(points_left=20)])
    answer = run(script, c.Consume(30), identity=IDENTITY)
    assert refusal_code(answer) is Code.DAILY_LIMIT_REACHED
    assert "20 more points" in str(answer)
    assert script.calls == ["cheap", "commit", "fresh"]


def test_what_reached_a_daily_limit_may_have_been_the_same_request() -> None:
    """Its reply was lost, or it was sent twice at once: then its record is there by now."""
    record = idempotency_record(Instruction(SHOP, CUSTOMER, c.Consume(30), FLOW).content_hash)
    loads = [Loaded(account_with(100)), CONFLICT, Loaded(account_with(70), record)]
    script = Script(loads, [LimitReached(points_left=0)])
    answer = run(script, c.Consume(30), identity=IDENTITY)
    assert answer == Booked(record.entry_ids, record.figures, duplicate=True)
    assert script.calls == ["cheap", "commit", "fresh", "fresh"]


# --- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loads", "commits", "calls"),
    [
        ([Loaded(account_with(100))], [Committed()], ["cheap", "commit"]),
        (
            [Loaded(account_with(10)), Loaded(account_with(100))],
            [Committed()],
            ["cheap", "fresh", "commit"],
        ),
        (
            [Loaded(account_with(100))],
            [VersionConflict({CUSTOMER: account_with(10)}), Committed()],
            ["cheap", "commit", "fresh", "commit"],
        ),
        (
            [Loaded(account_with(100))],
            [VersionConflict(), Committed()],
            ["cheap", "commit", "cheap", "commit"],
        ),
    ],
    ids=["one read and one write", "stale read", "conflict with less", "conflict elsewhere"],
)
def test_a_command_is_executed_with_no_more_calls_than_needed(
    loads: Scripted, commits: Scripted, calls: list[str]
) -> None:
    """No stale account refuses: neither one that was read nor one that a conflict handed back."""
    script = Script(loads, commits)
    assert figure(run(script, c.Consume(30))) == 70
    assert script.calls == calls


def refusal_code(answer: Booked | Refusal) -> Code:
    assert isinstance(answer, Refusal), answer
    return answer.code


def test_a_refusal_rests_on_a_fresh_read() -> None:
    script = Script([Loaded(account_with(10))])
    assert refusal_code(run(script, c.Consume(30))) is Code.INSUFFICIENT_POINTS
    assert script.calls == ["cheap", "fresh"]


def test_a_torn_read_refuses_no_request_that_had_its_effect() -> None:
    """The account is already the one after the effect, the record is not yet to be seen."""
    instruction = Instruction(SHOP, CUSTOMER, c.Consume(30), FLOW)
    record = idempotency_record(instruction.content_hash)
    torn = Loaded(account_with(0))
    script = Script([torn, Loaded(account_with(0), record)])

    answer = run(script, c.Consume(30), identity=IDENTITY)
    assert answer == Booked(record.entry_ids, record.figures, duplicate=True)
    assert script.calls == ["cheap", "fresh"]


def test_that_there_is_nothing_to_do_rests_on_a_fresh_read() -> None:
    """An old order would say that nothing is left to do; nothing is written, so nothing guards."""
    clock = SetClock(NOON + timedelta(days=20))  # the lot has lapsed; the old read has none
    script = Script([Loaded(account_with(0)), Loaded(account_with(100))], [Committed()])

    run(script, c.Settle(), clock=clock)
    assert script.calls == ["cheap", "fresh", "commit"]


def test_nothing_is_written_where_there_is_nothing_to_do() -> None:
    script = Script([Loaded(account_with(100))])

    assert run(script, c.Settle()) == Booked((), account_with(100).figures)
    assert script.calls == ["cheap", "fresh"]


def test_a_repetition_takes_one_read() -> None:
    content = {"points": 30}
    hashed = Instruction(SHOP, CUSTOMER, c.Consume(30), FLOW, content=content).content_hash
    script = Script([Loaded(account_with(0), idempotency_record(hashed))])

    answer = run(script, c.Consume(30), identity=IDENTITY, content=content)
    assert isinstance(answer, Booked)
    assert answer.duplicate
    assert script.calls == ["cheap"]


def test_a_key_used_for_something_else_is_refused_at_once() -> None:
    script = Script([Loaded(account_with(100), idempotency_record("11" * 32))])
    assert refusal_code(run(script, c.Consume(30), identity=IDENTITY)) is Code.IDEMPOTENCY_MISMATCH
    assert script.calls == ["cheap"]


def test_what_makes_two_requests_the_same_does_not_depend_on_its_order() -> None:
    def content_hash(**content: str | int | None) -> str:
        return Instruction(SHOP, CUSTOMER, c.Settle(), FLOW, content=content).content_hash

    assert content_hash(a=1, b=None) == content_hash(b=None, a=1)
    assert content_hash(a=1) != content_hash(a="1")
    assert content_hash(a=1) != content_hash(a=1, b=None)


def test_two_kinds_of_identity_do_not_meet() -> None:
    assert Identity("flow-consume:key", "1").key_hash != Identity("flow-grant:key", "1").key_hash
    assert len(Identity("a", "日本語").key_hash) == 64


# --- conflicts -------------------------------------------------------------------------------


def test_after_a_conflict_the_returned_account_is_used_at_once() -> None:
    now_there = account_with(50, revision=7)
    clock = SetClock()
    script = Script(
        [Loaded(account_with(100))], [VersionConflict({CUSTOMER: now_there}), Committed()]
    )

    assert figure(run(script, c.Consume(30), clock=clock)) == 20
    assert script.calls == ["cheap", "commit", "commit"]
    assert script.writes[1].accounts[0].account.revision == 8
    assert clock.slept_seconds == []


def test_after_two_conflicts_the_ledger_waits_and_reads_again() -> None:
    """What was handed back would only get older while waiting."""
    conflict = VersionConflict({CUSTOMER: account_with(50)})
    clock = SetClock()
    script = Script([Loaded(account_with(100))], [conflict, conflict, conflict, Committed()])

    run(script, c.Consume(30), clock=clock)
    assert script.calls == ["cheap", "commit", "commit", "cheap", "commit", "cheap", "commit"]
    assert len(clock.slept_seconds) == 2


def test_a_conflict_with_an_earlier_attempt_returns_its_answer() -> None:
    record = idempotency_record(Instruction(SHOP, CUSTOMER, c.Settle(), FLOW).content_hash)
    script = Script([Loaded(account_with(100))], [AlreadyDone(record)])

    answer = run(script, c.Consume(30), identity=IDENTITY)
    assert answer == Booked(record.entry_ids, record.figures, duplicate=True)


def test_a_conflict_with_another_request_of_the_same_key_is_refused() -> None:
    script = Script([Loaded(account_with(100))], [AlreadyDone(idempotency_record("11" * 32))])
    assert refusal_code(run(script, c.Consume(30), identity=IDENTITY)) is Code.IDEMPOTENCY_MISMATCH


def test_every_attempt_reads_the_clock_again() -> None:
    """A try decided on an old `now` would take points that lapsed while it waited."""
    clock = SetClock()
    lapse = NOON + timedelta(days=11)

    def conflict_until_the_points_are_gone() -> Exception:
        clock.at = lapse
        return CONFLICT

    before = account_with(100)
    script = Script(
        [*[Loaded(before)] * 3, Loaded(settled(before, lapse))],
        [conflict_until_the_points_are_gone, Committed()],
    )
    assert refusal_code(run(script, c.Consume(30), clock=clock)) is Code.INSUFFICIENT_POINTS


def test_nobody_is_refused_over_what_fell_due_before_it_is_written_down() -> None:
    """Else an earlier try of the same request, still on its way, could have its effect later."""
    clock = SetClock(NOON + timedelta(days=11))
    before = account_with(100)
    script = Script(
        [Loaded(before), Loaded(before), Loaded(settled(before, clock.at))], [Committed()]
    )

    assert isinstance(run(script, c.Consume(30), clock=clock), Refusal)
    assert script.calls == ["cheap", "fresh", "commit", "fresh"]
    (write,) = script.writes
    assert write.idempotency_record is None
    assert [entry.entry.topic for entry in write.accounts[0].entries] == [Topic.SUB_EXPIRE]


# --- transient failures and the deadline ----------------------------------------------------------


@pytest.mark.parametrize("cause", list(TransientCause))
def test_a_transient_failure_is_waited_out_and_everything_read_again(cause: TransientCause) -> None:
    failing = StoreUnavailable(cause, "...")
    script = Script([failing, Loaded(account_with(100))], [failing, Committed()])

    assert figure(run(script, c.Consume(30))) == 70
    assert script.calls == ["cheap", "cheap", "commit", "cheap", "commit"]


def test_a_lost_reply_does_not_book_twice() -> None:
    """The write happened, but its reply was lost; the second read finds the record."""
    record = idempotency_record(Instruction(SHOP, CUSTOMER, c.Settle(), FLOW).content_hash)
    script = Script(
        [Loaded(account_with(100)), Loaded(account_with(70), record)],
        [StoreUnavailable(TransientCause.UNREACHABLE, "ReadTimeoutError")],
    )

    answer = run(script, c.Consume(30), identity=IDENTITY)
    assert answer == Booked(record.entry_ids, record.figures, duplicate=True)
    assert len(script.writes) == 1


@pytest.mark.parametrize(
    "script",
    [
        Script([CONFLICT]),
        Script([Loaded(account_with(100))], [CONFLICT]),
        Script([Loaded(account_with(100))], [VersionConflict({CUSTOMER: account_with(100)})]),
        Script([Loaded(account_with(100))], [VersionConflict()]),
    ],
    ids=["reading fails", "writing fails", "always overtaken", "always outdated"],
)
def test_without_an_outcome_by_the_deadline_the_ledger_is_unavailable(script: Script) -> None:
    clock = SetClock()

    with pytest.raises(LedgerUnavailable) as raised:
        run(script, c.Consume(30), clock=clock)
    assert raised.value.retry_after_seconds >= 1
    assert DEADLINE_SECONDS - 1 <= clock.monotonic_seconds <= DEADLINE_SECONDS


def test_the_caller_may_name_a_shorter_time() -> None:
    clock = SetClock()
    ledger = Ledger(Script([CONFLICT]), clock, random=lambda: 1.0)

    with pytest.raises(LedgerUnavailable):
        ledger.execute(Instruction(SHOP, CUSTOMER, c.Settle(), FLOW), deadline_seconds=2)
    assert clock.monotonic_seconds <= 2


def test_pauses_grow_up_to_a_bound() -> None:
    clock = SetClock()

    with pytest.raises(LedgerUnavailable):
        run(Script([CONFLICT]), c.Settle(), clock=clock, random=lambda: 1.0)
    first, second, third, *_, last = clock.slept_seconds
    assert (second, third) == (2 * first, 4 * first)
    assert clock.slept_seconds == sorted(clock.slept_seconds)
    assert first < last == 2.0
    assert clock.slept_seconds[-2] == last


def test_pauses_are_jittered_so_that_callers_do_not_retry_in_step() -> None:
    clock, numbers = SetClock(), iter([0.0, 1.0, 0.25])
    script = Script([CONFLICT, CONFLICT, CONFLICT, Loaded(account_with(100))], [Committed()])

    run(script, c.Consume(30), clock=clock, random=lambda: next(numbers))
    nothing, whole, quarter = clock.slept_seconds
    assert nothing == 0.0
    assert quarter == whole * 2 * 0.25


def test_reads_give_up_before_the_page_does() -> None:
    clock = SetClock()
    ledger = Ledger(Script(accounts=[CONFLICT]), clock, random=lambda: 1.0)

    for look in (ledger.read, lambda *book: ledger.history(*book, limit=1)):
        began = clock.monotonic_seconds
        with pytest.raises(LedgerUnavailable):
            look(SHOP, CUSTOMER)
        assert clock.monotonic_seconds - began < 1.0


# --- tombstones ---------------------------------------------------------------------------------


def test_an_instruction_for_a_merged_customer_is_carried_out_on_the_survivor() -> None:
    script = Script([Loaded(tombstone(CUSTOMER, OTHER))], [Committed()], [account_with(100, OTHER)])

    answer = run(script, c.Consume(30), identity=IDENTITY)
    assert figure(answer) == 70
    assert script.calls == ["cheap", f"account {OTHER}", "commit"]
    (write,) = script.writes
    assert write.accounts[0].account.customer_id == OTHER
    assert write.recorded_for == CUSTOMER  # under which it will be asked for again


def test_a_refusal_on_a_survivor_rests_on_a_record_and_an_account_of_one_moment() -> None:
    script = Script([Loaded(tombstone(CUSTOMER, OTHER))], [], [account_with(10, OTHER)])

    assert isinstance(run(script, c.Consume(30), identity=IDENTITY), Refusal)
    assert script.calls == [
        "cheap",
        f"account {OTHER}",
        "fresh",
        f"account {OTHER}",
        "fresh",
        f"account {OTHER}",
    ]


def test_after_a_conflict_with_a_merge_the_survivor_is_used() -> None:
    merged = tombstone(CUSTOMER, OTHER)
    script = Script(
        [Loaded(account_with(100)), Loaded(merged)],
        [VersionConflict({CUSTOMER: merged}), Committed()],
        [account_with(105, OTHER)],
    )

    assert figure(run(script, c.Consume(30))) == 75
    assert script.writes[1].accounts[0].account.customer_id == OTHER


def test_tombstones_in_a_circle_are_an_error() -> None:
    script = Script(accounts=[tombstone(CUSTOMER, OTHER)])

    with pytest.raises(AssertionError, match="merges"):
        Ledger(script, SetClock()).read(SHOP, CUSTOMER)


# --- merging ------------------------------------------------------------------------------------


def merging(script: Script, clock: SetClock | None = None) -> Booked | Refusal:
    ledger = Ledger(script, clock or SetClock(), random=lambda: 0.5)
    return ledger.merge(SHOP, CUSTOMER, OTHER, FLOW)


def test_a_merge_that_was_overtaken_reads_both_sides_again() -> None:
    sides = [account_with(100), account_with(5, OTHER)]
    script = Script(
        [Loaded(account_with(100))],
        [VersionConflict(), CONFLICT, Committed()],
        [*sides, *sides, *sides],
    )

    assert figure(merging(script)) == 105
    assert [len(write.accounts) for write in script.writes] == [2, 2, 2]


def test_a_merge_whose_reply_was_lost_is_found_done() -> None:
    script = Script(
        [Loaded(account_with(100))],
        [StoreUnavailable(TransientCause.UNREACHABLE, "ReadTimeoutError")],
        [
            account_with(100),
            account_with(5, OTHER),
            tombstone(CUSTOMER, OTHER),
            account_with(105, OTHER),
        ],
    )

    assert merging(script) == Booked((), account_with(105).figures, duplicate=True)
    assert len(script.writes) == 1


def test_a_merge_is_not_refused_by_a_target_that_was_merged_just_then() -> None:
    """The source is one with the target's survivor; the target was read before it went there."""
    third = "7003"
    script = Script(
        [Loaded(account_with(100))],
        accounts=[
            tombstone(CUSTOMER, third),
            account_with(5, OTHER),
            account_with(105, third),
            replace(tombstone(OTHER, third), revision=2),
            tombstone(CUSTOMER, third),
            replace(tombstone(OTHER, third), revision=2),
            account_with(105, third),
        ],
    )

    assert merging(script) == Booked((), account_with(105).figures, duplicate=True)
    assert script.writes == []


def test_a_merge_has_one_deadline_for_all_that_it_does() -> None:
    clock = SetClock()
    script = Script([Loaded(account_with(100))], [CONFLICT], [account_with(100)])
    script.accounts = [account_with(100), account_with(5, OTHER)] * 999

    with pytest.raises(LedgerUnavailable):
        merging(script, clock)
    assert clock.monotonic_seconds <= DEADLINE_SECONDS


def test_an_alarm_is_raised_before_the_write_whose_reply_may_be_lost() -> None:
    late = c.SpendOnOrder(200, ORDER, "till")
    alarms: list[str] = []
    script = Script([Loaded(account_with(100))], [CONFLICT])
    ledger = Ledger(
        script, SetClock(), random=lambda: 1.0, alarm=lambda _, name: alarms.append(name)
    )
    with pytest.raises(LedgerUnavailable):
        ledger.execute(Instruction(SHOP, CUSTOMER, late, FLOW))
    assert set(alarms) == {"spent_without_points"}


# --- what is written ----------------------------------------------------------------------------


def test_an_order_and_a_hold_record_are_written_one_revision_on() -> None:
    update = OrderUpdate(updated_at=NOON, goods=Goods(10_000), confirmed_at=NOON)
    script = Script([Loaded(account_with(100), order=an_order(revision=4))], [Committed()])
    run(script, c.UpdateOrder(ORDER, update, EarningRule(100), Days(10)))
    order = script.writes[0].order
    assert order is not None
    assert (order.order_id, order.revision) == (ORDER, 5)

    script = Script([Loaded(account_with(100))], [Committed()])
    run(script, c.PlaceHold(30, HOLD_ID, 600, code=CODE))
    (write,) = script.writes
    assert write.hold_record == replace(a_hold_record(), lots=write.hold_record.lots)  # type: ignore[union-attr]
    assert write.order is None


def test_an_order_that_does_not_change_is_not_written() -> None:
    order = an_order(revision=4)
    script = Script([Loaded(account_with(100), order=order)], [Committed()])
    nothing_new = c.UpdateOrder(ORDER, OrderUpdate(), EarningRule(100), Days(10))
    assert isinstance(run(script, nothing_new), Booked)
    assert script.writes == []


def test_a_request_without_identity_leaves_no_record() -> None:
    script = Script([Loaded(account_with(100))], [Committed()])
    run(script, c.Consume(30))

    assert script.writes[0].idempotency_record is None


def test_a_text_is_hashed_with_a_salt_of_its_own() -> None:
    texts = []
    for _ in range(2):
        script = Script([Loaded(account_with(100))], [Committed()])
        run(script, c.Consume(30), reason="おわび")
        (entry,) = script.writes[0].accounts[0].entries
        assert entry.text is not None
        assert entry.text_digest == entry.text.digest(entry.cause)
        texts.append(entry.text)

    assert texts[0].reason == texts[1].reason == "おわび"
    assert texts[0].salt != texts[1].salt


def test_the_clock_of_the_account_never_runs_backwards() -> None:
    later: datetime = NOON + timedelta(hours=1)
    ahead = replace(account_with(100), as_of=later)
    script = Script([Loaded(ahead)], [Committed()])

    run(script, c.Consume(30))
    (part,) = script.writes[0].accounts
    assert part.account.as_of == later
    assert part.entries[0].entry.at == later


def test_settling_part_after_part_ends_with_the_deadline_at_the_latest() -> None:
    """A store on which what was written is never seen: no pause is due, and still it ends."""
    clock, before = SetClock(NOON), account_with(0)
    for days in range(1, 26):
        granted = decide(State(before), c.Grant(1, Days(days)), NOON)
        assert isinstance(granted, Decision)
        before = granted.account
    clock.at = NOON + timedelta(days=60)
    started = clock.monotonic()

    def time_passes() -> Committed:
        clock.monotonic_seconds += 1
        assert clock.monotonic_seconds < 100, "it would never end"
        return Committed()

    script = Script([Loaded(before)], [time_passes])
    with pytest.raises(LedgerUnavailable):
        run(script, c.Consume(30), clock=clock)
    assert DEADLINE_SECONDS <= clock.monotonic() - started <= DEADLINE_SECONDS + 2
