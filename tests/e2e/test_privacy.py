"""Nothing of an erased customer is left anywhere in the running stack, and no sum has changed."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from typing import Any

import boto3
import pytest
from botocore.config import Config

from cli import redrive
from cli.output import Output
from local import webhooks
from local.stack import Stack
from pointbook.store import order_items
from tests.e2e.asking import ask, bearer, flow, invoke, points
from tests.e2e.checkout import Checkout
from tests.e2e.log_lines import log_lines
from tests.e2e.queues import Queues, wait_until
from tests.support.hold_orders import order_payload
from tests.support.leftovers import leftovers, named_in, shop_balances, wrong_accounts
from tools import shopify_payloads
from tools.make_events_webhooks import body_of

ORDER_CREATED = "orders/create"


class Everything:
    """All that the stack keeps: table, queues, files, and the log lines since this was made."""

    def __init__(self, stack: Stack) -> None:
        where: Any = {"endpoint_url": stack.aws_endpoint_url, "region_name": stack.aws_region}
        self._table = stack.table_name
        self._since_ms = int(time.time() * 1000) - 1_000
        self.dynamodb: Any = boto3.client("dynamodb", **where)
        self.sqs: Any = boto3.client("sqs", **where)
        self.logs: Any = boto3.client("logs", **where)
        self.s3: Any = boto3.client("s3", config=Config(s3={"addressing_style": "path"}), **where)

    def items(self) -> list[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self._table)
        return [item for page in pages for item in page["Items"]]

    def texts(self) -> Iterator[tuple[str, str]]:
        """Where something stands, and what."""
        for item in self.items():
            yield f"{item['pk']['S']} {item['sk']['S']}", repr(item)
        yield from self.beside_table()
        yield from self._lines()

    def beside_table(self) -> Iterator[tuple[str, str]]:
        """The messages of all queues, dead letters included, and the files."""
        for url in self.sqs.list_queues().get("QueueUrls", []):
            received = self.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0
            )
            for message in received.get("Messages", []):
                yield url, message["Body"]
        yield from self._files()

    def _files(self) -> Iterator[tuple[str, str]]:
        for bucket in self.s3.list_buckets()["Buckets"]:
            if "artifacts" in bucket["Name"]:
                continue  # the functions' own code
            listed = self.s3.list_objects_v2(Bucket=bucket["Name"])
            for one in listed.get("Contents", []):
                with suppress(self.s3.exceptions.NoSuchKey):  # it has just been deleted
                    body = self.s3.get_object(Bucket=bucket["Name"], Key=one["Key"])["Body"]
                    yield one["Key"], one["Key"] + body.read().decode()

    def _lines(self) -> Iterator[tuple[str, str]]:
        groups = self.logs.describe_log_groups()["logGroups"]
        assert groups, "functions write to log groups"
        for name in (group["logGroupName"] for group in groups):
            for line in log_lines(self.logs, name, since_ms=self._since_ms):
                yield name, line

    def where(self, text: str) -> set[str]:
        """Where a text stands."""
        return {place for place, found in self.texts() if text in found}

    def books(self) -> dict[str, list[int]]:
        """The buckets of each book, under the name that it keeps whoever's it is."""
        return {
            item["book"]["S"]: [int(value["N"]) for value in item["balances"]["L"]]
            for item in self.items()
            if item["sk"]["S"] == "ACCOUNT" and item["book"]["S"]
        }

    def book_of(self, customer: str) -> str:
        """The name of a customer's book."""
        (book,) = (
            item["book"]["S"]
            for item in self.items()
            if item["sk"]["S"] == "ACCOUNT" and item["pk"]["S"].endswith(f"#CUSTOMER#{customer}")
        )
        return str(book)


def post(stack: Stack, topic: str, body: dict[str, Any]) -> None:
    assert webhooks.post(stack, topic, body_of(body)).status == 200


@pytest.fixture
def everything(stack: Stack) -> Everything:
    return Everything(stack)


