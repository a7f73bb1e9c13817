"""A fake Shopify: app access tokens and the Admin API on the real schema.

    python -m local.fakes.shopify --port 8084 --shop demo.myshopify.com

With several shops, `/<shop>/admin/...` names one; `/admin/...` is the first. Its control API, in
addition to `control.py`:

    GET  /_discounts   every code discount
    GET  /_triggers    every Flow trigger that was accepted
    GET  /discount/<code>?redirect=/cart, /cart    the shop's own pages: see storefront.py
    GET  /_metafields  ?customer=<number>: a customer's metafields, {"points_approved": "950", ...};
                       those outside of the app's namespace are {"<namespace>.<key>": ...}.
                       `&shop=` names a shop, by default the first
    POST /_redeem      {"code", "customer_id", "shop"}: use a code at a checkout; 422 says why not,
                       404 that there is no such shop; `shop` defaults to the first
    POST /_delete_discounts    delete every code discount
    POST /_graphql     {"query", "variables"}: the Admin API of the first shop, as the admin calls
                       it for the staff who is logged in
    POST /_order       an order as the webhooks carry it, and "shop": set what the Admin API answers
                       for this order; sends nothing. 400 says what is wrong with it
    POST /_customer    {"id", "tags", "state", "email", "display_name", "metafields", "shop"}: set
                       what the Admin API answers for a customer; sends nothing. Members that are
                       missing stay as they are; `metafields` are [{"namespace", "key", "value"}].
                       From then on only that shop has the customer (default: the first)
"""

import argparse
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import responses
from pathlib import Path
from typing import Any, override
from urllib.parse import parse_qsl

from local import demo
from local.fakes.control import Behaviour, Call
from local.fakes.customers import BadCustomer, number_of
from local.fakes.discounts import Discounts, NotRedeemable
from local.fakes.flow_triggers import Triggers
from local.fakes.orders import BadOrder
from local.fakes.server import Reply, Request, Service, run
from local.fakes.shopify_graphql import AdminApi, Context, Shop, throttled_answer
from local.fakes.shopify_schema import API_VERSION, SCHEMA_FILE, write_date_time
from local.fakes.storefront import storefront_reply

TOKEN_SECONDS = 86_399
_TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105 (a path)
_GRAPHQL_PATH = f"/admin/api/{API_VERSION}/graphql.json"
_CURRENCY = "JPY"
_RETRY_AFTER = "2.0"
_UNAUTHORIZED = "[API] Invalid API key or access token (unrecognized login or wrong password)"


@dataclass(frozen=True, slots=True)
class App:
    """The app as Shopify knows it. `clock_file` has the offset of the shops' clock."""

    shops: tuple[str, ...]
    client_id: str = demo.SHOPIFY_CLIENT_ID
    client_secret: str = demo.CLIENT_SECRET
    clock_file: Path | None = None

    def now(self) -> datetime:
        """Return the shops' time, by the laptop stack's clock."""
        now = datetime.now(UTC)
        if self.clock_file is None:
            return now
        ahead = json.loads(self.clock_file.read_text(encoding="utf-8"))["offset_seconds"]
        return now + timedelta(seconds=ahead)


