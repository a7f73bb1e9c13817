"""Workflows that start each other: each action names the entry that caused it, and a chain ends."""

from dataclasses import replace

import pytest

from pointbook.domain.chain import BookedEntry, hash_of
from pointbook.services.flow_actions import CHAIN_MAX
from tests.fakes.dynamodb import throttle
from tests.support.harness import CUSTOMER, Answer, Functions

OTHER = "8840734670935"
SHOP = "demo.myshopify.com"


class Workflows:
    """Actions that name a cause."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions

    def act(self, run: str, cause: str = "", customer: str = CUSTOMER, **more: object) -> Answer:
        """Grant one point, or what `more` says."""
        action = str(more.pop("action", "grant"))
        properties = {"customer_id": customer, "points": 1, "reason": "Loop"}
        properties |= {"cause_entry_id": cause} | more
        return self.functions.flow(action, run, **properties)

    def chain(self, length: int, customer: str = CUSTOMER) -> list[str]:
        """The entries of a first action and of `length` that each name the one before."""
        entries = [entry_of(self.act(f"{customer}-0", customer=customer))]
        for number in range(1, length + 1):
            answer = self.act(f"{customer}-{number}", entries[-1], customer)
            entries.append(entry_of(answer))
        return entries

    def entries(self, customer: str = CUSTOMER) -> list[BookedEntry]:
        """The customer's entries, the oldest first."""
        return self.functions.entries(customer)[::-1]


def entry_of(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    entry_id: str = answer.body["return_value"]["entry_id"]
    return entry_id


@pytest.fixture
def workflows(functions: Functions) -> Workflows:
    return Workflows(functions)


def test_the_fifth_of_a_chain_is_carried_out_and_the_sixth_is_refused(
    workflows: Workflows, capsys: pytest.CaptureFixture[str]
) -> None:
    assert CHAIN_MAX == 5
    entries = workflows.chain(5)
    assert [one.cause.depth for one in workflows.entries()] == [0, 1, 2, 3, 4, 5]
    assert "LoopsRefused" not in capsys.readouterr().out
    answer = workflows.act("sixth", entries[-1])
    assert (answer.status, answer.body) == (
        422,
        {
            "code": "loop_refused",
            "message": "More than 5 workflows have started each other: let one of them end it.",
        },
    )
    assert "LoopsRefused" in capsys.readouterr().out
    assert len(workflows.entries()) == 6


def test_consumes_are_counted_as_grants_are(workflows: Workflows) -> None:
    last = workflows.chain(5)[-1]
    answer = workflows.act("sixth", last, action="consume")
    assert (answer.status, answer.body["code"]) == (422, "loop_refused")


def test_a_repetition_of_the_last_that_was_carried_out_gets_its_first_answer(
    workflows: Workflows,
) -> None:
    entries = workflows.chain(5)
    again = workflows.act(f"{CUSTOMER}-5", entries[4])
    assert again.status == 200
    assert again.body["return_value"]["entry_id"] == entries[5]
    assert again.body["return_value"]["duplicate"] is True


def test_a_chain_goes_on_across_customers(workflows: Workflows) -> None:
    last = workflows.chain(5, customer=OTHER)[-1]
    assert workflows.act("run", last).status == 422
    assert workflows.act("run", workflows.chain(4, customer="7001")[-1]).status == 200
    assert workflows.entries()[-1].cause.depth == 5


@pytest.mark.parametrize("cause", ["7999-000000000001", f"{CUSTOMER}-000000000009"])
def test_an_entry_that_is_not_there_counts_as_the_first(workflows: Workflows, cause: str) -> None:
    workflows.chain(5)
    assert workflows.act("run", cause).status == 200
    assert workflows.entries()[-1].cause.depth == 1


def test_a_cause_of_an_erased_customer_counts_as_the_first(workflows: Workflows) -> None:
    last = workflows.chain(5)[-1]
    workflows.functions.erase()
    assert workflows.act("run", last, customer=OTHER).status == 200


def test_what_an_order_or_a_person_did_begins_a_chain(workflows: Workflows) -> None:
    """Only actions that name a cause are links of it."""
    for number in range(20):
        first = entry_of(workflows.act(f"first-{number}"))
        assert workflows.act(f"second-{number}", first).status == 200


def test_while_the_cause_cannot_be_read_flow_has_to_retry(
    workflows: Workflows, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = workflows.chain(0)[0]

    throttle(monkeypatch, workflows.functions.table, "query")
    answer = workflows.act("run", first)
    assert (answer.status, answer.body["code"]) == (503, "ledger_unavailable")
    assert workflows.act("no-cause").status == 200


def test_how_deep_a_chain_is_stands_under_the_entrys_hash(workflows: Workflows) -> None:
    workflows.chain(1)
    booked = workflows.entries()[1]
    account = workflows.functions.container.store.account(SHOP, CUSTOMER)
    assert account is not None

    def hashed(depth: int) -> str:
        cause = replace(booked.cause, depth=depth)
        digest, before = booked.text_digest, booked.previous_hash
        return hash_of(booked.entry, account.account_id, cause, digest, before)

    assert hashed(1) == booked.entry_hash
    assert hashed(0) != booked.entry_hash


@pytest.mark.parametrize("last", ["grant", "consume"])
def test_the_rate_of_an_hour_cuts_and_a_repetition_is_still_answered(last: str) -> None:
    workflows = Workflows(Functions(PROGRAMME_FLOW_ENTRIES_PER_HOUR="3"))
    for number in range(3):
        assert workflows.act(f"run-{number}").status == 200
    answer = workflows.act("run-3", action=last)
    assert (answer.status, answer.body["code"]) == (422, "loop_refused")
    assert workflows.act("run-2").body["return_value"]["duplicate"] is True
    assert workflows.act("run-3", customer=OTHER).status == 200
