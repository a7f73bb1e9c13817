"""`pointbook verify`: what is wrong is named with what to do, and the exit status says so."""

import json
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import target
from cli.app import main
from pointbook.aws.record_files import RecordFiles
from pointbook.aws.statement_files import StatementFiles
from pointbook.domain.books.periods import Period
from pointbook.domain.books.statement import Statement
from pointbook.domain.buckets import Balances
from pointbook.domain.privacy import Kind, PrivacyRequest, State
from pointbook.domain.reconcile import Damage
from pointbook.services.head_recorder import HeadRecorder
from pointbook.services.statement_lines import StatementFile
from pointbook.store import keys
from pointbook.store.head_runs import HeadRunStore
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.table import Table
from tests.fakes.buckets import BUCKET as STATEMENTS
from tests.fakes.buckets import MemoryS3, StatementBucket
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.record_files import HEADS, MemoryRecords
from tests.support import engine as engines
from tests.support.commands import failure
from tests.support.engine import SHOP, opened
from tests.support.examples import CUSTOMER, NOON, OTHER
from tests.support.ledgers import LedgerDriver, SetClock

OPERATIONS = Path(__file__).resolve().parents[3] / "docs" / "operations.md"
OTHER_SHOP = "second.myshopify.com"


class Stack:
    """A stack with two accounts of three entries each, and no heads of their chains yet."""

    name = "pointbook-dev"

    def __init__(self) -> None:
        self.engine = opened(engines.MEMORY, MemoryDynamoDB(page_items=3))
        self.s3, self.at = MemoryRecords(), SetClock()
        buckets = {HEADS: self.s3, "names": self.s3, STATEMENTS: StatementBucket()}
        self.buckets = MemoryS3(**buckets)
        self.statements = StatementFiles(self.buckets, STATEMENTS)
        self.outputs = {
            "HeadsBucketName": HEADS,
            "PrivacyBucketName": "names",
            "StatementsBucketName": STATEMENTS,
        }
        self.settings = SimpleNamespace(
            table_name=self.engine.table,
            shops=(SHOP, OTHER_SHOP),
            default_programme=lambda: SimpleNamespace(time_zone="Asia/Tokyo"),
        )
        driver = LedgerDriver(self.engine)
        for customer_id in (CUSTOMER, OTHER):
            for number in range(3):
                driver.grant(1, customer_id=customer_id, key=str(number))

    def client(self, service: str) -> Any:
        return self.buckets if service == "s3" else self.engine.client

    def clock(self) -> SetClock:
        return self.at

    def table(self) -> Table:
        return Table(self.engine.client, self.engine.table)

    def items(self) -> int:
        return 14

    def shop(self, expected: str | None) -> str:
        return expected or SHOP

    def record(self) -> None:
        """The heads of the day of both shops."""
        heads, names = RecordFiles(self.s3, HEADS), RecordFiles(self.s3, "names")
        store = HeadRunStore(self.table())
        HeadRecorder(store, heads, names, self.at, "Asia/Tokyo").run(self.settings.shops, 900)

    def state(self, approved: int) -> None:
        """The statement of the day, which closes with so many approved points."""
        day = self.at.now().date()
        statement = Statement(closing=Balances(issued=-6, approved=approved))
        file = StatementFile(SHOP, Period(day, day, "Asia/Tokyo"), "JPY", 1, statement)
        self.statements.write(SHOP, day, file.lines(), "")

    def delete(self) -> None:
        """Delete all there is of the customer."""
        pk = {":pk": {"S": keys.customer(SHOP, CUSTOMER)}}
        for item in list(self.table().query("pk = :pk", pk)):
            self.table().delete(keys.key_of(item))

    def damage(self) -> None:
        key = keys.key(keys.customer(SHOP, CUSTOMER), keys.entry(2))
        item = self.engine.client.get_item(TableName=self.engine.table, Key=key)["Item"]
        self.engine.client.put_item(
            TableName=self.engine.table, Item={**item, "source": {"S": "manual"}}
        )


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    found = Stack()
    monkeypatch.setattr(target, "target_of", lambda _: found)
    return found


