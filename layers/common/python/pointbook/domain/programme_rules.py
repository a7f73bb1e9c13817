"""All rules of a programme: the default value of each, its parser and its formatter.

A rule's value is a string wherever it is stored or passed in: the table, an environment variable, a
merchant's file. Parsers raise ValueError, which says what was given and what to give instead.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pointbook.domain.account import HOLD_SECONDS_MAX
from pointbook.domain.expiry import ExpiryRule, parse_rule, rule_text
from pointbook.domain.member_numbers import member_number_text, parse_member_number
from pointbook.domain.money import exponent
from pointbook.domain.orders import PENDING_DAYS_MAX, DebtPolicy, ReturnSpent, Rounding
from pointbook.domain.staff import parse_staff, staff_text
from pointbook.domain.tags import tag_digest

MILLION = 1_000_000
MONEY_MINOR_MAX = 999_999_999
PERCENT_MAX = 9_999
RANKS_MAX = 20
RANKS_LENGTH_MAX = 1_000
TAG_LENGTH_MAX = 255
"""What Shopify allows a tag."""

RANK_LABELS_LENGTH_MAX = 1_000
RANK_LENGTH_MAX = 64
LABEL_LENGTH_MAX = 80

STAFF_POINTS_PER_DAY_MAX = 999_999_999
REMINDERS_MAX = 5
REMINDER_DAYS_MAX = 999

APP_NAMESPACE = "$app"
"""The namespace of metafields that only this app writes to."""

NAMESPACE_RESERVED = ("app--", "shopify")
"""How namespaces begin that Shopify keeps for itself and for apps."""

_INSTANT = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})"

NONE = "none"
APP = "app"
_EXPIRE_AT_ONCE = "expire"

type Ranks = tuple[tuple[str, int], ...]
"""Tags of customers, each with its multiplier in percent."""


class Master(StrEnum):
    """Whether the ledger or the till decides where their balances differ."""

    LEDGER = "ledger"
    TILL = "till"


class TillPush(StrEnum):
    """Whether changes of approved points are pushed to the till, and what happens first.

    `changes` are added to whatever the till has; `balance` overwrites a member's points once, at
    the first contact, and adds changes from then on.
    """

    NO = "no"
    CHANGES = "changes"
    BALANCE = "balance"


class Switch(StrEnum):
    """Whether a kind of movement is on, or paused for a while."""

    ON = "on"
    PAUSED = "paused"


class Tax(StrEnum):
    """Whether tax earns points."""

    INCLUDED = "included"
    EXCLUDED = "excluded"


class ApproveOn(StrEnum):
    """What confirms an order, so that its points may be approved."""

    PAID = "paid"
    CREATED = "created"


class Locale(StrEnum):
    """Languages of texts for customers."""

    EN = "en"
    JA = "ja"


class DiscountKind(StrEnum):
    """Other discounts of a checkout, as Shopify classes them."""

    ORDER = "order"
    PRODUCT = "product"
    SHIPPING = "shipping"


type RankLabels = tuple[tuple[str, Locale, str], ...]
"""Ranks at the till, each with a language and the label that customers read in it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its default value, its parser and its formatter."""

    default: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; give one such as Asia/Tokyo") from None
    return name


def _currency(code: str) -> str:
    exponent(code)  # raises ValueError
    return code


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return read


def _one_of[Choice: StrEnum](choices: type[Choice]) -> Callable[[str], Choice]:
    def read(text: str) -> Choice:
        try:
            return choices(text)
        except ValueError:
            raise ValueError(f"{text!r} is not one of {', '.join(choices)}") from None

    return read


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"{text!r} is neither yes nor no")
    return text == "yes"


def _write_yes_or_no(value: object) -> str:
    return "yes" if value else "no"


def _lapsed_expiry(text: str) -> ExpiryRule | None:
    if text == _EXPIRE_AT_ONCE:
        return None
    try:
        return parse_rule(text)
    except ValueError as error:
        raise ValueError(f"{error}; or {_EXPIRE_AT_ONCE}") from None


def _write_lapsed_expiry(rule: ExpiryRule | None) -> str:
    return rule_text(rule) if rule else _EXPIRE_AT_ONCE


def _tag(text: str) -> str:
    if text and (text != text.strip() or "," in text or len(text) > TAG_LENGTH_MAX):
        raise ValueError(f"{text!r} is not a tag; give one without commas or surrounding spaces")
    return text


def _ranks(text: str) -> Ranks:
    ranks = tuple(_rank(part) for part in _parts(text)) if text else ()
    if len(ranks) > RANKS_MAX or len(text) > RANKS_LENGTH_MAX:
        raise ValueError(f"give {RANKS_MAX} ranks and {RANKS_LENGTH_MAX} characters at most")
    if len({tag_digest(tag) for tag, _ in ranks}) < len(ranks):
        raise ValueError(f"{text!r} names a tag twice")
    return ranks


def _rank(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"([^=,\s](?:[^=,]*[^=,\s])?)=([1-9][0-9]{0,3})", text)
    if not found or len(found[1]) > TAG_LENGTH_MAX:
        raise ValueError(
            f"{text!r} is not a rank; give a tag and a percent from 1 to {PERCENT_MAX}, as in "
            "gold=150,silver=120"
        )
    return found[1], int(found[2])


def _write_ranks(ranks: Ranks) -> str:
    return ",".join(f"{tag}={percent}" for tag, percent in ranks)


def _rank_labels(text: str) -> RankLabels:
    labels = tuple(_rank_label(part) for part in _parts(text)) if text else ()
    if len({(rank.casefold(), locale) for rank, locale, _ in labels}) < len(labels):
        raise ValueError(f"{text!r} labels a rank twice in one language")
    if len(labels) > RANKS_MAX * len(Locale) or len(text) > RANK_LABELS_LENGTH_MAX:
        raise ValueError(
            f"give {RANKS_MAX * len(Locale)} labels and {RANK_LABELS_LENGTH_MAX} characters at most"
        )
    return labels


def _rank_label(text: str) -> tuple[str, Locale, str]:
    rank, _, rest = text.partition(":")
    locale, _, label = rest.partition("=")
    bounded = len(rank) <= RANK_LENGTH_MAX and len(label) <= LABEL_LENGTH_MAX
    if not bounded or locale not in set(Locale) or not _is_name(rank) or not _is_name(label):
        raise ValueError(
            f"{text!r} is not the label of a rank; give the till's word of up to {RANK_LENGTH_MAX} "
            f"characters, a language ({', '.join(Locale)}) and a label of up to {LABEL_LENGTH_MAX} "
            "without commas, as in gold:en=Gold Member,gold:ja=ゴールド会員"
        )
    return rank, Locale(locale), label


def _is_name(text: str) -> bool:
    return bool(text) and text == text.strip() and "=" not in text


def _write_rank_labels(labels: RankLabels) -> str:
    return ",".join(f"{rank}:{locale}={label}" for rank, locale, label in labels)


def _reminder_days(text: str) -> tuple[int, ...]:
    if text == NONE:
        return ()
    found = [re.fullmatch("[1-9][0-9]{0,2}", part) for part in _parts(text)]
    days = [int(one[0]) for one in found if one]
    if len(days) < len(found) or len(days) > REMINDERS_MAX:
        raise ValueError(
            f"{text!r} is not a list of days; give up to {REMINDERS_MAX} numbers from 1 to "
            f"{REMINDER_DAYS_MAX}, as in 30,7, or {NONE}"
        )
    if days != sorted(set(days), reverse=True):
        raise ValueError(
            f"{text!r} is not in descending order; give the earliest reminder first: 30,7"
        )
    return tuple(days)


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text) if re.fullmatch(_INSTANT, text) else None
    except ValueError:
        found = None
    if found is None:
        raise ValueError(
            f"{text!r} is not a time with its zone; give one such as 2026-12-01T03:00:00+09:00, or"
            " leave it empty"
        )
    return found


def _write_instant(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat()


def _discount_kinds(text: str) -> tuple[DiscountKind, ...]:
    if text == NONE:
        return ()
    given = _parts(text)
    if len(set(given)) < len(given) or not set(given) <= set(DiscountKind):
        raise ValueError(f"{text!r} is not some of {', '.join(DiscountKind)}, each once, or {NONE}")
    return tuple(kind for kind in DiscountKind if kind in given)


def _metafields(text: str) -> str | None:
    if text == NONE:
        return None
    if text == APP:
        return APP_NAMESPACE
    if not re.fullmatch("[A-Za-z0-9_-]{3,255}", text) or text.startswith(NAMESPACE_RESERVED):
        raise ValueError(
            f"{text!r} is not a namespace of metafields; give {APP}, {NONE}, or 3 to 255 letters,"
            f" digits, - and _ that do not begin with {' or '.join(NAMESPACE_RESERVED)}"
        )
    return text


def _write_metafields(namespace: str | None) -> str:
    return NONE if namespace is None else APP if namespace == APP_NAMESPACE else namespace


def _write_list(values: Iterable[object]) -> str:
    return ",".join(map(str, values)) or NONE


def _parts(text: str) -> list[str]:
    return re.split(", *", text)


RULES: Final[Mapping[str, Rule]] = {
    "time_zone": Rule("Asia/Tokyo", _time_zone),
    "currency": Rule("JPY", _currency),
    "locale": Rule("en", _one_of(Locale)),
    "points_master": Rule("ledger", _one_of(Master)),
    "member_number": Rule("digits", parse_member_number, member_number_text),
    "rank_labels": Rule("", _rank_labels, _write_rank_labels),
    "till_push": Rule("no", _one_of(TillPush)),
    # what is on, and what is paused
    "earning": Rule("on", _one_of(Switch)),
    "spending": Rule("on", _one_of(Switch)),
    "holds": Rule("on", _one_of(Switch)),
    "earn_from": Rule("", _instant, _write_instant),
    # what an order earns
    "earn_unit_minor": Rule("100", _whole(1, MONEY_MINOR_MAX)),
    "points_per_unit": Rule("1", _whole(0, MILLION)),
    "earn_on_tax": Rule("included", _one_of(Tax)),
    "gift_cards_earn": Rule("no", _yes_or_no, _write_yes_or_no),
    "test_orders_earn": Rule("no", _yes_or_no, _write_yes_or_no),
    "rounding": Rule("floor", _one_of(Rounding)),
    "minimum_minor": Rule("0", _whole(0, MONEY_MINOR_MAX)),
    "rank_multipliers": Rule("", _ranks, _write_ranks),
    "excluded_tag": Rule("", _tag),
    "approve_on": Rule("paid", _one_of(ApproveOn)),
    "pending_days": Rule("0", _whole(0, PENDING_DAYS_MAX)),
    "sign_up_points": Rule("0", _whole(0, MILLION)),
    "sign_up_needs_account": Rule("no", _yes_or_no, _write_yes_or_no),
    # how long points last
    "expiry": Rule("months:12:month_end", parse_rule, rule_text),
    "lapsed_expiry": Rule(_EXPIRE_AT_ONCE, _lapsed_expiry, _write_lapsed_expiry),
    "reminder_days": Rule("30,7", _reminder_days, _write_list),
    # what they are worth, and how they are used
    "point_worth_minor": Rule("1", _whole(1, MILLION)),
    "hold_seconds": Rule("600", _whole(1, HOLD_SECONDS_MAX)),
    "holds_per_hour": Rule("20", _whole(1, MILLION)),
    "hold_calls_per_minute": Rule("60", _whole(1, MILLION)),
    "combines_with": Rule("product,shipping", _discount_kinds, _write_list),
    "debt_policy": Rule("carry", _one_of(DebtPolicy)),
    "return_spent": Rule("refunded", _one_of(ReturnSpent)),
    "flow_entries_per_hour": Rule("500", _whole(1, MILLION)),
    # what the shop's staff may do
    "staff_look": Rule("all", parse_staff, staff_text),
    "staff_adjust": Rule(NONE, parse_staff, staff_text),
    "staff_hold": Rule(NONE, parse_staff, staff_text),
    "staff_manage": Rule(NONE, parse_staff, staff_text),
    "staff_points_per_action": Rule("1000", _whole(1, MILLION)),
    "staff_points_per_day": Rule("5000", _whole(1, STAFF_POINTS_PER_DAY_MAX)),
    # what Shopify keeps of each customer's points
    "metafields": Rule(APP, _metafields, _write_metafields),
}
"""All rules, in the order in which they are shown."""

DEFAULTS: Final[Mapping[str, str]] = {name: rule.default for name, rule in RULES.items()}
"""The programme when nothing is configured."""
