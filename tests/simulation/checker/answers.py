"""Judges answers: each was right at some instant between the call and the answer."""

from datetime import datetime
from typing import Any, Final

from pointbook.domain.refusal import Code, Refusal
from pointbook.ledger.instruction import Booked, View
from tests.reference import model
from tests.simulation.checker import raw_items as plainly
from tests.simulation.checker.writes import Writes
from tests.simulation.kernel.requests import Ask, Attempt, Commit
from tests.simulation.kernel.violation import must
from tests.support.instants import instant

ANSWER_MS_MAX: Final = 12_000
"""8 s of patience, and one call that times out at their end."""

PARTS: Final = {"merge": 3, "history": 2}
"""How many pieces of work, each with a patience of its own, an ask is; 1 where not named."""

HARMLESS_TWICE: Final = frozenset({"mark_ready", "begin_release"})
"""Without an identity they may hear, after a lost answer, that the hold is over.

They move nothing twice.
"""


class Answers:
    """Every answer, held against all that was written."""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes
        self._shops = writes.shops

    def looked(self, attempt: Attempt, sequence: int) -> None:
        """A request can have learnt something now."""
        attempt.instants.append((sequence, attempt.clock.wall_ms))

    def replied(self, attempt: Attempt, reply: Booked | Refusal, sequence: int) -> None:
        """A request has its answer."""
        self._over(attempt, sequence)
        ask = attempt.ask
        effect = self._writes.effect(ask)
        if effect is not None and self._writes.has_other_content(ask):
            before = effect.sequence <= attempt.called_at
            mismatch = _is_mismatch(reply)
            must("content", mismatch or not before, f"{ask.name}: {reply} for another content")
            must("content", not (mismatch and attempt.effects), "a mismatch with an effect")
            if mismatch:
                return
            effect = None
        must("content", not _is_mismatch(reply), f"{ask.name}: {reply} for the same content")
        if isinstance(reply, Refusal):
            attempt.refused = not _is_harmless_twice(ask)
            self._writes.refusals.setdefault(ask.number, []).append(attempt)
            self._check_refusal(attempt, reply, effect, sequence)
        elif ask.merge_into is not None:
            self._check_merge(attempt, reply, sequence)
        else:
            self._check_booked(attempt, reply, effect, sequence)

    def failed(self, attempt: Attempt, sequence: int) -> None:
        """A request ended without an answer: it is in doubt."""
        self._over(attempt, sequence)

    def seen(self, attempt: Attempt, view: View, sequence: int) -> None:
        """A reader was shown this."""
        self._over(attempt, sequence)
        who = attempt.ask.who
        shown = _shown(view)
        expected: list[object] = []
        for state, now in self._moments(attempt, sequence):
            owner = self._shops.owner(who, state)
            picture = self._shops.customer(owner).at(state).picture(now)
            version = self._shops.versions[owner].at(state)
            expected.append((owner[1], version, picture.figures, picture.lots, picture.hold))
        must("read", shown in expected, f"{who} was shown {shown}, which was none of {expected}")
        due = view.hold and view.hold.ends_at <= view.as_of
        must("read", not due, f"{who} was shown a hold that is over")

    def told_history(
        self, attempt: Attempt, entry_ids: list[str], limit: int, sequence: int
    ) -> None:
        """A reader was shown the latest entries."""
        self._over(attempt, sequence)
        who, expected = attempt.ask.who, []
        for state in self._shops.moments(attempt.ask, attempt.called_at, sequence):
            owner = self._shops.owner(who, state)
            version = self._shops.versions[owner].at(state)
            newest_first = range(version, max(0, version - limit), -1)
            expected.append([plainly.entry_id(owner[1], v) for v in newest_first])
        must("read", entry_ids in expected, f"{who} was told {entry_ids}, not {expected}")

    def _over(self, attempt: Attempt, sequence: int) -> None:
        self.looked(attempt, sequence)
        attempt.over_ms = attempt.clock.true_ms
        took_ms = attempt.instants[-1][1] - attempt.instants[0][1]
        longest_ms = ANSWER_MS_MAX * PARTS.get(attempt.ask.name, 1)
        must("error", took_ms <= longest_ms, f"{attempt.ask.name} took {took_ms} ms")

    def _check_booked(
        self, attempt: Attempt, reply: Booked, effect: Commit | None, sequence: int
    ) -> None:
        ask, told = attempt.ask, (reply.entry_ids, tuple(reply.figures))
        candidates = attempt.effects if ask.identity is None else [effect] if effect else []
        for commit in candidates:
            if told == (commit.entry_ids, commit.figures):
                first = commit.attempt is attempt
                must("answer", first or reply.duplicate, "another request's effect as its own")
                right = reply.duplicate or reply.alarms == commit.alarms
                must("answer", right, f"{ask.name} alarms {reply.alarms}, not {commit.alarms}")
                return
        must("answer", not reply.entry_ids, f"{ask.name}: {reply} is not in the table")
        must("answer", not reply.duplicate, f"{ask.name}: {reply}, but {effect}")
        right = any(
            self._nothing_to_do(ask, state, now, told[1])
            for state, now in self._moments_before(effect, attempt, sequence)
        )
        must("nothing", right, f"{ask.name} by {ask.who}: {reply} was never right")

    def _check_merge(self, attempt: Attempt, reply: Booked, sequence: int) -> None:
        if reply.duplicate:
            must("answer", self._are_one(attempt.ask, sequence), "a merge that has not happened")
            return
        told = (reply.entry_ids, tuple(reply.figures))
        right = any(told == (commit.entry_ids, commit.figures) for commit in attempt.effects)
        must("answer", right, f"merge: {reply} is not in the table")

    def _check_refusal(
        self, attempt: Attempt, reply: Refusal, effect: Commit | None, sequence: int
    ) -> None:
        """It left no effect, and was right before anybody else gave the same identity one."""
        ask = attempt.ask
        harmless = _is_harmless_twice(ask)
        must("refusal", harmless or not attempt.effects, f"{ask.name} had an effect, yet: {reply}")
        right = any(
            self._refused(ask, state, now) == reply.code
            for state, now in self._moments_before(effect, attempt, sequence)
        )
        must("refusal", right, f"{ask.name} by {ask.who}: {reply} was never right")

    def _refused(self, ask: Ask, sequence: int, now: datetime) -> Code | None:
        if ask.merge_into is None:
            return self._shops.decide(ask, sequence, now)[2].refused
        if self._are_one(ask, sequence):
            return None
        source, target_id = ask.who, (ask.who[0], ask.merge_into)
        if target_id != source:
            target_id = self._shops.owner(target_id, sequence)
        leaving = self._shops.customer(source).at(sequence).copy()
        staying = self._shops.customer(target_id).at(sequence).copy()
        return model.merge(leaving, staying, now).refused

    def _are_one(self, ask: Ask, sequence: int) -> bool:
        """Whether both sides of a merge had the same survivor at that time."""
        target_id = (ask.who[0], ask.merge_into or "")
        owner = self._shops.owner(ask.who, sequence)
        return ask.who != target_id and owner == self._shops.owner(target_id, sequence)

    def _nothing_to_do(
        self, ask: Ask, sequence: int, now: datetime, figures: tuple[int, ...]
    ) -> bool:
        """Whether the ask changed nothing at that time, and the figures were these."""
        before = self._shops.customer(self._shops.owner(ask.who, sequence)).at(sequence)
        known = self._shops.order_items(ask, sequence)
        customer, order_items, answer = self._shops.decide(ask, sequence, now)
        told = plainly.order_known(ask.order_id, order_items)
        return (
            answer.refused is None
            and not answer.moves
            and plainly.order_known(ask.order_id, known) == told
            and customer.hold == before.hold
            and customer.figures() == figures
        )

    def _moments_before(
        self, effect: Commit | None, attempt: Attempt, sequence: int
    ) -> list[tuple[int, datetime]]:
        """Those before the same request had its effect through somebody else."""
        until = effect.sequence - 1 if effect is not None else sequence
        return [moment for moment in self._moments(attempt, sequence) if moment[0] <= until]

    def _moments(self, attempt: Attempt, sequence: int) -> list[tuple[int, datetime]]:
        """Every state of the call with every time at which the request can have looked at it."""
        states = self._shops.moments(attempt.ask, attempt.called_at, sequence)
        return [
            (state, instant(wall_ms))
            for state in reversed(states)
            for seen, wall_ms in reversed(dict.fromkeys(attempt.instants))
            if seen >= state
        ]


def _is_harmless_twice(ask: Ask) -> bool:
    return ask.name in HARMLESS_TWICE and ask.identity is None


def _is_mismatch(reply: object) -> bool:
    return isinstance(reply, Refusal) and reply.code is Code.IDEMPOTENCY_MISMATCH


def _shown(view: View) -> tuple[Any, ...]:
    """A view in the words of the model."""
    hold = view.hold and (
        view.hold.hold_id,
        view.hold.state,
        view.hold.ends_at,
        {lot.valid_through: lot.points for lot in view.hold.lots},
        view.hold.code,
    )
    lots = {lot.valid_through: lot.points for lot in view.lots}
    return view.customer_id, view.version, tuple(view.figures), lots, hold