def test_a_sound_ledger_is_done_and_says_time_and_units(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify"]) == 0
    none, words = capsys.readouterr().out.split("\n", 1)
    assert none == "No heads: a chain that was rewritten as a whole is not found without them."
    assert re.fullmatch(r"2 accounts, 6 entries, 0 faults; [\d.]+ s, [\d.]+ read units.\n", words)


def test_a_fault_is_named_with_version_and_what_to_do(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.damage()
    assert main(["verify"]) == 1
    words = capsys.readouterr().out
    assert re.search(rf"{SHOP} +{CUSTOMER} +hash +2 +entry 2 does not match its hash", words)
    assert 'docs/operations.md, "What verify finds", under hash' in words


def test_json_is_one_document(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.damage()
    assert main(["verify", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["accounts"], document["entries"]) == (2, 6)
    assert document["faults"] == [
        {
            "shop": SHOP,
            "customer_id": CUSTOMER,
            "kind": "hash",
            "version": 2,
            "what": "entry 2 does not match its hash",
        }
    ]
    assert document["read_units"] > 0


@pytest.mark.parametrize(("customer", "status"), [(CUSTOMER, 1), (OTHER, 0)])
def test_one_customer_by_any_form_of_the_id(stack: Stack, customer: str, status: int) -> None:
    stack.damage()
    assert main(["verify", f"gid://shopify/Customer/{customer}"]) == status


def test_only_the_shop_that_is_named(stack: Stack) -> None:
    stack.damage()
    assert main(["verify", "--shop", OTHER_SHOP]) == 0
    assert main(["verify", "--shop", SHOP]) == 1


def test_a_customer_without_an_account_is_said(stack: Stack) -> None:
    assert "has no account of customer 7999" in failure("verify", "7999")
    assert "customer" in failure("verify", "Taro", status=2)


def test_accounts_are_compared_with_the_recorded_heads(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.record()
    capsys.readouterr()
    assert main(["verify"]) == 0
    assert capsys.readouterr().out.startswith(f"Heads of 1 day, the last of {NOON.date()}.\n")
    stack.delete()
    for arguments in (["verify"], ["verify", CUSTOMER]):
        assert main([*arguments, "--json"]) == 1
        printed = capsys.readouterr()
        (fault,) = json.loads(printed.out)["faults"]
        assert (fault["customer_id"], fault["kind"], fault["version"]) == (CUSTOMER, "gone", 0)
        assert "under gone." in printed.err
    assert main(["verify", "--no-heads"]) == 0


def test_a_file_of_heads_that_was_altered_is_a_fault(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.record()
    stack.s3.buckets[HEADS] |= {
        key: [b"forged"] for key in stack.s3.buckets[HEADS] if key.startswith("heads/")
    }
    capsys.readouterr()
    assert main(["verify", "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out)["faults"]
    assert (fault["shop"], fault["customer_id"], fault["kind"]) == (SHOP, "", "heads")


def test_heads_that_are_not_recorded_any_more_are_said(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.record()
    stack.at.pass_time(days=2)
    assert main(["verify"]) == 0
    stack.at.pass_time(days=1)
    assert main(["verify"]) == 1
    said = f"the last heads are of {NOON.date()}: write_heads has not ended since"
    assert said in capsys.readouterr().out


def test_heads_are_compared_from_the_day_that_is_named(stack: Stack) -> None:
    stack.record()
    stack.delete()
    day = NOON.date()
    assert main(["verify", "--heads-since", str(day)]) == 1
    assert main(["verify", "--heads-since", str(day + timedelta(days=1))]) == 0
    stack.at.pass_time(days=36)
    assert main(["verify"]) == 0, "35 days without a day that is named"
    assert main(["verify", "--heads-since", "2000-01-01"]) == 1
    assert main(["verify", "--heads-since", "yesterday"]) == 2


def test_a_bucket_that_cannot_be_read_is_said_with_what_to_do(stack: Stack) -> None:
    stack.s3.down = 1
    said = failure("verify")
    assert "The heads in the bucket heads cannot be read: Could not connect" in said
    assert "s3:ListBucketVersions" in said
    assert "--no-heads" in said


def test_a_stack_without_the_bucket_is_verified_without_heads(stack: Stack) -> None:
    stack.outputs = {}
    assert main(["verify"]) == 0


def test_heads_of_before_a_shop_was_erased_are_not_missed(stack: Stack) -> None:
    stack.record()
    stack.delete()
    erased_at = stack.at.now() + timedelta(hours=1)
    done = PrivacyRequest(Kind.SHOP, SHOP, SHOP, NOON, state=State.DONE, finished_at=erased_at)
    PrivacyRequests(stack.table()).save(done)
    assert main(["verify"]) == 0


@pytest.mark.parametrize(("approved", "kinds"), [(6, []), (7, ["statement"])])
def test_statements_of_the_days_are_compared(
    stack: Stack, capsys: pytest.CaptureFixture[str], approved: int, kinds: list[str]
) -> None:
    stack.state(approved)
    assert main(["verify", "--json"]) == len(kinds)
    found = json.loads(capsys.readouterr().out)["faults"]
    assert [one["kind"] for one in found] == kinds
    assert all("approved 7 (entries: 6)" in one["what"] for one in found)
    assert main(["verify", "--no-heads"]) == 0


def test_statements_of_before_a_shop_was_erased_are_not_compared(stack: Stack) -> None:
    stack.state(7)
    erased_at = stack.at.now() + timedelta(days=1)
    done = PrivacyRequest(Kind.SHOP, SHOP, SHOP, NOON, state=State.DONE, finished_at=erased_at)
    PrivacyRequests(stack.table()).save(done)
    assert main(["verify"]) == 0


def test_the_docs_say_what_to_do_about_every_kind() -> None:
    page = OPERATIONS.read_text(encoding="utf-8")
    section = page.split("### What verify finds")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|([^|]+)\|", section, re.MULTILINE))))
    assert named == set(Damage)
