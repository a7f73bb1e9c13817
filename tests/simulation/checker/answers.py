"""Checks answers: each was right at some instant between the call and the answer."""

from datetime import datetime
from typing import Any, Final

from pointbook.domain.refusal import Code, Refusal
from pointbook.ledger.instruction import Booked
from pointbook.ledger.read_only import View
from tests.reference import model
from tests.simulation.checker import raw_items
from tests.simulation.checker.writes import Writes
from tests.simulation.kernel.requests import Attempt, Commit, Request
from tests.simulation.kernel.violation import must
from tests.support.instants import instant

ANSWER_MS_MAX: Final = 12_000
"""A deadline of 8 s, and one call that times out at its end."""

PARTS: Final = {"merge": 3, "history": 2}
"""How many calls, each with its own deadline, a request makes; 1 where not named."""

HARMLESS_TWICE: Final = frozenset({"mark_ready", "begin_release"})
"""Without an identity they may be refused after a lost answer, since the hold is over; they move
nothing twice."""


class Answers:
    """Every answer, held against all that was written."""

    def __init__(self, writes: Writes) -> None:
        self.writes = writes
        self._shops = writes.shops

    def looked(self, attempt: Attempt, sequence: int) -> None:
        """An attempt can have read something now."""
        attempt.instants.append((sequence, attempt.clock.wall_ms))

    def replied(self, attempt: Attempt, reply: Booked | Refusal, sequence: int) -> None:
        """An attempt has its answer."""
        self._over(attempt, sequence)
        request = attempt.request
        effect = self.writes.effect(request)
        if effect is not None and self.writes.has_other_content(request):
            before = effect.sequence <= attempt.called_at
            mismatch = _is_mismatch(reply)
            must("content", mismatch or not before, f"{request.name}: {reply} for other content")
            must("content", not (mismatch and attempt.effects), "a mismatch with an effect")
            if mismatch:
                return
            effect = None
        must("content", not _is_mismatch(reply), f"{request.name}: {reply} for the same content")
        if isinstance(reply, Refusal):
            attempt.refused = not _is_harmless_twice(request)
            self.writes.refusals.setdefault(request.number, []).append(attempt)
            self._check_refusal(attempt, reply, effect, sequence)
        elif request.merge_into is not None:
            self._check_merge(attempt, reply, sequence)
        else:
            self._check_booked(attempt, reply, effect, sequence)

    def failed(self, attempt: Attempt, sequence: int) -> None:
        """An attempt ended without an answer: it is in doubt."""
        self._over(attempt, sequence)

    def seen(self, attempt: Attempt, view: View, sequence: int) -> None:
        """A reader was shown this."""
        self._over(attempt, sequence)
        who = attempt.request.who
        shown = _shown(view)
        expected: list[object] = []
        for state, now in self._states(attempt, sequence):
            owner = self._shops.owner(who, state)
            picture = self._shops.customer(owner).at(state).picture(now)
            version = self._shops.versions[owner].at(state)
            expected.append((owner[1], version, picture.figures, picture.lots, picture.hold))
        must("read", shown in expected, f"{who} was shown {shown}, which was none of {expected}")
        due = view.hold and view.hold.ends_at <= view.as_of
        must("read", not due, f"{who} was shown a hold that is over")

    def history_seen(
        self, attempt: Attempt, entry_ids: list[str], limit: int, sequence: int
    ) -> None:
        """A reader was shown the latest entries."""
        self._over(attempt, sequence)
        who, expected = attempt.request.who, []
        for state in self._shops.moments(attempt.request, attempt.called_at, sequence):
            owner = self._shops.owner(who, state)
            version = self._shops.versions[owner].at(state)
            newest_first = range(version, max(0, version - limit), -1)
            expected.append([raw_items.entry_id(owner[1], v) for v in newest_first])
        must("read", entry_ids in expected, f"{who} was told {entry_ids}, not {expected}")

    def _over(self, attempt: Attempt, sequence: int) -> None:
        self.looked(attempt, sequence)
        attempt.over_ms = attempt.clock.true_ms
        took_ms = attempt.instants[-1][1] - attempt.instants[0][1]
        longest_ms = ANSWER_MS_MAX * PARTS.get(attempt.request.name, 1)
        must("error", took_ms <= longest_ms, f"{attempt.request.name} took {took_ms} ms")

    def _check_booked(
        self, attempt: Attempt, reply: Booked, effect: Commit | None, sequence: int
    ) -> None:
        request, facts = attempt.request, (reply.entry_ids, tuple(reply.figures))
        candidates = attempt.effects if request.identity is None else [effect] if effect else []
        for commit in candidates:
            if facts == (commit.entry_ids, commit.figures):
                first = commit.attempt is attempt
                must("answer", first or reply.duplicate, "another request's effect as its own")
                right = reply.duplicate or reply.alarms == commit.alarms
                must("answer", right, f"{request.name} alarms {reply.alarms}, not {commit.alarms}")
                return
        must("answer", not reply.entry_ids, f"{request.name}: {reply} is not in the table")
        must("answer", not reply.duplicate, f"{request.name}: {reply}, but {effect}")
        right = any(
            self._nothing_to_do(request, state, now, facts[1])
            for state, now in self._states_before(effect, attempt, sequence)
        )
        must("nothing", right, f"{request.name} by {request.who}: {reply} was never right")

    def _check_merge(self, attempt: Attempt, reply: Booked, sequence: int) -> None:
        if reply.duplicate:
            must(
                "answer", self._are_one(attempt.request, sequence), "a merge that has not happened"
            )
            return
        facts = (reply.entry_ids, tuple(reply.figures))
        right = any(facts == (commit.entry_ids, commit.figures) for commit in attempt.effects)
        must("answer", right, f"merge: {reply} is not in the table")

    def _check_refusal(
        self, attempt: Attempt, reply: Refusal, effect: Commit | None, sequence: int
    ) -> None:
        """It left no effect, and was right before anybody else gave the same identity one."""
        request = attempt.request
        harmless = _is_harmless_twice(request)
        must(
            "refusal",
            harmless or not attempt.effects,
            f"{request.name} had an effect, yet: {reply}",
        )
        right = any(
            self._refused(request, state, now) == reply.code
            for state, now in self._states_before(effect, attempt, sequence)
        )
        must("refusal", right, f"{request.name} by {request.who}: {reply} was never right")

    def _refused(self, request: Request, sequence: int, now: datetime) -> Code | None:
        if request.merge_into is None:
            return self._shops.decide(request, sequence, now)[2].refused
        if self._are_one(request, sequence):
            return None
        source, target_id = request.who, (request.who[0], request.merge_into)
        if target_id != source:
            target_id = self._shops.owner(target_id, sequence)
        leaving = self._shops.customer(source).at(sequence).copy()
        staying = self._shops.customer(target_id).at(sequence).copy()
        return model.merge(leaving, staying, now).refused

    def _are_one(self, request: Request, sequence: int) -> bool:
        """Whether both sides of a merge had the same survivor at that time."""
        target_id = (request.who[0], request.merge_into or "")
        owner = self._shops.owner(request.who, sequence)
        return request.who != target_id and owner == self._shops.owner(target_id, sequence)

    def _nothing_to_do(
        self, request: Request, sequence: int, now: datetime, figures: tuple[int, ...]
    ) -> bool:
        """Whether the request changed nothing at that time, and the figures were these."""
        before = self._shops.customer(self._shops.owner(request.who, sequence)).at(sequence)
        before_items = self._shops.order_items(request, sequence)
        customer, order_items, answer = self._shops.decide(request, sequence, now)
        facts = raw_items.expected_order(request.order_id, order_items)
        return (
            answer.refused is None
            and not answer.moves
            and raw_items.expected_order(request.order_id, before_items) == facts
            and customer.hold == before.hold
            and customer.figures() == figures
        )

    def _states_before(
        self, effect: Commit | None, attempt: Attempt, sequence: int
    ) -> list[tuple[int, datetime]]:
        """Those before the same request had its effect through somebody else."""
        until = effect.sequence - 1 if effect is not None else sequence
        return [state for state in self._states(attempt, sequence) if state[0] <= until]

    def _states(self, attempt: Attempt, sequence: int) -> list[tuple[int, datetime]]:
        """Every state during the call with every time at which it can have been read."""
        states = self._shops.moments(attempt.request, attempt.called_at, sequence)
        return [
            (state, instant(wall_ms))
            for state in reversed(states)
            for seen, wall_ms in reversed(dict.fromkeys(attempt.instants))
            if seen >= state
        ]


def _is_harmless_twice(request: Request) -> bool:
    return request.name in HARMLESS_TWICE and request.identity is None


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
