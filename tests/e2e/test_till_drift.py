"""What was altered at the till by hand is found, shown, and repaired once, in either direction."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests

from cli.app import main
from local.options import ROOT
from local.stack import Stack
from tests.e2e.calls import approved, history, invoke, must_flow, new_customer, wait_until
from tests.e2e.conftest import FOR_MANY_TESTS, own_stack

MEMBERS, ALTERED = 44, 30
POINTS = 1_000
REPAIR = ("--reason", "Recount", "--by", "Hanako", "--yes")


class Till:
    """The fake till of a stack."""

    def __init__(self, stack: Stack) -> None:
        self.url = stack.till_stand_in_url

    def put(self, number: str, balance: int) -> None:
        """Let a member have so many points, whatever they had."""
        member = {"member_number": number, "balance": balance, "expires_on": "", "rank": "gold"}
        requests.post(f"{self.url}/_member", json=member, timeout=5).raise_for_status()

    def behave(self, **behaviour: Any) -> None:
        """Let it misbehave; without anything it is well again."""
        given = behaviour or {"times": 0}
        requests.post(f"{self.url}/_behave", json=given, timeout=5).raise_for_status()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: a report is of all members."""
    parameters = FOR_MANY_TESTS | {"TILL_PROBE_SECONDS": "1"}
    with own_stack(tmp_path_factory.mktemp("stack"), **parameters) as started:
        yield started


@pytest.fixture(scope="module")
def till(own: Stack) -> Till:
    return Till(own)


@pytest.fixture(scope="module")
def members(own: Stack, till: Till) -> dict[str, int]:
    """Members and their points, the same in ledger and till: the till got them from the ledger.

    Tests that change the ledger's points change these, too.
    """
    ids = [new_customer() for _ in range(MEMBERS)]
    for customer_id in ids:
        till.put(customer_id, 0)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: must_flow(own, "grant", one, points=POINTS), ids))
    return dict.fromkeys(ids, POINTS)


