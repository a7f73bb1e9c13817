"""The rules of points of a shop: how their texts are read, and what follows from them."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta, timezone

import pytest

from pointbook.domain.expiry import Days, Months, Rolling, RoundTo
from pointbook.domain.member_numbers import MemberNumberRule
from pointbook.domain.orders import DebtPolicy, EarningRule, ReturnSpent, Rounding
from pointbook.domain.programme import (
    Programme,
    ProgrammeError,
    default_programme,
    errors,
    programme_of,
)
from pointbook.domain.programme_rules import (
    DEFAULTS,
    RULES,
    ApproveOn,
    DiscountKind,
    Locale,
    Master,
    Switch,
    Tax,
    TillPush,
)
from pointbook.domain.programme_warnings import warnings
from pointbook.domain.staff import Right, StaffGroup
from pointbook.domain.tags import tag_digest

TODAY = date(2026, 11, 22)

UNUSUAL = {
    "time_zone": ("Europe/Berlin", "Europe/Berlin"),
    "currency": ("EUR", "EUR"),
    "locale": ("ja", Locale.JA),
    "points_master": ("till", Master.TILL),
    "member_number": ("prefix:EC-", MemberNumberRule("EC-")),
    "rank_labels": (
        "gold:en=Gold Member,VIP member:ja=特別会員",
        (("gold", Locale.EN, "Gold Member"), ("VIP member", Locale.JA, "特別会員")),
    ),
    "till_push": ("balance", TillPush.BALANCE),
    "earning": ("paused", Switch.PAUSED),
    "spending": ("paused", Switch.PAUSED),
    "holds": ("paused", Switch.PAUSED),
    "earn_from": (
        "2026-12-01T03:00:00+09:00",
        datetime(2026, 12, 1, 3, tzinfo=timezone(timedelta(hours=9))),
    ),
    "earn_unit_minor": ("999999999", 999_999_999),
    "points_per_unit": ("0", 0),
    "earn_on_tax": ("excluded", Tax.EXCLUDED),
    "gift_cards_earn": ("yes", True),
    "test_orders_earn": ("yes", True),
    "rounding": ("half_up", Rounding.HALF_UP),
    "minimum_minor": ("1000", 1000),
    "rank_multipliers": ("ゴールド=150,VIP member=9999", (("ゴールド", 150), ("VIP member", 9999))),
    "excluded_tag": ("no points", "no points"),
    "approve_on": ("created", ApproveOn.CREATED),
    "pending_days": ("365", 365),
    "sign_up_points": ("1000000", 1_000_000),
    "sign_up_needs_account": ("yes", True),
    "expiry": ("rolling:days:30", Rolling(Days(30))),
    "lapsed_expiry": ("months:1:month_end", Months(1, RoundTo.MONTH_END)),
    "reminder_days": ("60,30,14,7,1", (60, 30, 14, 7, 1)),
    "point_worth_minor": ("10", 10),
    "hold_seconds": ("86400", 86_400),
    "holds_per_hour": ("1000000", 1_000_000),
    "hold_calls_per_minute": ("1", 1),
    "combines_with": ("order,shipping", (DiscountKind.ORDER, DiscountKind.SHIPPING)),
    "debt_policy": ("clamp", DebtPolicy.CLAMP),
    "return_spent": ("share", ReturnSpent.SHARE),
    "flow_entries_per_hour": ("1", 1),
    "staff_look": ("70000000001", StaffGroup(ids=("70000000001",))),
    "staff_adjust": ("all", StaffGroup(everybody=True)),
    "staff_hold": ("70000000001,70000000002", StaffGroup(ids=("70000000001", "70000000002"))),
    "staff_manage": ("70000000001", StaffGroup(ids=("70000000001",))),
    "staff_points_per_action": ("1000000", 1_000_000),
    "staff_points_per_day": ("999999999", 999_999_999),
    "metafields": ("loyalty", "loyalty"),
}
"""A text of every rule that is not its default, and its value."""


def test_every_field_of_a_programme_but_its_version_is_a_rule() -> None:
    assert [field.name for field in fields(Programme)] == ["version", *RULES]


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_read_and_written_as_one_text(name: str) -> None:
    text, value = UNUSUAL[name]
    programme = default_programme(7, **{name: text})
    assert getattr(programme, name) == value
    assert programme.version == 7
    assert programme.texts() == {**DEFAULTS, name: text}
    assert programme_of(programme.texts(), 7) == programme


@pytest.mark.parametrize(
    ("name", "text", "written"),
    [
        ("rank_multipliers", "gold=150, silver=120", "gold=150,silver=120"),
        ("rank_labels", "gold:en=Gold, gold:ja=金", "gold:en=Gold,gold:ja=金"),
        ("reminder_days", "30, 7", "30,7"),
        ("reminder_days", "none", "none"),
        ("combines_with", "shipping, order", "order,shipping"),
        ("combines_with", "none", "none"),
        ("lapsed_expiry", "expire", "expire"),
        ("lapsed_expiry", "never", "never"),
        ("hold_seconds", "060", "60"),
        ("staff_hold", "70000000002, 70000000001", "70000000002,70000000001"),
        ("staff_look", "none", "none"),
        ("staff_look", "all", "all"),
        ("earn_from", "2026-12-01T03:00Z", "2026-12-01T03:00:00+00:00"),
        ("earn_from", "", ""),
        ("metafields", "app", "app"),
        ("metafields", "none", "none"),
    ],
)
def test_there_is_one_way_to_write_what_may_be_given_in_several(
    name: str, text: str, written: str
) -> None:
    assert default_programme(**{name: text}).texts()[name] == written


WRONG = {
    "till_push": ["yes", "Balance", ""],
    "earning": ["off", "", "On"],
    "spending": ["stopped"],
    "holds": ["no"],
    "earn_from": [
        "now",
        "2026-12-01",
        "2026-12-01T03:00:00",
        "20261201T030000Z",
        "2026-12-01T25:00Z",
    ],
    "earn_unit_minor": ["0"],
    "points_per_unit": ["-1", "1.5", "１"],
    "pending_days": ["366"],
    "staff_adjust": [
        *("", "All", "everybody", "all,70000000001", "none,1", "0", "01", "1,1", "1,", ",1"),
        *("-1", "1.5", "１", "gid://shopify/StaffMember/1", "1 2", "1\n", "7" * 21),
        ",".join(str(number) for number in range(1, 52)),
    ],
    "staff_points_per_action": ["0", "1000001", "-1"],
    "staff_points_per_day": ["0", "all"],
    "sign_up_points": ["1000001"],
    "time_zone": ["Asia/Atlantis", "../../etc/passwd"],
    "point_worth_minor": ["0", "1.5"],
    "hold_seconds": ["0", "86401"],
    "gift_cards_earn": ["true"],
    "sign_up_needs_account": ["1"],
    "rank_multipliers": [
        *("gold", "gold=0", "gold=10000", "gold=150%", "=150", "gold =150", "gold=150,"),
        "gold=150,GOLD=160",
        ",".join(f"rank{number}=150" for number in range(21)),
        f"{'x' * 256}=150",
        ",".join(f"{number}{'x' * 100}=150" for number in range(10)),
    ],
    "member_number": [
        *("", "prefix:", "prefix:EC 1", f"prefix:{'x' * 45}", "metafield:member_number"),
        *("metafield:ab.key", "metafield:custom.k", "metafield:custom.a.b", "custom.member_number"),
    ],
    "rank_labels": [
        *("gold", "gold=Gold", "gold:en", "gold:en=", ":en=Gold", "gold:fr=Or", "gold:en=Gold,"),
        *("gold :en=Gold", "gold:en= Gold", "gold:en=A=B", "gold:en=Gold,GOLD:en=Best"),
        f"{'x' * 65}:en=Gold",
        f"gold:en={'x' * 81}",
        ",".join(f"{number}:en=x" for number in range(41)),
        ",".join(f"{number}:en={'x' * 80}" for number in range(12)),
    ],
    "excluded_tag": ["a,b", " blanks ", "x" * 256],
    "reminder_days": ["7,30", "7,7", "0", "1000", "6,5,4,3,2,1"],
    "combines_with": ["order,order", "everything"],
    "lapsed_expiry": ["later"],
    "expiry": ["expire"],
    "metafields": ["ab", "a.b", "$app", "app--1", "shopify", "shopify--x", "x" * 256],
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, "?,") for name in RULES),
        *((name, "") for name in RULES if DEFAULTS[name]),
        *((name, text) for name, texts in WRONG.items() for text in texts),
    ],
)
def test_a_text_that_cannot_be_used_is_refused_with_its_rule_and_what_to_give(
    name: str, text: str
) -> None:
    with pytest.raises(ProgrammeError) as refusal:
        default_programme(**{name: text})
    assert refusal.value.field == name
    assert str(refusal.value).startswith(f"{name}: ")


def test_all_that_is_wrong_is_said_at_once() -> None:
    texts = {**DEFAULTS, "hold_seconds": "soon", "currency": "yen", "birthday_points": "10"}
    del texts["rounding"]
    wrong = errors(texts)
    assert {error.field for error in wrong} == {
        "hold_seconds",
        "currency",
        "birthday_points",
        "rounding",
    }
    assert errors(DEFAULTS) == []


# --- what an order earns --------------------------------------------------------------------------

RANKS = {"rank_multipliers": "silver=120,gold=150,staff=50", "excluded_tag": "wholesale"}


def percent(tags: Collection[str], texts: Mapping[str, str], is_test: bool = False) -> int:
    """The percent that a customer with these tags earns."""
    digests = {tag_digest(tag) for tag in tags}
    return default_programme(**texts).earning_rule(digests, is_test).multiplier_percent


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ((), 100),
        (("newsletter",), 100),
        (("silver",), 120),
        (("silver", "gold", "newsletter"), 150),
        ((" GOLD ",), 150),
        (("staff",), 50),
        (("staff", "silver"), 120),
        (("gold", "Wholesale"), 0),
    ],
)
def test_the_highest_rank_counts_and_who_is_left_out_earns_nothing(
    tags: tuple[str, ...], expected: int
) -> None:
    assert percent(tags, RANKS) == expected


def test_a_test_order_earns_where_the_programme_says_so() -> None:
    assert percent(["gold"], RANKS, is_test=True) == 0
    assert percent(["gold"], {**RANKS, "test_orders_earn": "yes"}, is_test=True) == 150


def test_without_points_per_unit_orders_earn_nothing() -> None:
    rule = default_programme(points_per_unit="0").earning_rule((), is_test=False)
    assert rule.points(1_000_000) == 0


def test_an_order_keeps_all_that_it_earns_by() -> None:
    programme = default_programme(
        9,
        earn_unit_minor="200",
        points_per_unit="3",
        earn_on_tax="excluded",
        gift_cards_earn="yes",
        rounding="ceil",
        minimum_minor="500",
        pending_days="14",
        debt_policy="clamp",
    )
    assert programme.earning_rule((), is_test=False) == EarningRule(
        unit_minor=200,
        points_per_unit=3,
        multiplier_percent=100,
        rounding=Rounding.CEIL,
        programme_version=9,
        minimum_minor=500,
        tax_included=False,
        gift_cards_earn=True,
        pending_days=14,
        debt_policy=DebtPolicy.CLAMP,
    )


def test_only_a_rolling_rule_renews() -> None:
    assert default_programme().renew is None
    assert default_programme(expiry="rolling:months:12").renew == Rolling(Months(12))


# --- warnings -------------------------------------------------------------------------------------


def warned(**texts: str) -> tuple[str, ...]:
    return warnings(default_programme(**texts), TODAY)


def test_the_default_programme_has_no_warning() -> None:
    assert warned() == ()


def test_a_rank_with_a_label_in_one_language_only_is_named() -> None:
    assert warned(rank_labels="gold:en=Gold,gold:ja=金") == ()
    (one,) = warned(rank_labels="gold:en=Gold,silver:ja=銀,gold:ja=金")
    assert one.startswith("rank_labels: silver has no label in en;")


def test_more_than_a_fifth_of_the_price_back_is_a_premium_that_may_be_too_high() -> None:
    assert warned(points_per_unit="20") == ()
    (one,) = warned(points_per_unit="20", rank_multipliers="silver=100,gold=101")
    assert one.startswith("points_per_unit: gold get back 20 %")
    for texts in ({"points_per_unit": "25"}, {"point_worth_minor": "25"}, {"earn_unit_minor": "4"}):
        (one,) = warned(**texts)
        assert one.startswith("points_per_unit: customers without a rank get back 25 %")


def test_sign_up_points_for_everybody_are_pointed_out_before_an_import_gives_them_to_all() -> None:
    (one,) = warned(sign_up_points="100")
    assert one.startswith("sign_up_points: everybody who becomes a customer gets 100 points")
    assert "import" in one
    assert warned(sign_up_points="100", sign_up_needs_account="yes") == ()


def test_a_rank_that_is_left_out_is_pointed_out() -> None:
    (one,) = warned(rank_multipliers="Gold=150", excluded_tag="gold")
    assert one.startswith("excluded_tag: gold")


@pytest.mark.parametrize("rule", ["expiry", "lapsed_expiry"])
def test_a_day_that_is_over_is_pointed_out(rule: str) -> None:
    (one,) = warned(**{rule: "date:2026-11-21"})
    assert one.startswith(f"{rule}: 2026-11-21")
    assert warned(**{rule: "date:2026-11-22"}) == ()


@pytest.mark.parametrize("expiry", ["days:29", "rolling:days:29:month_end", "months:1"])
def test_a_reminder_before_the_points_are_there_is_pointed_out(expiry: str) -> None:
    (one,) = warned(expiry=expiry)
    assert one.startswith("reminder_days: ")
    assert warned(expiry=expiry, reminder_days="7") == ()
    assert warned(expiry=expiry, reminder_days="none") == ()


@pytest.mark.parametrize("expiry", ["days:30", "months:2", "never", "date:2026-11-23"])
def test_reminders_that_can_come_in_time_need_no_warning(expiry: str) -> None:
    assert warned(expiry=expiry) == ()


def test_a_hold_that_nobody_can_use_in_time_is_pointed_out() -> None:
    (one,) = warned(hold_seconds="59")
    assert one.startswith("hold_seconds: 59 s")
    assert warned(hold_seconds="60") == ()


def test_carrying_changes_to_a_till_that_is_master_is_pointed_out() -> None:
    (one,) = warned(points_master="till", till_push="balance")
    assert one.startswith("till_push: balance has no effect")
    assert warned(points_master="till") == ()
    assert warned(till_push="balance") == ()


def test_nothing_is_carried_to_a_till_that_is_master() -> None:
    assert default_programme(till_push="balance").pushed is TillPush.BALANCE
    assert default_programme(till_push="balance", points_master="till").pushed is TillPush.NO


# --- tags -----------------------------------------------------------------------------------------


def test_a_tags_digest_does_not_depend_on_its_case() -> None:
    digest = tag_digest("Gold")
    assert tag_digest(" gOLD\n") == digest
    assert tag_digest("silver") != digest
    assert (len(digest), int(digest, 16) > 0) == (16, True)
    assert "gold" not in digest


def test_the_staff_may_look_and_nothing_else_until_the_shop_says_so() -> None:
    programme = default_programme()
    assert [right for right in Right if programme.permits(right, "70000000001")] == [Right.LOOK]


@pytest.mark.parametrize("right", Right)
def test_each_right_is_one_rule_of_its_own(right: Right) -> None:
    nobody = {f"staff_{one}": "none" for one in Right}
    programme = default_programme(**{**nobody, f"staff_{right}": "70000000001"})
    assert [one for one in Right if programme.permits(one, "70000000001")] == [right]
    assert not any(programme.permits(one, "7000000000") for one in Right)


def test_a_limit_for_an_action_that_is_more_than_a_days_is_pointed_out() -> None:
    programme = default_programme(staff_points_per_action="6000", staff_points_per_day="5000")
    (warning,) = warnings(programme, TODAY)
    assert warning.startswith("staff_points_per_action: 6000 has no effect")
