"""Texts of my page that the API returns, in each language; web/points-texts.js has the others.

The merchant prescribed the English and Japanese texts about the till, asterisk included.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pointbook.page.locale import Locale


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language.

    In place of a balance that could not be read there is `balance_unavailable`, with the message
    `unavailable` or `timeout`, and `note_check_at_store`. `not_registered` is shown if the till
    does not know the customer. `as_of` has a placeholder for the time of a cached balance.
    """

    balance_unavailable: str
    not_registered: str
    unavailable: str
    timeout: str
    note_check_at_store: str
    as_of: str
    ranks: Mapping[str, str]


TEXTS: Mapping[Locale, Texts] = {
    "en": Texts(
        balance_unavailable="Currently unavailable",
        not_registered="Not registered at store",
        unavailable="Temporarily unavailable",
        timeout="Please try again",
        note_check_at_store="*Can also verify at store",
        as_of="As of {time}",
        ranks={
            "regular": "Regular Member",
            "bronze": "Bronze Member",
            "silver": "Silver Member",
            "gold": "Gold Member",
            "platinum": "Platinum Member",
            "diamond": "Diamond Member",
        },
    ),
    "ja": Texts(
        balance_unavailable="現在ご利用いただけません",
        not_registered="店舗での会員登録が確認できませんでした",
        unavailable="一時的にご利用いただけません",
        timeout="もう一度お試しください",
        note_check_at_store="※店舗でもご確認いただけます",
        as_of="{time}時点",
        ranks={
            "regular": "レギュラー会員",
            "bronze": "ブロンズ会員",
            "silver": "シルバー会員",
            "gold": "ゴールド会員",
            "platinum": "プラチナ会員",
            "diamond": "ダイヤモンド会員",
        },
    ),
}
