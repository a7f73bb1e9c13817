"""What an HTTP function refuses has its status and code, the caller's form, and no effect."""

from typing import Any, NamedTuple

import pytest

from tests.fakes.codes import Codes
from tests.fakes.customers import MemoryCustomers
from tests.fakes.flow import FakeFlow
from tests.functions.import_api import put_file
from tests.functions.samples import FLOW, MY_PAGE, OPERATORS, REFUSED, SERVED, STAFF, WITHOUT_TABLE
from tests.support.harness import EVENTS, TABLE, Answer, Functions, message
from tools.make_events_operator import RUN_ID


class Refusal(NamedTuple):
    """A sample event, and what it is answered."""

    function: str
    case: str
    status: int
    code: str


REFUSALS = [
    Refusal(function, case, *answer)
    for function, cases in REFUSED.items()
    for case, answer in cases.items()
]
OTHERS = [
    (function, path.stem)
    for function, cases in REFUSED.items()
    for path in sorted((EVENTS / function).glob("*.json"))
    if path.stem not in cases
]


class Shop:
    """A customer of 1,250 points holds 500 of them; whatever happens now can be seen.

    The hold is the customer's own, or one that the staff took, by the function that is asked.
    """

    def __init__(self, function: str = "") -> None:
        self.codes, self.flow = Codes(), FakeFlow()
        customers = MemoryCustomers()
        self.functions = Functions(
            {
                "discounts": lambda _: self.codes,
                "flow": lambda _: self.flow,
                "customers": lambda _: customers,
            }
        )
        own, staffs = ("create_hold", "by_header"), ("staff_create_hold", "sale")
        hold = staffs if function in STAFF else own
        with_day = [("adjust_points", "add_until")] if function == "extend_points" else []
        for sample in (*with_day, ("flow_action_grant", "run"), hold):
            assert self.functions.sample(*sample).status in (200, 201)
        assert self.functions.work("order_events", message("orders_paid")) == []
        put_file(self.functions, RUN_ID)

    def everything(self) -> tuple[Any, ...]:
        """All that a request could have an effect on."""
        codes = (set(self.codes.made), set(self.codes.off))
        table = self.functions.table.items(TABLE)
        files = dict(self.functions.bucket.objects)
        return table, codes, self.flow.calls, list(self.functions.queues.sent), files


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: f"{one.function}-{one.case}")
def test_what_is_refused_has_its_status_and_code_and_no_effect(refusal: Refusal) -> None:
    shop = Shop(refusal.function)
    before = shop.everything()
    answer = shop.functions.sample(refusal.function, refusal.case)
    assert (answer.status, answer.body["code"]) == (refusal.status, refusal.code)
    assert_form(refusal.function, answer)
    assert shop.everything() == before


def assert_form(function: str, answer: Answer) -> None:
    """A problem for my page and operators; the code, and words for a merchant, for Shopify."""
    if function in (*MY_PAGE, *STAFF, *OPERATORS):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.body["status"] == answer.status
        assert answer.body["detail"]
        assert ("login_url" in answer.body) == (function in MY_PAGE and answer.status == 401)
        return
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.body) == ({"code", "message"} if function in FLOW else {"code"})
    assert all(answer.body.values())


@pytest.mark.parametrize(("function", "case"), OTHERS)
def test_every_other_sample_is_served(function: str, case: str) -> None:
    assert Shop(function).functions.sample(function, case).status < 400


def test_who_proves_nothing_is_refused_by_every_function_itself() -> None:
    """What is in front of a function lets everybody in."""
    unproven = {"no_token", "not_signed"}
    served = [name for name, cases in REFUSED.items() if not unproven & cases.keys()]
    assert sorted(served) == sorted(WITHOUT_TABLE)


def test_every_sample_that_is_refused_is_there() -> None:
    assert [
        one for one in REFUSALS if not (EVENTS / one.function / f"{one.case}.json").exists()
    ] == []


class Broken:
    """A client of AWS that fails as no client should."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("secret detail")


@pytest.mark.parametrize("function", [one for one in SERVED if one not in WITHOUT_TABLE])
def test_an_unexpected_fault_is_answered_500_without_detail(
    function: str, capsys: pytest.CaptureFixture[str]
) -> None:
    functions = Functions({"dynamodb": Broken(), "sqs": Broken(), "s3": Broken()})
    answer = functions.sample(function, SERVED[function])
    assert (answer.status, answer.body["code"]) == (500, "internal_error")
    assert_form(function, answer)
    assert "secret detail" not in str(answer.body)
    assert "secret detail" in capsys.readouterr().out, "the log has it"
