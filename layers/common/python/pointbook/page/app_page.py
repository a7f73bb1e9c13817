"""The app's page: what a merchant sees who opens the app from Shopify's admin, in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from string import Template

from pointbook.page.locale import Locale

CONTENT_TYPE = "text/html; charset=utf-8"

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}
"""The page has no scripts, loads nothing and is not embedded; its address has a signature in it."""

NOT_READY = "not_ready"
"""The status while the stack's secret cannot be read."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language; a placeholder `{shop}` stands for the shop's domain."""

    lead: str
    where: str
    flow: str
    my_page_name: str
    my_page: str
    engineers_name: str
    engineers: str
    status: str
    connected: str
    other_shop: str
    wrong_signature: str
    not_ready: str

    def places(self) -> tuple[tuple[str, str], ...]:
        """Return pairs of a place and what is there."""
        return (
            ("Shopify Flow", self.flow),
            (self.my_page_name, self.my_page),
            (self.engineers_name, self.engineers),
        )

    def sentence(self, status: str, shop: str) -> str:
        """Return the sentence for a shop's status. Raises KeyError for an unknown one."""
        sentences = {
            "connected": self.connected,
            "other_shop": self.other_shop,
            "wrong_signature": self.wrong_signature,
            NOT_READY: self.not_ready,
        }
        return sentences[status].format(shop=shop)


TEXTS: Mapping[Locale, Texts] = {
    "en": Texts(
        lead="The loyalty-points ledger of your shop. It works in the background: there is nothing"
        " to set on this page.",
        where="Where to find it",
        flow="Actions that grant, consume and report points, and triggers that start a workflow"
        " when points change or are about to expire. In the admin: Apps › Flow › Create workflow.",
        my_page_name="My page",
        my_page="Customers who are logged in see their points, their history and the codes with"
        " which they use points.",
        engineers_name="Your engineers",
        engineers="The points programme, corrections and imports are managed with the command"
        " pointbook.",
        status="Status",
        connected="{shop} is connected.",
        other_shop="{shop} is not connected yet: this installation serves other shops. Ask your"
        " engineers to add it to the parameter ShopDomain.",
        wrong_signature="Shopify's signature of this address is not valid. Open the app from the"
        " admin again. If this stays, the client secret in the stack's secret is not that of this"
        " app, and webhooks are refused as well: ask your engineers to correct it.",
        not_ready="The app is not ready: its secret cannot be read or has no client secret. Ask"
        " your engineers to fill it in.",
    ),
    "ja": Texts(
        lead="ストアのポイントを管理するアプリです。処理はすべて自動で行われ、この画面で設定する項目"
        "はありません。",
        where="ご利用いただける場所",
        flow="ポイントの付与・消費・照会を行うアクションと、ポイントの変動や失効予告で開始するトリガー"
        "をご利用いただけます。管理画面の［アプリ］＞［Flow］＞［ワークフローを作成］からお使いください。",
        my_page_name="マイページ",
        my_page="ログイン中のお客様に、保有ポイント、履歴、ポイントご利用時のクーポンコードを表示します。",
        engineers_name="エンジニアの方",
        engineers="ポイント制度の設定、ポイントの修正、残高の移行は、コマンド pointbook で"
        "行います。",
        status="接続状況",
        connected="{shop} は接続されています。",
        other_shop="{shop} はまだ接続されていません。エンジニアの方に、パラメータ ShopDomain"
        "への追加をご依頼ください。",
        wrong_signature="このアドレスの署名を確認できませんでした。管理画面からアプリを開き直してください。"
        "解消しない場合は、設定されているクライアントシークレットがこのアプリのものではなく、Webhookも"
        "受信できていません。エンジニアの方に修正をご依頼ください。",
        not_ready="アプリの準備ができていません。シークレットを読み取れないか、クライアントシークレットが"
        "設定されていません。エンジニアの方に設定をご依頼ください。",
    ),
}

_PAGE = Template("""<!doctype html>
<html lang="$locale">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pointbook</title>
<style>
body { color: #303030; font: 1rem/1.6 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 40rem; padding: 0 1rem }
h1 { font-size: 1.5rem }
h2 { font-size: 1.1rem; margin-top: 2rem }
dt { font-weight: 600 }
dd { margin: 0 0 1rem }
</style>
</head>
<body>
<main>
<h1>Pointbook</h1>
<p>$lead</p>
$status<h2>$where</h2>
<dl>
$places</dl>
</main>
</body>
</html>
""")


def app_page(locale: Locale, status: str | None, shop: str = "") -> str:
    """Return the page as HTML; `status` is the shop's, None if it is unknown."""
    texts = TEXTS[locale]
    status_html = ""
    if status is not None:
        sentence = texts.sentence(status, shop)
        status_html = (
            f'<h2>{escape(texts.status)}</h2>\n<p data-part="{status}">{escape(sentence)}</p>\n'
        )
    places = "".join(
        f"<dt>{escape(place)}</dt>\n<dd>{escape(what)}</dd>\n" for place, what in texts.places()
    )
    return _PAGE.substitute(
        locale=locale,
        lead=escape(texts.lead),
        where=escape(texts.where),
        status=status_html,
        places=places,
    )
