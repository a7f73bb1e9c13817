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
from tests.functions.import_desk import IMPORT_ID, ImportDesk
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
def desk() -> ImportDesk:
    return ImportDesk()


def figures(rows: int = 0, added: int = 0, removed: int = 0) -> dict[str, int]:
    return {"rows": rows, "added": added, "removed": removed}


def test_rows_are_booked_and_the_totals_are_those_of_the_file(desk: ImportDesk) -> None:
    report = desk.run(*ROWS)
    assert (report["status"], report["rows"], report["rows_done"]) == ("done", 5, 5)
    assert report["totals"] == {
        "valid": figures(5, 1370, 120),
        "booked": figures(5, 1370, 120),
        "repeated": figures(),
        "refused": figures(),
    }
    assert (desk.functions.approved(), desk.functions.approved(OTHER)) == (1070, 180)
    removed, added = desk.functions.entries(OTHER)
    assert [one.entry.topic for one in (added, removed)] == [
        "points/add/import",
        "points/sub/manual",
    ]
    for booked in (added, removed):
        assert booked.cause == Cause("import", "assumed-role/PointbookOperator/hanako")
        assert booked.entry.about.startswith(f"{IMPORT_ID}#")
    assert removed.text is not None
    assert removed.text.reason == "Booked twice"


def test_the_same_file_books_nothing_twice_however_it_is_sorted(desk: ImportDesk) -> None:
    desk.run(*ROWS)
    before = desk.functions.table.items("points")
    for rows in (ROWS, ROWS[::-1], sorted(ROWS)):
        report = desk.run(*rows)
        assert report["totals"]["repeated"] == figures(5, 1370, 120)
        assert report["totals"]["booked"] == figures()
    assert desk.functions.table.items("points") == before


def test_rows_that_were_added_to_the_file_are_booked_and_no_others(desk: ImportDesk) -> None:
    desk.run(*ROWS, f"{THIRD},Balance,x,,")
    report = desk.run(f"{THIRD},Balance,9,,", ROWS[0], *ROWS)
    assert report["totals"]["booked"] == figures(2, 509)
    assert report["totals"]["repeated"] == figures(5, 1370, 120)
    assert (desk.functions.approved(), desk.functions.approved(THIRD)) == (1570, 9)


def test_a_file_that_lacks_or_changes_what_was_booked_is_refused(desk: ImportDesk) -> None:
    desk.run(*ROWS)
    before = desk.functions.table.items("points")
    for dry_run in (True, False):
        report = desk.run(*ROWS[:3], f"{OTHER},Balance,301,,", ROWS[4], dry_run=dry_run)
        assert (report["status"], report["problem"]["code"]) == ("failed", "file_refused")
        assert f"300 points of {OTHER} (line 5 then)" in report["problem"]["message"]
    assert desk.functions.table.items("points") == before
    assert desk.run(*ROWS)["status"] == "done"


def test_another_import_has_other_rows(desk: ImportDesk) -> None:
    desk.run(*ROWS)
    report = desk.run(*ROWS, import_id="2026-12-move")
    assert report["totals"]["booked"] == figures(5, 1370, 120)


def test_refused_rows_stop_no_other_and_are_listed_with_line_and_reason(desk: ImportDesk) -> None:
    report = desk.run(
        f"{CUSTOMER},Balance,500,,",
        "Taro,Balance,30,,",
        f"{OTHER},Balance,40,2020-12-31,",
        f"{THIRD},Balance,-1,,",
        f"{THIRD},Balance,0,,",
    )
    assert report["totals"]["booked"] == figures(1, 500)
    assert report["totals"]["refused"] == figures(4, 70, 1)
    assert report["listed"] == 4
    assert [(line, left, code) for line, _, left, code, _ in desk.listed()] == [
        (3, 30, "invalid_request"),
        (4, 40, "day_past"),
        (5, -1, "insufficient_points"),
        (6, 0, "invalid_request"),
    ]


