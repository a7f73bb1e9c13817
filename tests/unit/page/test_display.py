"""What customers read in the point section."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from pointbook.domain.programme_rules import Locale
from pointbook.page.display import Display, Status, display
from pointbook.page.locale import Locale as PageLocale

JAPAN = timezone(timedelta(hours=9))
NO_BALANCE, AT_STORE = "Currently unavailable", "*Can also verify at store"
NO_BALANCE_JA, AT_STORE_JA = "現在ご利用いただけません", "※店舗でもご確認いただけます"


def shown(locale: PageLocale = "en", status: Status = "ok", **given: Any) -> Display:
    """What is displayed of these values; those that are not given are unknown."""
    unknown: dict[str, Any] = {"balance_points": None, "expires_on": None, "rank": None}
    return display(**{**unknown, **given}, status=status, locale=locale)


@pytest.mark.parametrize(
    ("locale", "expiry", "rank"),
    [("en", "December 31, 2025", "Gold Member"), ("ja", "2025年12月31日", "ゴールド会員")],
)
def test_a_member_is_shown_as_the_walkthrough_says(
    locale: PageLocale, expiry: str, rank: str
) -> None:
    found = shown(locale, balance_points=1250, expires_on=date(2025, 12, 31), rank="gold")
    assert found == Display("1,250", expiry, rank, message=None, action=None, note=None)


@pytest.mark.parametrize(
    ("status", "locale", "expected"),
    [
        ("unavailable", "en", (NO_BALANCE, "Temporarily unavailable", AT_STORE)),
        ("timeout", "en", (NO_BALANCE, "Please try again", AT_STORE)),
        ("unavailable", "ja", (NO_BALANCE_JA, "一時的にご利用いただけません", AT_STORE_JA)),
        ("timeout", "ja", (NO_BALANCE_JA, "もう一度お試しください", AT_STORE_JA)),
    ],
)
def test_without_any_value_the_customer_can_reload(
    status: Status, locale: PageLocale, expected: tuple[str, str, str]
) -> None:
    found = shown(locale, status)
    assert (found.balance, found.message, found.note) == expected
    assert (found.expiry, found.rank, found.action) == (None, None, "reload")


@pytest.mark.parametrize(
    ("locale", "message"),
    [("en", "Not registered at store"), ("ja", "店舗での会員登録が確認できませんでした")],
)
def test_who_is_not_registered_reads_so_and_has_nothing_to_reload(
    locale: PageLocale, message: str
) -> None:
    assert shown(locale, "not_registered") == Display(
        None, None, None, message=message, action=None, note=None
    )


@pytest.mark.parametrize(
    ("locale", "note"), [("en", "As of November 21, 2026, 9:05"), ("ja", "2026年11月21日 9:05時点")]
)
def test_a_cached_value_is_marked_with_its_time_and_can_be_reloaded(
    locale: PageLocale, note: str
) -> None:
    since = datetime(2026, 11, 21, 0, 5, tzinfo=UTC).astimezone(JAPAN)
    found = shown(locale, "timeout", balance_points=1250, cached_since=since)
    assert found == Display("1,250", None, None, message=None, action="reload", note=note)


def test_without_a_till_the_ledgers_balance_is_shown_alone() -> None:
    assert shown(status="disabled", balance_points=-1250) == Display(
        "-1,250", None, None, message=None, action=None, note=None
    )


@pytest.mark.parametrize(
    ("rank", "label"),
    [("GOLD", "Gold Member"), ("プレミアム会員", "プレミアム会員"), ("2", None), (None, None)],
)
def test_a_rank_is_labelled_or_passed_on_but_a_bare_code_is_not_shown(
    rank: str | None, label: str | None
) -> None:
    assert shown(balance_points=0, rank=rank).rank == label


LABELS = (
    ("gold", Locale.EN, "Golden Circle"),
    ("gold", Locale.JA, "黄金会員"),
    ("2", Locale.JA, "二級"),
)


@pytest.mark.parametrize(
    ("locale", "rank", "label"),
    [
        ("en", "GOLD", "Golden Circle"),
        ("ja", "Gold", "黄金会員"),
        ("ja", "2", "二級"),
        ("en", "2", None),
        ("ja", "silver", "シルバー会員"),
        ("en", "VIP", "VIP"),
    ],
)
def test_the_shops_own_label_of_a_rank_comes_before_ours_and_the_tills_word(
    locale: PageLocale, rank: str, label: str | None
) -> None:
    assert shown(locale, balance_points=0, rank=rank, rank_labels=LABELS).rank == label