@pytest.fixture
def drift(
    own: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Any:
    """`pointbook drift` on this stack: its exit status and its document."""
    own.write(tmp_path / "stack.json")
    monkeypatch.setenv("LOCAL_DIRECTORY", str(tmp_path))

    def run(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        status = main(["drift", "--json", *arguments])
        printed = capsys.readouterr().out
        return status, json.loads(printed) if printed else None

    return run


def differing(document: Any) -> dict[str, int]:
    """The difference of each member who differs."""
    found = [one for one in document["rows"] if one["kind"] == "differs"]
    return {one["customer_id"]: one["difference"] for one in found}


@pytest.fixture
def altered(drift: Any, till: Till, members: dict[str, int]) -> dict[str, int]:
    """Thirty members, altered at the till by hand once both agreed, and their differences."""
    wait_until(lambda: agree(drift()[1]), seconds=180)
    changes = {
        one: -(place + 1) if place % 2 else 10 * (place + 1)
        for place, one in enumerate(list(members)[:ALTERED])
    }
    for customer_id, points in changes.items():
        till.put(customer_id, members[customer_id] + points)
    return changes


def agree(document: Any) -> bool:
    """Whether a report has all members, and none who differs."""
    return bool(document) and document["totals"]["equal"] >= MEMBERS and not differing(document)


def entries_follow(members: dict[str, int], differences: dict[str, int]) -> None:
    """The ledger's points are the till's after a repair by entries."""
    for customer_id, difference in differences.items():
        members[customer_id] += difference


def test_exactly_the_altered_members_are_shown_and_an_entry_repairs_each_once(
    own: Stack,
    drift: Any,
    members: dict[str, int],
    altered: dict[str, int],
    tmp_path: Path,
) -> None:
    sheet, drawing = tmp_path / "drift.csv", tmp_path / "drift.svg"
    status, document = drift("--csv", str(sheet), "--picture", str(drawing))
    assert (status, differing(document)) == (1, altered)
    rows = csv.DictReader(io.StringIO(sheet.read_text(encoding="utf-8-sig")))
    in_csv = {row["customer_id"].strip(): row["difference"] for row in rows}
    assert {one: int(in_csv[one]) for one in altered} == altered
    assert ET.parse(drawing).getroot().tag.endswith("svg")  # noqa: S314 - our own

    status, shown = drift("--repair", "entry", *REPAIR[:-1])
    assert (status, shown["repaired"], differing(drift()[1])) == (1, 0, altered)
    for _ in range(2):
        status, repaired = drift("--repair", "entry", *REPAIR)
        assert (status, repaired["repaired"]) == (0, ALTERED)
    entries_follow(members, altered)
    for customer_id in altered:
        assert approved(own, customer_id) == members[customer_id]
        assert len(history(own, customer_id)) == 2, "the grant, and one entry of the repair"
    assert agree(drift()[1]), "and nothing of it was pushed to the till"


def test_a_push_repairs_each_once_too(
    own: Stack, drift: Any, members: dict[str, int], altered: dict[str, int]
) -> None:
    assert differing(drift()[1]) == altered
    for _ in range(2):
        status, repaired = drift("--repair", "push", *REPAIR)
        assert (status, repaired["repaired"]) == (0, ALTERED)
    assert agree(drift()[1])
    for customer_id in altered:
        assert approved(own, customer_id) == members[customer_id]


def test_a_member_who_changed_since_the_report_is_left_alone(
    drift: Any, till: Till, members: dict[str, int], altered: dict[str, int]
) -> None:
    assert differing(drift()[1]) == altered
    changed = next(iter(altered))
    till.put(changed, 5)
    status, repaired = drift("--repair", "entry", *REPAIR)
    outcomes = {one["customer_id"]: one["outcome"] for one in repaired["members"]}
    assert (status, outcomes[changed], repaired["repaired"]) == (1, "changed", ALTERED - 1)
    still = {changed: 5 - members[changed]}
    assert differing(drift()[1]) == still
    assert drift("--repair", "entry", *REPAIR)[0] == 0
    entries_follow(members, altered | still)


def test_a_comparison_that_is_killed_half_way_goes_on_and_has_everybody_once(
    drift: Any,
    till: Till,
    members: dict[str, int],
    altered: dict[str, int],
    tmp_path: Path,
) -> None:
    till.behave(latency_ms=50)
    running = subprocess.Popen(
        [sys.executable, "-m", "cli", "drift", "--fresh"],
        cwd=ROOT,
        env=os.environ,  # has LOCAL_DIRECTORY
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: 0 < looked_at(tmp_path) < MEMBERS)
    finally:
        running.kill()
        running.wait()
        till.behave()
    done = looked_at(tmp_path)
    assert 0 < done < MEMBERS
    status, document = drift()
    assert (status, differing(document)) == (1, altered)
    assert document["totals"]["compared"] >= MEMBERS
    assert document["totals"]["equal"] == document["totals"]["compared"] - ALTERED
    assert drift("--repair", "entry", *REPAIR)[0] == 0
    entries_follow(members, altered)


def looked_at(directory: Path) -> int:
    """How many members the report on this machine has."""
    for path in directory.glob("drift/*.json"):
        report = json.loads(path.read_text(encoding="utf-8"))
        return 0 if report["finished_at"] else len(report["equal"]) + len(report["rows"])
    return 0


def test_while_the_till_fails_report_and_run_stop_and_say_so(
    own: Stack, drift: Any, till: Till, altered: dict[str, int]
) -> None:
    till.behave(fail_with=503)
    try:
        assert drift("--fresh")[0] == 3
        assert invoke(own, "compare_till")["stopped"] == "breaker_open"
    finally:
        till.behave()
    wait_until(lambda: drift()[0] != 3)
    assert differing(drift()[1]) == altered
    result = invoke(own, "compare_till")
    assert (result["differing"], result["complete"], result["stopped"]) == (ALTERED, True, "")
    assert drift("--repair", "entry", *REPAIR)[0] == 0
    assert invoke(own, "compare_till")["differing"] == 0