def test_a_dry_run_says_what_would_become_of_each_row_and_writes_nothing(desk: ImportDesk) -> None:
    rows = (*ROWS, f"{OTHER},Too much,-181,,", f"{THIRD},Balance,-1,,", "Taro,Balance,30,,")
    desk.functions.container.programme(demo.SHOP_DOMAIN)
    before = desk.functions.table.items("points")
    dry, dry_listed = desk.run(*rows, dry_run=True), desk.listed()
    assert desk.functions.table.items("points") == before
    wet = desk.run(*rows)
    assert dry["dry_run"]
    assert not wet["dry_run"]
    assert dry["totals"] == wet["totals"]
    assert dry["totals"]["booked"] == figures(5, 1370, 120)
    assert dry_listed == desk.listed()
    again = desk.run(*rows, dry_run=True)
    assert again["totals"]["repeated"] == figures(5, 1370, 120)


def test_the_original_day_counts_for_expiry_and_is_in_the_history() -> None:
    desk = ImportDesk(Functions(PROGRAMME_EXPIRY="months:12"))
    today = desk.functions.container.clock.now().astimezone(UTC).date()
    half_a_year_ago = today - timedelta(days=180)
    desk.run(f"{CUSTOMER},Balance,5,,{half_a_year_ago}", f"{CUSTOMER},Balance,7,,2020-04-01")
    ((valid_through, points),) = desk.functions.lots()
    assert points == 5
    assert (valid_through - half_a_year_ago).days in (365, 366)
    (booked,) = desk.functions.entries()
    assert booked.entry.about.endswith(f"-1@{half_a_year_ago}")
    (row,) = desk.listed()
    assert row[3] == "day_past"
    assert row[4].startswith("By created_at, 2020-04-01: 2021-04-01 is past")


def test_a_lost_row_is_named_once_however_many_files_had_it(desk: ImportDesk) -> None:
    for _ in range(3):
        desk.run(f"{CUSTOMER},Balance,5,,", f"{CUSTOMER},Balance,7,,")
    problem = desk.run(f"{CUSTOMER},Balance,7,,")["problem"]
    assert problem["message"].count(f"5 points of {CUSTOMER}") == 1


def test_a_row_whose_last_day_is_past_names_its_column(desk: ImportDesk) -> None:
    desk.run(f"{CUSTOMER},Balance,5,2020-12-31,")
    assert desk.listed()[0][4].startswith("By expired_at: 2020-12-31 is past")


def test_an_import_is_no_activity_of_the_customers_and_renews_nothing() -> None:
    desk = ImportDesk(Functions(PROGRAMME_EXPIRY="rolling:days:30"))
    desk.functions.execute(Grant(5, Days(1)))
    desk.run(f"{CUSTOMER},Balance,5,,")
    tomorrow, later = desk.functions.lots()
    assert (later.valid_through - tomorrow.valid_through).days == 29


# --- cut off, delivered twice, out of reach -------------------------------------------------------


def test_a_part_that_is_delivered_twice_books_once_and_keeps_its_result(desk: ImportDesk) -> None:
    desk.send(*ROWS)
    for text in desk.messages():
        for _ in range(2):
            assert desk.functions.work(QUEUE, text) == []
    assert desk.report()["totals"]["booked"] == figures(5, 1370, 120)
    assert desk.functions.approved() == 1070