class ShopifyService(Service):
    """Answers as Shopify does, in the parts that Pointbook uses."""

    def __init__(self, app: App, schema_file: Path) -> None:
        self._app = app
        self._admin = AdminApi(schema_file)
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[str, float]] = {}
        self._client_secrets = [app.client_secret]
        self._shops = {
            domain: Shop(domain, Discounts(_CURRENCY), Triggers(), _CURRENCY)
            for domain in app.shops
        }
        self._commands: Mapping[tuple[str, str], Callable[[Request], Reply]] = {
            ("GET", "/_discounts"): self._all_discounts,
            ("GET", "/_triggers"): self._all_triggers,
            ("GET", "/_metafields"): self._metafields,
            ("POST", "/_delete_discounts"): self._delete_discounts,
            ("POST", "/_graphql"): self._query_as_staff,
            ("POST", "/_redeem"): self._redeem,
            ("POST", "/_customer"): self._put_customer,
            ("POST", "/_order"): self._put_order,
            ("POST", "/_client_secrets"): self._put_client_secrets,
        }

    @override
    def describe(self, request: Request) -> Call:
        _, path = self._shop_and_path(request)
        if path == _TOKEN_PATH:
            form = _form(request)
            return Call("token", {name: form.get(name) for name in ("client_id", "grant_type")})
        document = _document(request)
        field = self._admin.root_field(*document) if document else None
        if field is None:
            return Call(None, {})
        return Call(field.name, field.arguments, _customer(field.arguments))

    @override
    def answer(self, request: Request, behaviour: Behaviour) -> Reply:
        shop, path = self._shop_and_path(request)
        if shop is None:
            return self.failure(HTTPStatus.NOT_FOUND)
        page = storefront_reply(path, request, shop.discounts, self._app.now())
        if page is not None or request.method != "POST":
            return page or self.failure(HTTPStatus.NOT_FOUND)
        if path == _TOKEN_PATH:
            return self._issue_token(request, shop)
        if path != _GRAPHQL_PATH:
            return self.failure(HTTPStatus.NOT_FOUND)
        if not self._is_authorized(request, shop):
            return Reply(HTTPStatus.UNAUTHORIZED, {"errors": _UNAUTHORIZED})
        document = _document(request)
        if document is None:
            return self.failure(HTTPStatus.BAD_REQUEST)
        others = tuple(one for one in self._shops.values() if one is not shop)
        context = Context(shop, self._app.now(), behaviour.forget, others)
        return Reply(HTTPStatus.OK, self._admin.run(*document, context))

    @override
    def failure(self, status: int) -> Reply:
        wait = {"Retry-After": _RETRY_AFTER} if status == HTTPStatus.TOO_MANY_REQUESTS else {}
        return Reply(status, {"errors": responses.get(status, "Failure")}, wait)

    @override
    def throttled(self) -> Reply:
        return Reply(HTTPStatus.OK, throttled_answer())

    @override
    def command(self, request: Request) -> Reply | None:
        command = self._commands.get((request.method, request.path))
        return command(request) if command else None

    def revoke_tokens(self) -> None:
        """Invalidate every token issued so far."""
        with self._lock:
            self._tokens.clear()

    def _shop_and_path(self, request: Request) -> tuple[Shop | None, str]:
        """Return the shop that the request is for and the path after its name."""
        first, slash, rest = request.path.removeprefix("/").partition("/")
        if first.endswith(".myshopify.com"):
            return self._shops.get(first), slash + rest
        return self._shops[self._app.shops[0]], request.path

    def _issue_token(self, request: Request, shop: Shop) -> Reply:
        """The client-credentials grant of an app for shops of its own organisation."""
        form = _form(request)
        if form.get("grant_type") != "client_credentials":
            return _oauth_error("unsupported_grant_type")
        known = form.get("client_secret") in self._client_secrets
        if form.get("client_id") != self._app.client_id or not known:
            return _oauth_error("invalid_client")
        token = f"shpat_{secrets.token_hex(16)}"
        with self._lock:
            self._tokens[token] = (shop.domain, time.monotonic() + TOKEN_SECONDS)
        # Shopify leaves out what a scope to write implies.
        scope = "read_customer_merge,read_orders,write_app_proxy,write_customers,write_discounts"
        answer = {"access_token": token, "scope": scope, "expires_in": TOKEN_SECONDS}
        return Reply(HTTPStatus.OK, answer)

    def _is_authorized(self, request: Request, shop: Shop) -> bool:
        token = request.headers.get("x-shopify-access-token", "")
        domain, good_until = self._tokens.get(token, ("", 0.0))
        return domain == shop.domain and time.monotonic() < good_until

    def _all_discounts(self, _: Request) -> Reply:
        now = self._app.now()
        found = [
            {"shop": shop.domain, "code": discount.code} | shop.discounts.node(discount, now)
            for shop in self._shops.values()
            for discount in shop.discounts.all()
        ]
        return Reply(HTTPStatus.OK, found)

    def _delete_discounts(self, _: Request) -> Reply:
        for shop in self._shops.values():
            shop.discounts.delete_all()
        return Reply(HTTPStatus.OK, {})

    def _query_as_staff(self, request: Request) -> Reply:
        """The Admin API as the admin itself calls it for who is logged in, without a token."""
        document = _document(request)
        if document is None:
            return self.failure(HTTPStatus.BAD_REQUEST)
        shop = self._shops[self._app.shops[0]]
        return Reply(
            HTTPStatus.OK, self._admin.run(*document, Context(shop, self._app.now(), None))
        )

    def _all_triggers(self, _: Request) -> Reply:
        found = [
            {
                "shop": shop.domain,
                "at": write_date_time(trigger.at),
                "handle": trigger.handle,
                "payload": trigger.payload,
            }
            for shop in self._shops.values()
            for trigger in shop.triggers.all()
        ]
        return Reply(HTTPStatus.OK, found)

    def _metafields(self, request: Request) -> Reply:
        shop = self._named_shop(request.query)
        if shop is None:
            return _no_shop(request.query)
        digits = request.query.get("customer", "").rpartition("/")[2]
        customer = number_of(f"gid://shopify/Customer/{digits}")
        if customer is None:
            message = "customer must be a customer's number, as in /_metafields?customer=1"
            return Reply(HTTPStatus.BAD_REQUEST, {"message": message})
        return Reply(HTTPStatus.OK, shop.metafields.of_customer(customer))

    def _put_customer(self, request: Request) -> Reply:
        given = _object(request)
        if given is None:
            return Reply(
                HTTPStatus.BAD_REQUEST,
                {"message": 'the body must be a JSON object such as {"id", "tags"}'},
            )
        shop = self._named_shop(given)
        if shop is None:
            return _no_shop(given)
        try:
            customer = shop.customers.put(given)
        except BadCustomer as error:
            return Reply(HTTPStatus.BAD_REQUEST, {"message": str(error)})
        return Reply(HTTPStatus.OK, customer.node())

    def _put_order(self, request: Request) -> Reply:
        given = _object(request)
        if given is None:
            message = "the body must be an order as the webhooks carry it: a JSON object"
            return Reply(HTTPStatus.BAD_REQUEST, {"message": message})
        shop = self._named_shop(given)
        if shop is None:
            return _no_shop(given)
        try:
            order = shop.orders.put(given)
        except BadOrder as error:
            return Reply(HTTPStatus.BAD_REQUEST, {"message": str(error)})
        kept = {name: order[name] for name in ("id", "updatedAt")}
        return Reply(HTTPStatus.OK, kept)

    def _put_client_secrets(self, request: Request) -> Reply:
        """Replace the secrets that the app may ask for tokens with, as a rotation does."""
        try:
            accepted: Any = request.json()
            self._client_secrets = [str(one) for one in accepted]
        except (ValueError, TypeError):
            return Reply(HTTPStatus.BAD_REQUEST, {"message": 'the body must be ["...", ...]'})
        return Reply(HTTPStatus.OK, {"accepted": len(self._client_secrets)})

    def _named_shop(self, given: Mapping[str, object]) -> Shop | None:
        return self._shops.get(str(given.get("shop") or self._app.shops[0]))

    def _redeem(self, request: Request) -> Reply:
        given = _object(request)
        if given is None:
            return Reply(
                HTTPStatus.BAD_REQUEST,
                {"message": 'the body must be a JSON object such as {"code", "customer_id"}'},
            )
        shop = self._named_shop(given)
        if shop is None:
            return _no_shop(given)
        digits = str(given.get("customer_id", "")).rpartition("/")[2]
        customer = f"gid://shopify/Customer/{digits}"
        try:
            discount = shop.discounts.redeem(str(given.get("code", "")), customer, self._app.now())
        except NotRedeemable as error:
            return Reply(HTTPStatus.UNPROCESSABLE_ENTITY, {"message": str(error)})
        return Reply(HTTPStatus.OK, shop.discounts.node(discount, self._app.now()))


