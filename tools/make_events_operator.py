"""Sample events of operators' requests, as API Gateway sends them after IAM authorization."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local import demo
from pointbook.services.bulk_imports.runs import PART, PLAN, Kind, Run
from pointbook.services.message import Message, message_text
from tools.make_events_webhooks import RECEIVED_AT, sqs_event
from tools.shopify_payloads import ORDER

type Case = tuple[str, str, Mapping[str, Any]]
type Http = Callable[[str, str, dict[str, str], bytes], dict[str, Any]]

IAM = {
    "accessKey": "ASIAIOSFODNN7EXAMPLE",
    "accountId": "000000000000",
    "callerId": "AROACKCEVSQ6C2EXAMPLE:hanako",
    "cognitoIdentity": None,
    "principalOrgId": None,
    "userArn": "arn:aws:sts::000000000000:assumed-role/PointbookOperator/hanako",
    "userId": "AROACKCEVSQ6C2EXAMPLE:hanako",
}

IMPORT_ID = "2026-11-move"
RUN_ID = "20261130T090000-1a2b3c4d"

LONE_SURROGATE = rb'{"points": 200, "reason": "\ud83d", "rows": []}'


def operator_cases(http: Http, customer: str, other_customer: str) -> Iterator[Case]:
    """Function, name of the case, event; `http` makes the event of a request."""
    yield from _adjust(http, customer)
    yield from _extend(http, customer)
    yield from _reads(http, customer)
    yield from _import(http, customer, other_customer)
    yield from _import_runs(http)
    yield from _import_rows()


def signed(event: dict[str, Any], **path_parameters: str) -> dict[str, Any]:
    """Return the event of a request that IAM has authorized."""
    event["requestContext"]["authorizer"] = {"iam": IAM}
    return event | {"pathParameters": path_parameters}


def _body(content: object) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def _adjust(http: Http, customer: str) -> Iterator[Case]:
    def post(
        content: object, key: str | None = "sample", customer: str = customer
    ) -> dict[str, Any]:
        headers = {"content-type": "application/json"}
        headers |= {"idempotency-key": key} if key is not None else {}
        path = f"/v1/operator/customers/{customer}/adjustments"
        return signed(http("POST", path, headers, _body(content)), customer=customer)

    function, give = "adjust_points", {"points": 200, "reason": "Sorry for the delay"}
    yield function, "add", post(give)
    yield function, "add_until", post(give | {"expires_on": "2099-12-31"}, "until")
    yield function, "remove", post({"points": -200, "reason": "Booked twice"}, "remove")
    yield function, "remove_too_many", post({"points": -9000, "reason": "Wrong"}, "too-many")
    follow = give | {"origin": "till", "by": "Hanako"}
    yield function, "as_at_the_till", post(follow, "as-at-the-till")
    yield function, "origin_unknown", post(give | {"origin": "shop"}, "origin")
    yield function, "by_too_long", post(give | {"by": "H" * 65}, "by")
    yield function, "by_gid", post(give, customer=f"gid%3A%2F%2Fshopify%2FCustomer%2F{customer}")
    not_signed = post(give)
    del not_signed["requestContext"]["authorizer"]
    yield function, "not_signed", not_signed
    yield function, "no_key", post(give, None)
    yield function, "blank_key", post(give, " ")
    yield function, "points_zero", post(give | {"points": 0})
    yield function, "points_fraction", post(give | {"points": 1.5})
    yield function, "points_too_many", post(give | {"points": 1_000_000_001})
    yield function, "reason_missing", post({"points": 200})
    yield function, "day_past", post(give | {"expires_on": "2020-12-31"}, "past")
    yield function, "day_unknown_form", post(give | {"expires_on": "31.12.2099"})
    yield function, "day_of_removal", post(give | {"points": -1, "expires_on": "2099-12-31"})
    yield function, "customer_unknown_form", post(give, customer="Taro")
    yield function, "unknown_shop", post(give | {"shop": "other.myshopify.com"})
    yield function, "not_json", post(b"points=200")
    yield function, "lone_surrogate", post(LONE_SURROGATE)


def _extend(http: Http, customer: str) -> Iterator[Case]:
    def post(content: object, key: str | None = "sample") -> dict[str, Any]:
        headers = {"content-type": "application/json"}
        headers |= {"idempotency-key": key} if key is not None else {}
        path = f"/v1/operator/customers/{customer}/extensions"
        return signed(http("POST", path, headers, _body(content)), customer=customer)

    function = "extend_points"
    later = {
        "expires_on": "2099-12-31",
        "new_expires_on": "2100-03-31",
        "reason": "The shop was closed",
    }
    yield function, "extend", post(later)
    earlier = {"expires_on": "2098-12-31", "new_expires_on": "2099-12-31"}
    yield function, "no_such_lot", post(later | earlier, "no-such-lot")
    not_signed = post(later)
    del not_signed["requestContext"]["authorizer"]
    yield function, "not_signed", not_signed
    yield function, "no_key", post(later, None)
    yield function, "day_missing", post(later | {"expires_on": None})
    yield function, "day_not_later", post(later | {"new_expires_on": "2099-12-31"})
    yield function, "day_unknown_form", post(later | {"new_expires_on": "31.03.2100"})
    yield function, "reason_missing", post(later | {"reason": ""})
    yield function, "unknown_shop", post(later | {"shop": "other.myshopify.com"})
    yield function, "not_json", post(b"expires_on=2099-12-31")
    yield function, "lone_surrogate", post(LONE_SURROGATE)


def _reads(http: Http, customer: str) -> Iterator[Case]:
    def get(path: str, query: str = "", **parameters: str) -> dict[str, Any]:
        event = signed(http("GET", f"/v1/operator/{path}", {}, b""), **parameters)
        return event | {"rawQueryString": query}

    def of(customer: str, end: str = "", query: str = "") -> dict[str, Any]:
        return get(f"customers/{customer}{end}", query, customer=customer)

    for function, end in (
        ("show_account", ""),
        ("account_history", "/history"),
        ("check_customer", "/check"),
    ):
        yield function, "get", of(customer, end)
        not_signed = of(customer, end)
        del not_signed["requestContext"]["authorizer"]
        yield function, "not_signed", not_signed
        yield function, "customer_unknown_form", of("Taro", end)
        yield function, "unknown_shop", of(customer, end, "shop=other.myshopify.com")
    yield "show_account", "as_of", of(customer, query="at=2026-01-31T09%3A00%3A00%2B09%3A00")
    yield "show_account", "instant_without_zone", of(customer, query="at=2026-01-31T09%3A00%3A00")
    yield "show_account", "instant_to_come", of(customer, query="at=2099-01-01T00%3A00%3A00Z")
    yield "account_history", "own", of(customer, "/history", "own=1")
    yield "account_history", "limit_too_high", of(customer, "/history", "limit=201")

    def order(order_id: str, query: str = "") -> dict[str, Any]:
        return get(f"orders/{order_id}", query, order_id=order_id)

    yield "explain_order", "get", order(str(ORDER))
    not_signed = order(str(ORDER))
    del not_signed["requestContext"]["authorizer"]
    yield "explain_order", "not_signed", not_signed
    yield "explain_order", "unknown_order", order("1")
    yield "explain_order", "order_no_number", order("first")
    yield "explain_order", "unknown_shop", order(str(ORDER), "shop=other.myshopify.com")


def _import(http: Http, customer: str, other_customer: str) -> Iterator[Case]:
    def post(content: object, import_id: str = "2026-11-move") -> dict[str, Any]:
        path, headers = f"/v1/operator/imports/{import_id}", {"content-type": "application/json"}
        return signed(http("POST", path, headers, _body(content)), import_id=import_id)

    function = "import_points"
    first = {
        "row": 1,
        "customer_id": customer,
        "title": "Balance of the old shop",
        "point": 500,
        "expired_at": "2099-12-31",
        "created_at": "2025-04-01",
    }
    second = first | {"row": 2, "customer_id": other_customer, "point": "300", "expired_at": None}
    past = second | {"row": 3, "expired_at": "2020-12-31"}
    wrong = [past, first | {"row": 4, "point": 0}, first | {"row": 5, "customer_id": "Taro"}]
    rows = {"rows": [first, second]}
    yield function, "run", post(rows)
    yield function, "dry_run", post(rows | {"dry_run": True})
    yield function, "some_refused", post({"rows": [first, *wrong]})
    not_signed = post(rows)
    del not_signed["requestContext"]["authorizer"]
    yield function, "not_signed", not_signed
    many = [first | {"row": number} for number in range(1, 102)]
    yield function, "too_many_rows", post({"rows": many})
    yield function, "no_rows", post({"rows": []})
    yield function, "row_twice", post({"rows": [first, first]})
    yield function, "row_without_number", post({"rows": [first | {"row": None}]})
    yield function, "dry_run_as_text", post(rows | {"dry_run": "no"})
    yield function, "import_id_unknown_form", post(rows, "November move")
    yield function, "unknown_shop", post(rows | {"shop": "other.myshopify.com"})
    yield function, "not_json", post(b"row=1")
    yield function, "lone_surrogate", post(LONE_SURROGATE)


def _import_runs(http: Http) -> Iterator[Case]:
    function, path = "import_runs", "/v1/operator/imports/2026-11-move"

    def post(content: object, import_id: str = "2026-11-move") -> dict[str, Any]:
        where = f"/v1/operator/imports/{import_id}/runs"
        sent = http("POST", where, {"content-type": "application/json"}, _body(content))
        return signed(sent, import_id=import_id)

    run = {"run_id": RUN_ID}
    yield function, "start", post(run)
    yield function, "dry_run", post(run | {"dry_run": True})
    yield function, "undo", post(run | {"kind": "undo"})
    yield function, "report", signed(http("GET", path, {}, b""), import_id="2026-11-move")
    not_signed = post(run)
    del not_signed["requestContext"]["authorizer"]
    yield function, "not_signed", not_signed
    yield function, "no_file", post({"run_id": "20261130T090000-00000000"})
    undo_none = post(run | {"kind": "undo"}, "another")
    yield function, "undo_of_none", undo_none
    yield function, "kind_unknown", post(run | {"kind": "export"})
    yield function, "run_id_unknown_form", post({"run_id": "1"})
    yield function, "dry_run_as_text", post(run | {"dry_run": "no"})
    yield function, "import_id_unknown_form", post(run, "November move")
    yield function, "unknown_shop", post(run | {"shop": "other.myshopify.com"})
    yield function, "not_json", post(b"run=1")
    yield function, "lone_surrogate", post(LONE_SURROGATE)
    unknown = signed(http("GET", "/v1/operator/imports/another", {}, b""), import_id="another")
    yield function, "report_of_none", unknown


def _import_rows() -> Iterator[Case]:
    actor = "assumed-role/PointbookOperator/hanako"
    run = Run(demo.SHOP_DOMAIN, "2026-11-move", RUN_ID, Kind.IMPORT, False, actor)

    def message(topic: str, **more: object) -> str:
        payload = {"id": f"2026-11-move/{RUN_ID}", **run.as_json(), **more}
        return message_text(Message(topic, run.shop, RECEIVED_AT, RUN_ID, payload))

    function = "import_rows"
    yield function, "plan", sqs_event(function, message(PLAN))
    yield function, "rows", sqs_event(function, message(PART, part=1))
    yield function, "unreadable", sqs_event(function, "{")