def test_an_erased_customer_is_found_nowhere_and_the_shops_sums_stay(
    stack: Stack, everything: Everything
) -> None:
    mark = uuid.uuid4().hex[:12]
    customer = str(7_000_000_000_000 + uuid.uuid4().int % 1_000_000_000)
    order_id = uuid.uuid4().int % 10**15 + 10**15
    name, mail, phone = f"Hanako-{mark}", f"{mark}@example.com", f"+81-{mark}"
    personal = (name, mail, phone)
    for number, text in enumerate(personal):
        properties = {
            "customer_id": customer,
            "points": 100 + number,
            "reason": f"For {text}",
            "idempotency_key": text,
        }
        assert flow(stack, "grant", properties, f"run-{mark}-{number}").status_code == 200
    order = shopify_payloads.bodies()["orders_create"][1] | {
        "id": order_id,
        "email": mail,
        "phone": phone,
        "note": f"For {name}",
        "customer": shopify_payloads.customer(int(customer)) | {"email": mail, "first_name": name},
    }
    post(stack, ORDER_CREATED, order)
    wait_until(lambda: _lifetime_and_pending(stack, customer) > 303)
    about = {
        "shop_id": 954889,
        "shop_domain": stack.shop_domain,
        "customer": {"id": int(customer), "email": mail, "phone": phone},
    }
    asked = {"orders_requested": [order_id], "data_request": {"id": 41}}
    post(stack, "customers/data_request", about | asked)
    wait_until(lambda: bool(everything.where(f"data-requests/{stack.shop_domain}/{customer}/")))
    assert everything.where(name), "so that finding nothing means something"
    orders, failing = Queues(stack, "order_events"), order | {"id": order_id + 1}
    with orders.patience(seconds=0), orders.worker_without_table():
        post(stack, ORDER_CREATED, failing)
        wait_until(lambda: everything.where(str(order_id + 1)) >= {orders.letters}, seconds=60)
    book, before = everything.book_of(customer), everything.books()

    post(stack, "customers/redact", about | {"orders_to_redact": [order_id]})
    proof = f"SHOP#{stack.shop_domain} PRIVACY_REQUEST#customers/redact#{customer}"
    wait_until(lambda: any(place == proof and "done" in text for place, text in everything.texts()))

    for text in personal:
        assert everything.where(text) == set()
    kept = {place for place in everything.where(customer) if place.startswith("SHOP#")}
    assert kept == {proof, f"SHOP#{stack.shop_domain}#CUSTOMER#{customer} ACCOUNT"}
    _unchanged(everything, book, before)
    _sees_zeros_and_is_refused(stack, customer)
    assert len(redrive.redrive(orders.sqs, orders.letters, orders.url, Output())) == 1
    post(stack, "orders/updated", order | {"updated_at": "2026-11-22T10:00:00+09:00"})
    wait_until(lambda: orders.waiting(orders.url) == 0)
    assert orders.waiting(orders.letters) == 0
    _unchanged(everything, book, before)
    assert invoke(stack, "privacy_watch")["open"] == 0


@dataclass(slots=True)
class Pair:
    """Two customers of whom the first is merged into the second; both are erased."""

    source: Checkout
    target: Checkout
    order: str
    hold: dict[str, Any]
    late_points: int = 0

    @property
    def customers(self) -> tuple[str, str]:
        return self.source.customer, self.target.customer

    def tell(self, what: str) -> None:
        """Post one of Shopify's webhooks."""
        source, target = self.customers
        if what == "merge":
            gid = "gid://shopify/Customer/"
            body = {
                "status": "completed",
                "admin_graphql_api_customer_kept_id": f"{gid}{target}",
                "admin_graphql_api_customer_deleted_id": f"{gid}{source}",
            }
            post(self.source.stack, "customers/merge", body)
        else:
            customer = source if what == "redact source" else target
            order = [int(self.order)] if customer == source else []
            self._ask(customer, "customers/redact", {"orders_to_redact": order})

    def request_data(self) -> None:
        """Both want to see what is kept of them."""
        for number, customer in enumerate(self.customers, start=1):
            more = {"orders_requested": [], "data_request": {"id": number}}
            self._ask(customer, "customers/data_request", more)

    def report(self) -> None:
        """A workflow asks for the figures, while Shopify is slow."""
        for customer in self.customers:
            answer = flow(
                self.source.stack, "report", {"customer_id": customer}, f"report-{uuid.uuid4()}"
            )
            assert answer.status_code in (200, 422), answer.text

    def grant_late(self) -> None:
        """Points that are accepted or refused, depending on who comes first."""
        for customer in self.customers:
            properties = {"customer_id": customer, "points": 7, "reason": f"For {customer}"}
            answer = flow(self.source.stack, "grant", properties, f"late-{uuid.uuid4()}")
            assert answer.status_code in (200, 422), answer.text
            self.late_points += 7 * (answer.status_code == 200)

    def pay(self) -> None:
        """The order under way is paid, with the hold's code."""
        self._tell_order("paid", later_ms=60_000, code=self.hold["discount_code"])

    def begin_order(self) -> None:
        """It waits for its payment."""
        self._tell_order("pending", later_ms=0)

    def _tell_order(self, status: str, later_ms: int, code: str = "") -> None:
        at_ms = int(time.time() * 1000) + later_ms
        customer = self.source.customer
        payload = order_payload(self.order, code, 20 if code else 0, customer, at_ms)
        payload["financial_status"] = status
        if not code:
            payload |= {"discount_applications": [], "discount_codes": []}
            payload["line_items"][0]["discount_allocations"] = []
        post(self.source.stack, "orders/updated", payload)

    def _ask(self, customer: str, topic: str, more: dict[str, Any]) -> None:
        about = {
            "shop_id": 954889,
            "shop_domain": self.source.stack.shop_domain,
            "customer": {"id": int(customer)},
        }
        post(self.source.stack, topic, about | more)


