"""Nothing of an erased customer is left anywhere in the running stack, and no sum has changed."""

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from botocore.config import Config

from cli import redrive
from cli.output import Output
from local.stack import Stack
from pointbook.store import order_items
from tests.e2e.calls import (
    aws,
    figures,
    flow,
    history,
    invoke,
    merge,
    must_flow,
    new_customer,
    new_order,
    post,
    wait_until,
)
from tests.e2e.customers import Customer
from tests.e2e.fake_shopify import FakeShopify
from tests.e2e.log_lines import log_lines
from tests.e2e.queues import Queues
from tests.support.hold_orders import order_payload
from tests.support.leftovers import leftovers, named_in, shop_balances, wrong_accounts
from tests.support.payloads import data_request_payload, redact_payload
from tools import shopify_payloads

ORDER_CREATED = "orders/create"


class Everything:
    """All that the stack keeps: table, queues, files, and the log lines since this was made."""

    def __init__(self, stack: Stack) -> None:
        self._table = stack.table_name
        self._since_ms = int(time.time() * 1000) - 1_000
        self.dynamodb, self.sqs, self.logs = (
            aws(stack, service) for service in ("dynamodb", "sqs", "logs")
        )
        self.s3 = aws(stack, "s3", config=Config(s3={"addressing_style": "path"}))

    def items(self) -> list[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self._table)
        return [item for page in pages for item in page["Items"]]

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text, and where it is."""
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
        """The places that contain a text."""
        return {place for place, found in self.texts() if text in found}

    def balances(self) -> dict[str, list[int]]:
        """The buckets of each account by its book id, which an erasure does not change."""
        return {
            item["book"]["S"]: [int(value["N"]) for value in item["balances"]["L"]]
            for item in self.items()
            if item["sk"]["S"] == "ACCOUNT" and item["book"]["S"]
        }

    def account_id(self, customer: str) -> str:
        """The book id of a customer's account."""
        (found,) = (
            item["book"]["S"]
            for item in self.items()
            if item["sk"]["S"] == "ACCOUNT" and item["pk"]["S"].endswith(f"#CUSTOMER#{customer}")
        )
        return str(found)


@pytest.fixture
def everything(stack: Stack) -> Everything:
    return Everything(stack)


def test_an_erased_customer_is_found_nowhere_and_the_shops_sums_stay(
    stack: Stack, everything: Everything
) -> None:
    mark = uuid.uuid4().hex[:12]
    customer, order_id = new_customer(), int(new_order())
    name, mail, phone = f"Hanako-{mark}", f"{mark}@example.com", f"+81-{mark}"
    personal = (name, mail, phone)
    for number, text in enumerate(personal):
        texts = {"reason": f"For {text}", "idempotency_key": text}
        must_flow(stack, "grant", customer, points=100 + number, **texts)
    order = shopify_payloads.bodies()["orders_create"][1] | {
        "id": order_id,
        "email": mail,
        "phone": phone,
        "note": f"For {name}",
        "customer": shopify_payloads.customer(int(customer)) | {"email": mail, "first_name": name},
    }
    post(stack, ORDER_CREATED, order)
    wait_until(
        lambda: sum(figures(stack, customer)[name] for name in ("lifetime", "pending")) > 303
    )
    about = {
        "shop_id": 954889,
        "shop_domain": stack.shop_domain,
        "customer": {"id": int(customer), "email": mail, "phone": phone},
    }
    more = {"orders_requested": [order_id], "data_request": {"id": 41}}
    post(stack, "customers/data_request", about | more)
    wait_until(lambda: bool(everything.where(f"data-requests/{stack.shop_domain}/{customer}/")))
    assert everything.where(name), "so that finding nothing means something"
    orders, failing = Queues(stack, "order_events"), order | {"id": order_id + 1}
    with orders.visibility_timeout(seconds=0), orders.worker_without_table():
        post(stack, ORDER_CREATED, failing)
        wait_until(lambda: everything.where(str(order_id + 1)) >= {orders.dead_letters}, seconds=60)
    account_id, before = everything.account_id(customer), everything.balances()

    post(stack, "customers/redact", about | {"orders_to_redact": [order_id]})
    proof = f"SHOP#{stack.shop_domain} PRIVACY_REQUEST#customers/redact#{customer}"
    wait_until(lambda: any(place == proof and "done" in text for place, text in everything.texts()))

    def are_metafields_gone() -> bool:
        invoke(stack, "write_metafields")
        return not any("METAFIELDS" in place for place in everything.where(customer))

    wait_until(are_metafields_gone)
    for text in personal:
        assert everything.where(text) == set()
    left = {place for place in everything.where(customer) if place.startswith("SHOP#")}
    assert left == {proof, f"SHOP#{stack.shop_domain}#CUSTOMER#{customer} ACCOUNT"}
    _unchanged(everything, account_id, before)
    _sees_zeros_and_is_refused(stack, customer)
    assert len(redrive.redrive(orders.sqs, orders.dead_letters, orders.url, Output())) == 1
    post(stack, "orders/updated", order | {"updated_at": "2026-11-22T10:00:00+09:00"})
    wait_until(lambda: orders.waiting(orders.url) == 0)
    assert orders.waiting(orders.dead_letters) == 0
    _unchanged(everything, account_id, before)
    assert invoke(stack, "privacy_watch")["open"] == 0


