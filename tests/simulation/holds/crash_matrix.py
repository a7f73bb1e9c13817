"""Every step of a hold, every call it makes to the table and to Shopify, every fault of that call.

What the fault has interrupted is retried once, or never. Then time passes, the sweeps run, and: the
points are there or spent, no hold is open, no code is listed as orphaned; and at no time was a code
usable without held points, unless it was listed.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Final

from pointbook.domain.ports import DueKind, StoreUnavailable
from pointbook.errors import HoldFailed, HoldReleasing, LedgerUnavailable
from pointbook.services.holds import HoldResult
from pointbook.services.sweeps import Sweep
from tests.fakes.faulty_dynamodb import POSSIBLE, At, Crash
from tests.fakes.faulty_shopify import Trouble
from tests.support.holds import CUSTOMER, SWEEP_SECONDS, Bench, Instance, code_of, hold_of

GRANTED: Final = 1_250
HELD: Final = 500
KEY: Final = "wish"
MINUTES: Final = 11 * 60_000

type Step = Callable[[Bench, Instance], object]


def create(bench: Bench, one: Instance) -> object:
    """A customer requests a hold."""
    return one.holds.create(CUSTOMER, HELD, KEY)


def release(bench: Bench, one: Instance) -> object:
    """The customer releases it."""
    return one.holds.release(CUSTOMER, hold_of(KEY))


def pay(bench: Bench, one: Instance) -> object:
    """The customer checks out with the code."""
    assert bench.shopify.redeem(code_of(KEY), CUSTOMER, "901")
    return "paid"


def capture(bench: Bench, one: Instance) -> object:
    """The webhook of an order that used 300 of it."""
    bench.order(code_of(KEY), 300, instance=one)
    return "captured"


def interrupted(
    expected: type[BaseException], trouble: Trouble | None = None, step: Step = create
) -> Step:
    """A step that fails as expected with this trouble at Shopify."""

    def run(bench: Bench, one: Instance) -> object:
        instance = bench.instance(trouble)
        if trouble is Trouble.REQUEST_ARRIVES_LATE:
            instance.transport.late_ms = (20_000,)
        try:
            return step(bench, instance)
        except expected as error:
            return type(error)

    return run


undone = interrupted(HoldFailed, Trouble.HANGS)
"""Its discount hangs: the hold is undone, and its code is listed."""

cut_off = interrupted(Crash, Trouble.CRASH_LATE)
"""The process ends; the request for the discount is on its way."""

refused_release = interrupted(HoldReleasing, step=release)
"""A release before the discount is made."""

in_flight = interrupted(HoldFailed, Trouble.REQUEST_ARRIVES_LATE)
"""The discount is made twenty seconds after the caller gave up."""

made_too_late = interrupted(HoldFailed, Trouble.REPLY_AFTER_TIMEOUT)
"""The discount is made, but its caller has given up."""


def deactivate(bench: Bench, one: Instance) -> object:
    """The sweep of orphaned codes."""
    sweep = Sweep(one.store, bench.time, one.codes.deactivate, lambda _: None)
    return sweep.run(DueKind.CODE, SWEEP_SECONDS).due


@dataclass(frozen=True, slots=True)
class HoldCase:
    """One step, what was done before it, and what is spent when all is over."""

    name: str
    step: Step
    before: tuple[Step, ...] = ()
    later_ms: int = 0
    spent: int = 0


CASES: Final = (
    HoldCase("create", create),
    HoldCase("create again while it is ready", create, (create,)),
    HoldCase("create again when its time is over", create, (create,), MINUTES),
    HoldCase("release", release, (create,)),
    HoldCase("release again", release, (create, release)),
    HoldCase("release when its time is over", release, (create,), MINUTES),
    HoldCase("release what was captured", release, (create, pay, capture), spent=300),
    HoldCase("release before the discount is made", release, (cut_off,)),
    HoldCase("release again before the discount is made", release, (cut_off, refused_release)),
    HoldCase("create what is being released", create, (cut_off, refused_release)),
    HoldCase("capture", capture, (create, pay), spent=300),
    HoldCase("capture again", capture, (create, pay, capture), spent=300),
    HoldCase("capture late", capture, (create, pay), MINUTES, spent=300),
    HoldCase("capture after the release", capture, (create, pay, release), spent=300),
    HoldCase("deactivate what was never made", deactivate, (undone,)),
    HoldCase("deactivate what is in flight", deactivate, (in_flight,)),
    HoldCase("deactivate what was made", deactivate, (made_too_late,)),
)


def wrong_of(case: HoldCase) -> list[str]:
    """What is wrong with a case: a line for each fault after which something was not right."""
    with redirect_stdout(io.StringIO()):
        return list(_wrong(case))


def _wrong(case: HoldCase) -> Iterator[str]:
    for name, one, calls_again in _tries(case):
        wrong = _tried(case, one, again=calls_again)
        if wrong:
            yield f"{case.name}, {name}, {'again' if calls_again else 'never again'}: {wrong}"


def count_tries(case: HoldCase) -> int:
    """How many faults a case is tried with."""
    with redirect_stdout(io.StringIO()):
        return sum(1 for _ in _tries(case))


@dataclass(frozen=True, slots=True)
class _Fault:
    """One fault at one call: to the table, or to Shopify."""

    at: At | None = None
    call: int = -1
    trouble: Trouble | None = None

    def instance(self, bench: Bench) -> Instance:
        """An instance that suffers it."""
        return bench.instance(*[None] * self.call, self.trouble, plan=self.fresh_plan())

    def fresh_plan(self) -> At | None:
        """The plan before its first call."""
        return At(self.at.call, self.at.fault) if self.at else None


def _tries(case: HoldCase) -> Iterator[tuple[str, _Fault, bool]]:
    bench = _prepared(case)
    plain = bench.instance()
    _answer(case.step, bench, plain)
    faults = [
        (f"{operation} {call}, {fault}", _Fault(At(call, fault)))
        for call, operation in enumerate(plain.operations)
        for fault in sorted(POSSIBLE[operation])
    ]
    faults += [
        (f"Shopify {call}, {trouble}", _Fault(call=call, trouble=trouble))
        for call in range(len(plain.transport.sent))
        for trouble in Trouble
    ]
    for name, fault in faults:
        yield name, fault, True
        if case.step is not capture:  # a queue never forgets an order; customers and schedules do
            yield name, fault, False


def _tried(case: HoldCase, fault: _Fault, *, again: bool) -> str:
    """What is wrong after one fault; "" if nothing is."""
    bench = _prepared(case)
    answers = [_answer(case.step, bench, fault.instance(bench))]
    wrong = _wrong_now(bench, answers[-1])
    if again and not wrong:
        answers.append(_answer(case.step, bench, bench.instance()))
        wrong = _wrong_now(bench, answers[-1]) or _lost(case, answers)
    return wrong or _wrong_later(case, bench)


def _lost(case: HoldCase, answers: list[object]) -> str:
    """A hold that only a crash interrupted is granted to the retry."""
    interrupted = case.step is create and not case.before and answers[0] is Crash
    return (
        "a crash lost the hold" if interrupted and not isinstance(answers[-1], HoldResult) else ""
    )


def _answer(step: Step, bench: Bench, one: Instance) -> object:
    try:
        return step(bench, one)
    except (HoldFailed, HoldReleasing, LedgerUnavailable, StoreUnavailable, Crash) as end:
        return type(end)
    except Exception as error:  # noqa: BLE001 - whatever else comes out is a finding
        return f"it fails: {error!r}"


def _wrong_now(bench: Bench, answer: object) -> str:
    """What is wrong at once, whatever the answer was."""
    if isinstance(answer, str) and answer.startswith("it fails"):
        return answer
    if len(bench.shopify.created) > 1:
        return f"{len(bench.shopify.created)} discounts"
    state, usable = bench.state(), bool(bench.usable())
    if usable and not state and not bench.orphaned_code_count():
        return f"a usable code without held points after {answer}"
    if answer is HoldFailed and state not in ("", "releasing"):
        return f"it failed, and is {state}"
    if isinstance(answer, HoldResult) and not usable:
        return "an issued code cannot be used"
    return ""


def _wrong_later(case: HoldCase, bench: Bench) -> str:
    """What is wrong when time has passed: minute by minute, with the sweeps."""
    for _ in range(12):
        bench.time.pause(60_000)
        results = [bench.sweep(kind) for kind in bench.busy()]
        if bench.usable() and not bench.state():
            return f"a code is still usable after a sweep: {results}"
    figures = bench.figures()
    free = GRANTED + _earned(bench) - case.spent
    seen = (
        figures.approved,
        figures.spent,
        figures.hold,
        bench.orphaned_code_count(),
        bench.state(),
    )
    expected = (free, case.spent, 0, 0, "")
    return "" if seen == expected else f"approved, spent, hold, listed: {seen}, must be {expected}"


def _earned(bench: Bench) -> int:
    """What the order of the case earned."""
    order = bench.order_item()
    return order.approved_points if order else 0


def _prepared(case: HoldCase) -> Bench:
    bench = Bench()
    bench.grant(GRANTED)
    for step in case.before:
        step(bench, bench.instance())
    bench.time.pause(case.later_ms)
    return bench