def _begun(stack: Stack) -> Pair:
    """A pair with points, a hold, and an order that waits for its payment."""
    source, target = Checkout(stack), Checkout(stack)
    source.grant(200)
    target.grant(100)
    order_id = str(uuid.uuid4().int % 10**15 + 10**15)
    pair = Pair(source, target, order_id, source.held(20))
    pair.begin_order()
    return pair


def test_merged_pairs_are_erased_in_every_order_of_the_webhooks_with_all_else_under_way(
    stack: Stack, everything: Everything
) -> None:
    with ThreadPoolExecutor(6) as pool, ExitStack() as patient:
        pairs = list(pool.map(_begun, [stack] * 6))
        wait_until(lambda: all(pair.source.some("pending") == (3,) for pair in pairs))
        customers = {customer for pair in pairs for customer in pair.customers}
        books = {everything.book_of(customer) for customer in customers}
        for worker in ("order_events", "customer_events"):
            patient.enter_context(Queues(stack, worker).patience(seconds=5))
        pairs[0].source.behave(match=f"/{stack.shop_domain}/admin/api", latency_ms=700, times=30)
        orders = permutations(("merge", "redact source", "redact target"))
        acts: list[list[Callable[[], None]]] = []
        for number, (pair, order) in enumerate(zip(pairs, orders, strict=True)):
            first, second, third = (partial(pair.tell, what) for what in order)
            meanwhile = [pair.request_data, pair.report, pair.grant_late, pair.pay]
            meanwhile = meanwhile[number % 4 :] + meanwhile[: number % 4]
            acts.append([meanwhile[0], first, *meanwhile[1:3], second, third, meanwhile[3]])
        for done in [pool.submit(act) for at_once in zip(*acts, strict=True) for act in at_once]:
            done.result()
        wait_until(lambda: _is_worked_off(stack, everything, customers, pairs), seconds=90)
    pairs[0].source.behave(times=0)

    assert leftovers(everything.items(), customers) == []
    found = {place: named_in(text, customers) for place, text in everything.beside_table()}
    assert {place: named for place, named in found.items() if named} == {}
    table = everything.items()
    theirs = {item["pk"]["S"] for item in table if item.get("book", {"S": ""})["S"] in books}
    mine = [item for item in table if item["pk"]["S"] in theirs]
    assert len(theirs) == len(books)
    assert wrong_accounts(mine) == []
    granted = 300 * len(pairs) + sum(pair.late_points for pair in pairs)
    assert shop_balances(mine) == {
        "issued": -granted - 3 * len(pairs),
        "approved": granted + (3 - 20) * len(pairs),
        "spent": 20 * len(pairs),
    }


def _is_worked_off(
    stack: Stack, everything: Everything, customers: set[str], pairs: list[Pair]
) -> bool:
    """Whether all requests are done, and the news of all orders has been carried out."""
    if invoke(stack, "privacy_watch")["open"]:
        return False
    table = everything.items()
    keys = {f"SHOP#{stack.shop_domain}#ORDER#{pair.order}" for pair in pairs}
    known = [order_items.order_of(item) for item in table if item["pk"]["S"] in keys]
    carried_out = [one for one in known if one.approved_points == 3 and one.spendings]
    done = {item["subject"]["S"] for item in table if item.get("state") == {"S": "done"}}
    return len(carried_out) == len(pairs) and customers <= done


def _unchanged(everything: Everything, book: str, before: dict[str, list[int]]) -> None:
    """The book has what it had, and so has the shop, but for the time that passes in others."""
    after = everything.books()
    assert after[book] == before[book]
    assert after.keys() >= before.keys()
    assert not any(sum(balances) for balances in after.values())


def _lifetime_and_pending(stack: Stack, customer: str) -> int:
    figures: Any = points(stack, customer)["figures"]
    return int(figures["lifetime"]) + int(figures["pending"])


def _sees_zeros_and_is_refused(stack: Stack, customer: str) -> None:
    figures: Any = points(stack, customer)["figures"]
    assert set(figures.values()) == {0}
    history = ask(f"{stack.api_url}/v1/customers/me/points/history", headers=bearer(customer))
    assert json.loads(history.text)["entries"] == []
    for action in ("grant", "consume"):
        properties = {"customer_id": customer, "points": 1, "reason": "Late"}
        answer = flow(stack, action, properties, f"late-{uuid.uuid4()}")
        assert (answer.status_code, answer.json()["code"]) == (422, "customer_erased")
