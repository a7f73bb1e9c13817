"""Nothing of an erased customer is left anywhere in the running stack, and no sum has changed."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local import webhooks
from local.stack import Stack
from ops import redrive
from tests.e2e.asking import ask, bearer, flow, invoke, points
from tests.e2e.queues import Queues, wait_until
from tools import shopify_payloads
from tools.make_events_webhooks import body_of

ORDER_CREATED = "orders/create"


class Everything:
    """All that the stack keeps: table, queues, files, log lines."""

    def __init__(self, stack: Stack) -> None:
        where: Any = {"endpoint_url": stack.aws_endpoint_url, "region_name": stack.aws_region}
        self._table = stack.table_name
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
        for url in self.sqs.list_queues().get("QueueUrls", []):
            received = self.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0
            )
            for message in received.get("Messages", []):
                yield url, message["Body"]
        yield from self._files()
        yield from self._lines()

    def _files(self) -> Iterator[tuple[str, str]]:
        for bucket in self.s3.list_buckets()["Buckets"]:
            if "artifacts" in bucket["Name"]:
                continue  # the functions' own code
            listed = self.s3.list_objects_v2(Bucket=bucket["Name"])
            for one in listed.get("Contents", []):
                body = self.s3.get_object(Bucket=bucket["Name"], Key=one["Key"])["Body"]
                yield one["Key"], one["Key"] + body.read().decode()

    def _lines(self) -> Iterator[tuple[str, str]]:
        groups = self.logs.describe_log_groups()["logGroups"]
        assert groups, "functions write to log groups"
        for group in groups:
            for page in self.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group["logGroupName"]
            ):
                for line in page["events"]:
                    yield group["logGroupName"], line["message"]

    def where(self, text: str) -> set[str]:
        """Where a text stands."""
        return {place for place, found in self.texts() if text in found}

    def books(self) -> dict[str, list[int]]:
        """The buckets of each book, under the name that it keeps whoever's it is."""
        return {
            item["book"]["S"]: [int(value["N"]) for value in item["balances"]["L"]]
            for item in self.items()
            if item["sk"]["S"] == "A" and item["book"]["S"]
        }

    def book_of(self, customer: str) -> str:
        """The name of a customer's book."""
        (book,) = (
            item["book"]["S"]
            for item in self.items()
            if item["sk"]["S"] == "A" and item["pk"]["S"].endswith(f"#C#{customer}")
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
    about = {"customer": {"id": int(customer), "email": mail, "phone": phone}}
    post(stack, "customers/data_request", about | {"data_request": {"id": 41}})
    wait_until(lambda: bool(everything.where(f"data-requests/{stack.shop_domain}/{customer}/")))
    assert everything.where(name), "so that finding nothing means something"
    orders, failing = Queues(stack, "order_events"), order | {"id": order_id + 1}
    with orders.patience(seconds=0), orders.worker_without_table():
        post(stack, ORDER_CREATED, failing)
        wait_until(lambda: everything.where(str(order_id + 1)) >= {orders.letters}, seconds=60)
    book, before = everything.book_of(customer), everything.books()

    post(stack, "customers/redact", about | {"orders_to_redact": [order_id]})
    proof = f"S#{stack.shop_domain} R#customers/redact#{customer}"
    wait_until(lambda: any(place == proof and "done" in text for place, text in everything.texts()))

    for text in personal:
        assert everything.where(text) == set()
    kept = {place for place in everything.where(customer) if place.startswith("S#")}
    assert kept == {
        proof,
        f"S#{stack.shop_domain}#C#{customer} A",
    }
    _unchanged(everything, book, before)
    _sees_zeros_and_is_refused(stack, customer)
    assert redrive.redrive(orders.sqs, orders.letters, orders.url) == 1
    post(stack, "orders/updated", order | {"updated_at": "2026-11-22T10:00:00+09:00"})
    wait_until(lambda: orders.waiting(orders.url) == 0)
    assert orders.waiting(orders.letters) == 0
    _unchanged(everything, book, before)
    assert invoke(stack, "privacy_watch")["open"] == 0


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
