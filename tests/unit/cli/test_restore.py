"""`pointbook restore`: functions are stopped and started as they were; a copy is checked first."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import pause, target
from cli.app import main
from pointbook.store import keys
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support import engine as engines
from tests.support.commands import failure
from tests.support.engine import SHOP, opened
from tests.support.examples import CUSTOMER, OTHER
from tests.support.ledgers import LedgerDriver, SetClock
from tests.support.table import table_request

EVENTS, PUBLISH, WEBHOOK = "OrderEventsFunction", "PublishChangesFunction", "ShopifyWebhookFunction"


class Lambda:
    """Lambda's control plane for a few functions, and their event source mappings."""

    def __init__(self) -> None:
        self.reserved: dict[str, int] = {}
        self.tags: dict[str, dict[str, str]] = {PUBLISH: {}, EVENTS: {}, WEBHOOK: {}}
        self.enabled = {EVENTS: True, PUBLISH: True}
        self.log: list[str] = []
        self.fails_at = -1

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, str]:  # noqa: N803
        return {"FunctionArn": FunctionName}

    def list_tags(self, *, Resource: str) -> dict[str, Any]:  # noqa: N803
        return {"Tags": dict(self.tags[Resource])}

    def tag_resource(self, *, Resource: str, Tags: dict[str, str]) -> None:  # noqa: N803
        self.tags[Resource] |= Tags

    def untag_resource(self, *, Resource: str, TagKeys: list[str]) -> None:  # noqa: N803
        for key in TagKeys:
            self.tags[Resource].pop(key, None)

    def get_function_concurrency(self, *, FunctionName: str) -> dict[str, int]:  # noqa: N803
        found = self.reserved.get(FunctionName)
        return {} if found is None else {"ReservedConcurrentExecutions": found}

    def put_function_concurrency(
        self,
        *,
        FunctionName: str,  # noqa: N803
        ReservedConcurrentExecutions: int,  # noqa: N803
    ) -> None:
        if len(self.log) == self.fails_at:
            raise KeyboardInterrupt
        self.log.append(f"{FunctionName} {ReservedConcurrentExecutions}")
        self.reserved[FunctionName] = ReservedConcurrentExecutions

    def delete_function_concurrency(self, *, FunctionName: str) -> None:  # noqa: N803
        self.reserved.pop(FunctionName, None)

    def list_event_source_mappings(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        if FunctionName not in self.enabled:
            return {"EventSourceMappings": []}
        state = "Enabled" if self.enabled[FunctionName] else "Disabled"
        return {"EventSourceMappings": [{"UUID": FunctionName, "State": state}]}

    def update_event_source_mapping(self, *, UUID: str, Enabled: bool) -> None:  # noqa: N803
        self.enabled[UUID] = Enabled

    def get_event_source_mapping(self, *, UUID: str) -> dict[str, str]:  # noqa: N803
        return {"State": "Enabled" if self.enabled[UUID] else "Disabled"}


class Streams:
    """The table's stream; `changes` are how many records each look shows."""

    def __init__(self) -> None:
        self.changes: Iterator[int] = iter(())

    def describe_stream(self, **_: str) -> dict[str, Any]:
        return {"StreamDescription": {"Shards": [{"ShardId": "1"}]}}

    def get_shard_iterator(self, **_: str) -> dict[str, str]:
        return {"ShardIterator": "1"}

    def get_records(self, **_: str) -> dict[str, Any]:
        return {"Records": [{}] * next(self.changes, 0)}


class DynamoDB:
    """The tables, as DescribeTable shows them too."""

    def __init__(self, memory: MemoryDynamoDB) -> None:
        self._memory = memory
        self.status = "ACTIVE"
        self.fails_after = -1

    def describe_table(self, *, TableName: str) -> dict[str, Any]:  # noqa: N803
        request = table_request(TableName)
        status = {"TableStatus": self.status, "LatestStreamArn": "stream"}
        return {"Table": {"KeySchema": request["KeySchema"], **status}}

    def __getattr__(self, operation: str) -> Any:
        if operation == "batch_write_item" and self.fails_after >= 0:
            if not self.fails_after:
                raise KeyboardInterrupt
            self.fails_after -= 1
        return getattr(self._memory, operation)


class Stack:
    """A stack with an account, and a copy of its table from before."""

    def __init__(self) -> None:
        self.name = "pointbook-test"
        self.engine = opened(engines.MEMORY, MemoryDynamoDB())
        programme = SimpleNamespace(time_zone="Asia/Tokyo")
        self.settings = SimpleNamespace(
            table_name=self.engine.table, shops=(SHOP,), default_programme=lambda: programme
        )
        self.aws_lambda, self.streams = Lambda(), Streams()
        self.dynamodb = DynamoDB(self.engine.client)
        self.driver = LedgerDriver(self.engine)
        self.driver.grant(100, key="first")
        self.copy = "copy"
        self.engine.client.create_table(**table_request(self.copy))
        for item in self.engine.client.items(self.engine.table).values():
            self.engine.client.put_item(TableName=self.copy, Item=item)
        self.driver.consume(30)
        self.driver.grant(5, customer_id=OTHER)

    def client(self, service: str) -> Any:
        return {
            "lambda": self.aws_lambda,
            "dynamodb": self.dynamodb,
            "dynamodbstreams": self.streams,
        }[service]

    def resources(self, kind: str) -> dict[str, str]:
        assert kind == "AWS::Lambda::Function"
        return {name: name for name in self.aws_lambda.tags}

    def table(self) -> Table:
        return Table(self.engine.client, self.engine.table)

    def items(self) -> int:
        return 0

    def clock(self) -> SetClock:
        return SetClock()

    def empty(self) -> None:
        """Take everything out of the table."""
        for pk, sk in self.engine.client.items(self.engine.table):
            self.engine.client.delete_item(TableName=self.engine.table, Key=keys.key(pk, sk))

    def shop(self, name: str | None) -> str:
        return name or SHOP

    def is_running(self) -> bool:
        no_tags = not any(self.aws_lambda.tags.values())
        return no_tags and not self.aws_lambda.reserved and all(self.aws_lambda.enabled.values())


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    found = Stack()
    monkeypatch.setattr(target, "target_of", lambda _: found)
    monkeypatch.setattr(pause, "QUIET_SECONDS", 0.001)
    monkeypatch.setattr(pause, "PUBLISHER_SECONDS", 0.002)
    monkeypatch.setattr(pause, "LONGEST_RUN_SECONDS", 0.003)
    return found


def restore(stack: Stack, *more: str) -> int:
    return main(["restore", "--from-table", stack.copy, "--yes", *more])


def test_the_copy_is_put_back_and_the_functions_are_as_they_were(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.aws_lambda.reserved[EVENTS] = 7
    assert restore(stack) == 0
    assert stack.driver.figures() == {"approved": 100, "total": 100, "lifetime": 100}
    assert stack.driver.figures(OTHER) == {}
    assert stack.aws_lambda.reserved == {EVENTS: 7}
    assert stack.aws_lambda.log[:2] == [f"{EVENTS} 0", f"{PUBLISH} 0"], "the publisher last"
    assert all(stack.aws_lambda.enabled.values())
    assert not any(stack.aws_lambda.tags.values())
    assert "Started 2 functions again." in capsys.readouterr().out


def test_json_is_one_document_with_what_was_changed_and_verified(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert restore(stack, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["written"] == {"accounts": 1}
    assert document["deleted"] == {"accounts": 1, "entries": 2}
    assert (document["verified"]["accounts"], document["verified"]["faults"]) == (1, [])


def test_a_dry_run_changes_nothing(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    before = stack.engine.client.sequence
    assert main(["restore", "--from-table", stack.copy, "--dry-run"]) == 0
    assert "Nothing has been changed." in capsys.readouterr().out
    assert stack.engine.client.sequence == before
    assert stack.is_running()


def test_nothing_is_restored_without_confirmation(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    assert "pass --yes" in failure("restore", "--from-table", stack.copy)
    assert stack.is_running()


def test_webhooks_are_taken_in_meanwhile(stack: Stack) -> None:
    stack.aws_lambda.fails_at = 1
    assert restore(stack) == 130
    assert stack.aws_lambda.reserved == {EVENTS: 0}
    assert stack.aws_lambda.tags[WEBHOOK] == {}


def test_a_run_that_was_cut_off_is_finished_by_another_with_the_settings_of_before(
    stack: Stack,
) -> None:
    stack.aws_lambda.reserved[EVENTS] = 7
    stack.aws_lambda.enabled[PUBLISH] = False
    stack.aws_lambda.fails_at = 1
    assert restore(stack) == 130
    stack.aws_lambda.fails_at = -1
    assert restore(stack) == 0
    assert stack.aws_lambda.reserved == {EVENTS: 7}
    assert stack.aws_lambda.enabled == {EVENTS: True, PUBLISH: False}, "it was off before"


def test_functions_can_be_started_without_restoring(stack: Stack) -> None:
    stack.aws_lambda.fails_at = 1
    assert restore(stack) == 130
    assert main(["restore", "--start"]) == 0
    assert stack.is_running()


def test_it_does_not_begin_while_somebody_writes(stack: Stack) -> None:
    stack.streams.changes = iter([1] * 99)
    before = stack.engine.client.sequence
    words = failure("restore", "--from-table", stack.copy, "--yes")
    assert "Somebody still writes the table." in words
    assert stack.engine.client.sequence == before
    assert stack.aws_lambda.reserved == {EVENTS: 0, PUBLISH: 0}


def test_it_waits_for_runs_that_end(stack: Stack) -> None:
    stack.streams.changes = iter([3, 0, 1, 0])
    assert restore(stack) == 0


def test_functions_stay_stopped_where_the_copy_has_faults(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    key = keys.key(keys.customer(SHOP, CUSTOMER), keys.entry(1))
    stack.engine.client.delete_item(TableName=stack.copy, Key=key)
    assert restore(stack) == 1
    assert "`pointbook restore --start`" in capsys.readouterr().out
    assert stack.aws_lambda.reserved == {EVENTS: 0, PUBLISH: 0}
    assert not any(stack.aws_lambda.enabled.values())


def test_a_table_that_is_no_copy_is_refused(stack: Stack) -> None:
    own = failure("restore", "--from-table", stack.engine.table, "--yes")
    assert "is the table of pointbook-test itself" in own
    stack.engine.client.create_table(**table_request("empty"))
    assert "no copy of this stack's" in failure("restore", "--from-table", "empty", "--yes")
    stack.dynamodb.status = "CREATING"
    assert "wait until it is ACTIVE" in failure("restore", "--from-table", stack.copy, "--yes")
    assert stack.is_running()


def test_a_table_a_file_or_start_is_needed(stack: Stack) -> None:
    failure("restore", status=2)
    failure("restore", "--from-table", stack.copy, "--start", status=2)
    failure("restore", "--from-table", stack.copy, "--from-file", "ledger.jsonl", status=2)


# --- from a file ---------------------------------------------------------------------------------


@pytest.fixture
def file(stack: Stack, tmp_path: Path) -> str:
    """A file that the stack's ledger was exported to; the stack has an empty table since."""
    path = tmp_path / "ledger.jsonl"
    assert main(["export", str(path)]) == 0
    stack.empty()
    return str(path)


def restore_file(file: str, *more: str) -> int:
    return main(["restore", "--from-file", file, "--yes", *more])


def test_a_file_is_put_into_an_empty_table_while_the_functions_are_stopped(
    stack: Stack, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert restore_file(file, "--json") == 0
    assert stack.driver.figures() == {"approved": 70, "total": 70, "lifetime": 100, "spent": 30}
    assert stack.driver.figures(OTHER) == {"approved": 5, "total": 5, "lifetime": 5}
    assert stack.aws_lambda.log == [f"{EVENTS} 0", f"{PUBLISH} 0"]
    assert stack.is_running()
    document = json.loads(capsys.readouterr().out)
    assert document["written"] == {"accounts": 2, "entries": 3, "idempotency records": 1}
    assert (document["verified"]["entries"], document["verified"]["faults"]) == (3, [])


def test_a_dry_run_of_a_file_says_what_would_be_written(
    stack: Stack, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = stack.engine.client.sequence
    assert main(["restore", "--from-file", file, "--dry-run"]) == 0
    words = capsys.readouterr().out
    assert re.search(r"entries +3", words)
    assert "Nothing has been changed." in words
    assert stack.engine.client.sequence == before
    assert stack.is_running()


def test_a_file_is_not_restored_without_confirmation(
    stack: Stack, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    assert "pass --yes" in failure("restore", "--from-file", file)
    assert stack.engine.client.items(stack.engine.table) == {}


def test_a_table_with_points_of_its_own_is_refused(stack: Stack, file: str) -> None:
    stack.driver.grant(1)
    before = stack.engine.client.sequence
    words = failure("restore", "--from-file", file, "--yes")
    assert "is not empty: it has 2 items" in words
    assert f"CUSTOMER#{CUSTOMER} ACCOUNT" in words
    assert stack.engine.client.sequence == before
    assert stack.is_running()


def test_what_is_booked_before_the_functions_stop_is_not_written_over(
    stack: Stack, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = stack.aws_lambda.put_function_concurrency

    def late(**request: Any) -> None:
        stop(**request)
        stack.driver.grant(1)

    monkeypatch.setattr(stack.aws_lambda, "put_function_concurrency", late)
    words = failure("restore", "--from-file", file, "--yes")
    assert "is not empty" in words
    assert stack.driver.figures() == {"approved": 2, "total": 2, "lifetime": 2}


def test_a_file_that_was_cut_off_is_finished_by_another_run(stack: Stack, file: str) -> None:
    for writes in range(3):
        stack.dynamodb.fails_after = writes
        if restore_file(file) == 0:
            break
        stack.dynamodb.fails_after = -1
    assert restore_file(file) == 0
    assert stack.driver.figures() == {"approved": 70, "total": 70, "lifetime": 100, "spent": 30}
    assert stack.is_running()


def test_a_damaged_file_is_refused_before_anything_is_stopped(stack: Stack, file: str) -> None:
    path = Path(file)
    path.write_bytes(path.read_bytes().replace(b'{"N":"30"}', b'{"N":"31"}'))
    words = failure("restore", "--from-file", file, "--yes")
    assert "is refused, and nothing is written. Line 2 does not match its check" in words
    assert stack.aws_lambda.log == []
    path.write_bytes(b"customer_id,title,point\n")
    assert "Line 1 is not that of an export" in failure("restore", "--from-file", file, "--yes")
    assert "There is no file gone.jsonl." in failure(
        "restore", "--from-file", "gone.jsonl", status=2
    )


def test_a_file_that_changes_meanwhile_is_said(
    stack: Stack, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = stack.aws_lambda.put_function_concurrency

    def cut(**request: Any) -> None:
        stop(**request)
        path = Path(file)
        path.write_bytes(path.read_bytes()[:-100])

    monkeypatch.setattr(stack.aws_lambda, "put_function_concurrency", cut)
    assert "was changed meanwhile. Line" in failure("restore", "--from-file", file, "--yes")
    assert stack.aws_lambda.reserved == {EVENTS: 0, PUBLISH: 0}


def test_a_file_of_another_shop_or_of_a_period_is_refused(
    stack: Stack, file: str, tmp_path: Path
) -> None:
    stack.settings.shops = ("second.myshopify.com",)
    assert f"has points of {SHOP}, but" in failure("restore", "--from-file", file, "--yes")
    stack.settings.shops = (SHOP,)
    part = str(tmp_path / "part.jsonl")
    assert main(["export", part, "--since", "2020-01-01"]) == 0
    assert "entries of a period only" in failure("restore", "--from-file", part, "--yes")
    assert stack.aws_lambda.log == []


def test_functions_stay_stopped_where_a_file_has_faults(stack: Stack, tmp_path: Path) -> None:
    key = keys.key(keys.customer(SHOP, CUSTOMER), keys.entry(1))
    stack.engine.client.delete_item(TableName=stack.engine.table, Key=key)
    path = str(tmp_path / "ledger.jsonl")
    assert main(["export", path]) == 0
    stack.empty()
    assert restore_file(path) == 1
    assert stack.aws_lambda.reserved == {EVENTS: 0, PUBLISH: 0}
