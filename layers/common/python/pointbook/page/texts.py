"""Texts of my page that the API returns, in each language; web/points-texts.js has the others."""

from collections.abc import Mapping
from dataclasses import dataclass

from pointbook.page.locale import Locale


@dataclass(frozen=True, slots=True)
class Texts:
    """The words of one language. `as_of` has a place for the time of a kept value."""

    no_balance: str
    not_registered: str
    unavailable: str
    timeout: str
    check_at_store: str
    as_of: str
    ranks: Mapping[str, str]


TEXTS: Mapping[Locale, Texts] = {
    "en": Texts(
        no_balance="Currently unavailable",
        not_registered="Not registered at store",
        unavailable="Temporarily unavailable",
        timeout="Please try again",
        check_at_store="*Can also verify at store",
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
        no_balance="現在ご利用いただけません",
        not_registered="店舗での会員登録が確認できませんでした",
        unavailable="一時的にご利用いただけません",
        timeout="もう一度お試しください",
        check_at_store="※店舗でもご確認いただけます",
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
