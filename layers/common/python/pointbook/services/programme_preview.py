"""The programme as a manager of the shop reads it, and what a change of it would do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pointbook.domain.expiry import NEVER, day_of, last_valid_day
from pointbook.domain.money import decimal_text, exponent, minor_of
from pointbook.domain.programme import Programme, programme_of
from pointbook.domain.programme_check import changes, check, rules_file
from pointbook.domain.programme_rules import DEFAULTS, MONEY_MINOR_MAX, TAG_LENGTH_MAX
from pointbook.domain.tags import tag_digest
from pointbook.errors import InvalidRequest
from pointbook.page.programme_texts import GROUPS, RuleTexts
from pointbook.store.programmes import Version
from pointbook.validation import shown

RULES_FILE = "rules.toml"
"""The name of the file in the command that makes the change."""

_RULE_LENGTH_MAX = 2_000
"""Longer than any rule may be: its own parser says what is wrong."""


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """An order that is paid today: what earns of it, and a tag of its customer, if any."""

    amount_minor: int
    rank: str | None


def programme_for_staff(
    shop: str, version: Version | None, default: Programme, texts: RuleTexts, now: datetime
) -> dict[str, Any]:
    """Return the body of `GET /staff/programme`; without a version `default` is in force."""
    programme = version.programme if version else default
    values = programme.texts()
    zone = ZoneInfo(programme.time_zone)
    at = version.at if version else None
    return {
        "shop": shop,
        "version": programme.version if version else None,
        "since": at.astimezone(zone).isoformat(timespec="milliseconds") if at else None,
        "by": version.by if version else None,
        "time_zone": programme.time_zone,
        "currency": programme.currency,
        "groups": [
            {
                "group": group,
                "name": texts.group(group),
                "rules": [
                    {
                        "rule": rule,
                        "name": texts.name(rule),
                        "meaning": texts.meaning(rule),
                        "value": values[rule],
                        "default": DEFAULTS[rule],
                    }
                    for rule in rules
                ],
            }
            for group, rules in GROUPS.items()
        ],
        "warnings": _by_rule(check(values, now).warnings),
    }


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change of the rules `given` would do to a programme; nothing is written.

    `command` makes the change, from a file that is named `RULES_FILE`.
    """

    before: Programme
    version: int | None
    given: Mapping[str, str]
    now: datetime
    command: str

    def body(self, order: SampleOrder | None, texts: RuleTexts) -> dict[str, Any]:
        """Return the body of `POST /staff/programme/preview`."""
        changed = self.before.texts() | dict(self.given)
        found = check(changed, self.now)
        answer = {
            "version": self.version,
            "errors": _by_rule(found.errors),
            "warnings": _by_rule(found.warnings),
            "changes": [],
            "order": None,
            "file": None,
            "command": None,
        }
        return answer if found.errors else answer | self._valid(changed, order, texts)

    def _valid(
        self, changed: Mapping[str, str], order: SampleOrder | None, texts: RuleTexts
    ) -> dict[str, Any]:
        after = programme_of(changed, self.before.version)
        differing = list(changes(self.before, after))
        file = rules_file((one.rule, one.after) for one in differing)
        return {
            "changes": [
                {
                    "rule": one.rule,
                    "name": texts.name(one.rule),
                    "before": one.before,
                    "after": one.after,
                }
                for one in differing
            ],
            "order": self._order(order, after) if order else None,
            "file": file or None,
            "command": self.command if differing else None,
        }

    def _order(self, order: SampleOrder, after: Programme) -> dict[str, Any]:
        return {
            "amount_minor": order.amount_minor,
            "currency": self.before.currency,
            "rank": order.rank,
            "before": _earned(self.before, order, self.now),
            "after": _earned(after, order, self.now),
        }


def read_rules(value: object) -> dict[str, str]:
    """Return the rules that a request wants to change. Raises InvalidRequest."""
    if not isinstance(value, dict):
        raise InvalidRequest("rules", f"rules is {shown(value)}, but must be an object of rules.")
    found = dict[str, str]()
    for rule, text in value.items():
        if isinstance(text, bool) or not isinstance(text, str | int):
            raise InvalidRequest("rules", f"{shown(rule)} must be a text or a whole number.")
        if len(str(text)) > _RULE_LENGTH_MAX:
            raise InvalidRequest("rules", f"{shown(rule)} has over {_RULE_LENGTH_MAX} characters.")
        found[rule] = str(text)
    return found


def read_order(value: object, currency: str) -> SampleOrder | None:
    """Return the sample order of a request, None if there is none. Raises InvalidRequest."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidRequest("order", f"order is {shown(value)}, but must be an object.")
    rank = value.get("rank")
    if rank is not None and (not isinstance(rank, str) or len(rank) > TAG_LENGTH_MAX):
        raise InvalidRequest("rank", f"rank is {shown(rank)}, but must be a tag of a customer.")
    return SampleOrder(_amount(value.get("amount"), currency), rank or None)


def _amount(value: object, currency: str) -> int:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = repr(value) if is_number else value
    try:
        if not isinstance(text, str):
            raise ValueError
        decimals = len(text.partition(".")[2])
        minor = minor_of(text, currency)
        if decimals > exponent(currency) or not 0 <= minor <= MONEY_MINOR_MAX:
            raise ValueError
    except ValueError:
        most = decimal_text(MONEY_MINOR_MAX, currency)
        raise InvalidRequest(
            "amount",
            f"amount is {shown(value)}, but must be an amount in {currency} up to {most},"
            f" such as {decimal_text(10_000, currency)}.",
        ) from None
    return minor


def _earned(programme: Programme, order: SampleOrder, now: datetime) -> dict[str, Any]:
    """What an order that is paid today earns, and the days on which its points come and end."""
    points, today = _points(programme, order), day_of(now, programme.time_zone)
    if not points or programme.is_before_start(now):
        return {"points": 0, "comes_on": None, "expires_on": None}
    comes_on = today + timedelta(days=programme.pending_days)
    last = last_valid_day(programme.expiry, comes_on)
    return {
        "points": points,
        "comes_on": comes_on.isoformat(),
        "expires_on": _text(last),
    }


def _points(programme: Programme, order: SampleOrder) -> int:
    tags = (tag_digest(order.rank),) if order.rank else ()
    rule = programme.earning_rule(tags, is_test=False)
    return rule.points(order.amount_minor) if order.amount_minor >= rule.minimum_minor else 0


def _text(day: date) -> str | None:
    return None if day == NEVER else day.isoformat()


def _by_rule(lines: tuple[str, ...]) -> list[dict[str, str]]:
    """Errors or warnings, each with the rule that it begins with."""
    parts = (line.partition(": ") for line in lines)
    return [{"rule": rule, "text": text} for rule, _, text in parts]
