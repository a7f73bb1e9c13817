"""What a shop owes in points at the end of a day: by expiry month, age and programme; breakage.

    pointbook liability --env prod                          end of yesterday
    pointbook liability --day 2026-11-30 --env prod
    pointbook liability --day 2026-11-30 --worth 0.85       another value

Breakage is estimated from lots that have run off: docs/books.md says how. Exit status 1 if the
day's statement does not meet.
"""

from decimal import Decimal
from typing import Any

from cli import target
from cli.books import UNITS_PER_SECOND, Books, Day, Found, Rate, Recompute, Worth
from cli.books_words import Language, Words, number
from cli.options import Env, Json, Shop
from cli.output import Output, counted
from pointbook.domain.books.breakage import Breakage, estimate
from pointbook.domain.books.journal import worth_of
from pointbook.domain.books.liability import by_age, by_expiry, by_programme, in_lots
from pointbook.domain.books.movements import available
from pointbook.domain.books.periods import month_of
from pointbook.domain.books.statement import RUN_OFF_MONTHS

_WORDS = Words(Language.EN)


def run(
    day: Day = None,
    worth: Worth = None,
    recompute: Recompute = False,
    rate: Rate = UNITS_PER_SECOND,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    stack, out = target.target_of(env), Output(as_json=json)
    books = Books(stack, stack.shop(shop), rate, out)
    period, value = books.day(day), books.worth(worth)
    found = books.find(period, recompute=recompute)
    breakage = estimate(found.file.statement, month_of(period.last))
    _say(found, breakage, value, out)
    out.document(document(found, breakage, value))
    return int(not found.is_right)


def document(found: Found, breakage: Breakage, worth: Decimal) -> dict[str, Any]:
    """The JSON document."""
    file, statement = found.file, found.file.statement
    month = month_of(file.period.last)
    outstanding = available(statement.closing)
    return {
        "shop": file.shop,
        "day": file.period.last.isoformat(),
        "time_zone": file.period.time_zone,
        "source": found.source,
        "is_over": found.is_over,
        "is_closed": found.is_right,
        "currency": file.currency,
        "worth_minor": str(worth),
        "outstanding": outstanding,
        "value_minor": worth_of(outstanding, worth),
        "in_lots": in_lots(statement),
        "held": statement.closing.hold,
        "owed": statement.owed,
        "pending": statement.closing.pending,
        "by_expiry": [
            {"expires": expires, "points": points}
            for expires, points in by_expiry(statement).items()
        ],
        "by_age": [
            {"months_from": first, "months_to": last, "points": points}
            for (first, last), points in by_age(statement, month).items()
        ],
        "by_programme": [
            {"programme": version, "points": points}
            for version, points in by_programme(statement).items()
        ],
        "breakage": {
            "method": "run_off",
            "months": RUN_OFF_MONTHS,
            "is_estimated": breakage.is_estimated,
            "base": breakage.base,
            "points": breakage.points if breakage.is_estimated else None,
            "value_minor": worth_of(breakage.points, worth) if breakage.is_estimated else None,
            "observed": breakage.observed,
            "observed_expired": breakage.observed_expired,
            "rates": {str(age): float(rate) for age, rate in breakage.rates.items()},
        },
    }


def _say(found: Found, breakage: Breakage, worth: Decimal, out: Output) -> None:
    file, statement = found.file, found.file.statement
    total, month = in_lots(statement), month_of(file.period.last)
    outstanding = available(statement.closing)
    out.say(
        f"{file.shop} at the end of {_WORDS.day(file.period.last)}"
        f"{_WORDS.so_far(is_over=found.is_over)}, {file.period.time_zone}:",
        f"{counted(outstanding, 'point')}, {_money(found, outstanding, worth)};"
        f" {number(statement.closing.hold)} of them held."
        f" Not included: {number(statement.closing.pending)} pending.",
    )
    if statement.owed:
        out.say(f"{number(total)} in lots, less {number(statement.owed)} that customers owe.")
    tables = {
        "expires": {_WORDS.month(one): n for one, n in by_expiry(statement).items()},
        "age": {_WORDS.band(one): n for one, n in by_age(statement, month).items()},
        "programme": {_WORDS.programme(one): n for one, n in by_programme(statement).items()},
    }
    for head, points in tables.items():
        rows = [
            (name, n, _money(found, n, worth), f"{n / total:.1%}" if total else "")
            for name, n in points.items()
        ]
        out.say("")
        out.table((head, "points", "value", "share"), rows)
    out.say("", _breakage_words(found, breakage, worth))
    if not found.is_right:
        out.say("The statement DOES NOT CLOSE: pointbook statement says by how much.")


def _breakage_words(found: Found, breakage: Breakage, worth: Decimal) -> str:
    if not breakage.is_estimated:
        return f"Breakage: no estimate, as no lot has run off in the last {RUN_OFF_MONTHS} months."
    return (
        f"Breakage: {number(breakage.points)} of {number(breakage.base)} points that can expire"
        f" ({_money(found, breakage.points, worth)}) are expected to, by"
        f" {number(breakage.observed)} points that have run off, of which"
        f" {number(breakage.observed_expired)} expired."
    )


def _money(found: Found, points: int, worth: Decimal) -> str:
    return _WORDS.money(worth_of(points, worth), found.file.currency)
