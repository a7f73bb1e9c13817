"""A shop moves from another points app while its customers go on ordering and using points.

    python -m tests.functions.switch_over --customers 2000

Everything is done by the commands of docs/moving-in.md, on the functions' handlers and a table in
memory. Shopify's real Admin schema has to be there: `make shopify-schema`.
"""

import argparse
import contextlib
import io
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from cli import catch_up, import_runs, target
from cli.app import main
from cli.operator_api import Answer
from cli.target import Target
from local import demo
from pointbook.container import Parts
from pointbook.settings import IMPORT_ROWS
from tests.fakes.admin_graphql import GraphqlShop
from tests.fakes.codes import Codes
from tests.functions.moved import ClockFile
from tests.functions.old_app import OldApp
from tests.support.harness import TABLE, Functions, event, message
from tests.support.verified import faults_in
from tools import shopify_payloads as payloads

SHOP = payloads.SHOP
TEA = payloads.line(1, "3000", 2, taxes=["545"])
POINTS_OF_AN_ORDER = 60
FIRST_CUSTOMER = 8_840_000_000_000
SIGN_UP = int(demo.PARAMETERS["SignUpPoints"])
IMPORT_ID = "2026-12-move"
RECONCILE = "pointbook-ReconcileOrders"


class Interrupted(BaseException):
    """Somebody pulls the plug of the laptop on which a command runs."""


