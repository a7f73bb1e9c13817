"""The programme's rules as people of the shop read them: groups, names, and one line for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pointbook.page.locale import Locale

type _Texts = Mapping[Locale, str]

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "shop": ("time_zone", "currency", "locale"),
    "till": ("points_master", "member_number", "rank_labels", "till_push"),
    "pauses": ("earning", "spending", "holds", "earn_from"),
    "earning": (
        *("earn_unit_minor", "points_per_unit", "earn_on_tax", "gift_cards_earn"),
        *("test_orders_earn", "rounding", "minimum_minor", "rank_multipliers", "excluded_tag"),
        *("approve_on", "pending_days", "sign_up_points", "sign_up_needs_account"),
    ),
    "expiry": ("expiry", "lapsed_expiry", "reminder_days"),
    "spending": (
        *("point_worth_minor", "hold_seconds", "holds_per_hour", "hold_calls_per_minute"),
        *("combines_with", "debt_policy", "return_spent", "flow_entries_per_hour"),
    ),
    "staff": (
        *("staff_look", "staff_adjust", "staff_hold", "staff_manage"),
        *("staff_points_per_action", "staff_points_per_day"),
    ),
    "shopify": ("metafields",),
}
"""All rules by group, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class RuleTexts:
    """The texts in one language."""

    locale: Locale

    def group(self, group: str) -> str:
        """The heading of a group."""
        return _GROUP_NAMES[group][self.locale]

    def name(self, rule: str) -> str:
        """What a rule is called."""
        return _RULES[rule][0][self.locale]

    def meaning(self, rule: str) -> str:
        """What a rule says, in one line."""
        return _RULES[rule][1][self.locale]


def _texts(en: str, ja: str) -> _Texts:
    return {"en": en, "ja": ja}


_GROUP_NAMES: Final[Mapping[str, _Texts]] = {
    "shop": _texts("The shop", "ショップ"),
    "till": _texts("The till", "店舗レジ"),
    "pauses": _texts("On or paused", "稼働と一時停止"),
    "earning": _texts("Earning points", "ポイントの付与"),
    "expiry": _texts("Expiry", "有効期限"),
    "spending": _texts("Value and use", "ポイントの価値と利用"),
    "staff": _texts("The shop's staff", "スタッフの権限"),
    "shopify": _texts("Shopify", "Shopify"),
}

