"""Sample events of the staff: `staff_release_hold` ends the hold of `staff_create_hold/sale`.

All are of the demo shop's manager, who may do everything, unless the name of a case says otherwise.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local import demo
from tools.shopify_payloads import ORDER

KEY = "0b0c7a1e-55c1-4c0f-9a37-5b1d2e3f4a60"
MANAGER, COUNTER, NEWCOMER = demo.STAFF

type Case = tuple[str, str, Mapping[str, Any]]
type Http = Callable[[str, str, dict[str, str], bytes], dict[str, Any]]
type Token = Callable[..., str]

_CUSTOMERS = "/v1/staff/customers"


def staff_cases(
    http: Http, token: Token, customers_token: str, customer: str, hold_id: str
) -> Iterator[Case]:
    """Function, name of the case, event; `token` makes the token of a member of the staff.

    `hold_id` is that of the staff's hold under `KEY`.
    """
    requests = _Requests(http, token, customer)
    yield from _me(requests, customers_token)
    yield from _reads(requests, customers_token)
    yield from _manage(requests, customers_token)
    yield from _adjust(requests, customers_token)
    yield from _create(requests, customers_token)
    yield from _release(requests, customers_token, hold_id)


class _Requests:
    """Makes the events of requests."""

    def __init__(self, http: Http, token: Token, customer: str) -> None:
        self._http, self._token, self._customer = http, token, customer

    def bearer(self, staff_id: str = MANAGER, **kind: Any) -> dict[str, str]:
        """The header that proves a member of the staff."""
        return {"authorization": f"Bearer {self._token(staff_id, **kind)}"}

    def get_me(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """Who is it?"""
        return self._http("GET", "/v1/staff/me", dict(headers), b"")

    def get(
        self,
        path: str,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        **parameters: str,
    ) -> dict[str, Any]:
        """A read."""
        sent = dict(self.bearer() if headers is None else headers)
        event = self._http("GET", f"/v1/staff/{path}", sent, b"")
        return event | {"rawQueryString": query, "pathParameters": parameters}

    def get_customer(
        self, end: str, query: str = "", customer: str = "", **more: Any
    ) -> dict[str, Any]:
        """A read of a customer."""
        customer = customer or self._customer
        return self.get(f"customers/{customer}{end}", query, customer=customer, **more)

    def post_preview(self, content: object) -> dict[str, Any]:
        """A preview of a change of the programme."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {"content-type": "application/json", **self.bearer()}
        return self._http("POST", "/v1/staff/programme/preview", headers, body)

    def post(
        self,
        what: str,
        content: object,
        headers: Mapping[str, str] | None = None,
        customer: str = "",
        **more: str,
    ) -> dict[str, Any]:
        """A write for a customer."""
        customer = customer or self._customer
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        sent = {"content-type": "application/json"}
        sent |= self.bearer() if headers is None else headers
        event = self._http("POST", f"{_CUSTOMERS}/{customer}/{what}", sent, body)
        return event | {"pathParameters": {"customer": customer, **more}}


def _strangers(requests: _Requests, customers_token: str) -> Iterator[tuple[str, dict[str, str]]]:
    yield "no_token", {}
    yield "by_cookie", {"cookie": f"sessionToken={requests.bearer()['authorization'][7:]}"}
    yield "customers_token", {"authorization": f"Bearer {customers_token}"}
    yield "expired_token", requests.bearer(expired=True)
    yield "forged_token", {"authorization": f"{requests.bearer()['authorization'][:-4]}AAAA"}


def _me(requests: _Requests, customers_token: str) -> Iterator[Case]:
    function = "staff_me"
    for case, staff_id in (("manager", MANAGER), ("counter", COUNTER), ("newcomer", NEWCOMER)):
        yield function, case, requests.get_me(requests.bearer(staff_id))
    for case, headers in _strangers(requests, customers_token):
        yield function, case, requests.get_me(headers)


def _reads(requests: _Requests, customers_token: str) -> Iterator[Case]:
    account, history, order = "staff_show_account", "staff_account_history", "staff_explain_order"
    strangers = tuple(_strangers(requests, customers_token))
    newcomer = requests.bearer(NEWCOMER)
    for function, end in ((account, ""), (history, "/history")):
        yield function, "get", requests.get_customer(end)
        yield function, "by_newcomer", requests.get_customer(end, headers=newcomer)
        yield function, "customer_unknown_form", requests.get_customer(end, customer="me")
        for case, headers in strangers:
            yield function, case, requests.get_customer(end, headers=headers)
    for case, at in (
        ("as_of", "2026-01-31T09%3A00%3A00%2B09%3A00"),
        ("instant_without_zone", "2026-01-31T09%3A00%3A00"),
        ("instant_to_come", "2099-01-01T00%3A00%3A00Z"),
    ):
        yield account, case, requests.get_customer("", f"at={at}")
    yield history, "own", requests.get_customer("/history", "own=1")
    yield history, "limit_too_high", requests.get_customer("/history", "limit=201")

    def get_order(order_id: str = str(ORDER), **more: Any) -> dict[str, Any]:
        return requests.get(f"orders/{order_id}", order_id=order_id, **more)

    yield order, "get", get_order()
    yield order, "by_newcomer", get_order(headers=newcomer)
    yield order, "unknown_order", get_order("1")
    yield order, "order_no_number", get_order("first")
    for case, headers in strangers:
        yield order, case, get_order(headers=headers)


