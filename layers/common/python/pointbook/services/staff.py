"""The staff service: points that the shop's own people add and remove, within their limits.

Whether they may at all is checked before, by the programme's rules `staff_adjust` and so on. Here
are the limits: so many points in one action, and so many a day for each member of the staff, whose
count is written in the transaction that books the points.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pointbook.domain.chain import Cause
from pointbook.domain.expiry import day_of
from pointbook.domain.money import decimal_text
from pointbook.domain.ports import Clock
from pointbook.domain.programme import Programme
from pointbook.domain.refusal import Code, Refusal, daily_limit_reached
from pointbook.domain.staff import DailyLimit, Right
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.services.adjustments import Adjustment

type PointsMoved = Callable[[str, str, date], int]
"""How many points a member of a shop's staff has moved on a day of the shop's."""


@dataclass(frozen=True, slots=True)
class StaffService:
    """The adjustments of one shop's staff under its programme."""

    shop: str
    ledger: Ledger
    clock: Clock
    programme: Programme
    points_moved: PointsMoved

    def about(self, staff_id: str) -> dict[str, Any]:
        """Return the body of `GET /staff/me`: who it is, what is allowed, what is left today."""
        programme = self.programme
        may = {right.value: programme.permits(right, staff_id) for right in Right}
        return {
            "staff_id": staff_id,
            "shop": self.shop,
            "may": may,
            "limits": self._limits(staff_id) if may[Right.ADJUST] else None,
            "time_zone": programme.time_zone,
            "worth": {
                "point_amount": decimal_text(programme.point_worth_minor, programme.currency),
                "currency": programme.currency,
            },
        }

    def adjust(
        self, staff_id: str, actor: str, adjustment: Adjustment, key: str
    ) -> Booked | Refusal:
        """Book an adjustment, once for each `key`. Raises LedgerUnavailable."""
        if refusal := self._refusal_of_action(adjustment):
            return refusal
        limit = self._daily_limit(staff_id, adjustment)
        booked = self.ledger.execute(self._instruction(actor, adjustment, key, limit))
        return self._with_wait(booked) if isinstance(booked, Refusal) else booked

    def preview(
        self, staff_id: str, actor: str, adjustment: Adjustment, key: str
    ) -> Booked | Refusal:
        """Return what `adjust` would now; nothing is written. Raises LedgerUnavailable."""
        if refusal := self._refusal_of_action(adjustment):
            return refusal
        limit = self._daily_limit(staff_id, adjustment)
        found = self.ledger.preview(self._instruction(actor, adjustment, key, limit))
        if isinstance(found, Refusal) or found.duplicate:
            return found
        left = limit.points_max - self.points_moved(self.shop, staff_id, limit.day)
        if limit.points > left:
            return self._with_wait(daily_limit_reached(max(0, left)))
        return found

    def _refusal_of_action(self, adjustment: Adjustment) -> Refusal | None:
        most = self._points_per_action
        if abs(adjustment.points) <= most:
            return None
        return Refusal(
            Code.ACTION_LIMIT_EXCEEDED,
            f"You may add or remove {most:,} points at once, but these are"
            f" {abs(adjustment.points):,}; the shop's programme sets the limit.",
        )

    def _instruction(
        self, actor: str, adjustment: Adjustment, key: str, limit: DailyLimit
    ) -> Instruction:
        return Instruction(
            shop=self.shop,
            customer_id=adjustment.customer_id,
            command=adjustment.command(self.programme.expiry),
            cause=Cause("manual", actor),
            reason=adjustment.reason,
            identity=Identity("staff:adjust", key),
            content=adjustment.content,
            time_zone=self.programme.time_zone,
            daily_limit=limit,
        )

    def _daily_limit(self, staff_id: str, adjustment: Adjustment) -> DailyLimit:
        points_max = self.programme.staff_points_per_day
        return DailyLimit(staff_id, self._today, abs(adjustment.points), points_max)

    def _limits(self, staff_id: str) -> dict[str, Any]:
        day, per_day = self._today, self.programme.staff_points_per_day
        moved = self.points_moved(self.shop, staff_id, day)
        return {
            "points_per_action": self._points_per_action,
            "points_per_day": per_day,
            "points_left_today": max(0, per_day - moved),
            "resets_at": self._next_midnight(day).isoformat(timespec="milliseconds"),
        }

    def _with_wait(self, refusal: Refusal) -> Refusal:
        """The refusal, with the time until the next day of the shop's if that has to be awaited."""
        if refusal.code is not Code.DAILY_LIMIT_REACHED:
            return refusal
        now = self.clock.now()
        left = self._next_midnight(self._today) - now
        return replace(refusal, retry_after_seconds=max(1, -(-left // timedelta(seconds=1))))

    @property
    def _points_per_action(self) -> int:
        programme = self.programme
        return min(programme.staff_points_per_action, programme.staff_points_per_day)

    @property
    def _today(self) -> date:
        return day_of(self.clock.now(), self.programme.time_zone)

    def _next_midnight(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(self.programme.time_zone))
