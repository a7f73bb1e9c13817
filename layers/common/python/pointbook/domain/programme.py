"""The programme: the rules of points of one shop, in one version."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pointbook.domain.commands import HOLD_SECONDS_MAX
from pointbook.domain.expiry import ExpiryRule, Rolling, parse_rule, rule_text

POINT_WORTH_MINOR_MAX = 1_000_000


class ProgrammeError(ValueError):
    """A rule of a programme cannot be used: `field` says which, the text what to do."""

    def __init__(self, field: str, advice: str) -> None:
        """Name the field."""
        super().__init__(f"{field}: {advice}")
        self.field = field


class Master(StrEnum):
    """Which book decides where ledger and till differ."""

    LEDGER = "ledger"
    TILL = "till"


@dataclass(frozen=True, slots=True)
class Programme:
    """The rules in force.

    `time_zone` is the shop's calendar (IANA name), `currency` its ISO 4217 code,
    `point_worth_minor` what one point is worth in the currency's smallest unit, `expiry` how long
    granted points last, `hold_seconds` how long points are held for a checkout.
    """

    version: int
    time_zone: str
    currency: str
    point_worth_minor: int
    expiry: ExpiryRule
    hold_seconds: int
    points_master: Master = Master.LEDGER

    @property
    def renew(self) -> Rolling | None:
        """The rule by which a customer's activity renews every lot, where expiry rolls."""
        return self.expiry if isinstance(self.expiry, Rolling) else None

    def texts(self) -> dict[str, str]:
        """Every rule but the version as a text, as `programme_of` reads it."""
        return {
            "time_zone": self.time_zone,
            "currency": self.currency,
            "point_worth_minor": str(self.point_worth_minor),
            "expiry": rule_text(self.expiry),
            "hold_seconds": str(self.hold_seconds),
            "points_master": self.points_master.value,
        }


def programme_of(texts: Mapping[str, str], version: int) -> Programme:
    """The programme that these texts describe. Raises ProgrammeError with the first wrong field."""
    known = {field.name for field in fields(Programme)} - {"version"}
    for name in texts:
        if name not in known:
            raise ProgrammeError(name, f"is no rule of a programme; known are {sorted(known)}")
    return Programme(
        version=version,
        time_zone=_time_zone(_given(texts, "time_zone")),
        currency=_currency(_given(texts, "currency")),
        point_worth_minor=_whole(texts, "point_worth_minor", 1, POINT_WORTH_MINOR_MAX),
        expiry=_expiry(_given(texts, "expiry")),
        hold_seconds=_whole(texts, "hold_seconds", 1, HOLD_SECONDS_MAX),
        points_master=_master(_given(texts, "points_master")),
    )


def _given(texts: Mapping[str, str], field: str) -> str:
    value = texts.get(field, "")
    if not value:
        raise ProgrammeError(field, "is missing")
    return value


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ProgrammeError(
            "time_zone", f"{name!r} is no time zone; give one such as Asia/Tokyo"
        ) from None
    return name


def _currency(code: str) -> str:
    if not re.fullmatch("[A-Z]{3}", code):
        raise ProgrammeError("currency", f"{code!r} is no currency; give a code such as JPY")
    return code


def _whole(texts: Mapping[str, str], field: str, low: int, high: int) -> int:
    value = _given(texts, field)
    if not re.fullmatch("[0-9]{1,9}", value) or not low <= int(value) <= high:
        raise ProgrammeError(field, f"{value!r} is no whole number from {low} to {high}")
    return int(value)


def _expiry(text: str) -> ExpiryRule:
    try:
        return parse_rule(text)
    except ValueError as error:
        raise ProgrammeError("expiry", str(error)) from error


def _master(text: str) -> Master:
    try:
        return Master(text)
    except ValueError:
        raise ProgrammeError(
            "points_master", f"{text!r} is no master; give one of {', '.join(Master)}"
        ) from None