_RULES: Final[Mapping[str, tuple[_Texts, _Texts]]] = {
    "time_zone": (
        _texts("Time zone", "タイムゾーン"),
        _texts("Where the shop's days begin and end", "ショップの1日の区切りとなるタイムゾーン"),
    ),
    "currency": (
        _texts("Currency", "通貨"),
        _texts("Of orders and discounts; the shop's own", "注文と割引の通貨（ショップの通貨）"),
    ),
    "locale": (
        _texts("Language", "言語"),
        _texts(
            "For customers who ask for none that my page has",
            "お客様の言語に対応していない場合に表示する言語",
        ),
    ),
    "points_master": (
        _texts("Who decides", "残高の基準"),
        _texts(
            "Whether the ledger or the till counts where their balances differ",
            "残高が食い違ったとき、台帳とレジのどちらを正とするか",
        ),
    ),
    "member_number": (
        _texts("Member number", "会員番号"),
        _texts("Under which number the till knows a customer", "レジでのお客様の会員番号の決め方"),
    ),
    "rank_labels": (
        _texts("Names of ranks", "会員ランクの表示名"),
        _texts(
            "What customers read of the till's ranks", "レジのランクをお客様に表示するときの名前"
        ),
    ),
    "till_push": (
        _texts("Changes to the till", "レジへの反映"),
        _texts(
            "Whether changes of points are pushed to the till",
            "ポイントの増減をレジに反映するかどうか",
        ),
    ),
    "earning": (
        _texts("Earning", "ポイントの付与"),
        _texts(
            "Whether orders, sign-ups and Shopify Flow give points",
            "注文・会員登録・Shopify Flowでポイントを付与するかどうか",
        ),
    ),
    "spending": (
        _texts("Spending", "ポイントの利用"),
        _texts("Whether points can be spent", "ポイントを利用できるかどうか"),
    ),
    "holds": (
        _texts("Points at checkout", "チェックアウトでの利用"),
        _texts(
            "Whether points can be held for a checkout",
            "チェックアウト用にポイントを確保できるかどうか",
        ),
    ),
    "earn_from": (
        _texts("Earning since", "付与の開始日時"),
        _texts(
            "Orders and sign-ups before this time earn nothing",
            "これより前の注文と会員登録にはポイントを付与しません",
        ),
    ),
    "earn_unit_minor": (
        _texts("Amount per unit", "付与の単位金額"),
        _texts(
            "Amount of an order that earns the points below, in the smallest unit of the currency",
            "次の「単位あたりのポイント」が付く注文金額（通貨の最小単位）",
        ),
    ),
    "points_per_unit": (
        _texts("Points per unit", "単位あたりのポイント"),
        _texts(
            "Points for each full unit of an order's amount; 0: orders earn nothing",
            "単位金額ごとに付くポイント（0なら注文では付きません）",
        ),
    ),
    "earn_on_tax": (
        _texts("Tax", "税"),
        _texts(
            "Whether prices count with tax or without",
            "税込・税抜のどちらの金額で計算するか",
        ),
    ),
    "gift_cards_earn": (
        _texts("Gift cards", "ギフトカード"),
        _texts("Whether buying a gift card earns", "ギフトカードの購入にも付与するかどうか"),
    ),
    "test_orders_earn": (
        _texts("Test orders", "テスト注文"),
        _texts("Whether Shopify's test orders earn", "Shopifyのテスト注文にも付与するかどうか"),
    ),
    "rounding": (
        _texts("Rounding", "端数の処理"),
        _texts("How parts of a unit and of a point are rounded", "単位とポイントの端数の丸め方"),
    ),
    "minimum_minor": (
        _texts("Minimum amount", "最低注文金額"),
        _texts(
            "An order below earns nothing, in the smallest unit of the currency",
            "これより少ない注文には付与しません（通貨の最小単位）",
        ),
    ),
    "rank_multipliers": (
        _texts("Ranks", "会員ランクの倍率"),
        _texts(
            "Tags of customers, and the percent that they earn",
            "お客様のタグと、そのお客様に付くポイントの割合（%）",
        ),
    ),
    "excluded_tag": (
        _texts("Excluded customers", "対象外のタグ"),
        _texts("Customers with this tag earn nothing", "このタグのお客様には付与しません"),
    ),
    "approve_on": (
        _texts("Confirmed when", "注文の確定"),
        _texts(
            "The event that confirms an order; until then its points are pending",
            "注文が確定するタイミング（それまでのポイントは仮付与です）",
        ),
    ),
    "pending_days": (
        _texts("Days pending", "仮付与の日数"),
        _texts(
            "Days until a confirmed order's points can be used",
            "注文の確定からポイントが使えるようになるまでの日数",
        ),
    ),
    "sign_up_points": (
        _texts("Points for signing up", "会員登録のポイント"),
        _texts("Given to a new customer, once", "新しいお客様に一度だけ付与するポイント"),
    ),
    "sign_up_needs_account": (
        _texts("Signing up needs an account", "アカウントの必要性"),
        _texts(
            "Whether only customers with an enabled account get them",
            "有効なアカウントのお客様だけに会員登録のポイントを付与するかどうか",
        ),
    ),
    "expiry": (
        _texts("Expiry", "有効期限"),
        _texts("How long points last", "ポイントの有効期間"),
    ),
    "lapsed_expiry": (
        _texts("Points that come back late", "期限後に戻ったポイント"),
        _texts(
            "What happens to points that come back after they have expired",
            "有効期限を過ぎてから戻ったポイントの扱い",
        ),
    ),
    "reminder_days": (
        _texts("Reminders", "期限前のお知らせ"),
        _texts(
            "How many days before points expire the customer is reminded",
            "有効期限の何日前にお客様へお知らせするか",
        ),
    ),
    "point_worth_minor": (
        _texts("Value of a point", "1ポイントの価値"),
        _texts(
            "What a point takes off an order, in the smallest unit of the currency",
            "1ポイントで割り引かれる金額（通貨の最小単位）",
        ),
    ),
    "hold_seconds": (
        _texts("Seconds of a hold", "ポイントの確保時間"),
        _texts(
            "How long points are held for a checkout, and their code is good",
            "チェックアウト用にポイントを確保し、コードが使える秒数",
        ),
    ),
    "holds_per_hour": (
        _texts("Holds per hour", "1時間の確保回数"),
        _texts(
            "The most holds that one customer may take in an hour",
            "お客様1人が1時間にポイントを確保できる回数",
        ),
    ),
    "hold_calls_per_minute": (
        _texts("Calls per minute", "1分間の呼び出し回数"),
        _texts(
            "How often Shopify is called in a minute to make or switch off codes",
            "コードの発行と無効化のために1分間にShopifyを呼び出す回数",
        ),
    ),
    "combines_with": (
        _texts("Combines with", "割引の併用"),
        _texts(
            "Other discounts that the code may be used together with",
            "コードと併用できるほかの割引",
        ),
    ),
    "debt_policy": (
        _texts("Too few points to take back", "取り消しで不足したとき"),
        _texts(
            "Whether a refund that takes back more points than there are leaves a debt",
            "返金で取り消すポイントが残高より多いとき、不足分を残すかどうか",
        ),
    ),
    "return_spent": (
        _texts("Spent points come back", "利用ポイントの返却"),
        _texts(
            "When points that were spent on an order come back",
            "注文で利用したポイントが戻る条件",
        ),
    ),
    "flow_entries_per_hour": (
        _texts("Shopify Flow per hour", "Shopify Flowの上限"),
        _texts(
            "The most entries that Shopify Flow may make for one customer in an hour",
            "Shopify Flowがお客様1人について1時間に記録できる件数",
        ),
    ),
    "staff_look": (
        _texts("May look", "閲覧"),
        _texts("Who may look at customers' points", "お客様のポイントを閲覧できるスタッフ"),
    ),
    "staff_adjust": (
        _texts("May add and remove", "追加と削除"),
        _texts("Who may add and remove points", "ポイントを追加・削除できるスタッフ"),
    ),
    "staff_hold": (
        _texts("May hold for a sale", "会計での利用"),
        _texts(
            "Who may hold a customer's points for a sale",
            "会計のためにお客様のポイントを確保できるスタッフ",
        ),
    ),
    "staff_manage": (
        _texts("May read the books", "帳簿・ルール・稼働状況の閲覧"),
        _texts(
            "Who may read the shop's books, programme and state",
            "ショップの帳簿・ポイントのルール・稼働状況を閲覧できるスタッフ",
        ),
    ),
    "staff_points_per_action": (
        _texts("Points at once", "1回の上限"),
        _texts(
            "The most points a user may add or remove at once",
            "スタッフ1人が1回に追加・削除できるポイント",
        ),
    ),
    "staff_points_per_day": (
        _texts("Points a day", "1日の上限"),
        _texts(
            "The most points a user may add and remove in a day, both together",
            "スタッフ1人が1日に追加・削除できるポイントの合計",
        ),
    ),
    "metafields": (
        _texts("Customer metafields", "お客様のメタフィールド"),
        _texts(
            "Where Shopify keeps a copy of each customer's points",
            "お客様のポイントの写しをShopifyのどこに保存するか",
        ),
    ),
}