class Move:
    """A shop, its customers, the old app, and the functions; its random numbers are repeatable."""

    def __init__(self, folder: Path, customers: int, seed: int = 1) -> None:
        self._folder = folder
        self._clock = ClockFile(folder)
        self._passed = timedelta()
        self._files = 0
        self._orders = 0
        self._parts: Parts = {}
        self._sent_before_the_end: int | None = None
        self.random = Random(seed)
        self.shopify = GraphqlShop()
        self.codes = Codes()
        self._parts = {
            "admin_api": lambda _: self.shopify.admin(),
            "discounts": lambda _: self.codes,
        }
        self.functions = self._new_functions()
        self._parts["dynamodb"] = self.functions.table
        today = self.now.date()
        self.old = OldApp([today + timedelta(days=days) for days in (40, 200, 300, 400)])
        self.customers = [str(FIRST_CUSTOMER + number) for number in range(customers)]
        for customer_id in self.customers[: -len(self.customers) // 10 or None]:
            for _ in range(self.random.randint(1, 3)):
                self.old.earn(customer_id, self.random.randint(1, 5_000), self._day())
        self.since: dict[str, int] = {}
        """What happened since the old app was stopped, by customer."""

    @property
    def now(self) -> datetime:
        return self.functions.container.clock.now()

    def passes(self, minutes: int) -> None:
        """Time passes, for everybody."""
        self._passed += timedelta(minutes=minutes)
        self._clock.move(seconds=self._passed.total_seconds())

    # --- what customers do ------------------------------------------------------------------------

    def customers_go_on(self) -> None:
        """Some customers order, use points, send goods back, sign up or leave."""
        for customer_id in self.random.sample(self.customers, len(self.customers) // 5 or 1):
            self.random.choice((self.orders, self.orders, self.uses_points, self.renews))(
                customer_id
            )
        self.signs_up()
        if not self.old.stopped:
            self.old.leave(self.random.choice(self.customers))

    def orders(self, customer_id: str) -> None:
        """A customer orders; whichever app counts it, both hear of it."""
        self._orders += 1
        at = self.now.replace(microsecond=0)
        self.sends_order(self._orders, customer_id, at, at)
        self.old.earn(customer_id, POINTS_OF_AN_ORDER, self._day())
        if self.old.stopped:
            self._count(customer_id, POINTS_OF_AN_ORDER)

    def sends_order(self, number: int, customer_id: str, placed: datetime, at: datetime) -> None:
        """Shopify has an order in a new state, and sends its webhook."""
        order = payloads.order(
            [TEA],
            "6000",
            id=number,
            customer={"id": int(customer_id)},
            created_at=placed.isoformat(),
            updated_at=at.isoformat(),
        )
        self.shopify.put(order)
        sent = json.loads(message("orders_paid"))
        self.work("order_events", json.dumps({**sent, "payload": order}))

    def signs_up(self) -> None:
        """Somebody becomes a customer; whichever app welcomes them, both hear of it."""
        customer_id = str(FIRST_CUSTOMER + len(self.customers))
        self.customers.append(customer_id)
        received = self.now.isoformat(timespec="milliseconds")
        sent = json.loads(message("customers_create", id=int(customer_id)))
        self.work("customer_events", json.dumps(sent | {"received_at": received}))
        self.old.earn(customer_id, SIGN_UP, self._day())
        if self.old.stopped:
            self._count(customer_id, SIGN_UP)

    def uses_points(self, customer_id: str) -> None:
        """A customer uses points, where there is an app in which this is possible."""
        points = self.random.randint(1, 500)
        self.old.spend(customer_id, points)
        answer = self.consumes(customer_id, points)
        if answer == 200:
            assert self.old.stopped, "no points are used in two apps"
            self._count(customer_id, -points)

    def renews(self, customer_id: str) -> None:
        """An activity makes all of a customer's points last longer in the old app."""
        self.old.renew(customer_id)

    def consumes(self, customer_id: str, points: int) -> int:
        """Shopify Flow consumes points; the status."""
        self._orders += 1
        given = {"customer_id": customer_id, "points": points, "reason": "Coffee"}
        return self.functions.flow("consume", f"run-{self._orders}", **given).status

    def _count(self, customer_id: str, points: int) -> None:
        self.since[customer_id] = self.since.get(customer_id, 0) + points

    def _day(self) -> date:
        return self.random.choice(self.old.days)

    # --- what the engineer does -------------------------------------------------------------------

    def run(self, *arguments: str) -> dict[str, Any]:
        """Run a command; its JSON document, with its exit status as `exit`."""
        printed, said = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said), self._patched():
            status = main([*arguments, "--json"])
        text = printed.getvalue()
        document = json.loads(text[text.index("\n{\n") + 1 :] if "\n{\n" in text else text)
        return {**document, "exit": status, "said": said.getvalue()}

    def sets(self, *rules: str) -> None:
        """Change the programme, and wait until every function uses it."""
        assert self.run("programme", "set", *rules, "--yes")["exit"] == 0
        self.functions = self._new_functions()

    def export(self) -> str:
        """Export the old app's balances; the file."""
        self._files += 1
        return str(self.old.export(self._folder / f"export-{self._files}.csv"))

    def imports(self) -> dict[str, Any]:
        """Import an export that has no rows with 0 points, as an import takes none."""
        file = Path(self.export())
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        full = [line for line in lines if ",0," not in line]
        file.write_text("".join(full), encoding="utf-8")
        return self.run("import", str(file), "--id", IMPORT_ID)

    def catches_up(self, file: str = "", *options: str) -> dict[str, Any]:
        """Settle an export of now."""
        return self.run(
            "import", file or self.export(), "--id", IMPORT_ID, "--catch-up", "--yes", *options
        )

    @contextlib.contextmanager
    def interrupted_after(self, requests: int) -> Iterator[None]:
        """The command is cut off after so many requests; of the last one no answer comes."""
        self._sent_before_the_end = requests
        with pytest.raises(Interrupted):
            yield
        self._sent_before_the_end = None

    def takes_up_orders(self, since: datetime) -> dict[str, Any]:
        """Feed the orders since then, and let them be booked."""
        found = self.run("orders", "--since", since.isoformat(), "--until", self._end())
        sent, self.functions.queues.sent = list(self.functions.queues.sent), []
        for queue, text in sent:
            self.work(queue, text)
        return found

    def _end(self) -> str:
        return (self.now + timedelta(minutes=1)).isoformat()

    # --- what it came to --------------------------------------------------------------------------

    def wrong(self) -> dict[str, tuple[int, int]]:
        """Customers whose points are not what they should be: what they are, and should be."""
        expected = {
            one: self.old.balance(one) + self.since.get(one, 0)
            for one in {*self.customers, *self.old.lots}
        }
        ledger = self.functions.ledger
        found = {one: ledger.read(SHOP, one).figures.approved for one in expected}
        return {one: (found[one], expected[one]) for one in found if found[one] != expected[one]}

    def faults(self) -> list[Any]:
        """What `pointbook verify` finds."""
        return faults_in(self.functions.table, TABLE)

    def work(self, queue: str, text: str) -> None:
        """A worker processes a message."""
        assert self.functions.work(queue, text) == []

    # --- the commands' way to the stack -----------------------------------------------------------

    def _new_functions(self) -> Functions:
        return Functions(self._parts, LOCAL_CLOCK_FILE=str(self._clock))

    @contextlib.contextmanager
    def _patched(self) -> Iterator[None]:
        settings = self.functions.container.settings
        bucket = {"ImportsBucketName": settings.imports_bucket}
        session = SimpleNamespace(client=self._client)
        stack = Target("pointbook-local", settings, session, None, bucket)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(target, "target_of", lambda _: stack)
            patch.setattr(Target, "resources", lambda _, __: {"ReconcileOrdersFunction": RECONCILE})
            patch.setattr(Target, "items", lambda _: 0)
            for module in (import_runs, catch_up):
                patch.setattr(module, "post", self._post)
            yield

    def _client(self, service: str, **_: object) -> Any:
        parts = {"dynamodb": self.functions.table, "s3": self.functions.container.s3}
        return parts.get(service, self)

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - AWS's names
        """Lambda's call of a function by its name."""
        assert FunctionName == RECONCILE
        answer = self.functions.invoke("reconcile_orders", json.loads(Payload), 600)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def _post(
        self, _: Target, path: str, content: dict[str, Any], headers: dict[str, str]
    ) -> Answer:
        function, name = "import_runs", {"import_id": path.split("/")[4]}
        if found := re.fullmatch("/v1/operator/customers/([0-9]+)/adjustments", path):
            function, name = "adjust_points", {"customer": found[1]}
        request = event(function, "start" if function == "import_runs" else "add")
        request |= {"rawPath": path, "body": json.dumps(content), "pathParameters": name}
        request["requestContext"]["http"]["path"] = path
        request["headers"] |= {one.lower(): text for one, text in headers.items()}
        if self._sent_before_the_end is not None and self._sent_before_the_end < 0:
            raise Interrupted  # of another thread, which is cut off with the one before it
        answer = self.functions.request(function, request)
        self._book_rows()
        if self._sent_before_the_end is not None:
            self._sent_before_the_end -= 1
            if self._sent_before_the_end < 0:
                raise Interrupted
        return Answer(answer.status, answer.body, answer.headers.get("Idempotent-Replay") == "true")

    def _book_rows(self) -> None:
        """Work off the queue of imports."""
        sent = self.functions.queues.sent
        while texts := [text for queue, text in sent if queue == IMPORT_ROWS]:
            sent.remove((IMPORT_ROWS, texts[0]))
            self.work(IMPORT_ROWS, texts[0])


def stop_and_move(move: Move) -> None:
    """The first way of docs/moving-in.md: both apps stand still while the balances are moved."""
    move.sets("earning=paused", "spending=paused")
    move.customers_go_on()
    move.passes(10)
    move.old.stopped = True
    stopped = move.now
    move.sets(f"earn_from={stopped.replace(microsecond=0).isoformat()}")
    move.passes(1)
    move.customers_go_on()
    assert move.imports()["totals"]["refused"]["rows"] == 0
    move.customers_go_on()
    assert move.catches_up()["differences"] == 0
    move.passes(20)
    move.sets("earning=on", "spending=on")
    move.takes_up_orders(stopped)


def move_beside(move: Move) -> None:
    """The second way: the old app goes on until the switch; what happens meanwhile is settled."""
    move.sets("earning=paused", "spending=paused")
    move.imports()
    for _ in range(2):
        move.customers_go_on()
        move.passes(30)
        move.catches_up()
    move.customers_go_on()
    file = move.export()
    with move.interrupted_after(len(move.customers) // 20):
        move.catches_up(file)
    move.customers_go_on()
    move.catches_up()
    assert move.catches_up()["differences"] == 0
    move.customers_go_on()
    move.passes(5)
    move.old.stopped = True
    stopped = move.now
    move.passes(1)
    move.customers_go_on()
    move.catches_up()
    move.sets("earning=on", "spending=on", f"earn_from={stopped.isoformat(timespec='seconds')}")
    move.takes_up_orders(stopped - timedelta(days=1))


WAYS = {"stop and move": stop_and_move, "move beside": move_beside}


def main_script() -> int:
    """Run both ways; 1 if a customer's points are wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    failed = False
    for name, way in WAYS.items():
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            move = Move(Path(folder), given.customers, given.seed)
            way(move)
            move.customers_go_on()
            left, wrong, faults = move.catches_up()["differences"], move.wrong(), move.faults()
        failed = failed or bool(left or wrong or faults)
        sys.stdout.write(
            f"{name}: {given.customers:,} customers, {len(wrong)} wrong, {left} differences left,"
            f" {len(faults)} faults; {time.monotonic() - began:.0f} s\n"
        )
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main_script())
