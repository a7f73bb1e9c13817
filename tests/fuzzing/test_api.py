"""Schemathesis attacks the API by its description: 500 requests of each operation, good and bad.

It runs beside these tests, against the handlers with everything behind them in memory. Its settings
are in schemathesis.toml. A failure shows how to send the request again.
"""

import json
import logging
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local import demo, signing
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import FixedDate
from tests.fakes.codes import Codes
from tests.fakes.customers import MemoryCustomers
from tests.fakes.flow import FakeFlow
from tests.fakes.locked import LockedClient
from tests.fakes.till import FakeTill
from tests.support.api_description import operations
from tests.support.extended import EXTENDED_CUSTOMER, LAST_DAYS
from tests.support.gateway import AWS_SIGNATURE, SIGNED_HERE, Gateway
from tests.support.harness import CUSTOMER, Functions, memory_table, message
from tests.support.serving import serving, url_of
from tools.make_events_operator import IMPORT_ID, RUN_ID

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ROOT / "tests" / "fuzzing" / "schemathesis.toml"
DESCRIPTION = ROOT / "docs" / "openapi.yaml"

OTHER_CUSTOMER = "8840734670935"
IMPORT_PATH = os.pathsep.join((".", "layers/common/python"))
NO_LIMIT = "1000000"
SECONDS_MAX = 450

TAGS = {
    "customers": ("My page",),
    "staff": ("Staff",),
    "others": ("Operators", "Flow actions", "Shopify"),
}
"""Parts, which are attacked at the same time."""

_BY_LINKS = "examples,coverage,fuzzing,stateful"
PHASES = {"customers": _BY_LINKS, "staff": _BY_LINKS, "others": "examples,coverage,fuzzing"}
"""Only answers with a hold have links, along which a stateful attack goes."""


ALIKE = {
    "health",
    "till_status",
    "staff_me",
    "staff_status",
    *(name for name in operations() if name.endswith("_preflight")),
}
"""Operations that answer every request alike, and get few."""


def stack() -> Functions:
    """A shop without limits, and with a till; the customer has points."""
    codes, flow, till, customers = Codes(), FakeFlow(), FakeTill(), MemoryCustomers()
    till.put(CUSTOMER, 1250, datetime.now(UTC))
    functions = Functions(
        {
            "dynamodb": LockedClient(memory_table()),
            "discounts": lambda _: codes,
            "flow": lambda _: flow,
            "customers": lambda _: customers,
            "till_adapter": till.adapter,
        },
        TILL_PROVIDER="smaregi",
        CUSTOMER_REQUESTS_PER_MINUTE=NO_LIMIT,
        PROGRAMME_HOLDS_PER_HOUR=NO_LIMIT,
        PROGRAMME_HOLD_CALLS_PER_MINUTE=NO_LIMIT,
        PROGRAMME_FLOW_ENTRIES_PER_HOUR=NO_LIMIT,
        PROGRAMME_STAFF_POINTS_PER_ACTION=NO_LIMIT,
        PROGRAMME_STAFF_POINTS_PER_DAY="999999999",
    )
    assert functions.sample("flow_action_grant", "run").status == 200
    for day in LAST_DAYS:
        functions.execute(Grant(10, FixedDate(day)), EXTENDED_CUSTOMER)
    key = f"imports/{demo.SHOP_DOMAIN}/{IMPORT_ID}/{RUN_ID}/run.json"
    run = {"shop": demo.SHOP_DOMAIN, "import_id": IMPORT_ID, "run_id": RUN_ID, "actor": "hanako"}
    run |= {"kind": "import"}
    functions.bucket.objects[key] = json.dumps(run | {"dry_run": False}).encode()
    paid = message("orders_paid", customer={"id": int(CUSTOMER)})
    assert functions.work("order_events", paid) == []
    return functions


@dataclass(frozen=True, slots=True)
class Attack:
    """Schemathesis at work."""

    process: "subprocess.Popen[str]"
    gateway: Gateway

    def end(self) -> str:
        """Wait until it is done. What it has found, with a way to send it again; "" for nothing."""
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            said, _ = self.process.communicate(timeout=SECONDS_MAX)
        return said if self.process.returncode else ""

    @property
    def answered(self) -> Counter[tuple[str, str, int]]:
        """The answers: method, function, status."""
        return self.gateway.answered


