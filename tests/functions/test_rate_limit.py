"""One customer's requests beyond the limit are refused before anything is read or written."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.codes import Codes
from tests.functions.samples import MY_PAGE, SERVED, STAFF
from tests.support.harness import TABLE, Answer, Functions

LIMIT = 3


class Reads:
    """The table's client; `calls` are the names of what was asked of it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        called: Callable[..., Any] = getattr(self._client, name)

        def call(**request: Any) -> Any:
            self.calls.append(name)
            return called(**request)

        return call


class Limited:
    """Functions that serve three requests of a customer in a minute, and their clock."""

    def __init__(self) -> None:
        self.now = 600.0
        codes = Codes()
        table = Functions().table
        self.reads = Reads(table)
        self.table = table
        self.functions = Functions(
            {
                "dynamodb": self.reads,
                "discounts": lambda _: codes,
                "monotonic": lambda: self.now,
            },
            CUSTOMER_REQUESTS_PER_MINUTE=str(LIMIT),
        )
        assert self.functions.sample("flow_action_grant", "run").status == 200


@pytest.mark.parametrize("function", [*MY_PAGE, *STAFF])
def test_a_customer_beyond_the_limit_is_answered_429_without_a_call_to_the_table(
    function: str,
) -> None:
    limited, case = Limited(), SERVED[function]
    served = [limited.functions.sample(function, case).status for _ in range(LIMIT)]
    assert 429 not in served
    before = limited.table.items(TABLE)
    limited.reads.calls.clear()
    answer = limited.functions.sample(function, case)
    _assert_limited(answer, seconds=60)
    assert limited.reads.calls == []
    assert limited.table.items(TABLE) == before
    limited.now += 60
    assert limited.functions.sample(function, case).status == served[-1]


def test_a_read_costs_no_write() -> None:
    limited = Limited()
    limited.reads.calls.clear()
    for function in ("get_points", "points_history"):
        assert limited.functions.sample(function, "by_header").status == 200
    assert {*limited.reads.calls} <= {"get_item", "query"}


@pytest.mark.parametrize("case", ["no_token", "forged_token", "another_customer"])
def test_whoever_is_not_the_customer_uses_up_nothing_of_the_customers_limit(case: str) -> None:
    limited = Limited()
    for _ in range(2 * LIMIT):
        assert limited.functions.sample("get_points", case).status in (401, 403)
    assert limited.functions.sample("get_points", "by_header").status == 200


def _assert_limited(answer: Answer, seconds: int) -> None:
    assert (answer.status, answer.body["code"]) == (429, "rate_limited")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == str(seconds)
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
