"""`pointbook show`, `history`, `explain` and `extend`, on the functions' own answers."""

import json
import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cli import extend, operator_api, target
from cli.app import main
from cli.operator_api import Answer
from pointbook.domain.commands import Grant, PlaceHold
from pointbook.domain.expiry import FixedDate, Never
from tests.fakes.operator_api import FunctionsApi, a_target
from tests.support.commands import failure
from tests.support.harness import CUSTOMER, Functions, message
from tools.shopify_payloads import ORDER

LAST_DAY = date(2099, 12, 31)


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Functions:
    functions = Functions()
    api = FunctionsApi(functions)
    monkeypatch.setattr(operator_api, "get", api.get)
    monkeypatch.setattr(extend, "post", api.post)
    monkeypatch.setattr(target, "target_of", lambda _: a_target())
    return functions


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(arguments) == status
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    assert main([*arguments, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_an_account_is_shown_with_lots_hold_and_pending_orders(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.execute(Grant(1_200, FixedDate(LAST_DAY)))
    functions.execute(Grant(50, Never()))
    functions.execute(PlaceHold(200, "h1", 600))
    text = printed(capsys, "show", CUSTOMER)
    assert text.startswith(f"demo.myshopify.com, customer {CUSTOMER}, as of ")
    for row in (["approved", "1,050"], ["hold", "200"], ["2099-12-31", "1,000"], ["never", "50"]):
        assert row in rows(text)
    hold = "Hold h1: 200 points, preparing until [-0-9]{10} [:0-9]{8}$"
    assert re.search(hold, text, re.MULTILINE)


def test_the_document_is_the_operators_account(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.execute(Grant(70, FixedDate(LAST_DAY)))
    found = document(capsys, "show", f"gid://shopify/Customer/{CUSTOMER}")
    assert list(found) == [
        "customer_id",
        "shop",
        "figures",
        "lots",
        "hold",
        "pending_orders",
        "version",
        "as_of",
        "merged_into",
        "erased",
        "till",
    ]
    assert found["lots"] == [{"points": 70, "expires_on": "2099-12-31"}]


def test_a_past_account_is_shown_by_day_or_time(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.execute(Grant(70, Never()))
    past = document(capsys, "show", CUSTOMER, "--at", "2026-01-31")
    assert (past["as_of"], past["version"]) == ("2026-01-30T15:00:00.000+00:00", 0)
    now = datetime.now(UTC).isoformat()
    assert document(capsys, "show", CUSTOMER, "--at", now)["figures"]["approved"] == 70


def test_times_are_the_shops_in_words_and_utc_in_json(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.execute(Grant(70, Never()))
    past = printed(capsys, "show", CUSTOMER, "--at", "2026-01-31T09:30")
    assert "as of 2026-01-31 09:30:00 Asia/Tokyo" in past
    json_past = document(capsys, "show", CUSTOMER, "--at", "2026-01-31T09:30")
    assert json_past["as_of"] == "2026-01-31T00:30:00.000+00:00"
    (entry,) = document(capsys, "history", CUSTOMER)["entries"]
    assert entry["at"].endswith("+00:00")
    booked_at = datetime.fromisoformat(entry["at"]).astimezone(ZoneInfo("Asia/Tokyo"))
    history = printed(capsys, "history", CUSTOMER)
    assert "times of Asia/Tokyo" in history
    assert f"{booked_at:%Y-%m-%d %H:%M:%S}" in history


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "Taro"),
        ("show", CUSTOMER, "--at", "yesterday"),
        ("show", CUSTOMER, "--at", "2099-01-01"),
        ("history", CUSTOMER, "--limit", "0"),
        ("explain",),
        ("explain", "first"),
        ("explain", "1", "--customer", CUSTOMER),
    ],
)
def test_what_is_used_wrongly_ends_with_2(functions: Functions, arguments: tuple[str, ...]) -> None:
    failure(*arguments, status=2)


def test_a_customer_is_named_by_the_option_that_gives_the_id(functions: Functions) -> None:
    assert "--customer is 'Taro'" in failure("explain", "--customer", "Taro", status=2)
    assert "customer is 'Taro'" in failure("history", "Taro", status=2)


def test_a_refusal_ends_with_1_and_says_why(functions: Functions) -> None:
    assert "404 order_not_found: Order 1 is not known here" in failure("explain", "1")


@pytest.mark.parametrize("answer", [None, Answer(503, {"detail": "Please try again."})])
def test_a_stack_that_does_not_answer_ends_with_3(
    functions: Functions, monkeypatch: pytest.MonkeyPatch, answer: Answer | None
) -> None:
    monkeypatch.setattr(operator_api, "get", lambda *_, **__: answer)
    assert "does not answer" in failure("show", CUSTOMER, status=3)


def test_history_says_what_from_which_lots_who_and_why(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.execute(Grant(1_200, FixedDate(LAST_DAY)))
    functions.sample("adjust_points", "remove")
    text = printed(capsys, "history", CUSTOMER)
    newest = text.splitlines()[2]
    for part in ("2", "sub/manual", "-200", "1,000", "-200 2099-12-31", "Booked twice"):
        assert part in newest
    assert "manual assumed-role/PointbookOperator/hanako" in newest


def test_history_follows_pages_up_to_its_limit(
    functions: Functions, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.history.PAGE_ENTRIES", 2)
    for _ in range(5):
        functions.execute(Grant(1, Never()))
    found = document(capsys, "history", CUSTOMER, "--limit", "3")
    assert ([one["version"] for one in found["entries"]], found["more"]) == ([5, 4, 3], True)
    assert "older ones; pass --limit" in printed(capsys, "history", CUSTOMER, "--limit", "3")
    assert document(capsys, "history", CUSTOMER)["more"] is False


def test_an_order_is_explained_in_sentences(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    assert functions.work("order_events", message("orders_paid")) == []
    text = printed(capsys, "explain", str(ORDER))
    assert f"order {ORDER}" in text
    assert "times of Asia/Tokyo" in text
    assert "- Rank: none that multiplies points." in text
    assert document(capsys, "explain", str(ORDER))["remaining"] > 0


def test_a_balance_is_explained_as_the_sum_of_its_entries(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.execute(Grant(1_200, FixedDate(LAST_DAY)))
    functions.execute(Grant(50, Never()))
    functions.sample("adjust_points", "remove")
    found = document(capsys, "explain", "--customer", CUSTOMER)
    assert found["sums"] == [
        {
            "topic": "points/add/flow",
            "entries": 2,
            "changes": {"issued": -1_250, "approved": 1_250},
        },
        {"topic": "points/sub/manual", "entries": 1, "changes": {"approved": -200, "removed": 200}},
    ]
    assert (found["total"]["approved"], found["adds_up"]) == (1_050, True)
    text = printed(capsys, "explain", "--customer", CUSTOMER)
    assert ["sum", "3", "1,050", "200"] in rows(text)


def test_a_balance_that_is_not_the_sum_of_its_entries_is_found(
    functions: Functions, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.execute(Grant(100, Never()))
    functions.execute(Grant(50, Never()))
    whole = operator_api.get

    def one_is_missing(*given: Any, **query: Any) -> Answer | None:
        answer = whole(*given, **query)
        assert answer is not None
        del answer.body["entries"][-1]
        return answer

    monkeypatch.setattr(operator_api, "get", one_is_missing)
    assert document(capsys, "explain", "--customer", CUSTOMER, status=1)["adds_up"] is False
    assert "run `pointbook verify`" in printed(capsys, "explain", "--customer", CUSTOMER, status=1)


@pytest.fixture
def check(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> list[Answer | None]:
    """The answer to a check of a customer's id, which a test may replace."""
    answers: list[Answer | None] = [Answer(200, {"at_shopify": None})]
    whole = operator_api.get

    def get(stack: Any, path: str, **query: Any) -> Answer | None:
        return answers[-1] if path.endswith("/check") else whole(stack, path, **query)

    monkeypatch.setattr(operator_api, "get", get)
    return answers


@pytest.mark.usefixtures("check")
def test_a_customer_without_entries_adds_up_to_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = document(capsys, "explain", "--customer", "8001")
    assert (found["entries"], found["adds_up"]) == (0, True)
    for arguments in (("show",), ("history",), ("explain", "--customer")):
        text = printed(capsys, *arguments, "8001")
        assert "Customer 8001 has no entries in this ledger" in text
        assert "approved" not in text
    assert "had no entries by then" in printed(capsys, "show", "8001", "--at", "2026-01-31")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(200, {"at_shopify": True}), "yet; demo.myshopify.com has such a customer"),
        (Answer(200, {"at_shopify": False}), "has no such customer at Shopify: look at the id."),
        (Answer(200, {"at_shopify": None}), "is not known."),
        (Answer(403, {}), "is not known."),
        (None, "is not known."),
    ],
)
def test_an_id_without_entries_is_looked_up_at_shopify(
    check: list[Answer | None],
    capsys: pytest.CaptureFixture[str],
    answer: Answer | None,
    said: str,
) -> None:
    check.append(answer)
    assert said in printed(capsys, "history", "8001")


def test_one_entry_is_no_entries(functions: Functions, capsys: pytest.CaptureFixture[str]) -> None:
    functions.execute(Grant(1, FixedDate(LAST_DAY)))
    for arguments in (("history", CUSTOMER), ("explain", "--customer", CUSTOMER)):
        assert ": 1 entry" in printed(capsys, *arguments).splitlines()[0]
    text = printed(capsys, *EXTEND, "--reason", "Closed")
    assert "1 point lasts until 2100-03-31" in text


EXTEND = ("extend", CUSTOMER, "--expires-on", "2099-12-31", "--to", "2100-03-31")


def test_points_are_extended_once_for_each_key(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.execute(Grant(1_200, FixedDate(LAST_DAY)))
    text = printed(capsys, *EXTEND, "--reason", "Closed", "--key", "k1")
    assert "1,200 points last until 2100-03-31, not 2099-12-31." in text
    again = document(capsys, *EXTEND, "--reason", "Closed", "--key", "k1")
    assert (again["repeated"], again["points"], again["key"]) == (True, 1_200, "k1")
    assert len(functions.entries()) == 2


def test_an_extension_that_is_refused_changes_nothing(functions: Functions) -> None:
    words = failure(*EXTEND, "--reason", "Closed")
    assert "Nothing has been changed. 422 lot_not_found" in words


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"--to": "soon"}, "--to is 'soon', but must be a day such as"),
        ({"--to": "2099-12-30"}, "--to is 2099-12-30, but must be after --expires-on, 2099-12-31"),
        ({"--expires-on": ""}, "--expires-on is empty"),
        ({"--expires-on": "31.12."}, "--expires-on is '31.12.', but must be a day such as"),
        ({"--reason": "Closed\nuntil May"}, "--reason has a line break"),
    ],
)
def test_an_extension_is_checked_by_its_options(
    functions: Functions, options: dict[str, str], said: str
) -> None:
    given = {"--expires-on": "2099-12-31", "--to": "2100-03-31", "--reason": "Closed"} | options
    arguments = [word for option in given.items() for word in option]
    assert said in " ".join(failure("extend", CUSTOMER, *arguments, status=2).split())


def test_an_extension_without_an_answer_names_its_key(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extend, "post", lambda *_: None)
    words = failure(*EXTEND, "--reason", "Closed", "--key", "k7", status=3)
    assert "Run it again with --key k7" in words
