"""Repairs by a push: a member's points at the till become the ledger's, if the report still holds.

    compare again ── figures of the report ── the member is put on the queue of push_till
                 └── anything else: nothing is done

The push goes through the outbox to the till like any change of points (`services.till_push`): its
plan is saved first, and one whose outcome is unknown is looked up before it is sent again. So a
repair that was asked for twice is done once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pointbook import log
from pointbook.deadline import Deadline, DeadlinePassed
from pointbook.domain.ports import Clock
from pointbook.domain.programme_rules import TillPush
from pointbook.errors import InvalidRequest, Refused
from pointbook.services.till_comparison import Kind, TillComparison
from pointbook.shopify.ids import customer_digits
from pointbook.store.till_pushes import TillPushes
from pointbook.till.errors import TillError
from pointbook.validation import shown, text

MEMBERS_MAX = 20
RUN_LENGTH_MAX, REASON_LENGTH_MAX, BY_LENGTH_MAX = 64, 255, 64


class PushIsOff(Refused):
    """The till can only be read, or the shop's programme pushes nothing to it."""

    code = "push_is_off"
    text = (
        "Nothing is pushed to this till: it can only be read, or the programme's till_push is no."
        " Repair by entries, or change the programme."
    )


class Outcome(StrEnum):
    """What became of one member. `queued`: push_till will make the till follow the ledger."""

    QUEUED = "queued"
    AGREES = "agrees"
    CHANGED = "changed"
    NOT_COMPARED = "not_compared"


@dataclass(frozen=True, slots=True)
class ReportedMember:
    """A member, and the figures that somebody has seen in a report."""

    customer_id: str
    ledger_points: int
    till_points: int


@dataclass(frozen=True, slots=True)
class RepairRequest:
    """A request to repair members by a push; `run` is the report's."""

    members: tuple[ReportedMember, ...]
    run: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class TillRepair:
    """The repairs of one shop, whose programme says by `mode` what is pushed to the till.

    `clock` is real time.
    """

    comparison: TillComparison
    pushes: TillPushes
    mode: TillPush
    clock: Clock

    def push(self, request: RepairRequest, deadline: Deadline) -> dict[str, Outcome]:
        """Repair members, and say what became of each; those that were not reached are left out.

        Raises PushIsOff, LedgerUnavailable.
        """
        if self.mode is TillPush.NO or not self.comparison.till.capabilities.pushes:
            raise PushIsOff
        outcomes = dict[str, Outcome]()
        for reported in request.members:
            try:
                outcomes[reported.customer_id] = self._one(reported, request, deadline)
            except (TillError, DeadlinePassed) as error:
                log.warning("till_repair_stopped", reason=str(error))
                break
        return outcomes

    def _one(self, reported: ReportedMember, request: RepairRequest, deadline: Deadline) -> Outcome:
        shop, customer_id = self.comparison.shop, reported.customer_id
        row = next(iter(self.comparison.rows([customer_id], deadline)), None)
        if row is None or row.kind is Kind.NOT_COMPARED:
            return Outcome.NOT_COMPARED
        if row.kind is Kind.EQUAL:
            return Outcome.AGREES
        if (row.ledger_points, row.till_points) != (reported.ledger_points, reported.till_points):
            return Outcome.CHANGED
        ids = {"shop": shop, "customer_id": customer_id, "run": request.run}
        why = {"reason": request.reason, "by": request.by}
        log.info("till_repair_requested", **ids, **why, points=-row.difference)
        self.pushes.request_balance(shop, customer_id, row.version, self.clock.now())
        return Outcome.QUEUED


def read_repair_request(event: Mapping[str, Any]) -> RepairRequest:
    """Read the members of an event that ask for a repair. Raises InvalidRequest."""
    members = event.get("push")
    if not isinstance(members, list) or not 1 <= len(members) <= MEMBERS_MAX:
        raise InvalidRequest(
            "push", f"push is {shown(members)}, but must be a list of 1 to {MEMBERS_MAX} members."
        )
    return RepairRequest(
        members=tuple(map(_reported_member, members)),
        run=text(event.get("run"), "run", RUN_LENGTH_MAX),
        reason=text(event.get("reason"), "reason", REASON_LENGTH_MAX),
        by=text(event.get("by"), "by", BY_LENGTH_MAX),
    )


def _reported_member(member: object) -> ReportedMember:
    if not isinstance(member, dict):
        raise InvalidRequest("push", f"push has {shown(member)}, but must have objects.")
    customer_id = customer_digits(member.get("customer_id"), "customer_id")
    return ReportedMember(customer_id, _points(member, "ledger"), _points(member, "till"))


def _points(member: dict[str, Any], name: str) -> int:
    points = member.get(name)
    if type(points) is not int:
        raise InvalidRequest(name, f"{name} is {shown(points)}, but must be a whole number.")
    return points
