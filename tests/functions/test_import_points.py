"""Balances of another system are taken over row by row, each once however often it is sent."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local import demo
from pointbook.deadline import Deadline
from pointbook.domain.chain import Cause
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked
from pointbook.ledger.ledger import Ledger
from pointbook.services import imports
from tests.fakes.locked import LockedClient
from tests.support.harness import CUSTOMER, Answer, Functions, event, memory_table, problem

IMPORT = "import_points"
OTHER = "8840734670935"
ROW = {
    "row": 1,
    "customer_id": CUSTOMER,
    "title": "Balance",
    "point": 500,
    "expired_at": "2099-12-31",
    "created_at": "2025-04-01",
}


def rows(*changes: Mapping[str, object], **more: object) -> dict[str, Any]:
    """The event of a request with a row for each of `changes`, numbered from 1."""
    request = event(IMPORT, "run")
    content = [ROW | {"row": number, **one} for number, one in enumerate(changes, 1)]
    request["body"] = json.dumps({"rows": content} | more)
    return request


def statuses(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [one["status"] for one in answer.body["rows"]]


def test_rows_are_booked_and_the_totals_can_be_held_against_the_file(functions: Functions) -> None:
    answer = functions.sample(IMPORT, "run")
    assert answer.body == {
        "import_id": "2026-11-move",
        "dry_run": False,
        "rows": [
            {
                "row": row,
                "status": "booked",
                "points": points,
                "entry_id": f"{customer}-000000000001",
            }
            for row, points, customer in ((1, 500, CUSTOMER), (2, 300, OTHER))
        ],
        "totals": {
            "all": {"rows": 2, "points": 800},
            "booked": {"rows": 2, "points": 800},
            "repeated": {"rows": 0, "points": 0},
            "refused": {"rows": 0, "points": 0},
            "not_done": {"rows": 0, "points": 0},
        },
    }
    (booked,) = functions.entries()
    assert (booked.entry.topic, booked.entry.about) == ("points/add/import", "2026-11-move#1")
    assert booked.cause == Cause("import", "assumed-role/PointbookOperator/hanako")
    assert booked.text is not None
    assert booked.text.reason == "Balance of the old shop"


def test_points_keep_their_day_and_those_without_one_follow_the_programme(
    functions: Functions,
) -> None:
    functions.request(IMPORT, rows({}, {"expired_at": None}, {"expired_at": ""}))
    lots = functions.lots()
    assert [lot.points for lot in lots] == [1000, 500]
    assert lots[1].valid_through.isoformat() == "2099-12-31"


def test_an_import_is_no_activity_of_the_customers_and_renews_nothing() -> None:
    functions = Functions(PROGRAMME_EXPIRY="rolling:days:30")
    functions.sample("flow_action_grant", "days_1")
    functions.request(IMPORT, rows({"expired_at": None}))
    tomorrow, later = functions.lots()
    assert (later.valid_through - tomorrow.valid_through).days == 29


def test_a_repeated_import_adds_only_new_rows(functions: Functions) -> None:
    first = functions.request(IMPORT, rows({}, {"point": 0}))
    assert statuses(first) == ["booked", "refused"]
    corrected = functions.request(IMPORT, rows({}, {"point": 7}, {"point": 9}))
    assert statuses(corrected) == ["repeated", "booked", "booked"]
    assert corrected.body["rows"][0]["entry_id"] == first.body["rows"][0]["entry_id"]
    assert statuses(functions.request(IMPORT, rows({}, {"point": 7}))) == ["repeated"] * 2
    assert [booked.entry.points for booked in functions.entries()] == [9, 7, 500]


@pytest.mark.parametrize(
    "change", [{"point": 501}, {"expired_at": "2099-12-30"}, {"created_at": None}]
)
def test_a_row_that_was_booked_cannot_become_another(
    functions: Functions, change: dict[str, object]
) -> None:
    functions.request(IMPORT, rows({}))
    answer = functions.request(IMPORT, rows(change))
    (row,) = answer.body["rows"]
    assert row["code"] == "idempotency_mismatch"
    assert "leave it as it was booked, and correct" in row["message"]
    assert "new key" not in row["message"]
    assert len(functions.entries()) == 1


def test_another_import_has_other_rows(functions: Functions) -> None:
    functions.request(IMPORT, rows({}))
    second = rows({})
    second["pathParameters"]["import_id"] = "2026-12-move"
    assert statuses(functions.request(IMPORT, second)) == ["booked"]


def test_a_dry_run_says_what_would_become_of_each_row_and_writes_nothing(
    functions: Functions,
) -> None:
    functions.request(IMPORT, rows({}))
    before = functions.table.items("points")
    request = rows({}, {"customer_id": OTHER}, {"expired_at": "2020-12-31"}, {"title": " "})
    body = json.loads(request["body"]) | {"dry_run": True}
    dry = functions.request(IMPORT, request | {"body": json.dumps(body)})
    assert statuses(dry) == ["repeated", "booked", "refused", "refused"]
    assert dry.body["dry_run"] is True
    assert functions.table.items("points") == before
    wet = functions.request(IMPORT, request)
    assert wet.body["rows"][1].pop("entry_id"), "which a dry run has none of"
    assert (wet.body["rows"], wet.body["totals"]) == (dry.body["rows"], dry.body["totals"])


def test_a_refused_row_says_why_and_stops_no_other(functions: Functions) -> None:
    answer = functions.sample(IMPORT, "some_refused")
    booked, past, none, nobody = answer.body["rows"]
    assert booked["status"] == "booked"
    assert (past["code"], past["points"]) == ("day_past", 300)
    assert "2020-12-31 is past" in past["message"]
    assert (none["code"], none["points"]) == ("invalid_request", 0)
    assert "point is 0" in none["message"]
    assert "customer_id is 'Taro'" in nobody["message"]
    assert nobody["points"] == 500
    assert answer.body["totals"]["refused"] == {"rows": 3, "points": 800}


@pytest.mark.parametrize(
    "change",
    [
        *({"customer_id": None}, {"title": ""}, {"title": "t" * 256}, {"point": "5.0"}),
        *({"point": -1}, {"point": True}, {"point": 1_000_000_001}),
        *({"expired_at": "2099/12/31"}, {"expired_at": "2099-02-30"}, {"expired_at": 20991231}),
        *({"created_at": 5}, {"created_at": "c" * 256}),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_alone(
    functions: Functions, change: dict[str, object]
) -> None:
    answer = functions.request(IMPORT, rows(change, {"customer_id": OTHER}))
    assert statuses(answer) == ["refused", "booked"]
    assert answer.body["rows"][0]["code"] == "invalid_request"
    assert functions.entries() == []


@pytest.mark.parametrize("content", [[1], [[]], "rows", {"row": 1}])
def test_rows_are_a_list_of_objects(functions: Functions, content: object) -> None:
    request = rows() | {"body": json.dumps({"rows": content})}
    assert problem(functions.request(IMPORT, request)) == (422, "invalid_request")


def test_a_hundred_rows_with_the_longest_titles_fit(functions: Functions) -> None:
    longest = [{"customer_id": str(number), "title": "🎁" * 255} for number in range(1, 101)]
    answer = functions.request(IMPORT, rows(*longest))
    assert answer.body["totals"]["booked"] == {"rows": 100, "points": 50_000}


def test_ten_concurrent_identical_requests_book_each_row_once() -> None:
    functions = Functions({"dynamodb": LockedClient(memory_table())})
    request = rows({}, {"customer_id": OTHER}, {})
    with ThreadPoolExecutor(10) as pool:
        answers = [one.body for one in pool.map(functions.request, [IMPORT] * 10, [request] * 10)]
    statuses_seen = [row["status"] for answer in answers for row in answer["rows"]]
    assert (statuses_seen.count("booked"), statuses_seen.count("repeated")) == (3, 27)
    assert (len(functions.entries()), len(functions.entries(OTHER))) == (2, 1)


def test_rows_that_the_time_did_not_suffice_for_are_answered_as_not_done(
    functions: Functions,
) -> None:
    """Each look at the clock takes 8 seconds of 20."""
    ticks = iter(range(0, 1000, 8))
    ledger = functions.ledger
    programme = functions.container.programme(demo.SHOP_DOMAIN)
    batch = imports.Import("move", demo.SHOP_DOMAIN, "user/a", ledger, programme, dry_run=False)
    contents = {number: ROW | {"row": number} for number in range(1, 5)}
    done = list(batch.run(contents, Deadline.after(20.0, lambda: next(ticks))))
    assert [one["status"] for one in done] == ["booked", "booked", "not_done", "not_done"]
    assert imports.totals(done)["not_done"] == {"rows": 2, "points": 1000}
    assert len(functions.entries()) == 2


def test_a_row_that_the_ledger_has_no_verdict_on_is_not_done_and_the_others_are(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = Ledger.execute

    def busy(ledger: Ledger, instruction: Any, seconds: float) -> Any:
        assert 0 < seconds <= imports.ROW_SECONDS
        if instruction.customer_id == CUSTOMER:
            raise LedgerUnavailable(retry_after_seconds=1)
        return execute(ledger, instruction, seconds)

    monkeypatch.setattr(Ledger, "execute", busy)
    answer = functions.request(IMPORT, rows({}, {"customer_id": OTHER}))
    assert statuses(answer) == ["not_done", "booked"]


def test_one_row_with_which_anything_is_wrong_stops_no_row_behind_it(functions: Functions) -> None:
    """The account of the first row's customer is damaged, as no rule of ours foresees."""
    functions.request(IMPORT, rows({}))
    functions.damage()
    answer = functions.request(
        IMPORT, rows({"point": 7}, {"customer_id": OTHER}, import_id="second")
    )
    assert statuses(answer) == ["not_done", "booked"]
    assert functions.entries(OTHER)[0].entry.points == 500


def test_rows_of_a_merged_customer_go_to_the_survivor_and_are_recognized(
    functions: Functions,
) -> None:
    functions.request(IMPORT, rows({}))
    ledger = functions.ledger
    assert isinstance(ledger.merge(demo.SHOP_DOMAIN, CUSTOMER, OTHER, Cause("test")), Booked)
    assert statuses(functions.request(IMPORT, rows({}, {"point": 7}))) == ["repeated", "booked"]
    assert functions.entries(OTHER)[0].entry.points == 7


def test_rows_of_an_erased_customer_are_refused(functions: Functions) -> None:
    functions.request(IMPORT, rows({}))
    functions.erase()
    answer = functions.request(IMPORT, rows({}, {}))
    assert [row["code"] for row in answer.body["rows"]] == ["customer_erased"] * 2