def _manage(requests: _Requests, customers_token: str) -> Iterator[Case]:
    books, programme, status = "staff_books", "staff_programme", "staff_status"
    yield books, "month", requests.get("books", "month=2026-11")
    yield books, "month_to_come", requests.get("books", "month=2099-01")
    yield books, "month_unknown_form", requests.get("books", "month=November")
    preview = requests.post_preview
    asked = {"rules": {"points_per_unit": "2"}, "order": {"amount": 10_000}}
    yield programme, "rules", requests.get("programme")
    yield programme, "in_japanese", requests.get("programme", "locale=ja")
    yield programme, "preview", preview(asked)
    yield programme, "preview_of_errors", preview({"rules": {"points_per_unit": "many"}})
    yield programme, "rules_no_object", preview({"rules": ["points_per_unit"]})
    yield programme, "amount_no_number", preview(asked | {"order": {"amount": "much"}})
    yield programme, "not_json", preview(b"rules")
    yield status, "now", requests.get("status")
    for function in (books, programme, status):
        path = function.removeprefix("staff_")
        counter = requests.bearer(COUNTER)
        yield function, "by_another", requests.get(path, headers=counter)
        for case, headers in _strangers(requests, customers_token):
            yield function, case, requests.get(path, headers=headers)


def _adjust(requests: _Requests, customers_token: str) -> Iterator[Case]:
    function, give = (
        "staff_adjust_points",
        {"points": 200, "reason": "Sorry", "idempotency_key": KEY},
    )

    def post(changes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        return requests.post("adjustments", {**give, **changes}, **more)

    yield function, "add", post({})
    yield function, "add_until", post({"expires_on": "2099-12-31", "idempotency_key": "until"})
    yield function, "remove", post({"points": -200, "idempotency_key": "remove"})
    yield function, "preview", post({"preview": True})
    yield function, "pressed_by_another", post({"by": COUNTER, "idempotency_key": "by"})
    yield function, "remove_too_many", post({"points": -999, "idempotency_key": "too-many"})
    yield function, "too_many_at_once", post({"points": 1001})
    yield function, "too_many_removed_at_once", post({"points": -1001})
    yield function, "at_the_counter", post({}, headers=requests.bearer(COUNTER))
    yield function, "by_newcomer", post({}, headers=requests.bearer(NEWCOMER))
    yield (
        function,
        "preview_by_newcomer",
        post({"preview": True}, headers=requests.bearer(NEWCOMER)),
    )
    yield function, "no_key", post({"idempotency_key": None})
    yield function, "points_zero", post({"points": 0})
    yield function, "points_fraction", post({"points": 1.5})
    yield function, "reason_missing", post({"reason": " "})
    yield function, "day_past", post({"expires_on": "2020-12-31"})
    yield function, "day_of_removal", post({"points": -1, "expires_on": "2099-12-31"})
    yield function, "preview_as_text", post({"preview": "true"})
    yield function, "by_unknown_form", post({"by": "Mika"})
    yield function, "customer_unknown_form", post({}, customer="me")
    yield function, "not_json", requests.post("adjustments", b"points=200")
    for case, headers in _strangers(requests, customers_token):
        yield function, case, post({}, headers=headers)


def _create(requests: _Requests, customers_token: str) -> Iterator[Case]:
    function, hold = "staff_create_hold", {"points": 500, "idempotency_key": KEY}

    def post(changes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        return requests.post("holds", {**hold, **changes}, **more)

    yield function, "sale", post({})
    yield function, "at_the_counter", post({}, headers=requests.bearer(COUNTER))
    yield function, "by_newcomer", post({}, headers=requests.bearer(NEWCOMER))
    yield function, "no_key", post({"idempotency_key": None})
    yield function, "points_missing", post({"points": None})
    yield function, "points_zero", post({"points": 0})
    yield function, "points_too_many", post({"points": 1_000_000_001})
    yield function, "another_key", post({"idempotency_key": "another-sale"})
    yield function, "by_unknown_form", post({"by": [COUNTER]})
    yield function, "customer_unknown_form", post({}, customer="me")
    yield function, "not_json", requests.post("holds", b"points=500")
    for case, headers in _strangers(requests, customers_token):
        yield function, case, post({}, headers=headers)


def _release(requests: _Requests, customers_token: str, hold_id: str) -> Iterator[Case]:
    function = "staff_release_hold"

    def post(
        hold_id: str = hold_id, content: bytes | Mapping[str, str] | None = None, **more: Any
    ) -> dict[str, Any]:
        body = {} if content is None else content
        return requests.post(f"holds/{hold_id}/release", body, hold_id=hold_id, **more)

    yield function, "given_up", post()
    yield function, "pressed_by_another", post(content={"by": COUNTER})
    yield function, "at_the_counter", post(headers=requests.bearer(COUNTER))
    yield function, "by_newcomer", post(headers=requests.bearer(NEWCOMER))
    yield function, "unknown_hold", post("0" * 32)
    yield function, "by_unknown_form", post(content={"by": "Mika"})
    yield function, "not_json", post(content=b"by=1")
    yield function, "customer_unknown_form", post(customer="me")
    for case, headers in _strangers(requests, customers_token):
        yield function, case, post(headers=headers)
