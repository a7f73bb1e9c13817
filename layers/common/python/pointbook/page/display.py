"""What stands in the point section of my page, in the customer's language."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pointbook.page.formats import format_day, format_points, format_time
from pointbook.page.locale import Locale
from pointbook.page.texts import TEXTS, Texts

Status = Literal["ok", "not_registered", "unavailable", "timeout", "disabled"]


@dataclass(frozen=True, slots=True)
class Display:
    """Texts ready to be shown, None where nothing is. The names are those of the HTTP API.

    `action` is not a text but a word for the page: `reload` asks for a reload button.
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
) -> Display:
    """Put a balance, or the lack of one, into words.

    `status` is how asking the till went (`disabled`: no till, the balance is the ledger's). After
    a failure the balance may be the last known one: `cached_since` is then its time, in the
    shop's time zone, and the customer is told.
    """
    texts = TEXTS[locale]
    failed = status in ("unavailable", "timeout")
    if failed and balance_points is None:
        return _nothing_known(status, texts)
    return Display(
        balance=None if balance_points is None else format_points(balance_points),
        expiry=None if expires_on is None else format_day(expires_on, locale),
        rank=_rank(rank, texts),
        message=texts.not_registered if status == "not_registered" else None,
        action="reload" if failed else None,
        note=None if cached_since is None else _as_of(cached_since, locale),
    )


def _nothing_known(status: Status, texts: Texts) -> Display:
    return Display(
        balance=texts.no_balance,
        expiry=None,
        rank=None,
        message=texts.timeout if status == "timeout" else texts.unavailable,
        action="reload",
        note=texts.check_at_store,
    )


def _rank(rank: str | None, texts: Texts) -> str | None:
    """The label of a rank. The shop's own words pass as they are; a bare number says nothing."""
    if rank is None:
        return None
    label = texts.ranks.get(rank.lower())
    if label is None and rank.isdigit():
        return None
    return label or rank


def _as_of(time: datetime, locale: Locale) -> str:
    return TEXTS[locale].as_of.format(time=format_time(time, locale))
