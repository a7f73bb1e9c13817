"""What the points section of my page shows, in the customer's language."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pointbook.domain.programme_rules import RankLabels
from pointbook.page.formats import format_day, format_points, format_time
from pointbook.page.locale import LOCALES, Locale
from pointbook.page.texts import TEXTS, Texts

Status = Literal["ok", "not_registered", "unavailable", "timeout", "disabled", "pending"]


@dataclass(frozen=True, slots=True)
class Display:
    """Texts to show as they are, None if not shown. The names are those of the HTTP API.

    `action` is not a text but an instruction for the page: `reload` adds a reload button.
    """

    balance: str | None
    expiry: str | None
    rank: str | None
    message: str | None
    action: Literal["reload"] | None
    note: str | None


def display(
    *,
    balance_points: int | None,
    expires_on: date | None,
    rank: str | None,
    status: Status,
    locale: Locale,
    cached_since: datetime | None = None,
    rank_labels: RankLabels = (),
) -> Display:
    """Return the texts for a balance, or for its absence.

    `status` is the outcome of reading the till (`disabled`: no till, the balance is the ledger's;
    `pending`: nothing is known yet). A cached balance that is no longer fresh has a time,
    `cached_since`, in the shop's time zone, which is shown. `rank_labels` are the shop's
    own.
    """
    texts = TEXTS[locale]
    failed = status in ("unavailable", "timeout")
    if failed and balance_points is None:
        return _balance_unavailable(status, texts)
    return Display(
        balance=None if balance_points is None else format_points(balance_points),
        expiry=None if expires_on is None else format_day(expires_on, locale),
        rank=rank_label(rank, locale, rank_labels),
        message=texts.not_registered if status == "not_registered" else None,
        action="reload" if failed else None,
        note=texts.as_of.format(time=format_time(cached_since, locale)) if cached_since else None,
    )


def _balance_unavailable(status: Status, texts: Texts) -> Display:
    return Display(
        balance=texts.balance_unavailable,
        expiry=None,
        rank=None,
        message=texts.timeout if status == "timeout" else texts.unavailable,
        action="reload",
        note=texts.note_check_at_store,
    )


def rank_label(rank: str | None, locale: Locale, labels: RankLabels = ()) -> str | None:
    """Return what customers read of a rank: the shop's label, else ours, else the till's word.

    None for a bare number without a label.
    """
    if rank is None:
        return None
    own = next(
        (
            label
            for labelled, language, label in labels
            if language == locale and labelled.casefold() == rank.casefold()
        ),
        None,
    )
    label = own or TEXTS[locale].ranks.get(rank.lower())
    if label is None and rank.isdigit():
        return None
    return label or rank


def rank_labels(rank: str | None, labels: RankLabels = ()) -> dict[Locale, str | None] | None:
    """Return `rank_label` in every language; None without a rank."""
    if rank is None:
        return None
    return {locale: rank_label(rank, locale, labels) for locale in LOCALES}