@contextmanager
def attacking(gateway: Gateway, *options: str, signed: bool = True) -> Iterator[Attack]:
    """Start Schemathesis against a gateway; it ends with the block at the latest.

    `signed`: with signatures of operators and of Shopify, else with wrong ones.
    """
    signatures = {
        "OPERATORS_SIGNATURE": AWS_SIGNATURE if signed else "none",
        "SHOPIFYS_SIGNATURE": SIGNED_HERE if signed else "none",
        "STAFFS_TOKEN": f"Bearer {signing.staff_token(next(iter(demo.STAFF)))}"
        if signed
        else "none",
    }
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(SETTINGS)]
    address = ["run", str(DESCRIPTION), "--url", url_of(gateway)]
    with (
        serving(gateway),
        subprocess.Popen(
            [*command, *address, *options],
            cwd=ROOT,
            env={**os.environ, **signatures, "PYTHONPATH": IMPORT_PATH},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        try:
            yield Attack(process, gateway)
        finally:
            process.kill()


def logged_in(customer_id: str) -> tuple[str, str]:
    """The option with a customer's session token."""
    return "-H", f"Authorization: Bearer {signing.session_token(customer_id)}"


def tagged(*tags: str) -> Iterator[str]:
    """The options that choose operations."""
    for tag in tags:
        yield from ("--include-tag", tag)


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing of thousands of requests."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def attacks() -> Iterator[dict[str, Attack]]:
    """All parts at once."""
    with ExitStack() as running:
        yield {
            part: running.enter_context(
                attacking(
                    Gateway(stack()), *logged_in(CUSTOMER), *tagged(*tags), "--phases", PHASES[part]
                )
            )
            for part, tags in TAGS.items()
        }


@pytest.mark.parametrize("part", TAGS)
def test_every_answer_is_as_described_bad_requests_are_refused_and_nothing_fails(
    attacks: dict[str, Attack], part: str
) -> None:
    attack = attacks[part]
    if found := attack.end():
        pytest.fail(found, pytrace=False)
    assert {status for _, _, status in attack.answered if status >= 500} == set()
    for name, operation in operations().items():
        if set(operation.content["tags"]) & set(TAGS[part]) and name not in ALIKE:
            sent = {
                status: count
                for (method, function, status), count in attack.answered.items()
                if (method.lower(), function) == (operation.method, operation.function)
            }
            assert sum(sent.values()) >= 500, name
            served = sum(count for status, count in sent.items() if status < 300)
            assert served >= 20, f"{name} is hardly ever served: {sent}"


FEW = ("--max-examples", "30", "--phases", "fuzzing", "--mode", "positive")
STRANGER = ("--exclude-method", "OPTIONS", *FEW)


def statuses(attack: Attack) -> dict[str, set[int]]:
    """The statuses of each function, once the attack is over."""
    attack.end()
    found: dict[str, set[int]] = {}
    for _, function, status in attack.answered:
        found.setdefault(function, set()).add(status)
    return found


def test_without_credentials_nothing_is_served() -> None:
    with attacking(Gateway(stack(), careless=True), *STRANGER, signed=False) as attack:
        found = statuses(attack)
    open_to_all = {"health", "app_page"}
    assert found.keys() | open_to_all == {one.function for one in operations().values()}
    for function in found.keys() - open_to_all:
        assert found[function] <= {401, 403}, function


def test_another_customers_token_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTACKED_CUSTOMER", CUSTOMER)
    options = (*logged_in(OTHER_CUSTOMER), "--include-tag", "My page", *STRANGER)
    with attacking(Gateway(stack()), *options) as attack:
        found = statuses(attack)
    assert found.pop("health") == {200}
    del found["app_page"]  # by which Schemathesis sees whether anybody is there
    assert found.keys() == {
        one.function
        for one in operations().values()
        if {"sessionToken": []} in one.content["security"]
    }
    for function, given in found.items():
        assert 403 in given <= {401, 403}, function
