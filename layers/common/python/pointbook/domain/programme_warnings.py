"""Warnings about a programme that is valid but probably not intended.

Rule of the 20 percent: Japan's Act against Unjustifiable Premiums, general premiums (200 yen for
purchases below 1,000 yen). A point that only pays in the same shop counts as a discount and is
outside it; a point that can be exchanged for goods or another company's points is not.
"""

from datetime import date, timedelta

from pointbook.domain.expiry import ExpiryRule, FixedDate, Never, last_valid_day
from pointbook.domain.programme import DEFAULT_PERCENT, Programme
from pointbook.domain.programme_rules import Locale, Master, TillPush
from pointbook.domain.tags import tag_digest

PREMIUM_PERCENT_MAX = 20
HOLD_SECONDS_MIN = 60
_ANY_DAY, _DAYS_OF_FOUR_YEARS = date(2027, 1, 1), 1_461


def warnings(programme: Programme, today: date) -> tuple[str, ...]:
    """Warnings, each beginning with the name of the rule."""
    return (
        *_unlabelled_ranks(programme),
        *_push_to_a_master(programme),
        *_premiums(programme),
        *_excluded_rank(programme),
        *_sign_up_of_everybody(programme),
        *_lapses_at_once("expiry", programme.expiry, today),
        *_lapses_at_once("lapsed_expiry", programme.lapsed_expiry, today),
        *_early_reminder(programme),
        *_short_hold(programme),
        *_staff_limit_of_no_effect(programme),
    )


def _unlabelled_ranks(programme: Programme) -> list[str]:
    languages: dict[str, set[Locale]] = {}
    for rank, locale, _ in programme.rank_labels:
        languages.setdefault(rank, set()).add(locale)
    return [
        f"rank_labels: {rank} has no label in {locale}; its customers read ours, or the till's word"
        for rank, given in languages.items()
        for locale in Locale
        if locale not in given
    ]


def _push_to_a_master(programme: Programme) -> list[str]:
    if programme.points_master is not Master.TILL or programme.till_push is TillPush.NO:
        return []
    return [
        (
            f"till_push: {programme.till_push} has no effect while points_master is till: set"
            " till_push to no, or points_master to ledger"
        )
    ]


def _premiums(programme: Programme) -> list[str]:
    worth = programme.points_per_unit * programme.point_worth_minor
    found = []
    for who, percent in (
        ("customers without a rank", DEFAULT_PERCENT),
        *programme.rank_multipliers,
    ):
        # In hundredths of a percent of the unit, so that nothing is rounded.
        if worth * percent > PREMIUM_PERCENT_MAX * programme.earn_unit_minor:
            found.append(
                f"points_per_unit: {who} get back {worth * percent // programme.earn_unit_minor} % "
                f"of what they pay; where points can be exchanged for goods or for another "
                f"company's points, Japan allows premiums of {PREMIUM_PERCENT_MAX} % at most"
            )
    return found


def _excluded_rank(programme: Programme) -> list[str]:
    ranks = {tag_digest(tag) for tag, _ in programme.rank_multipliers}
    if not programme.excluded_tag or tag_digest(programme.excluded_tag) not in ranks:
        return []
    return [f"excluded_tag: {programme.excluded_tag} is a rank too; it earns nothing"]


def _sign_up_of_everybody(programme: Programme) -> list[str]:
    if programme.sign_up_points == 0 or programme.sign_up_needs_account:
        return []
    return [
        (
            f"sign_up_points: everybody who becomes a customer gets {programme.sign_up_points}"
            " points, also by a guest's checkout, a newsletter form, an import or a till's sync;"
            " set sign_up_needs_account to yes, or sign_up_points to 0 before an import"
        )
    ]


def _lapses_at_once(name: str, rule: ExpiryRule | None, today: date) -> list[str]:
    if not isinstance(rule, FixedDate) or rule.day >= today:
        return []
    return [f"{name}: {rule.day} is over; points granted now expire at once"]


def _early_reminder(programme: Programme) -> list[str]:
    days = _shortest_days(programme.expiry)
    earliest = max(programme.reminder_days, default=0)
    if days is None or earliest <= days:
        return []
    return [f"reminder_days: points last {days} days, so {earliest} days ahead is at once"]


def _shortest_days(rule: ExpiryRule) -> int | None:
    """The fewest days that points last; None if that is not a number of days."""
    if isinstance(rule, FixedDate | Never):
        return None
    days = (_ANY_DAY + timedelta(days=number) for number in range(_DAYS_OF_FOUR_YEARS))
    return min((last_valid_day(rule, day) - day).days for day in days)


def _short_hold(programme: Programme) -> list[str]:
    if programme.hold_seconds >= HOLD_SECONDS_MIN:
        return []
    return [f"hold_seconds: {programme.hold_seconds} s are over before a customer can check out"]


def _staff_limit_of_no_effect(programme: Programme) -> list[str]:
    action, day = programme.staff_points_per_action, programme.staff_points_per_day
    if action <= day:
        return []
    return [f"staff_points_per_action: {action} has no effect beyond staff_points_per_day, {day}"]