@dataclass(slots=True)
class Pair:
    """Two customers of whom the first is merged into the second; both are erased."""

    source: Customer
    target: Customer
    order: str
    hold: dict[str, Any]
    late_points: int = 0

    @property
    def customers(self) -> tuple[str, str]:
        return self.source.id, self.target.id

    def send(self, webhook: str) -> None:
        """Send one of Shopify's webhooks."""
        source, target = self.customers
        match webhook:
            case "merge":
                merge(self.source.stack, source, target)
            case "redact source":
                self._send_about_privacy("customers/redact", redact_payload(source, [self.order]))
            case _:
                self._send_about_privacy("customers/redact", redact_payload(target))

    def request_data(self) -> None:
        """Both want a copy of their data."""
        for number, customer in enumerate(self.customers, start=1):
            self._send_about_privacy(
                "customers/data_request", data_request_payload(customer, number)
            )

    def report(self) -> None:
        """A workflow requests the figures, while Shopify is slow."""
        for customer in self.customers:
            answer = flow(self.source.stack, "report", customer)
            assert answer.status_code in (200, 422), answer.text

    def grant_late(self) -> None:
        """Points that are accepted or refused, depending on who comes first."""
        for customer in self.customers:
            answer = flow(self.source.stack, "grant", customer, points=7, reason=f"For {customer}")
            assert answer.status_code in (200, 422), answer.text
            self.late_points += 7 * (answer.status_code == 200)

    def pay(self) -> None:
        """The order under way is paid, with the hold's code."""
        self._send_order("paid", later_ms=60_000, code=self.hold["discount_code"])

    def begin_order(self) -> None:
        """It waits for its payment."""
        self._send_order("pending", later_ms=0)

    def _send_order(self, status: str, later_ms: int, code: str = "") -> None:
        at_ms = int(time.time() * 1000) + later_ms
        payload = order_payload(self.order, code, 20 if code else 0, self.source.id, at_ms)
        post(self.source.stack, "orders/updated", payload | {"financial_status": status})

    def _send_about_privacy(self, topic: str, body: dict[str, Any]) -> None:
        stack = self.source.stack
        post(stack, topic, body | {"shop_id": 954889, "shop_domain": stack.shop_domain})


def _begun(stack: Stack) -> Pair:
    """A pair with points, a hold, and an order that waits for its payment."""
    source, target = Customer(stack), Customer(stack)
    source.grant(200)
    target.grant(100)
    pair = Pair(source, target, new_order(), source.held(20))
    pair.begin_order()
    return pair


