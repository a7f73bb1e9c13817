"""The storefront of a fake shop, in the parts that a discount link leads to.

    GET /discount/<code>?redirect=/cart   remembers the code in a cookie, then redirects
    GET /cart                             a cart with one product, and what the code takes off it

As at Shopify the link accepts any code; whether it is valid shows in the cart.
"""

from datetime import datetime
from decimal import Decimal
from html import escape
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from string import Template
from urllib.parse import quote, unquote

from local.fakes.discounts import Discounts
from local.fakes.server import Html, Reply, Request

DISCOUNT_PATH = "/discount/"
CART_PATH = "/cart"

_COOKIE = "discount_code"
_PRICE = Decimal(3000)
_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cart</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.6 system-ui, sans-serif; margin: 2rem auto; max-width: 32rem; padding: 0 1rem }
dl { display: grid; grid-template-columns: 1fr auto; gap: 0.5rem 1rem }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums }
.total { font-weight: 700 }
</style>
</head>
<body>
<main>
<h1>Cart</h1>
<dl>
<dt>Coffee beans</dt><dd>$price</dd>
$discount<dt class="total">Total</dt><dd class="total" data-part="total">$total</dd>
</dl>
<p>This cart exists on a laptop only.</p>
</main>
</body>
</html>
""")


def storefront_reply(
    path: str, request: Request, discounts: Discounts, now: datetime
) -> Reply | None:
    """Return what the shop's own pages answer at `path`; None if there is no such page."""
    if request.method != "GET":
        return None
    if path.startswith(DISCOUNT_PATH):
        return _remember(unquote(path.removeprefix(DISCOUNT_PATH)), request)
    if path == CART_PATH:
        return Reply(HTTPStatus.OK, Html(_cart(_code(request), discounts, now)))
    return None


def _remember(code: str, request: Request) -> Reply:
    target = request.query.get("redirect", "/")
    if not target.startswith("/") or target.startswith("//"):
        target = "/"  # Shopify leads to pages of the shop only
    headers = {
        "Location": quote(target, safe="/?&=%"),
        "Set-Cookie": f"{_COOKIE}={quote(code, safe='')}; Path=/; SameSite=Lax",
    }
    return Reply(HTTPStatus.FOUND, Html(""), headers)


def _code(request: Request) -> str:
    try:
        found = SimpleCookie(request.headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return ""
    return unquote(found.value) if found else ""


def _cart(code: str, discounts: Discounts, now: datetime) -> str:
    found = discounts.by_code(code)
    valid = found is not None and found.status(now) == "ACTIVE" and not found.used
    off = min(_PRICE, found.amount) if found is not None and valid else Decimal(0)
    rows = ""
    if code:
        shown = f"\u2212{_yen(off)}" if valid else "not valid"
        rows = (
            f"<dt>Discount <code data-part=code>{escape(code)}</code></dt>"
            f"<dd data-part=discount>{shown}</dd>\n"
        )
    return _PAGE.substitute(price=_yen(_PRICE), discount=rows, total=_yen(_PRICE - off))


def _yen(amount: Decimal) -> str:
    return f"¥{amount:,.0f}"
