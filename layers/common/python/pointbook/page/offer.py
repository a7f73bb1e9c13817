"""What points are worth, and how they are earned and used: my page, as the programme has it."""

from typing import Any, assert_never

from pointbook.domain.expiry import Days, ExpiryRule, FixedDate, Months, Never, Rolling, RoundTo
from pointbook.domain.money import decimal_text
from pointbook.domain.programme import Programme
from pointbook.domain.programme_rules import Master
from pointbook.domain.tags import tag_digest

_PERIODS = {RoundTo.MONTH_END: "month", RoundTo.YEAR_END: "year"}


def offer(programme: Programme, approved_points: int, rank: str | None) -> dict[str, Any]:
    """Return the members of `GET /customers/{customer}/points` that follow from the programme.

    `worth` is what the points that can be used are worth, and one point. `earning` is None if
    orders earn nothing. `rank_percent` is what orders of the customer's rank at the till earn, None
    if no tag of the programme is called like that rank. `hold_seconds` is how long a code works,
    `expiry` how long points last that orders earn, `paused` are `earning` and `holds`, as far as
    they are paused for now.
    """
    currency, worth_minor = programme.currency, programme.point_worth_minor
    usable_points = max(0, approved_points)
    return {
        "holds_offered": programme.points_master is not Master.TILL and not programme.holds_paused,
        "paused": _paused(programme),
        "points_master": programme.points_master.value,
        "time_zone": programme.time_zone,
        "worth": {
            "amount": decimal_text(usable_points * worth_minor, currency),
            "point_amount": decimal_text(worth_minor, currency),
            "currency": currency,
        },
        "earning": _earning(programme),
        "rank_percent": _rank_percent(programme, rank),
        "hold_seconds": programme.hold_seconds,
        "expiry": _expiry(programme.expiry),
    }


def _paused(programme: Programme) -> list[str]:
    """What is paused: what customers would notice, so not by which rule."""
    holds = programme.holds_paused and programme.points_master is not Master.TILL
    return ["earning"] * programme.earning_paused + ["holds"] * holds


def _earning(programme: Programme) -> dict[str, Any] | None:
    if programme.points_per_unit == 0:
        return None
    return {
        "points": programme.points_per_unit,
        "for_amount": decimal_text(programme.earn_unit_minor, programme.currency),
        "currency": programme.currency,
        "pending_days": programme.pending_days,
    }


def _expiry(rule: ExpiryRule) -> dict[str, Any]:
    """`kind` is `days`, `months`, `day` or `never`; the other members are None where unused."""
    unused = {"number": None, "to_end_of": None, "day": None, "renewed": False}
    match rule:
        case Never():
            return {"kind": "never", **unused}
        case FixedDate(day):
            return {"kind": "day", **unused, "day": day.isoformat()}
        case Rolling(period):
            return _expiry(period) | {"renewed": True}
        case Days(number, round_to) | Months(number, round_to):
            kind = "days" if isinstance(rule, Days) else "months"
            end = _PERIODS[round_to] if round_to else None
            return {"kind": kind, **unused, "number": number, "to_end_of": end}
        case _:
            assert_never(rule)


def _rank_percent(programme: Programme, rank: str | None) -> int | None:
    if rank is None:
        return None
    digest = tag_digest(rank)
    percents = (percent for tag, percent in programme.rank_multipliers if tag_digest(tag) == digest)
    return next(percents, None)