def test_merged_pairs_are_erased_in_every_order_of_the_webhooks_with_all_else_under_way(
    stack: Stack, everything: Everything
) -> None:
    with ThreadPoolExecutor(6) as pool, ExitStack() as timeouts:
        pairs = list(pool.map(_begun, [stack] * 6))
        wait_until(lambda: all(pair.source.some("pending") == (3,) for pair in pairs))
        customers = {customer for pair in pairs for customer in pair.customers}
        account_ids = {everything.account_id(customer) for customer in customers}
        for worker in ("order_events", "customer_events"):
            timeouts.enter_context(Queues(stack, worker).visibility_timeout(seconds=5))
        shopify = FakeShopify(stack)
        shopify.behave_in(stack.shop_domain, latency_ms=700, times=30)
        orders = permutations(("merge", "redact source", "redact target"))
        acts: list[list[Callable[[], None]]] = []
        for number, (pair, order) in enumerate(zip(pairs, orders, strict=True)):
            first, second, third = (partial(pair.send, webhook) for webhook in order)
            meanwhile = [pair.request_data, pair.report, pair.grant_late, pair.pay]
            meanwhile = meanwhile[number % 4 :] + meanwhile[: number % 4]
            acts.append([meanwhile[0], first, *meanwhile[1:3], second, third, meanwhile[3]])
        for done in [pool.submit(act) for at_once in zip(*acts, strict=True) for act in at_once]:
            done.result()
        wait_until(lambda: _is_done(stack, everything, customers, pairs), seconds=90)
    shopify.behave()

    def are_metafields_gone() -> bool:
        invoke(stack, "write_metafields")
        places = {place for customer in customers for place in everything.where(customer)}
        return not any("METAFIELDS" in place for place in places)

    wait_until(are_metafields_gone)  # deleted by the schedule where Shopify was too slow
    assert leftovers(everything.items(), customers) == []
    found = {place: named_in(text, customers) for place, text in everything.beside_table()}
    assert {place: named for place, named in found.items() if named} == {}
    table = everything.items()
    theirs = {item["pk"]["S"] for item in table if item.get("book", {"S": ""})["S"] in account_ids}
    mine = [item for item in table if item["pk"]["S"] in theirs]
    assert len(theirs) == len(account_ids)
    assert wrong_accounts(mine) == []
    granted = 300 * len(pairs) + sum(pair.late_points for pair in pairs)
    assert shop_balances(mine) == {
        "issued": -granted - 3 * len(pairs),
        "approved": granted + (3 - 20) * len(pairs),
        "spent": 20 * len(pairs),
    }


def _is_done(stack: Stack, everything: Everything, customers: set[str], pairs: list[Pair]) -> bool:
    """Whether all requests are done, and the updates of all orders have been carried out."""
    if invoke(stack, "privacy_watch")["open"]:
        return False
    table = everything.items()
    keys = {f"SHOP#{stack.shop_domain}#ORDER#{pair.order}" for pair in pairs}
    orders = [order_items.order_of(item) for item in table if item["pk"]["S"] in keys]
    carried_out = [one for one in orders if one.approved_points == 3 and one.spendings]
    done = {item["subject"]["S"] for item in table if item.get("state") == {"S": "done"}}
    return len(carried_out) == len(pairs) and customers <= done


def _unchanged(everything: Everything, account_id: str, before: dict[str, list[int]]) -> None:
    """The account has what it had, and all accounts are there and sum to zero."""
    after = everything.balances()
    assert after[account_id] == before[account_id]
    assert after.keys() >= before.keys()
    assert not any(sum(balances) for balances in after.values())


def _sees_zeros_and_is_refused(stack: Stack, customer: str) -> None:
    assert set(figures(stack, customer).values()) == {0}
    assert history(stack, customer) == []
    for action in ("grant", "consume"):
        answer = flow(stack, action, customer)
        assert (answer.status_code, answer.json()["code"]) == (422, "customer_erased")
