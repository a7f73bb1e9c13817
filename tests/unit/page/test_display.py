"""What customers read in the point section."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from pointbook.page.display import Display, Status, display
from pointbook.page.locale import Locale

JAPAN = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("locale", "expiry", "rank"),
    [("en", "December 31, 2025", "Gold Member"), ("ja", "2025年12月31日", "ゴールド会員")],
)
def test_a_member_is_shown_as_the_walkthrough_says(locale: Locale, expiry: str, rank: str) -> None:
    shown = display(
        balance_points=1250,
        expires_on=date(2025, 12, 31),
        rank="gold",
        status="ok",
        locale=locale,
    )
    assert shown == Display("1,250", expiry, rank, message=None, action=None, note=None)


@pytest.mark.parametrize(
    ("status", "locale", "expected"),
    [
        (
            "unavailable",
            "en",
            ("Currently unavailable", "Temporarily unavailable", "*Can also verify at store"),
        ),
        (
            "timeout",
            "en",
            ("Currently unavailable", "Please try again", "*Can also verify at store"),
        ),
        (
            "unavailable",
            "ja",
            (
                "現在ご利用いただけません",
                "一時的にご利用いただけません",
                "※店舗でもご確認いただけます",
            ),
        ),
        (
            "timeout",
            "ja",
            ("現在ご利用いただけません", "もう一度お試しください", "※店舗でもご確認いただけます"),
        ),
    ],
)
def test_without_any_known_value_the_customer_can_reload(
    status: Status, locale: Locale, expected: tuple[str, str, str]
) -> None:
    shown = display(balance_points=None, expires_on=None, rank=None, status=status, locale=locale)
    assert (shown.balance, shown.message, shown.note) == expected
    assert (shown.expiry, shown.rank, shown.action) == (None, None, "reload")


@pytest.mark.parametrize(
    ("locale", "message"),
    [("en", "Not registered at store"), ("ja", "店舗での会員登録が確認できませんでした")],
)
def test_who_is_not_registered_is_told_so_and_has_nothing_to_reload(
    locale: Locale, message: str
) -> None:
    shown = display(
        balance_points=None, expires_on=None, rank=None, status="not_registered", locale=locale
    )
    assert shown == Display(None, None, None, message=message, action=None, note=None)


@pytest.mark.parametrize(
    ("locale", "note"),
    [("en", "As of November 21, 2026, 9:05"), ("ja", "2026年11月21日 9:05時点")],
)
def test_a_kept_value_is_marked_with_its_time_and_can_be_reloaded(
    locale: Locale, note: str
) -> None:
    shown = display(
        balance_points=1250,
        expires_on=None,
        rank=None,
        status="timeout",
        locale=locale,
        cached_since=datetime(2026, 11, 21, 0, 5, tzinfo=UTC).astimezone(JAPAN),
    )
    assert shown == Display("1,250", None, None, message=None, action="reload", note=note)


def test_without_a_till_the_ledgers_balance_is_shown_plainly() -> None:
    shown = display(
        balance_points=-1250, expires_on=None, rank=None, status="disabled", locale="en"
    )
    assert shown == Display("-1,250", None, None, message=None, action=None, note=None)


@pytest.mark.parametrize(
    ("rank", "label"),
    [
        ("GOLD", "Gold Member"),
        ("プレミアム会員", "プレミアム会員"),
        ("2", None),
        (None, None),
    ],
)
def test_a_rank_is_labelled_or_passed_on_but_a_bare_code_is_not_shown(
    rank: str | None, label: str | None
) -> None:
    shown = display(balance_points=0, expires_on=None, rank=rank, status="ok", locale="en")
    assert shown.rank == label
