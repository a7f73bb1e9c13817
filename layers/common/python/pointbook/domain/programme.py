"""The programme: the rules of points of one shop, in one version."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pointbook.domain.expiry import ExpiryRule, Rolling
from pointbook.domain.member_numbers import MemberNumberRule
from pointbook.domain.orders import DebtPolicy, EarningRule, ReturnSpent, Rounding
from pointbook.domain.programme_rules import (
    DEFAULTS,
    RULES,
    ApproveOn,
    DiscountKind,
    Locale,
    Master,
    RankLabels,
    Ranks,
    Switch,
    Tax,
    TillPush,
)
from pointbook.domain.staff import Right, StaffGroup
from pointbook.domain.tags import tag_digest

DEFAULT_PERCENT = 100
"""The multiplier of a customer without a rank."""


class ProgrammeError(ValueError):
    """A rule of a programme is invalid: `field` says which, the message what to do."""

    def __init__(self, field: str, advice: str) -> None:
        """Name the field."""
        super().__init__(f"{field}: {advice}")
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """The rules in force; docs/programme.md says what each of them means.

    Money (`..._minor`) is in the currency's smallest unit, percents are whole numbers (150 is one
    and a half). `lapsed_expiry` is None if points that come back after their last day expire.
    `metafields` is their namespace at Shopify, None if there are none. Orders and sign-ups before
    `earn_from` earn nothing; None: all do.
    """

    version: int
    time_zone: str
    currency: str
    locale: Locale
    points_master: Master
    member_number: MemberNumberRule
    rank_labels: RankLabels
    till_push: TillPush
    earning: Switch
    spending: Switch
    holds: Switch
    earn_from: datetime | None
    earn_unit_minor: int
    points_per_unit: int
    earn_on_tax: Tax
    gift_cards_earn: bool
    test_orders_earn: bool
    rounding: Rounding
    minimum_minor: int
    rank_multipliers: Ranks
    excluded_tag: str
    approve_on: ApproveOn
    pending_days: int
    sign_up_points: int
    sign_up_needs_account: bool
    expiry: ExpiryRule
    lapsed_expiry: ExpiryRule | None
    reminder_days: tuple[int, ...]
    point_worth_minor: int
    hold_seconds: int
    holds_per_hour: int
    hold_calls_per_minute: int
    combines_with: tuple[DiscountKind, ...]
    debt_policy: DebtPolicy
    return_spent: ReturnSpent
    flow_entries_per_hour: int
    staff_look: StaffGroup
    staff_adjust: StaffGroup
    staff_hold: StaffGroup
    staff_manage: StaffGroup
    staff_points_per_action: int
    staff_points_per_day: int
    metafields: str | None

    @property
    def renew(self) -> Rolling | None:
        """The rule by which an activity renews every lot; None unless expiry is rolling."""
        return self.expiry if isinstance(self.expiry, Rolling) else None

    @property
    def pushed(self) -> TillPush:
        """What is pushed to the till: nothing where the till itself is authoritative."""
        return self.till_push if self.points_master is Master.LEDGER else TillPush.NO

    def permits(self, right: Right, staff_id: str) -> bool:
        """Whether a member of the shop's staff has a right."""
        groups = {
            Right.LOOK: self.staff_look,
            Right.ADJUST: self.staff_adjust,
            Right.HOLD: self.staff_hold,
            Right.MANAGE: self.staff_manage,
        }
        return groups[right].includes(staff_id)

    @property
    def earning_paused(self) -> bool:
        """Whether nobody earns points for now; what comes meanwhile is taken up afterwards."""
        return self.earning is Switch.PAUSED

    @property
    def spending_paused(self) -> bool:
        """Whether no points can be spent for now, by a hold or by Flow."""
        return self.spending is Switch.PAUSED

    @property
    def holds_paused(self) -> bool:
        """Whether no points can be held for a checkout for now."""
        return Switch.PAUSED in (self.holds, self.spending)

    def is_before_start(self, instant: datetime) -> bool:
        """Whether an order or a sign-up of this time is another app's, and earns nothing here."""
        return self.earn_from is not None and instant < self.earn_from

    def uses_tags(self, *, is_test: bool) -> bool:
        """Whether what an order earns depends on its customer's tags."""
        return self._earns(is_test) and bool(self.rank_multipliers or self.excluded_tag)

    def earning_rule(self, tag_digests: Collection[str], is_test: bool) -> EarningRule:
        """The earning rule for a customer who has tags with these digests (`tag_digest`)."""
        return EarningRule(
            unit_minor=self.earn_unit_minor,
            points_per_unit=max(1, self.points_per_unit),
            multiplier_percent=self._percent(tag_digests) if self._earns(is_test) else 0,
            rounding=self.rounding,
            programme_version=self.version,
            minimum_minor=self.minimum_minor,
            tax_included=self.earn_on_tax is Tax.INCLUDED,
            gift_cards_earn=self.gift_cards_earn,
            pending_days=self.pending_days,
            debt_policy=self.debt_policy,
        )

    def no_earning_rule(self) -> EarningRule:
        """The earning rule of an order that earns nothing."""
        return replace(self.earning_rule((), is_test=False), multiplier_percent=0)

    def _earns(self, is_test: bool) -> bool:
        return self.points_per_unit > 0 and (self.test_orders_earn or not is_test)

    def _percent(self, tag_digests: Collection[str]) -> int:
        """The highest of the customer's ranks; 0 for excluded customers."""
        if self.excluded_tag and tag_digest(self.excluded_tag) in tag_digests:
            return 0
        ranks = [
            percent for tag, percent in self.rank_multipliers if tag_digest(tag) in tag_digests
        ]
        return max(ranks, default=DEFAULT_PERCENT)

    def texts(self) -> dict[str, str]:
        """Every rule as text, as `programme_of` reads it; without the version."""
        return {name: rule.write(getattr(self, name)) for name, rule in RULES.items()}


def programme_of(texts: Mapping[str, str], version: int) -> Programme:
    """Parse a programme. Raises ProgrammeError for the first invalid field."""
    values = _read(texts)
    if isinstance(values, list):
        raise values[0]
    return Programme(version=version, **values)


def default_programme(version: int = 1, /, **texts: str) -> Programme:
    """The default programme, changed by `texts`. Raises ProgrammeError."""
    return programme_of({**DEFAULTS, **texts}, version)


def errors(texts: Mapping[str, str]) -> list[ProgrammeError]:
    """All errors in these texts; none if `programme_of` accepts them."""
    values = _read(texts)
    return values if isinstance(values, list) else []


def _read(texts: Mapping[str, str]) -> dict[str, Any] | list[ProgrammeError]:
    """The values of all rules, or all errors."""
    names = ", ".join(RULES)
    wrong = [
        ProgrammeError(name, f"is not a rule of a programme; the rules are {names}")
        for name in texts
        if name not in RULES
    ]
    values: dict[str, Any] = {}
    for name, rule in RULES.items():
        if name not in texts:
            wrong.append(ProgrammeError(name, f"is missing; the default is {rule.default!r}"))
            continue
        try:
            values[name] = rule.read(texts[name])
        except ValueError as error:
            wrong.append(ProgrammeError(name, str(error)))
    return wrong or values