def test_a_part_that_was_cut_off_goes_on_where_it_was(
    desk: ImportDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.send(*ROWS)
    planned, *_ = desk.messages()
    assert desk.functions.work(QUEUE, planned) == []
    (part,) = desk.messages()
    with monkeypatch.context() as patch:
        patch.setattr(Deadline, "passed", property(lambda _: True))
        assert desk.functions.work(QUEUE, part) == [part]
    assert desk.report()["status"] == "running"
    desk.functions.execute(Grant(1, Days(1)), THIRD)  # the ledger goes on meanwhile
    assert desk.functions.work(QUEUE, part) == []
    assert desk.report()["totals"]["booked"] == figures(5, 1370, 120)


def test_a_row_that_fails_is_tried_again_and_stops_no_other(
    desk: ImportDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.send(*ROWS)
    planned, *_ = desk.messages()
    desk.functions.work(QUEUE, planned)
    (part,) = desk.messages()
    instruction = Booking.instruction

    def fails(booking: Booking, row: Row) -> Instruction:
        if row.customer_id == CUSTOMER:
            raise RuntimeError("a bug of ours")
        return instruction(booking, row)

    with monkeypatch.context() as patch:
        patch.setattr(Booking, "instruction", fails)
        assert desk.functions.work(QUEUE, part) == [part]
    assert (desk.functions.approved(), desk.functions.approved(OTHER)) == (0, 180)
    assert desk.functions.work(QUEUE, part) == []
    assert desk.report()["totals"]["booked"] == figures(3, 1070)
    assert desk.report()["totals"]["repeated"] == figures(2, 300, 120)


@pytest.mark.parametrize("calls", range(1, 14))
def test_a_bucket_out_of_reach_at_any_moment_loses_and_doubles_nothing(
    desk: ImportDesk, calls: int
) -> None:
    desk.send(*ROWS)
    desk.functions.bucket.fails_after = calls
    waiting = list(desk.messages())
    while waiting:
        waiting += desk.functions.work(QUEUE, waiting.pop(0))
        waiting += desk.messages()
    report = desk.report()
    booked, repeated = report["totals"]["booked"], report["totals"]["repeated"]
    assert (booked["rows"] + repeated["rows"], report["totals"]["refused"]["rows"]) == (5, 0)
    assert (desk.functions.approved(), desk.functions.approved(OTHER)) == (1070, 180)


def test_a_part_whose_rows_are_not_kept_any_more_becomes_a_dead_letter(desk: ImportDesk) -> None:
    desk.send(*ROWS)
    planned, *_ = desk.messages()
    desk.functions.work(QUEUE, planned)
    (part,) = desk.messages()
    gone = next(key for key in desk.functions.bucket.objects if "/parts/" in key)
    del desk.functions.bucket.objects[gone]
    assert desk.functions.work(QUEUE, part) == [part]


def test_customers_stay_together_in_parts_and_every_row_is_in_one(
    desk: ImportDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "ROWS_PER_PART", 10)
    rows = [f"{1000 + number % 30},Balance,{number + 1},," for number in range(150)]
    report = desk.run(*rows)
    files = {key: text for key, text in desk.functions.bucket.objects.items() if "/parts/" in key}
    assert len(files) > 10
    customers = [{json.loads(line)[2] for line in text.splitlines()} for text in files.values()]
    assert sum(len(one) for one in customers) == len(set().union(*customers)) == 30
    assert report["totals"]["booked"] == figures(150, 150 * 151 // 2)


def test_rows_are_booked_at_the_pace_that_is_set() -> None:
    class Clock(SetClock):
        def sleep(self, seconds: float) -> None:
            slept.append(seconds)

    slept: list[float] = []
    desk = ImportDesk(Functions({"wall_clock": Clock()}, IMPORT_ROWS_PER_SECOND="8"))
    desk.run(*ROWS)
    assert slept == [pytest.approx(parts.WORKERS / 8)] * 5


def test_messages_of_imports_are_not_counted_as_webhooks(
    desk: ImportDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.run(*ROWS)
    unreadable = event(QUEUE, "unreadable")
    desk.functions.work(QUEUE, unreadable["Records"][0]["body"])
    assert "Webhook" not in capsys.readouterr().out.replace("webhook_", "")


# --- undo -----------------------------------------------------------------------------------------


def test_an_undone_import_leaves_nothing_of_it(desk: ImportDesk) -> None:
    desk.functions.execute(Grant(200, Days(900)), OTHER)
    lots = desk.functions.lots(OTHER)
    desk.run(*ROWS)
    dry = desk.undo(dry_run=True)
    assert desk.functions.approved() == 1070
    report = desk.undo()
    assert report["totals"] == dry["totals"]
    assert report["totals"] == {
        "valid": figures(5, 1370, 120),
        "undone": figures(5, 1370, 120),
        "left": figures(),
        "not_booked": figures(),
        "refused": figures(),
    }
    assert (desk.functions.approved(), desk.functions.lots(OTHER)) == (0, lots)
    assert desk.functions.entries()[0].entry.about.startswith(f"{IMPORT_ID}#")


def test_what_was_spent_held_or_expired_is_listed_and_makes_no_debt(desk: ImportDesk) -> None:
    clock = SetClock(datetime(2026, 11, 30, 3, tzinfo=UTC))
    desk = ImportDesk(Functions({"clock": clock}))
    desk.run(
        f"{CUSTOMER},Balance,500,2027-12-31,",
        f"{OTHER},Balance,300,2027-12-31,",
        f"{THIRD},Balance,50,2026-12-01,",
    )
    desk.functions.execute(Consume(200))
    desk.functions.execute(PlaceHold(120, "h1", 86_400), OTHER)
    clock.at = datetime(2026, 12, 1, 2, tzinfo=UTC)
    dry, listed = desk.undo(dry_run=True), desk.listed()
    assert dry["totals"]["left"] == figures(2, 320)
    clock.at = datetime(2026, 12, 2, 2, tzinfo=UTC)
    report = desk.undo()
    assert report["totals"]["left"] == figures(2, 250)
    assert listed[0] == (
        2,
        500,
        200,
        "points_not_there",
        "200 of 500 points are not there: spent, held, or expired.",
    )
    assert [(line, left) for line, _, left, _, _ in desk.listed()] == [(2, 200), (4, 50)]
    assert [desk.functions.approved(one) for one in (CUSTOMER, OTHER, THIRD)] == [0, 0, 0]


def test_a_debt_is_not_made_again_by_undoing(desk: ImportDesk) -> None:
    desk.functions.execute(SpendOnOrder(300, "901", "till"))
    desk.run(f"{CUSTOMER},Balance,500,,")
    report = desk.undo()
    assert desk.functions.approved() == 0
    assert report["totals"]["left"] == figures(1, 300)


def test_undoing_again_moves_nothing_and_reports_the_same(desk: ImportDesk) -> None:
    desk.run(*ROWS)
    desk.functions.execute(Consume(100))
    first = desk.undo()
    before = desk.functions.table.items("points")
    desk.functions.execute(Grant(1000, Days(9)), THIRD)
    again = desk.undo()
    assert again["totals"] == first["totals"]
    assert {k: v for k, v in desk.functions.table.items("points").items() if k in before} == before


def test_an_undone_import_books_no_more_rows(desk: ImportDesk) -> None:
    desk.send(*ROWS)
    planned, *_ = desk.messages()
    desk.functions.work(QUEUE, planned)
    (part,) = desk.messages()
    undone = desk.undo()
    assert undone["totals"]["not_booked"] == figures(5, 1370, 120)
    assert desk.functions.work(QUEUE, part) == []
    assert desk.functions.approved() == 0
    refused = desk.run(*ROWS)
    assert refused["status"] == "failed"
    assert "was undone" in refused["problem"]["message"]


def test_rows_of_every_file_of_the_import_are_undone(desk: ImportDesk) -> None:
    desk.run(*ROWS)
    desk.run(*ROWS, f"{THIRD},Balance,9,,")
    assert desk.undo()["totals"]["undone"] == figures(6, 1379, 120)
    assert desk.functions.approved(THIRD) == 0


def test_points_of_a_merged_customer_are_undone_at_the_survivor(desk: ImportDesk) -> None:
    desk.run(*ROWS)
    merged = desk.functions.ledger.merge(
        demo.SHOP_DOMAIN, OTHER, CUSTOMER, Cause("customer", "merge")
    )
    assert isinstance(merged, Booked)
    assert merged.figures.approved == 1250
    report = desk.undo()
    assert report["totals"]["undone"] == figures(5, 1370, 120)
    assert desk.functions.approved() == 0


def test_rows_of_an_erased_customer_are_refused_with_the_reason(desk: ImportDesk) -> None:
    desk.run(*ROWS)
    desk.functions.erase()
    report = desk.undo()
    assert report["totals"]["undone"] == figures(2, 300, 120)
    assert report["totals"]["refused"]["rows"] + report["totals"]["not_booked"]["rows"] == 3


def test_an_undone_removal_comes_back_before_what_was_granted_is_taken(desk: ImportDesk) -> None:
    desk.run(f"{CUSTOMER},Balance,500,2099-12-31,", f"{CUSTOMER},Correction,-500,,")
    report = desk.undo()
    assert report["totals"]["undone"] == figures(2, 500, 500)
    assert desk.functions.approved() == 0
    assert desk.functions.topics()[:2] == ["points/sub/manual", "points/add/manual"]


def test_a_removal_takes_what_expires_soonest(desk: ImportDesk) -> None:
    desk.functions.execute(Grant(5, Days(9)))
    desk.functions.execute(Remove(1))
    desk.run(f"{CUSTOMER},Balance,5,2099-12-31,", f"{CUSTOMER},Correction,-6,,")
    assert desk.functions.lots() == ((date(2099, 12, 31), 3),)
