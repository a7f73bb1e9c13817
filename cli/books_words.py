"""The words of the books in English and Japanese; the terms are those of accountants."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from pointbook.domain.books.journal import LedgerAccount
from pointbook.domain.books.liability import Band
from pointbook.domain.books.movements import Movement
from pointbook.domain.books.periods import Period
from pointbook.domain.books.statement import EXPIRED, NEVER_EXPIRES
from pointbook.domain.money import decimal_text, exponent


class Language(StrEnum):
    """The language of a report."""

    EN = "en"
    JA = "ja"


MOVEMENTS: dict[Movement, tuple[str, str]] = {
    Movement.GRANTED: ("Granted", "付与"),
    Movement.PROMISED: ("Promised (pending)", "付与予定"),
    Movement.APPROVED: ("Approved", "付与確定"),
    Movement.CANCELLED: ("Promised, then canceled", "付与予定の取消"),
    Movement.HELD: ("Held for a checkout", "利用手続き中の確保"),
    Movement.RELEASED: ("Released from a hold", "確保の解除"),
    Movement.SPENT: ("Used", "利用"),
    Movement.SPENT_EXPIRED: ("Expired points used", "失効済みポイントの利用"),
    Movement.RETURNED: ("Returned after a refund", "利用の取消"),
    Movement.EXPIRED: ("Expired", "失効"),
    Movement.REVERSED: ("Taken back after a refund", "返品による付与取消"),
    Movement.UNDONE: ("Import undone", "インポートの取消"),
    Movement.REMOVED: ("Removed by the shop", "店舗による減算"),
    Movement.RESTORED: ("Removal undone", "減算の取消"),
    Movement.EXTENDED: ("Valid for longer", "有効期限の延長"),
    Movement.MERGED: ("Merged accounts", "会員統合"),
    Movement.OTHER: ("Other", "その他"),
}

ACCOUNTS: dict[LedgerAccount, tuple[str, str]] = {
    LedgerAccount.SALES: ("Sales", "売上高"),
    LedgerAccount.CONTRACT_LIABILITY: ("Contract liability", "契約負債"),
    LedgerAccount.ADVANCES_RECEIVED: ("Advances received", "前受金"),
    LedgerAccount.PROVISION: ("Provision for points", "ポイント引当金"),
    LedgerAccount.PROVISION_EXPENSE: ("Provision expense", "ポイント引当金繰入額"),
    LedgerAccount.PROVISION_REVERSAL: ("Reversal of provision", "ポイント引当金戻入額"),
}


BUCKETS: dict[str, str] = {
    "issued": "発行",
    "pending": "付与予定",
    "cancelled": "付与予定の取消",
    "approved": "利用可能",
    "hold": "確保中",
    "spent": "利用",
    "expired": "失効",
    "reversed": "付与取消",
    "removed": "減算",
}
"""The buckets in Japanese; in English they have the names of docs/concepts.md."""


class Words:
    """Texts, numbers and dates in one language."""

    def __init__(self, language: Language) -> None:
        """Speak it."""
        self.language = language
        self._place = 0 if language is Language.EN else 1

    def of(self, english: str, japanese: str) -> str:
        """One of two texts."""
        return (english, japanese)[self._place]

    def movement(self, movement: Movement) -> str:
        """A kind of movement."""
        return MOVEMENTS[movement][self._place]

    def account(self, account: LedgerAccount) -> str:
        """An account of the general ledger."""
        return ACCOUNTS[account][self._place]

    def bucket(self, name: str) -> str:
        """A bucket."""
        return self.of(name, BUCKETS[name])

    def so_far(self, *, is_over: bool) -> str:
        """What follows the days of a period that is not over yet; "" if it is."""
        return "" if is_over else self.of(" (so far)", "（途中）")

    def money(self, minor: int, currency: str) -> str:
        """An amount: ¥1,250, 1,250円, or 12.50 USD."""
        sign, text = "−" if minor < 0 else "", decimal_text(abs(minor), currency)
        return self._money(sign, text, currency)

    def worth(self, minor: Decimal, currency: str) -> str:
        """The value of one point, which may be a part of the smallest unit: 0.85円."""
        return self._money("", f"{minor.scaleb(-exponent(currency)).normalize():f}", currency)

    def _money(self, sign: str, text: str, currency: str) -> str:
        whole, dot, part = text.partition(".")
        grouped = f"{int(whole):,}{dot}{part}"
        if currency == "JPY":
            return self.of(f"{sign}¥{grouped}", f"{sign}{grouped}円")
        return f"{sign}{grouped} {currency}"

    def month(self, month: str) -> str:
        """An expiry month, or what stands in its place."""
        if month == NEVER_EXPIRES:
            return self.of("never expires", "期限なし")
        if month == EXPIRED:
            return self.of("over, not booked yet", "期限到来・未処理")
        year, number = month.split("-")
        english = f"{date(int(year), int(number), 1):%b} {year}"
        return self.of(english, f"{year}年{int(number)}月")

    def day(self, day: date) -> str:
        """A day."""
        return self.of(f"{day:%B} {day.day}, {day.year}", f"{day.year}年{day.month}月{day.day}日")

    def period(self, first: date, last: date) -> str:
        """A day, a month, or the days from and to."""
        if first == last:
            return self.day(first)
        if Period.month(first.year, first.month, "UTC") == Period(first, last, "UTC"):
            return self.of(f"{first:%B} {first.year}", f"{first.year}年{first.month}月")
        return self.of(
            f"{self.day(first)} to {self.day(last)}", f"{self.day(first)}〜{self.day(last)}"
        )

    def band(self, band: Band) -> str:
        """Ages in months."""
        first, last = band
        if last is None:
            return self.of(f"{first} months or more", f"{first}か月以上")
        return self.of(f"{first} to {last} months", f"{first}〜{last}か月")

    def programme(self, version: int) -> str:
        """A version of the programme."""
        if not version:
            return self.of("before the first", "最初の版より前")
        return self.of(f"version {version}", f"第{version}版")


def signed(points: int) -> str:
    """A change: +1,250, −1,250 or 0."""
    return f"{points:+,}".replace("-", "−") if points else "0"


def number(points: int) -> str:
    """A number: 1,250, −1,250."""
    return f"{points:,}".replace("-", "−")