def _object(request: Request) -> dict[str, object] | None:
    """Return the JSON object of a control request; None if it is not one."""
    try:
        given = request.json()
    except ValueError:
        return None
    return given if isinstance(given, dict) else None


def _no_shop(given: Mapping[str, object]) -> Reply:
    return Reply(HTTPStatus.NOT_FOUND, {"message": f"there is no shop {given.get('shop')}"})


def _document(request: Request) -> tuple[str, Mapping[str, Any]] | None:
    """Return query and variables of a GraphQL request; None if it is malformed."""
    try:
        body = request.json()
    except ValueError:
        return None
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        return None
    variables = body.get("variables") or {}
    return (body["query"], variables) if isinstance(variables, dict) else None


def _form(request: Request) -> Mapping[str, object]:
    """Return the fields of a token request, sent as JSON or as a form."""
    if "json" not in request.headers.get("content-type", ""):
        return dict(parse_qsl(request.body.decode("utf-8", "replace")))
    try:
        fields = request.json()
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _customer(arguments: Mapping[str, Any]) -> str | None:
    """Return the digits of the customer that a discount, a trigger or a query is about."""
    if number := number_of(str(arguments.get("id", ""))):
        return number
    if metafields := arguments.get("metafields"):
        return ",".join({str(one["ownerId"]).rpartition("/")[2]: None for one in metafields})
    payload = arguments.get("payload")
    if isinstance(payload, dict) and "customer_id" in payload:
        return str(payload["customer_id"])
    context = (arguments.get("basicCodeDiscount") or {}).get("context") or {}
    customers = (context.get("customers") or {}).get("add") or []
    return str(customers[0]).rpartition("/")[2] if customers else None


def _oauth_error(error: str) -> Reply:
    return Reply(HTTPStatus.BAD_REQUEST, {"error": error, "error_description": error})


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A fake Shopify on 127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--shop", action="append", help=f"default: {demo.SHOP_DOMAIN}")
    parser.add_argument("--client-id", default=demo.SHOPIFY_CLIENT_ID)
    parser.add_argument("--client-secret", default=demo.CLIENT_SECRET)
    parser.add_argument("--schema", type=Path, default=SCHEMA_FILE)
    parser.add_argument("--clock-file", type=Path)
    given = parser.parse_args()
    shops = tuple(given.shop or [demo.SHOP_DOMAIN])
    app = App(shops, given.client_id, given.client_secret, given.clock_file)
    run(ShopifyService(app, given.schema), given.port, "Shopify")


if __name__ == "__main__":
    main()
