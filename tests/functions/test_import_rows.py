"""Files of balances are booked row by row, each row once whatever happens, and can be undone."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from local import demo
from pointbook.deadline import Deadline
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Consume, Grant, PlaceHold, Remove, SpendOnOrder
from pointbook.domain.expiry import Days
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.services.bulk_imports import parts, plan
from pointbook.services.bulk_imports.booking import Booking
from pointbook.services.bulk_imports.rows import Row
from pointbook.services.bulk_imports.runs import QUEUE
from tests.functions.import_api import IMPORT_ID, ImportApi
from tests.support.harness import CUSTOMER, Functions, event
from tests.support.ledgers import SetClock

OTHER = "8840734670935"
THIRD = "8840734670936"
ROWS = (
    f"{CUSTOMER},Balance,500,2099-12-31,",
    f"{CUSTOMER},Balance,500,2099-12-31,",
    f"{CUSTOMER},Bonus,70,,",
    f"{OTHER},Balance,300,,",
    f"{OTHER},Booked twice,-120,,",
)


@pytest.fixture
def api() -> ImportApi:
    return ImportApi()


def figures(rows: int = 0, added: int = 0, removed: int = 0) -> dict[str, int]:
    return {"rows": rows, "added": added, "removed": removed}


def test_rows_are_booked_and_the_totals_are_those_of_the_file(api: ImportApi) -> None:
    report = api.run(*ROWS)
    assert (report["status"], report["rows"], report["rows_done"]) == ("done", 5, 5)
    assert report["totals"] == {
        "valid": figures(5, 1370, 120),
        "booked": figures(5, 1370, 120),
        "repeated": figures(),
        "refused": figures(),
    }
    assert (api.functions.approved(), api.functions.approved(OTHER)) == (1070, 180)
    removed, added = api.functions.entries(OTHER)
    assert [one.entry.topic for one in (added, removed)] == [
        "points/add/import",
        "points/sub/manual",
    ]
    for booked in (added, removed):
        assert booked.cause == Cause("import", "assumed-role/PointbookOperator/hanako")
        assert booked.entry.about.startswith(f"{IMPORT_ID}#")
    assert removed.text is not None
    assert removed.text.reason == "Booked twice"


def test_the_same_file_books_nothing_twice_however_it_is_sorted(api: ImportApi) -> None:
    api.run(*ROWS)
    before = api.functions.table.items("points")
    for rows in (ROWS, ROWS[::-1], sorted(ROWS)):
        report = api.run(*rows)
        assert report["totals"]["repeated"] == figures(5, 1370, 120)
        assert report["totals"]["booked"] == figures()
    assert api.functions.table.items("points") == before


def test_rows_that_were_added_to_the_file_are_booked_and_no_others(api: ImportApi) -> None:
    api.run(*ROWS, f"{THIRD},Balance,x,,")
    report = api.run(f"{THIRD},Balance,9,,", ROWS[0], *ROWS)
    assert report["totals"]["booked"] == figures(2, 509)
    assert report["totals"]["repeated"] == figures(5, 1370, 120)
    assert (api.functions.approved(), api.functions.approved(THIRD)) == (1570, 9)


def test_a_file_that_lacks_or_changes_what_was_booked_is_refused(api: ImportApi) -> None:
    api.run(*ROWS)
    before = api.functions.table.items("points")
    for dry_run in (True, False):
        report = api.run(*ROWS[:3], f"{OTHER},Balance,301,,", ROWS[4], dry_run=dry_run)
        assert (report["status"], report["problem"]["code"]) == ("failed", "file_refused")
        assert f"300 points of {OTHER} (line 5 then)" in report["problem"]["message"]
    assert api.functions.table.items("points") == before
    assert api.run(*ROWS)["status"] == "done"


def test_another_import_has_other_rows(api: ImportApi) -> None:
    api.run(*ROWS)
    report = api.run(*ROWS, import_id="2026-12-move")
    assert report["totals"]["booked"] == figures(5, 1370, 120)


def test_refused_rows_stop_no_other_and_are_listed_with_line_and_reason(api: ImportApi) -> None:
    report = api.run(
        f"{CUSTOMER},Balance,500,,",
        "Taro,Balance,30,,",
        f"{OTHER},Balance,40,2020-12-31,",
        f"{THIRD},Balance,-1,,",
        f"{THIRD},Balance,0,,",
    )
    assert report["totals"]["booked"] == figures(1, 500)
    assert report["totals"]["refused"] == figures(4, 70, 1)
    assert report["listed"] == 4
    assert [(line, left, code) for line, _, left, code, _ in api.listed()] == [
        (3, 30, "invalid_request"),
        (4, 40, "day_past"),
        (5, -1, "insufficient_points"),
        (6, 0, "invalid_request"),
    ]


def test_a_dry_run_says_what_would_become_of_each_row_and_writes_nothing(api: ImportApi) -> None:
    rows = (*ROWS, f"{OTHER},Too much,-181,,", f"{THIRD},Balance,-1,,", "Taro,Balance,30,,")
    api.functions.container.programme(demo.SHOP_DOMAIN)
    before = api.functions.table.items("points")
    dry, dry_listed = api.run(*rows, dry_run=True), api.listed()
    assert api.functions.table.items("points") == before
    wet = api.run(*rows)
    assert dry["dry_run"]
    assert not wet["dry_run"]
    assert dry["totals"] == wet["totals"]
    assert dry["totals"]["booked"] == figures(5, 1370, 120)
    assert dry_listed == api.listed()
    again = api.run(*rows, dry_run=True)
    assert again["totals"]["repeated"] == figures(5, 1370, 120)


def test_the_original_day_counts_for_expiry_and_is_in_the_history() -> None:
    api = ImportApi(Functions(PROGRAMME_EXPIRY="months:12"))
    today = api.functions.container.clock.now().astimezone(UTC).date()
    half_a_year_ago = today - timedelta(days=180)
    api.run(f"{CUSTOMER},Balance,5,,{half_a_year_ago}", f"{CUSTOMER},Balance,7,,2020-04-01")
    ((valid_through, points),) = api.functions.lots()
    assert points == 5
    assert (valid_through - half_a_year_ago).days in (365, 366)
    (booked,) = api.functions.entries()
    assert booked.entry.about.endswith(f"-1@{half_a_year_ago}")
    (row,) = api.listed()
    assert row[3] == "day_past"
    assert row[4].startswith("By created_at, 2020-04-01: 2021-04-01 is past")


def test_a_lost_row_is_named_once_however_many_files_had_it(api: ImportApi) -> None:
    for _ in range(3):
        api.run(f"{CUSTOMER},Balance,5,,", f"{CUSTOMER},Balance,7,,")
    problem = api.run(f"{CUSTOMER},Balance,7,,")["problem"]
    assert problem["message"].count(f"5 points of {CUSTOMER}") == 1


def test_a_row_whose_last_day_is_past_names_its_column(api: ImportApi) -> None:
    api.run(f"{CUSTOMER},Balance,5,2020-12-31,")
    assert api.listed()[0][4].startswith("By expired_at: 2020-12-31 is past")


def test_an_import_is_no_activity_of_the_customers_and_renews_nothing() -> None:
    api = ImportApi(Functions(PROGRAMME_EXPIRY="rolling:days:30"))
    api.functions.execute(Grant(5, Days(1)))
    api.run(f"{CUSTOMER},Balance,5,,")
    tomorrow, later = api.functions.lots()
    assert (later.valid_through - tomorrow.valid_through).days == 29


# --- cut off, delivered twice, out of reach -------------------------------------------------------


def test_a_part_that_is_delivered_twice_books_once_and_keeps_its_result(api: ImportApi) -> None:
    api.send(*ROWS)
    for text in api.messages():
        for _ in range(2):
            assert api.functions.work(QUEUE, text) == []
    assert api.report()["totals"]["booked"] == figures(5, 1370, 120)
    assert api.functions.approved() == 1070


def test_a_part_that_was_cut_off_goes_on_where_it_was(
    api: ImportApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.send(*ROWS)
    planned, *_ = api.messages()
    assert api.functions.work(QUEUE, planned) == []
    (part,) = api.messages()
    with monkeypatch.context() as patch:
        patch.setattr(Deadline, "passed", property(lambda _: True))
        assert api.functions.work(QUEUE, part) == [part]
    assert api.report()["status"] == "running"
    api.functions.execute(Grant(1, Days(1)), THIRD)  # the ledger goes on meanwhile
    assert api.functions.work(QUEUE, part) == []
    assert api.report()["totals"]["booked"] == figures(5, 1370, 120)


def test_a_row_that_fails_is_tried_again_and_stops_no_other(
    api: ImportApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.send(*ROWS)
    planned, *_ = api.messages()
    api.functions.work(QUEUE, planned)
    (part,) = api.messages()
    instruction = Booking.instruction

    def fails(booking: Booking, row: Row) -> Instruction:
        if row.customer_id == CUSTOMER:
            raise RuntimeError("a bug of ours")
        return instruction(booking, row)

    with monkeypatch.context() as patch:
        patch.setattr(Booking, "instruction", fails)
        assert api.functions.work(QUEUE, part) == [part]
    assert (api.functions.approved(), api.functions.approved(OTHER)) == (0, 180)
    assert api.functions.work(QUEUE, part) == []
    assert api.report()["totals"]["booked"] == figures(3, 1070)
    assert api.report()["totals"]["repeated"] == figures(2, 300, 120)


@pytest.mark.parametrize("calls", range(1, 14))
def test_a_bucket_out_of_reach_at_any_moment_loses_and_doubles_nothing(
    api: ImportApi, calls: int
) -> None:
    api.send(*ROWS)
    api.functions.bucket.fails_after = calls
    waiting = list(api.messages())
    while waiting:
        waiting += api.functions.work(QUEUE, waiting.pop(0))
        waiting += api.messages()
    report = api.report()
    booked, repeated = report["totals"]["booked"], report["totals"]["repeated"]
    assert (booked["rows"] + repeated["rows"], report["totals"]["refused"]["rows"]) == (5, 0)
    assert (api.functions.approved(), api.functions.approved(OTHER)) == (1070, 180)


def test_a_part_whose_rows_are_not_kept_any_more_becomes_a_dead_letter(api: ImportApi) -> None:
    api.send(*ROWS)
    planned, *_ = api.messages()
    api.functions.work(QUEUE, planned)
    (part,) = api.messages()
    gone = next(key for key in api.functions.bucket.objects if "/parts/" in key)
    del api.functions.bucket.objects[gone]
    assert api.functions.work(QUEUE, part) == [part]


def test_customers_stay_together_in_parts_and_every_row_is_in_one(
    api: ImportApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "ROWS_PER_PART", 10)
    rows = [f"{1000 + number % 30},Balance,{number + 1},," for number in range(150)]
    report = api.run(*rows)
    files = {key: text for key, text in api.functions.bucket.objects.items() if "/parts/" in key}
    assert len(files) > 10
    customers = [{json.loads(line)[2] for line in text.splitlines()} for text in files.values()]
    assert sum(len(one) for one in customers) == len(set().union(*customers)) == 30
    assert report["totals"]["booked"] == figures(150, 150 * 151 // 2)


def test_rows_are_booked_at_the_pace_that_is_set() -> None:
    class Clock(SetClock):
        def sleep(self, seconds: float) -> None:
            slept.append(seconds)

    slept: list[float] = []
    api = ImportApi(Functions({"wall_clock": Clock()}, IMPORT_ROWS_PER_SECOND="8"))
    api.run(*ROWS)
    assert slept == [pytest.approx(parts.WORKERS / 8)] * 5


def test_messages_of_imports_are_not_counted_as_webhooks(
    api: ImportApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api.run(*ROWS)
    unreadable = event(QUEUE, "unreadable")
    api.functions.work(QUEUE, unreadable["Records"][0]["body"])
    assert "Webhook" not in capsys.readouterr().out.replace("webhook_", "")


# --- undo -----------------------------------------------------------------------------------------


def test_an_undone_import_leaves_nothing_of_it(api: ImportApi) -> None:
    api.functions.execute(Grant(200, Days(900)), OTHER)
    lots = api.functions.lots(OTHER)
    api.run(*ROWS)
    dry = api.undo(dry_run=True)
    assert api.functions.approved() == 1070
    report = api.undo()
    assert report["totals"] == dry["totals"]
    assert report["totals"] == {
        "valid": figures(5, 1370, 120),
        "undone": figures(5, 1370, 120),
        "left": figures(),
        "not_booked": figures(),
        "refused": figures(),
    }
    assert (api.functions.approved(), api.functions.lots(OTHER)) == (0, lots)
    assert api.functions.entries()[0].entry.about.startswith(f"{IMPORT_ID}#")


def test_what_was_spent_held_or_expired_is_listed_and_makes_no_debt(api: ImportApi) -> None:
    clock = SetClock(datetime(2026, 11, 30, 3, tzinfo=UTC))
    api = ImportApi(Functions({"clock": clock}))
    api.run(
        f"{CUSTOMER},Balance,500,2027-12-31,",
        f"{OTHER},Balance,300,2027-12-31,",
        f"{THIRD},Balance,50,2026-12-01,",
    )
    api.functions.execute(Consume(200))
    api.functions.execute(PlaceHold(120, "h1", 86_400), OTHER)
    clock.at = datetime(2026, 12, 1, 2, tzinfo=UTC)
    dry, listed = api.undo(dry_run=True), api.listed()
    assert dry["totals"]["left"] == figures(2, 320)
    clock.at = datetime(2026, 12, 2, 2, tzinfo=UTC)
    report = api.undo()
    assert report["totals"]["left"] == figures(2, 250)
    assert listed[0] == (
        2,
        500,
        200,
        "points_not_there",
        "200 of 500 points are not there: spent, held, or expired.",
    )
    assert [(line, left) for line, _, left, _, _ in api.listed()] == [(2, 200), (4, 50)]
    assert [api.functions.approved(one) for one in (CUSTOMER, OTHER, THIRD)] == [0, 0, 0]


def test_a_debt_is_not_made_again_by_undoing(api: ImportApi) -> None:
    api.functions.execute(SpendOnOrder(300, "901", "till"))
    api.run(f"{CUSTOMER},Balance,500,,")
    report = api.undo()
    assert api.functions.approved() == 0
    assert report["totals"]["left"] == figures(1, 300)


def test_undoing_again_moves_nothing_and_reports_the_same(api: ImportApi) -> None:
    api.run(*ROWS)
    api.functions.execute(Consume(100))
    first = api.undo()
    before = api.functions.table.items("points")
    api.functions.execute(Grant(1000, Days(9)), THIRD)
    again = api.undo()
    assert again["totals"] == first["totals"]
    assert {k: v for k, v in api.functions.table.items("points").items() if k in before} == before


def test_an_undone_import_books_no_more_rows(api: ImportApi) -> None:
    api.send(*ROWS)
    planned, *_ = api.messages()
    api.functions.work(QUEUE, planned)
    (part,) = api.messages()
    undone = api.undo()
    assert undone["totals"]["not_booked"] == figures(5, 1370, 120)
    assert api.functions.work(QUEUE, part) == []
    assert api.functions.approved() == 0
    refused = api.run(*ROWS)
    assert refused["status"] == "failed"
    assert "was undone" in refused["problem"]["message"]


def test_rows_of_every_file_of_the_import_are_undone(api: ImportApi) -> None:
    api.run(*ROWS)
    api.run(*ROWS, f"{THIRD},Balance,9,,")
    assert api.undo()["totals"]["undone"] == figures(6, 1379, 120)
    assert api.functions.approved(THIRD) == 0


def test_points_of_a_merged_customer_are_undone_at_the_survivor(api: ImportApi) -> None:
    api.run(*ROWS)
    merged = api.functions.ledger.merge(
        demo.SHOP_DOMAIN, OTHER, CUSTOMER, Cause("customer", "merge")
    )
    assert isinstance(merged, Booked)
    assert merged.figures.approved == 1250
    report = api.undo()
    assert report["totals"]["undone"] == figures(5, 1370, 120)
    assert api.functions.approved() == 0


def test_rows_of_an_erased_customer_are_refused_with_the_reason(api: ImportApi) -> None:
    api.run(*ROWS)
    api.functions.erase()
    report = api.undo()
    assert report["totals"]["undone"] == figures(2, 300, 120)
    assert report["totals"]["refused"]["rows"] + report["totals"]["not_booked"]["rows"] == 3


def test_an_undone_removal_comes_back_before_what_was_granted_is_taken(api: ImportApi) -> None:
    api.run(f"{CUSTOMER},Balance,500,2099-12-31,", f"{CUSTOMER},Correction,-500,,")
    report = api.undo()
    assert report["totals"]["undone"] == figures(2, 500, 500)
    assert api.functions.approved() == 0
    assert api.functions.topics()[:2] == ["points/sub/manual", "points/add/manual"]


def test_a_removal_takes_what_expires_soonest(api: ImportApi) -> None:
    api.functions.execute(Grant(5, Days(9)))
    api.functions.execute(Remove(1))
    api.run(f"{CUSTOMER},Balance,5,2099-12-31,", f"{CUSTOMER},Correction,-6,,")
    assert api.functions.lots() == ((date(2099, 12, 31), 3),)
